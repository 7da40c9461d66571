"""The command line: JSON lines out, sentences on standard error, exit codes that scripts can trust."""

from __future__ import annotations

import csv
import io
import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as PillowImage

from imgcore import bootstrap
from imgcore.cli import main as cli
from imgcore.config import Config
from imgcore.errors import Misconfigured
from imgcore.gallery.models import Description, Edit, NewImage, Source
from imgcore.gallery.service import Gallery
from imgcore.notifications.sender import Notifier
from imgcore.pipeline.models import GEMINI_BREAKER
from imgcore.pipeline.sweeper import Sweeper
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeCaptioner, FakeQueues, FakeStorage


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A small JPEG."""
    path = tmp_path / "sky.jpg"
    PillowImage.new("RGB", (400, 300), (60, 120, 220)).save(path)
    return path


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> Repositories:
    """A migrated database that the settings name."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    return repositories


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_caption_is_a_json_line(photo: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """File, words, who wrote them; exit 0."""
    code = cli.main(["caption", "--captioner", "local", str(photo)])

    (line,) = lines(capsys)
    assert (0, str(photo), "local") == (code, line["file"], line["source"])
    assert {"caption", "alt_text", "tags", "model"} <= set(line)


def test_a_file_that_fails_does_not_stop_the_others(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each, in order; exit 1 because one failed."""
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    huge = tmp_path / "huge.jpg"
    with huge.open("wb") as file:
        file.truncate(21 * 2**20)

    files = [str(path) for path in (text, tmp_path / "none.jpg", huge, photo)]
    code = cli.main(["caption", "--captioner", "local", *files])

    found = lines(capsys)
    assert 1 == code
    assert ["not_an_image", "unreadable", "too_large", None] == [line.get("error") for line in found]
    assert all(line["message"].endswith(".") for line in found[:3])


def test_a_refused_key_is_said_and_the_local_describer_helps(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On standard error, once for each file; the caption comes all the same."""
    refused = FakeCaptioner([Misconfigured("Gemini refuses the key.", code="key_refused")])
    standby = FakeCaptioner(["A sky."], Source.LOCAL)
    monkeypatch.setattr(bootstrap, "captioners", lambda config: (refused, standby))

    assert 0 == cli.main(["caption", str(photo)])
    captured = capsys.readouterr()
    assert "A sky." == json.loads(captured.out)["caption"]
    assert "imgcore: Gemini refuses the key.\n" == captured.err


def test_a_refused_key_without_a_local_describer_fails_the_file(
    photo: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the code and the sentence."""
    refused = FakeCaptioner([Misconfigured("Gemini refuses the key.", code="key_refused")])
    monkeypatch.setattr(bootstrap, "captioners", lambda config: (refused, None))

    assert 1 == cli.main(["caption", str(photo)])
    assert ["key_refused"] == [line["error"] for line in lines(capsys)]


def test_thumbnails_are_written_and_never_overwrite_each_other(
    photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two files of one name from two folders."""
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


def test_migrate_says_what_it_did_and_then_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second run has nothing to do."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/new.db")

    codes = [cli.main(["migrate"])]
    first = lines(capsys)
    codes.append(cli.main(["migrate"]))

    assert ([0, 0], []) == (codes, lines(capsys))
    assert first
    assert all(line["applied"].startswith("m0") for line in first)


@pytest.mark.parametrize("command", ["migrate", "export", "cost"])
def test_a_missing_database_is_one_sentence(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the setting; exit 1, no traceback."""
    monkeypatch.setenv("GALLERY_HOME", str(tmp_path))  # no gallery of `make run`
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DB_HOST", raising=False)

    assert 1 == cli.main([command])
    assert "imgcore: Neither DATABASE_URL nor DB_HOST is set.\n" == capsys.readouterr().err


def described(repositories: Repositories, name: str, **words: Any) -> str:
    """A photograph with a caption, straight into the database."""
    from imgcore.gallery.keys import new_public_id, raw_key
    from imgcore.gallery.models import TaskKind
    from imgcore.pipeline.models import ObjectCreated

    public_id = new_public_id()
    new = NewImage(public_id, raw_key(public_id, "image/jpeg"), name, "image/jpeg", 1, 3600.0)
    repositories.images.add(new)
    repositories.images.receive(ObjectCreated("b", new.image_key), new)
    claim = repositories.tasks.claim(new.image_key, TaskKind.CAPTION, lease=60, max_attempts=5)
    assert claim is not None
    known = {"caption": "A cat.", "alt_text": "Cat", "tags": ("cat",), "source": Source.LOCAL} | words
    repositories.tasks.finish_caption(claim, Description(**known))
    return public_id


def test_export_gives_json_lines_and_csv(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows in both, newest first, more than one page of them; a formula stays text."""
    ids = [described(database, f"{n}.jpg", caption="=SUM(A1)") for n in range(120)]

    codes = [cli.main(["export"])]
    as_json = lines(capsys)
    codes.append(cli.main(["export", "--format", "csv"]))
    as_csv = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [0, 0] == codes
    assert ids[::-1] == [line["id"] for line in as_json] == [row["id"] for row in as_csv]
    assert ("=SUM(A1)", ["cat"]) == (as_json[0]["caption"], as_json[0]["tags"])
    assert ("'=SUM(A1)", "cat") == (as_csv[0]["caption"], as_csv[0]["tags"])


def test_export_of_a_search(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """Only what holds the words."""
    described(database, "a.jpg", caption="A dog.")
    wanted = described(database, "b.jpg", caption="A heron.")

    cli.main(["export", "--query", "heron"])

    assert [wanted] == [line["id"] for line in lines(capsys)]


def test_cost_sums_tokens_by_model(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """What was described locally costs nothing and is not in the list."""
    paid = {"source": Source.GEMINI, "model": "m", "input_tokens": 1000, "output_tokens": 90, "price_usd": 0.25}
    described(database, "a.jpg", **paid)
    described(database, "b.jpg", **paid)
    described(database, "c.jpg")

    assert 0 == cli.main(["cost"])
    assert [{"model": "m", "images": 2, "input_tokens": 2000, "output_tokens": 180, "price_usd": 0.5}] == lines(
        capsys
    )


@pytest.fixture
def queues(database: Repositories, monkeypatch: pytest.MonkeyPatch) -> FakeQueues:
    """A gallery whose queues remember."""
    queues = FakeQueues()
    monkeypatch.setattr(
        bootstrap, "gallery", lambda config: Gallery(database.images, database.breakers, FakeStorage(), queues)
    )
    return queues


def test_recaption_takes_what_was_described_locally(
    database: Repositories, queues: FakeQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    """Dry run first: the same list, and nothing sent."""
    local = described(database, "a.jpg")
    described(database, "b.jpg", source=Source.GEMINI)

    codes = [cli.main(["recaption", "--source", "local", "--dry-run"])]
    planned, sent = lines(capsys), list(queues.sent)
    codes.append(cli.main(["recaption", "--source", "local"]))

    assert ([0, 0], [], [local]) == (codes, sent, [line["id"] for line in planned])
    assert 1 == len(queues.sent)


def test_recaption_of_one_that_cannot_be_says_so(
    database: Repositories, queues: FakeQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its id; asked for again while it is still waiting."""
    public_id = described(database, "a.jpg")

    codes = [cli.main(["recaption", public_id]), cli.main(["recaption", public_id])]

    assert [0, 1] == codes
    assert [None, "conflict"] == [line.get("error") for line in lines(capsys)]


def test_recaption_wants_to_be_told_which(capsys: pytest.CaptureFixture[str]) -> None:
    """Everything at once is never the default."""
    assert 1 == cli.main(["recaption"])
    assert "Name the images" in capsys.readouterr().err


def test_an_edit_survives_export(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """A person's words are exported as theirs."""
    database.images.edit(described(database, "a.jpg"), Edit(caption="Mine"))

    cli.main(["export"])

    assert [("Mine", "human")] == [(line["caption"], line["source"]) for line in lines(capsys)]


def test_probe_says_who_describes(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key: the local describer."""
    assert 0 == cli.main(["probe"])
    assert [{"describer": "the local describer"}] == lines(capsys)


def test_probe_needs_no_database(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As a script asks, whether the key is good: it only says so."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    answers: list[Exception | None] = [Misconfigured("Gemini refuses the key.", code="key_refused"), None]
    monkeypatch.setattr(bootstrap, "gemini", lambda config: _Probed(answers.pop(0)))

    assert [1, 0] == [cli.main(["probe"]), cli.main(["probe"])]
    assert ["key_refused", None] == [line.get("error") for line in lines(capsys)]


class _Probed:
    def __init__(self, error: Exception | None) -> None:
        self._error = error

    def probe(self) -> None:
        if self._error is not None:
            raise self._error


def test_probe_tells_the_gallery_that_the_key_is_refused(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1, a line with the reason, and the open circuit breaker; a right key closes it."""
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    answers: list[Exception | None] = [Misconfigured("Gemini refuses the key.", code="key_refused"), None]
    monkeypatch.setattr(bootstrap, "gemini", lambda config: _Probed(answers.pop(0)))

    codes = [cli.main(["probe"])]
    reasons = [database.breakers.state(GEMINI_BREAKER).reason]
    codes.append(cli.main(["probe"]))
    reasons.append(database.breakers.state(GEMINI_BREAKER).reason)

    assert ([1, 0], ["key_refused", None]) == (codes, reasons)
    assert ["key_refused", None] == [line.get("error") for line in lines(capsys)]


def test_sweep_reports_its_figures(
    database: Repositories, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of counts."""
    notifier = Notifier(database.notifications)
    sweeper = Sweeper(database.images, database.sweep, FakeStorage(), FakeQueues(), notifier.notify_owners)
    monkeypatch.setattr(bootstrap, "sweeper", lambda config: sweeper)

    assert 0 == cli.main(["sweep"])
    counts = ("redelivered", "recovered", "expired", "exhausted", "purged", "notified")
    assert [dict.fromkeys(counts, 0)] == lines(capsys)


def test_ctrl_c_and_a_closed_pipe_end_quietly(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """130 as shells expect; 0 where the reader has had enough."""

    def interrupted(config: Config) -> None:
        raise KeyboardInterrupt

    def closed(config: Config) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("sys.stderr", io.StringIO())
    monkeypatch.setattr(bootstrap, "captioners", interrupted)
    first = cli.main(["caption", str(photo)])
    monkeypatch.setattr(bootstrap, "captioners", closed)

    assert (130, 0) == (first, cli.main(["caption", str(photo)]))


@pytest.mark.parametrize("arguments", [[], ["thumbnail", "x.jpg"], ["caption"], ["nonsense"]])
def test_a_wrong_call_is_exit_2(arguments: list[str]) -> None:
    """argparse says what is missing."""
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert 2 == caught.value.code


def test_a_bar_is_shown_to_people_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal there is one; in a pipe the items come as they are."""

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


def test_the_package_runs_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """``python -m imgcore``."""
    monkeypatch.setattr("sys.argv", ["imgcore", "--help"])
    with pytest.raises(SystemExit) as caught:
        runpy.run_module("imgcore", run_name="__main__")
    assert 0 == caught.value.code
