"""The zips at work in a bare interpreter: AWS's runtime client and boto3 beside them, nothing else.

The emulator stands for S3 and runs no function here: its own Python would hide what a zip lacks.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from imgcore.config import Secret
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.gallery.models import Source, TaskKind, TaskStatus
from imgcore.pipeline.s3_events import message
from lambda_build.targets import THIS
from tests.cloud import Cloud, cloud
from tests.contract.zip_tools import (
    DERIVED,
    DONE,
    FORMATS,
    UPLOADS,
    Lambda,
    found,
    photo,
    plain,
    started,
    upload,
)
from tests.fake_gemini import FakeGemini
from tests.mariadb import MariaDb
from tests.runtime_api import Answer, RuntimeApi, lambda_environ, running
from tests.support.repositories import Repositories
from tests.zips import bare_interpreter, built, unpack

HERE_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"

IMPORT_ALL = """
import importlib, pathlib, sys
sys.path.insert(0, ".")
for path in sorted(pathlib.Path().glob("*/**/*.py")):
    if path.parts[0] in ("imgcore", "lambda_build"):
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
for path in sorted(pathlib.Path().iterdir()):
    name = path.name.split(".")[0]
    if not name.startswith("__") and (path.suffix in (".py", ".so") or (path / "__init__.py").exists()):
        importlib.import_module(name)
sys.stdout.write("all")
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter as AWS's image has it, of this very version."""
    return bare_interpreter(tmp_path_factory.mktemp("bare"), sys.executable)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An S3 with both buckets."""
    with cloud(tmp_path_factory.mktemp("cloud")) as emulated:
        for bucket in (UPLOADS, DERIVED):
            emulated.client("s3").create_bucket(Bucket=bucket)
        yield emulated


@pytest.fixture(scope="module")
def task_roots(tmp_path_factory: pytest.TempPathFactory) -> Mapping[tuple[str, str], Path]:
    """Every zip, unpacked; production's as if this machine were the production one."""
    roots = {}
    for function in ("thumbnail", "caption"):
        for profile in ("production", "local"):
            zipped = built(function, profile, HERE_PYTHON, THIS)
            roots[function, profile] = unpack(zipped, tmp_path_factory.mktemp(f"{function}-{profile}"))
    return roots


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """An SQLite of its own, migrated."""
    url = f"sqlite:///{tmp_path}/gallery.db"
    opened = open_database(Secret(url))
    migrate(opened)
    opened.close()
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same database, from outside of the function."""
    opened = open_database(Secret(database_url))
    yield opened
    opened.close()


@pytest.fixture
def settings(aws: Cloud, database_url: str) -> dict[str, str]:
    """What the functions role sets, as far as a function needs it here."""
    return {
        **{name: value for name, value in aws.root.items() if name.startswith("AWS_")},
        "DATABASE_URL": database_url,
        "UPLOADS_BUCKET": UPLOADS,
        "DERIVED_BUCKET": DERIVED,
    }


# Whole


@pytest.mark.parametrize("profile", ["production", "local"])
@pytest.mark.parametrize("function", ["thumbnail", "caption"])
def test_zip_modules_can_all_be_imported(
    function: str, profile: str, bare: Path, task_roots: Mapping[tuple[str, str], Path]
) -> None:
    """Each module of ours, and each library at its top."""
    root = task_roots[function, profile]
    done = subprocess.run(
        [str(bare), "-W", "ignore", "-c", IMPORT_ALL],
        cwd=root,
        env=lambda_environ(root),
        capture_output=True,
        text=True,
    )

    assert ("all", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("profile", ["production", "local"])
def test_handler_import_loads_no_heavy_library(
    profile: str, bare: Path, task_roots: Mapping[tuple[str, str], Path]
) -> None:
    """The handlers' import loads no codec, SDK, numpy or botocore, and not the models of images."""
    program = (
        "import sys; sys.path.insert(0, '.'); import lambda_build.handlers.caption;"
        "print(*({'pillow_heif', 'google', 'numpy', 'botocore', 'imgcore.gallery.models'} & set(sys.modules)))"
    )
    root = task_roots["caption", profile]
    done = subprocess.run(
        [str(bare), "-c", program], cwd=root, env=lambda_environ(root), capture_output=True, text=True
    )

    assert ("", "") == (done.stdout.strip(), done.stderr)


