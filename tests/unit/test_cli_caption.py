"""``imgcore caption`` on folders: sidecars and embedded words, skipped and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgcore import captioners
from imgcore.cli import main as cli
from imgcore.errors import BadAnswer, RateLimited
from imgcore.gallery.models import Source
from imgcore.imaging.decode import decode
from tests.unit.fakes import FakeCaptioner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two JPEGs, one in a folder, a PNG, and a text."""
    (tmp_path / "inner").mkdir()
    for name in ("a.jpg", "inner/b.JPG", "c.png"):
        Image.new("RGB", (60, 40), (60, 120, 220)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


@pytest.fixture
def captioner(monkeypatch: pytest.MonkeyPatch) -> FakeCaptioner:
    captioner = FakeCaptioner(source=Source.GEMINI)
    monkeypatch.setattr(captioners, "create", lambda config: (captioner, None))
    return captioner


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> list[dict[str, Any]]:
    assert code == cli.main(["caption", *map(str, arguments)])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("how", ["sidecar", "embedded"])
def test_caption_folder_writes_words_once(
    how: str, folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    """A second run describes nothing; --again does."""
    rows = run(capsys, folder, "--write", how)
    again = run(capsys, folder, "--write", how)

    assert ["a.jpg", "c.png", "b.JPG"] == [Path(row["file"]).name for row in rows]
    assert 3 == len(captioner.deadlines) == sum("skipped" in row for row in again)
    if how == "sidecar":
        assert b"Alt: A red barn." in (folder / "inner/b.JPG.xmp").read_bytes()
    else:
        assert "A red barn." == decode((folder / "c.png").read_bytes(), max_side=9).facts.embedded_caption
    run(capsys, folder, "--write", how, "--again")
    assert 6 == len(captioner.deadlines)
    assert [] == list(folder.rglob(".imgcore-*"))


def test_caption_folder_resumes_what_failed(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner.answers = [BadAnswer("No."), "A red barn."]
    first = run(capsys, folder, "--write", "sidecar", "--jobs", "1", code=1)
    second = run(capsys, folder, "--write", "sidecar")

    assert [1, 2] == [sum(key in row for row in rows) for key, rows in (("error", first), ("skipped", second))]


def test_caption_waits_for_the_rate_limit(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner.answers = [RateLimited("Later.", retry_after=0.01), "A red barn."]

    assert "A red barn." == run(capsys, folder / "a.jpg")[0]["caption"]


def test_caption_does_not_wait_for_tomorrow(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner.answers = [RateLimited("Tomorrow.", code="quota_exhausted", retry_after=30_000.0)]

    assert "quota_exhausted" == run(capsys, folder / "a.jpg", code=1)[0]["error"]
