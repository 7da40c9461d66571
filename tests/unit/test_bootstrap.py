"""Services and adapters are created from the settings."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

import imgcore
from imgcore import bootstrap, bootstrap_accounts, captioners
from imgcore.aws import clients
from imgcore.captioners import LOCAL, RenewedCaptioner
from imgcore.config import Config, Secret
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import Source
from imgcore.notifications.models import NotificationMessage
from tests.unit.fakes import FakeCaptioner

ROOT = Path(__file__).parents[2]

AWS = {
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
}
BUCKETS = {
    "UPLOADS_BUCKET": "u",
    "DERIVED_BUCKET": "d",
    "THUMBNAIL_QUEUE_URL": "http://127.0.0.1:1/t",
    "CAPTION_QUEUE_URL": "http://127.0.0.1:1/c",
}
OPENAI = {"CAPTIONER": "openai", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1", "OPENAI_MODEL": "llava:7b"}
PICTURE: Any = None


@pytest.fixture(autouse=True)
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize(
    ("environ", "sources", "words"),
    [
        ({}, [Source.LOCAL, None], LOCAL),
        ({"CAPTIONER": "local", "GEMINI_API_KEY": "k"}, [Source.LOCAL, None], LOCAL),
        ({"GEMINI_API_KEY": "k"}, [Source.GEMINI, Source.LOCAL], "Gemini (gemini-3.5-flash-lite)"),
        ({"GEMINI_SECRET_ID": "s", "GEMINI_MODEL": "m"}, [Source.GEMINI, Source.LOCAL], "Gemini (m)"),
        ({"CAPTIONER": "gemini"}, [Source.GEMINI, Source.LOCAL], "Gemini (gemini-3.5-flash-lite)"),
        (OPENAI | {"GEMINI_API_KEY": "k"}, [Source.OPENAI, Source.LOCAL], "the model llava:7b"),
    ],
)
def test_captioners_follow_captioner_and_key(
    environ: dict[str, str], sources: list[Source | None], words: str
) -> None:
    """auto uses Gemini if there is a key; the local describer describes provisionally."""
    config = Config.read(environ)

    found = captioners.create(config)

    assert sources == [captioner and captioner.source for captioner in found]
    assert words == captioners.describer(config)


def test_captioners_without_the_local_extra_have_no_standby(monkeypatch: pytest.MonkeyPatch) -> None:
    """The production archive leaves it out."""

    def missing() -> None:
        raise Misconfigured("pip install imgcore[local]")

    monkeypatch.setattr(captioners, "local", missing)
    _, standby = captioners.create(Config.read({"GEMINI_API_KEY": "k"}))

    assert standby is None
    with pytest.raises(Misconfigured):
        captioners.create(Config.read({}))


def test_processor_without_captioners_has_none(tmp_path: Path) -> None:
    environ = BUCKETS | {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "MAX_ATTEMPTS": "2"}
    made = bootstrap.processor(Config.read(environ))

    assert (2, "u") == (made.timing.max_attempts, made.uploads_bucket)
    assert made.captioner is made.standby is None


def test_services_are_created_from_settings_alone(tmp_path: Path) -> None:
    """They connect to nothing."""
    environ = BUCKETS | {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "MAX_UPLOAD_BYTES": "99"}
    config = Config.read(environ)

    gallery = bootstrap.gallery(config)

    captioner = bootstrap.processor(config, *captioners.create(config)).captioner
    assert captioner is not None
    assert Source.LOCAL is captioner.source
    assert 300.0 == bootstrap.sweeper(config).timing.lost_after
    assert (99, LOCAL, "dev") == (gallery.limits.max_bytes, gallery.describer, gallery.release)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "DATABASE_URL"),
        ({"DB_HOST": "h"}, "DB_NAME"),
        ({"DATABASE_URL": "sqlite:///x.db"}, "UPLOADS_BUCKET"),
        ({"DATABASE_URL": "sqlite:///x.db", "UPLOADS_BUCKET": "u"}, "DERIVED_BUCKET"),
    ],
)
def test_gallery_missing_setting_is_named(
    environ: dict[str, str], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(Misconfigured, match=name):
        bootstrap.gallery(Config.read(environ))


def test_queues_without_uploads_bucket_are_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="UPLOADS_BUCKET"):
        bootstrap.queues(Config.read({}))


def test_gemini_without_a_key_is_misconfigured() -> None:
    with pytest.raises(Misconfigured, match="No Gemini key is set"):
        captioners.gemini(Config.read({"CAPTIONER": "gemini"}))


@pytest.mark.parametrize("missing", ["OPENAI_BASE_URL", "OPENAI_MODEL"])
def test_openai_without_address_or_model_is_misconfigured(missing: str) -> None:
    assert Source.OPENAI is captioners.model(Config.read(OPENAI)).source
    with pytest.raises(Misconfigured, match=missing):
        captioners.model(Config.read(OPENAI | {missing: ""}))


def test_gemini_takes_the_key_or_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "get_secret", lambda secret_id: f"  key-of-{secret_id}\n")

    for environ in ({"GEMINI_API_KEY": "k"}, {"GEMINI_SECRET_ID": "s"}):
        assert Source.GEMINI is captioners.gemini(Config.read(environ)).source


def test_renewed_captioner_refused_key_is_fetched_again() -> None:
    """One client is used until then."""
    made: list[FakeCaptioner] = []

    def make() -> FakeCaptioner:
        made.append(FakeCaptioner([Misconfigured("refused") if not made else "A cat."]))
        return made[-1]

    captioner = RenewedCaptioner(Source.GEMINI, make)
    captioner.warm()
    with pytest.raises(Misconfigured):
        captioner.describe(PICTURE, deadline=0)
    captions = [captioner.describe(PICTURE, deadline=0).caption for _ in range(2)]

    assert (["A cat.", "A cat."], 2) == (captions, len(made))


@pytest.mark.parametrize("text", ["no json", "[]", '{"username": "u"}'])
def test_database_secret_without_credentials_is_misconfigured(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message does not show the secret."""
    monkeypatch.setattr(clients, "get_secret", lambda secret_id: text)

    with pytest.raises(Misconfigured, match="DB_SECRET_ID") as caught:
        bootstrap._database_credentials(Config.read({"DB_SECRET_ID": "s"}))
    assert text not in caught.value.message


