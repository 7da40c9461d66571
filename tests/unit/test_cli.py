"""The command line: JSON lines, messages on standard error, exit codes."""

from __future__ import annotations

import io
import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image as PillowImage

from imgcore import bootstrap, captioners
from imgcore.captioning.answers import busy
from imgcore.cli import main as cli
from imgcore.config import Config
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.limits import MAX_BYTES
from imgcore.gallery.models import Source
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import RecordCall
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.cli_tools import described, lines
from tests.unit.fakes import FakeCaptioner, FakeQueues, FakeStorage


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """The path of a small JPEG."""
    path = tmp_path / "sky.jpg"
    PillowImage.new("RGB", (400, 300), (60, 120, 220)).save(path)
    return path


def test_caption_prints_a_json_line(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.main(["caption", "--captioner", "local", str(photo)])

    (line,) = lines(capsys)
    assert (0, str(photo), "local") == (code, line["file"], line["source"])
    assert {"caption", "alt_text", "tags", "model"} <= set(line)


def test_full_disk_is_one_sentence(photo: Path) -> None:
    command = "import sys; from imgcore.cli.main import main; sys.exit(main(sys.argv[1:]))"
    arguments = ("caption", "--captioner", "local", str(photo))
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", command, *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (1, "imgcore: No space left on device.") == (done.returncode, done.stderr.strip().splitlines()[-1])
    assert "Traceback" not in done.stderr


def test_caption_bad_file_does_not_stop_the_others(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, in order; exit code 1."""
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)

    files = [str(path) for path in (text, tmp_path / "none.jpg", huge, photo)]
    code = cli.main(["caption", "--captioner", "local", *files])

    found = lines(capsys)
    assert 1 == code
    assert ["not_an_image", "unreadable", "too_large", None] == [line.get("error") for line in found]
    assert all(line["message"].endswith(".") for line in found[:3])


def test_caption_refused_key_is_described_locally(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file has a message on standard error."""
    refused = FakeCaptioner([Misconfigured("Gemini refuses the key.", code="key_refused")])
    standby = FakeCaptioner(["A sky."], Source.LOCAL)
    monkeypatch.setattr(captioners, "create", lambda config, **options: (refused, standby))

    assert 0 == cli.main(["caption", str(photo)])
    captured = capsys.readouterr()
    assert "A sky." == json.loads(captured.out)["caption"]
    assert "imgcore: Gemini refuses the key.\n" == captured.err


def test_caption_refused_key_without_local_describer_fails(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = FakeCaptioner([Misconfigured("Gemini refuses the key.", code="key_refused")])
    monkeypatch.setattr(captioners, "create", lambda config, **options: (refused, None))

    assert 1 == cli.main(["caption", str(photo)])
    assert ["key_refused"] == [line["error"] for line in lines(capsys)]


def test_thumbnail_equal_names_do_not_overwrite_each_other(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / photo.name
    twin.write_bytes(photo.read_bytes())

    code = cli.main(["thumbnail", str(photo), str(twin), "--out", str(tmp_path / "out")])

    found = lines(capsys)
    written = [Path(line[what]["file"]) for line in found for what in ("thumbnail", "thumbnail_2x", "display")]
    assert (0, 6) == (code, len(set(written)))
    assert all("WEBP" == PillowImage.open(path).format for path in written)
    assert (200, 200) == (found[0]["thumbnail"]["width"], found[0]["thumbnail"]["height"])
    assert (400, 300) == (found[0]["display"]["width"], found[0]["display"]["height"])


def test_migrate_prints_the_migrations_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    codes = [cli.main(["migrate"])]
    first = lines(capsys)
    codes.append(cli.main(["migrate"]))

    assert ([0, 0], []) == (codes, lines(capsys))
    assert first
    assert all(line["applied"].startswith("m0") for line in first)


@pytest.mark.parametrize("command", ["migrate", "export", "cost"])
def test_command_without_a_database_names_the_setting(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1, no traceback."""
    monkeypatch.setenv("GALLERY_HOME", str(tmp_path))  # no gallery of `make run`
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DB_HOST", raising=False)

    assert 1 == cli.main([command])
    assert "imgcore: Neither DATABASE_URL nor DB_HOST is set.\n" == capsys.readouterr().err


def test_thumbnail_of_a_missing_file_leaves_no_folder(tmp_path: Path) -> None:
    assert 1 == cli.main(["thumbnail", str(tmp_path / "no.jpg"), "--out", str(tmp_path / "out")])
    assert [] == list(tmp_path.iterdir())


def test_thumbnail_that_cannot_be_written_is_an_error_of_its_file(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (out / f"{photo.stem}-200.webp").mkdir(parents=True)
    assert 1 == cli.main(["thumbnail", str(photo), "--out", str(out)])
    assert ["unwritable"] == [row["error"] for row in lines(capsys)]
    assert 1 == cli.main(["thumbnail", str(photo), "--out", str(photo)])
    assert [f"{photo.name} cannot be written: File exists."] == [row["message"] for row in lines(capsys)]


def test_probe_without_a_key_prints_the_local_describer(
    database: Repositories, capsys: pytest.CaptureFixture[str]
) -> None:
    """The breaker of a model that was not asked stays open."""
    database.breakers.open("gemini", wait=60, reason="key_refused", message="Gemini refuses the key.")
    assert 0 == cli.main(["probe"])
    assert [{"describer": "the local describer"}] == lines(capsys)
    assert "key_refused" == database.breakers.state("gemini").reason


def test_probe_without_a_database_prints_the_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    answers: list[Exception | None] = [Misconfigured("Gemini refuses the key.", code="key_refused"), None]
    monkeypatch.setattr(captioners, "gemini", lambda config: _Probed(answers.pop(0)))

    assert [1, 0] == [cli.main(["probe"]), cli.main(["probe"])]
    assert ["key_refused", None] == [line.get("error") for line in lines(capsys)]


def test_probe_prints_a_model_that_is_away_and_leaves_the_breaker(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    monkeypatch.setattr(captioners, "gemini", lambda config: _Probed(Unavailable(busy("Gemini"))))

    assert 1 == cli.main(["probe"])
    message = "Gemini cannot be reached at the moment. Run the command again later."
    assert [("unavailable", message)] == [(row["error"], row["message"]) for row in lines(capsys)]
    assert database.breakers.state("gemini").reason is None


@pytest.mark.parametrize("captioner", ["gemini", "openai"])
def test_probe_without_the_key_of_the_gallery_lets_the_gallery_try(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, captioner: str
) -> None:
    """The breaker's reason is not replaced by that of a process that has no key."""
    monkeypatch.setenv("CAPTIONER", captioner)
    refused = Misconfigured("The server rejects the key.", code="key_refused")
    monkeypatch.setattr(captioners, "openai", lambda config: _Probed(refused))
    database.breakers.open(captioner, wait=600, reason="quota_exhausted", message="Used up.")

    assert 1 == cli.main(["probe"])

    state = database.breakers.state(captioner)
    assert ("quota_exhausted", True) == (state.reason, state.closed)
    [line] = lines(capsys)
    assert ("key_missing", True) == (line["error"], "its own key" in line["message"])


class _Probed:
    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def probe(self, record: RecordCall) -> None:
        if self._error is not None:
            raise self._error


def test_probe_refused_key_opens_the_breaker(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1 and the reason; a valid key closes it."""
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    answers: list[Exception | None] = [Misconfigured("Gemini refuses the key.", code="key_refused"), None]
    monkeypatch.setattr(captioners, "gemini", lambda config: _Probed(answers.pop(0)))

    codes = [cli.main(["probe"])]
    reasons = [database.breakers.state("gemini").reason]
    codes.append(cli.main(["probe"]))
    reasons.append(database.breakers.state("gemini").reason)

    assert ([1, 0], ["key_refused", None]) == (codes, reasons)
    assert ["key_refused", None] == [line.get("error") for line in lines(capsys)]


def test_sweep_prints_its_counts(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    notifier = Notifier(database.notifications)
    sweeper = Sweeper(database.images, database.sweep, FakeStorage(), FakeQueues(), notifier.notify_owners)
    monkeypatch.setattr(bootstrap, "sweeper", lambda config: sweeper)

    assert 0 == cli.main(["sweep"])
    counts = (
        "redelivered",
        "recovered",
        "expired",
        "exhausted",
        "purged",
        "missing",
        "repaired",
        "upgraded",
        "notified",
    )
    assert [dict.fromkeys(counts, 0)] == lines(capsys)


def test_main_ctrl_c_and_closed_pipe_exit_quietly(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """130 as in shells; 0 where the reader closed the pipe."""

    def interrupted(config: Config, **options: object) -> None:
        raise KeyboardInterrupt

    def closed(config: Config, **options: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(captioners, "create", interrupted)
    first = cli.main(["caption", str(photo)])
    monkeypatch.setattr(captioners, "create", closed)

    assert (130, 0) == (first, cli.main(["caption", str(photo)]))


@pytest.mark.parametrize(
    "command", [("caption", ".", "--jobs", "0"), ("recaption", "--missing", "--rate", "-5")]
)
def test_number_below_one_is_a_wrong_command_line(
    command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(command)

    assert 2 == ended.value.code
    assert f"'{command[-1]}' is not a whole number" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["thumbnail", "x.jpg"], ["caption"], ["nonsense"]])
def test_main_wrong_arguments_exit_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert 2 == caught.value.code


def test_progress_bar_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    items = [1, 2]
    piped = cli._progress(items)
    monkeypatch.setattr("sys.stderr", Terminal())

    assert items is piped
    assert [1, 2] == list(cli._progress(items))
    assert items is not cli._progress(items)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert items is cli._progress(items)


def test_package_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["imgcore", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("imgcore", run_name="__main__")
    assert 0 == caught.value.code


def test_backfill_prints_its_counts(
    database: Repositories, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A photo without a display image is not counted."""
    monkeypatch.setattr("imgcore.bootstrap.storage", lambda config: None)

    described(database, "cat.jpg")

    assert 0 == cli.main(["backfill"])
    assert {"made": 0, "skipped": 0} == json.loads(capsys.readouterr().out)