# At work


@pytest.fixture
def thumbnails(
    bare: Path, task_roots: Mapping[tuple[str, str], Path], settings: dict[str, str]
) -> Iterator[Lambda]:
    """The thumbnail function as AWS gets it."""
    with started(bare, task_roots["thumbnail", "production"], "thumbnail", settings) as function:
        yield function


@pytest.fixture
def describer(
    bare: Path, task_roots: Mapping[tuple[str, str], Path], settings: dict[str, str]
) -> Iterator[Lambda]:
    """The caption function as `make run` gets it, without a key."""
    with started(bare, task_roots["caption", "local"], "caption", settings) as function:
        yield function


def test_thumbnail_function_renders_every_format(thumbnails: Lambda, aws: Cloud, database: Database) -> None:
    """Six formats in one batch: all done, each with its three derived images in the bucket."""
    repositories = Repositories(database)
    images = [upload(aws, repositories, photo(ending), ending) for ending in FORMATS]

    answer = thumbnails.receive(*(message(UPLOADS, image.image_key) for image in images))

    rows = [found(repositories, image) for image in images]
    keys = {item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=DERIVED)["Contents"]}
    wanted = {key for row in rows for key in row.derived_keys}
    assert (DONE, [*FORMATS.values()]) == (plain(answer), [row.format for row in rows])
    assert wanted <= keys


def test_thumbnail_function_rejects_a_text_file(thumbnails: Lambda, aws: Cloud, database: Database) -> None:
    """The message is acknowledged: no repetition makes a text a picture."""
    repositories = Repositories(database)
    image = upload(aws, repositories, b"not an image at all", "jpg")

    answer = thumbnails.receive(message(UPLOADS, image.image_key))

    assert (DONE, "rejected") == (plain(answer), found(repositories, image).status)


def test_caption_function_without_a_key_describes_locally(
    describer: Lambda, aws: Cloud, database: Database
) -> None:
    """numpy, both nets and their weights are in the local zip."""
    repositories = Repositories(database)
    image = upload(aws, repositories, photo("jpg"), "jpg")

    answer = describer.receive(message(UPLOADS, image.image_key))

    row = found(repositories, image)
    assert (DONE, Source.LOCAL, True) == (plain(answer), row.source, bool(row.alt_text))


def test_caption_function_with_gemini_and_mariadb_describes(
    bare: Path,
    task_roots: Mapping[tuple[str, str], Path],
    settings: dict[str, str],
    aws: Cloud,
    mariadb_server: MariaDb,
    mariadb_url: str,
) -> None:
    """Production's own pair: Google's SDK as it was pruned, and MySQL's protocol over TLS."""
    database = open_database(Secret(mariadb_url), ca=str(mariadb_server.ca))
    migrate(database)
    repositories = Repositories(database)
    image = upload(aws, repositories, photo("heic"), "heic")
    with FakeGemini("ok") as gemini:
        environ = {
            **settings,
            "DATABASE_URL": mariadb_url,
            "DB_CA": str(mariadb_server.ca),
            "GEMINI_API_KEY": secrets.token_hex(16),
            "GEMINI_BASE_URL": gemini.url,
        }
        with started(bare, task_roots["caption", "production"], "caption", environ) as function:
            answer = function.receive(message(UPLOADS, image.image_key))
    row = found(repositories, image)
    database.close()

    assert (DONE, Source.GEMINI, 1) == (plain(answer), row.source, len(gemini.asked))


def test_caption_function_with_a_rejected_key_parks_the_task(
    bare: Path,
    task_roots: Mapping[tuple[str, str], Path],
    settings: dict[str, str],
    aws: Cloud,
    database: Database,
) -> None:
    """The zip has no local describer: the image is parked instead of lost."""
    repositories = Repositories(database)
    image = upload(aws, repositories, photo("jpg"), "jpg")
    with FakeGemini("ok", key=secrets.token_hex(16)) as gemini:
        environ = {**settings, "GEMINI_API_KEY": secrets.token_hex(16), "GEMINI_BASE_URL": gemini.url}
        with started(bare, task_roots["caption", "production"], "caption", environ) as function:
            answer = function.receive(message(UPLOADS, image.image_key))

    assert (DONE, TaskStatus.RETRY) == (plain(answer), found(repositories, image).task(TaskKind.CAPTION).status)