def test_database_credentials_prefer_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "get_secret", lambda secret_id: json.dumps({"username": "u", "password": "p"}))

    named = Config.read({"DB_SECRET_ID": "s", "DB_USER": "x", "DB_PASSWORD": "y"})
    plain = Config.read({"DB_USER": "x", "DB_PASSWORD": "y"})

    assert ("u", Secret("p")) == bootstrap._database_credentials(named)
    assert ("x", Secret("y")) == bootstrap._database_credentials(plain)


def test_get_secret_unreachable_service_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port; botocore waits before each of three retries."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    waits: list[float] = []
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=waits.append))

    with pytest.raises(Unavailable, match="Secrets Manager"):
        clients.get_secret("s")
    assert 3 == len(waits)


def test_gallery_missing_region_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AWS_DEFAULT_REGION and AWS_REGION are both read."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    environ = BUCKETS | {"DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}

    assert bootstrap.gallery(Config.read(environ)).storage_origins
    monkeypatch.delenv("AWS_REGION")
    with pytest.raises(Misconfigured, match="AWS_REGION is not set"):
        bootstrap.gallery(Config.read(environ))


def test_package_exports_every_name_of_all() -> None:
    """Other names raise AttributeError."""
    assert all(getattr(imgcore, name) is not None for name in imgcore.__all__)
    assert sorted(imgcore.__all__) == list(imgcore.__all__)
    assert set(imgcore.__all__) <= set(dir(imgcore))
    with pytest.raises(AttributeError, match="nonsense"):
        _ = imgcore.nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["imgcore", "imgcore.bootstrap", "imgcore.cli.main"])
