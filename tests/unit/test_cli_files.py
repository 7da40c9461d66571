"""Files that are no regular ones: named pipes, devices, and what has no known size."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgcore import captioners
from imgcore.cli import files
from imgcore.cli import main as cli
from imgcore.errors import Rejected
from tests.unit.fakes import FakeCaptioner


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one JPEG."""
    Image.new("RGB", (60, 40), (60, 120, 220)).save(tmp_path / "a.jpg")
    return tmp_path


@pytest.fixture
def captioner(monkeypatch: pytest.MonkeyPatch) -> FakeCaptioner:
    captioner = FakeCaptioner()
    monkeypatch.setattr(captioners, "create", lambda config, **options: (captioner, None))
    return captioner


def run(capsys: pytest.CaptureFixture[str], *arguments: object, code: int = 0) -> list[dict[str, Any]]:
    assert code == cli.main(["caption", *map(str, arguments)])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize("how", [(), ("--write", "sidecar")])
def test_caption_refuses_pipes_and_devices(
    how: tuple[str, ...], folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    """The pipe has no writer, and the device no end; the other files are described."""
    os.mkfifo(folder / "pipe.jpg")
    link = folder / "zero.png"
    link.symlink_to("/dev/zero")

    rows = run(capsys, folder / "pipe.jpg", link, "/dev/null", folder / "a.jpg", *how, code=1)

    assert ["not_a_file"] * 3 == [row["error"] for row in rows[:3]]
    assert "pipe.jpg is not a regular file: copy it into one first." == rows[0]["message"]
    assert "A red barn." == rows[3]["caption"]


def test_caption_refuses_a_sidecar_that_is_a_pipe(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(folder / "a.jpg.xmp")
    [row] = run(capsys, folder / "a.jpg", "--write", "sidecar", code=1)
    assert ("not_a_file", []) == (row["error"], captioner.deadlines)


def test_files_without_a_known_size_are_read_up_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of /proc have a size of 0 bytes."""
    assert files.read(Path("/proc/self/status"))
    monkeypatch.setattr("imgcore.gallery.models.MAX_BYTES", 10)
    with pytest.raises(Rejected):
        files.read(Path("/proc/self/status"))