def test_caption_function_runs_the_sweep(describer: Lambda) -> None:
    assert DONE == plain(describer.invoke({"task": "sweep"}))


@pytest.mark.parametrize(("function", "profile"), [("thumbnail", "production"), ("caption", "local")])
def test_ping_loads_everything(
    function: str,
    profile: str,
    bare: Path,
    task_roots: Mapping[tuple[str, str], Path],
    settings: dict[str, str],
) -> None:
    with started(bare, task_roots[function, profile], function, settings) as lambda_function:
        assert DONE == plain(lambda_function.invoke({"task": "ping"}))


# In trouble


def test_batch_with_one_bad_message_returns_only_that_one(
    describer: Lambda, aws: Cloud, database: Database
) -> None:
    image = upload(aws, Repositories(database), photo("jpg"), "jpg")

    answer = describer.receive("no JSON", message(UPLOADS, image.image_key))

    expected = Answer("", payload={"batchItemFailures": [{"itemIdentifier": "m0"}]})
    assert expected == plain(answer)


def test_unreachable_database_returns_the_message_to_the_queue(
    bare: Path, task_roots: Mapping[tuple[str, str], Path], settings: dict[str, str]
) -> None:
    """The queue delivers the message again."""
    environ = {**settings, "DATABASE_URL": "mysql://nobody:nothing@127.0.0.1:1/none"}
    with started(bare, task_roots["thumbnail", "production"], "thumbnail", environ) as function:
        answer = function.receive(message(UPLOADS, f"raw/{secrets.token_hex(16)}.jpg"))

    assert [{"itemIdentifier": "m0"}] == answer.payload["batchItemFailures"]


def test_missing_setting_is_logged_with_its_name(
    bare: Path, task_roots: Mapping[tuple[str, str], Path], settings: dict[str, str]
) -> None:
    environ = {name: value for name, value in settings.items() if name != "UPLOADS_BUCKET"}
    with started(bare, task_roots["thumbnail", "production"], "thumbnail", environ) as function:
        answer = function.receive(message(UPLOADS, "raw/a.jpg"))
        record = function.process.records[-1]

    fields = (record["level"], record["message"], record["request_id"])
    assert ("ERROR", "UPLOADS_BUCKET is not set.", answer.request_id) == fields


def test_unknown_event_fails_with_the_error_type(describer: Lambda) -> None:
    answer = describer.invoke({"hello": "world"})

    assert answer.error is not None
    assert ("Invalid", answer.request_id) == (answer.error["errorType"], answer.error["requestId"])


def test_zip_without_imgcore_fails_at_initialisation(
    bare: Path, task_roots: Mapping[tuple[str, str], Path], settings: dict[str, str], tmp_path: Path
) -> None:
    """The proof itself can fail: without imgcore the runtime reports an error of the initialisation."""
    handlers = tmp_path / "root" / "lambda_build"
    handlers.parent.mkdir()
    handlers.symlink_to(task_roots["thumbnail", "production"] / "lambda_build")
    with RuntimeApi() as api:
        with running(
            api, bare, handlers.parent, "lambda_build.handlers.thumbnail.handler", settings
        ) as process:
            process.process.wait(timeout=60)
        error = api.init_error

    assert error is not None
    assert "No module named 'imgcore'" in error["errorMessage"]


def test_delivery_is_logged_in_one_line_without_secrets(describer: Lambda, settings: dict[str, str]) -> None:
    describer.invoke({"task": "ping"})
    describer.receive(message("elsewhere", "raw/a.jpg"))
    lines = describer.process.output.splitlines()

    outcomes = [json.loads(line)["outcome"] for line in lines]
    answered = [
        name for name, value in settings.items() if "SECRET" in name and value in describer.process.output
    ]
    assert (["done", "ignored"], []) == (outcomes, answered)