def test_import_loads_no_heavy_library(module: str) -> None:
    heavy = "{'boto3', 'botocore', 'numpy', 'PIL', 'google', 'pymysql', 'bottle', 'tqdm'}"
    code = f"import {module}, sys; print(sorted({heavy} & set(sys.modules)))"

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert "[]\n" == run.stdout


def test_thumbnail_function_loads_nothing_that_only_the_gallery_needs(tmp_path: Path) -> None:
    """Each would lengthen every cold start."""
    unused = ("boto3", "imgcore.accounts.models", "imgcore.notifications.models", "imgcore.db.migrations")
    code = (
        "import sys; from lambda_build.handlers import thumbnail; thumbnail.processor();"
        f"print(sorted({{*{unused}}} & set(sys.modules)))"
    )
    settings = {**BUCKETS, "DATABASE_URL": f"sqlite:///{tmp_path}/x.db", "AWS_REGION": "eu-central-1"}

    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert "[]\n" == run.stdout


def test_database_from_parts_connects_at_first_use() -> None:
    known = bootstrap.database(Config.read({"DB_HOST": "127.0.0.1", "DB_PORT": "1", "DB_NAME": "gallery"}))

    with pytest.raises(Misconfigured, match="DB_"):
        known.read(lambda tx: tx.rows("SELECT 1"))


class _Sns:
    """A client that accepts every message."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def publish(self, **letter: Any) -> None:
        self.published.append(letter["TopicArn"])


def test_notification_sender_follows_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """None, a folder, a topic, or both."""
    sns = _Sns()
    monkeypatch.setattr(clients, "create_client", lambda service, session=None, retries=None: sns)
    folder, topic = {"MAIL_DIR": str(tmp_path / "mail")}, {"NOTICES_TOPIC_ARN": "arn:made-up"}

    assert bootstrap.notification_sender(Config.read({})) is None
    for number, settings in enumerate((folder, topic, folder | topic)):
        sender = bootstrap.notification_sender(Config.read(settings))
        assert sender is not None
        sender.send(NotificationMessage(number, None, None, "Ready", "All done."))
    written = sorted(path.name for path in (tmp_path / "mail").iterdir())
    assert (["000000.eml", "000002.eml"], ["arn:made-up"] * 2) == (written, sns.published)


@pytest.mark.parametrize(("settings", "possible"), [({}, False), ({"NOTICES_TOPIC_ARN": "arn:made-up"}, True)])
def test_subscriptions_are_possible_with_a_topic(
    settings: dict[str, str], possible: bool, tmp_path: Path
) -> None:
    config = Config.read({"DATABASE_URL": f"sqlite:///{tmp_path}/x.db", **settings})
    bootstrap.migrate(config)
    ada = bootstrap_accounts.account_service(config).add("ada", "a made-up password")

    assert possible is bootstrap_accounts.subscriptions(config).status(ada).possible


@pytest.mark.parametrize(
    ("missing", "make", "said"),
    [
        ("imgcore.accounts.passwords", bootstrap_accounts.hasher, "argon2-cffi"),
        ("imgcore.captioning.local", captioners.local, "local describer is not installed"),
    ],
)
def test_missing_extra_is_named(
    missing: str, make: Callable[[], object], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(Misconfigured, match=said):
        make()


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ResourceNotFoundException", "key_missing"),
        ("AccessDeniedException", "key_missing"),
        ("ThrottlingException", "secret"),
        ("InternalServiceError", "secret"),
    ],
)
def test_secret_of_gemini_without_a_value_is_the_operators_task(
    monkeypatch: pytest.MonkeyPatch, code: str, expected: str
) -> None:
    """Other failures of Secrets Manager pass by themselves."""
    client = Mock()
    client.get_secret_value.side_effect = ClientError({"Error": {"Code": code}}, "GetSecretValue")
    monkeypatch.setattr("imgcore.aws.clients.create_client", lambda *_, **__: client)
    with pytest.raises(Misconfigured if expected == "key_missing" else Unavailable) as raised:
        captioners.gemini(Config(gemini_secret_id="s"))
    assert expected == raised.value.code
