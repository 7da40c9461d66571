"""``imgcore caption`` on folders: sidecars and embedded words, skipped and resumed."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from imgcore import captioners
from imgcore.captioning.answers import busy
from imgcore.cli import main as cli
from imgcore.errors import BadAnswer, RateLimited, Unavailable
from imgcore.gallery.models import Description, Source
from imgcore.imaging.decode import decode
from imgcore.imaging.xmp_writing import FileWords, alt_text_in, embed, embedded_packet, packet, words_in
from tests import images as samples
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
    monkeypatch.setattr(captioners, "create", lambda config, **options: (captioner, None))
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


def test_caption_again_without_a_model_keeps_the_alt_text_beside_a_caption(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The local describer would repeat the caption."""
    file = folder / "a.jpg"
    file.write_bytes(embed(file.read_bytes(), packet(FileWords("Anna at the lake", "Blue water.", ()))))
    (row,) = run(capsys, file, "--captioner", "local", "--write", "embedded", "--again")
    assert "Blue water." == row["alt_text"] == alt_text_in(embedded_packet(file.read_bytes()))


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


def test_caption_sidecar_keeps_the_words_of_a_person(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    sidecar = folder / "a.jpg.xmp"
    sidecar.write_bytes(samples.xmp("Anna at the lake", ("Anna", "Barn")))

    for options in ((), ("--again",)):
        (row,) = run(capsys, folder / "a.jpg", "--write", "sidecar", *options)
        assert "Anna at the lake" == row["caption"]
        assert ("Anna at the lake", ("Anna", "Barn", "red", "field")) == words_in(sidecar.read_bytes())
        assert alt_text_in(sidecar.read_bytes())


def test_caption_embedded_adds_tags_to_the_keywords_of_a_person(
    tmp_path: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    """More keywords than a description has tags stay, also those of IPTC, which XMP would hide."""
    keywords = tuple(f"Word {number}" for number in range(10))
    (tmp_path / "xmp.jpg").write_bytes(samples.captioned("A cat", keywords))
    (tmp_path / "iptc.jpg").write_bytes(samples.captioned("A cat", keywords, how="iptc"))

    run(capsys, tmp_path, "--write", "embedded")

    for file in tmp_path.glob("*.jpg"):
        facts = decode(file.read_bytes(), max_side=9).facts
        assert ("A cat", (*keywords, "barn", "red", "field")) == (
            facts.embedded_caption,
            facts.embedded_keywords,
        )


@pytest.mark.parametrize("how", ["sidecar", "embedded"])
def test_caption_unreadable_xmp_is_an_error_before_the_model_is_asked(
    how: str, folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "a.jpg"
    file.write_bytes(embed(file.read_bytes(), b"<x"))
    (folder / "a.jpg.xmp").write_bytes(b"<?xml version='1.0' encoding='none'?><x/>")

    assert "xmp" == run(capsys, file, "--write", how, code=1)[0]["error"]
    assert [] == captioner.deadlines


def test_caption_file_that_cannot_hold_words_is_an_error_before_the_model_is_asked(
    tmp_path: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.webp"
    Image.new("RGB", (60, 40)).save(file)

    assert "not_embeddable" == run(capsys, file, "--write", "embedded", "--again", code=1)[0]["error"]
    assert [] == captioner.deadlines


def test_caption_goes_on_after_a_file_that_cannot_be_written(
    folder: Path,
    captioner: FakeCaptioner,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A directory in the sidecar's place, a folder without permission, and a disk that is full at the end."""
    (folder / "a.jpg.xmp").mkdir()
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path).name != "inner" and access(path, mode))
    rows = run(capsys, folder, "--write", "sidecar", code=1)
    assert ["unwritable", None, "unwritable"] == [row.get("error") for row in rows]
    assert 1 == len(captioner.deadlines)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    (row,) = run(capsys, folder / "c.png", "--write", "embedded", code=1)
    assert ("unwritable", "c.png cannot be written: No space left on device.") == (row["error"], row["message"])
    assert [] == list(folder.rglob(".imgcore-*"))


class Meanwhile(FakeCaptioner):
    """A captioner that needs so long that somebody changes a file."""

    def __init__(self, change: Callable[[], object]) -> None:
        super().__init__()
        self._change = change

    def describe(self, *arguments: Any, **options: Any) -> Description:
        self._change()
        return super().describe(*arguments, **options)


@pytest.mark.parametrize(
    ("how", "changed"), [("embedded", "a.jpg"), ("sidecar", "a.jpg"), ("sidecar", "a.jpg.xmp")]
)
@pytest.mark.parametrize("exists", [True, False])
def test_caption_never_overwrites_what_was_changed_while_the_model_was_asked(
    how: str,
    changed: str,
    exists: bool,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An image that was edited, a sidecar that a person wrote; the next run takes them as they are."""
    if exists:
        (folder / "a.jpg.xmp").write_bytes(samples.xmp("Anna at the lake", ()))
    new = (
        samples.xmp("Anna at the sea", ("Anna",)) if changed.endswith(".xmp") else samples.captioned("Ben", ())
    )
    captioner = Meanwhile(lambda: (folder / changed).write_bytes(new))
    monkeypatch.setattr(captioners, "create", lambda config, **options: (captioner, None))
    before = (folder / "a.jpg.xmp").read_bytes() if exists else None

    (row,) = run(capsys, folder / "a.jpg", "--write", how, code=1)

    assert ("changed", new) == (row["error"], (folder / changed).read_bytes())
    if changed != "a.jpg.xmp":
        assert before == ((folder / "a.jpg.xmp").read_bytes() if exists else None)
    again = run(capsys, folder / "a.jpg", "--write", how)
    assert ("caption" in again[0], []) == (True, list(folder.rglob(".imgcore-*")))


@pytest.mark.parametrize("how", ["sidecar", "embedded"])
def test_caption_describes_a_file_that_is_named_twice_once(
    how: str, folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = run(capsys, folder, folder / "inner" / ".." / "a.jpg", folder / "a.jpg", "--write", how)

    assert (5, 3, 3) == (len(rows), len(captioner.deadlines), sum("caption" in row for row in rows))


@pytest.mark.parametrize("write", [(), ("--write", "sidecar"), ("--write", "embedded")])
def test_caption_goes_on_after_names_that_the_system_refuses(
    write: tuple[str, ...], folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    """Links in a circle, a name that is too long, and one that is too long with .xmp behind it."""
    (folder / "a.jpg.xmp").symlink_to("a.jpg.xmp")
    (folder / "circle.jpg").symlink_to("circle.jpg")
    (folder / "gone.jpg").symlink_to("nothing.jpg")
    long = "n" * 251 + ".jpg"
    (folder / long).write_bytes((folder / "a.jpg").read_bytes())

    rows = run(capsys, folder, folder / ("n" * 300), folder / "nothing", *write, code=1)

    errors = {Path(row["file"]).name[:9]: row["error"] for row in rows if "error" in row}
    expected = {"circle.jp": "unreadable", "n" * 9: "unreadable", "nothing": "unreadable"}
    if write[1:] == ("sidecar",):
        assert 2 == sum(row.get("error") == "unwritable" for row in rows)
        expected["a.jpg"] = "unwritable"
    assert (expected, 7) == (errors, len(rows))
    assert (folder / "a.jpg.xmp").is_symlink()


@pytest.mark.parametrize("refused", ["", "inner"])
def test_caption_reports_a_folder_that_cannot_be_read(
    refused: str,
    folder: Path,
    captioner: FakeCaptioner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The other folders go on."""

    def refuse(call: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(path: Any = ".") -> Any:
            if Path(path) == folder / refused:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
            return call(path)

        return guarded

    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, refuse(getattr(os, name)))
    rows = run(capsys, folder, code=1)

    assert [("unreadable", str(folder / refused))] == [
        (row["error"], row["file"]) for row in rows if "error" in row
    ]
    assert "This folder cannot be read: Permission denied." in [row.get("message") for row in rows]
    assert (2 if refused else 0) == len(captioner.deadlines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_caption_prints_names_and_words_in_any_encoding(
    encoding: str, errors: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file name need not be UTF-8: Linux takes any bytes. The line is JSON in every case."""
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg"))
    Image.new("RGB", (60, 40)).save(file, "JPEG")
    captioner = FakeCaptioner(answers=["日 😀 é"])
    monkeypatch.setattr(captioners, "create", lambda config, **options: (captioner, None))
    output = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(output, encoding, errors))

    assert 0 == cli.main(["caption", str(file)])

    row = json.loads(output.getvalue().decode())
    assert (str(file), "日 😀 é") == (row["file"], row["caption"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("caption", "", "--write", "sidecar"),
        ("thumbnail", "", "--out", "out"),
        ("thumbnail", "a.jpg", "--out", ""),
        ("export", "--zip", ""),
    ],
)
def test_command_refuses_an_empty_name(
    arguments: tuple[str, ...],
    folder: Path,
    captioner: FakeCaptioner,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An empty variable of a shell is not the current folder."""
    monkeypatch.chdir(folder)

    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)

    assert (2, []) == (ended.value.code, captioner.deadlines)
    assert "The name is empty." in capsys.readouterr().err


@pytest.mark.parametrize("how", ["sidecar", "embedded"])
def test_caption_keeps_symbolic_links(
    how: str, folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "kept.xmp").write_bytes(b"")
    (folder / "b.jpg").symlink_to("a.jpg")
    (folder / "b.jpg.xmp").symlink_to("kept.xmp")

    run(capsys, folder / "b.jpg", "--write", how)

    assert (folder / "b.jpg").is_symlink()
    assert (folder / "b.jpg.xmp").is_symlink()
    written = (folder / ("kept.xmp" if how == "sidecar" else "a.jpg")).read_bytes()
    assert alt_text_in(embedded_packet(written) if how == "embedded" else written)


def test_caption_folder_takes_every_ending_of_an_accepted_type(
    tmp_path: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.jpe", "b.jfif", "c.TIFF", "d.tif"):
        Image.new("RGB", (60, 40)).save(tmp_path / name, "TIFF" if ".t" in name.lower() else "JPEG")

    assert ["a.jpe", "b.jfif", "c.TIFF", "d.tif"] == [Path(row["file"]).name for row in run(capsys, tmp_path)]


def test_caption_folder_without_images_is_an_error(
    tmp_path: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("no image")

    assert ["no_images"] == [row["error"] for row in run(capsys, tmp_path, code=1)]


def test_caption_refuses_a_wrong_language_for_every_captioner(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CAPTION_LANGUAGE", "en,de,fr,es,it,pt")

    assert [] == run(capsys, folder, "--captioner", "local", code=1)


def test_caption_by_openai_names_the_settings_that_are_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_MODEL"):
        monkeypatch.delenv(name, raising=False)
    (row,) = run(capsys, folder / "a.jpg", "--captioner", "openai", code=1)

    assert "misconfigured" == row["error"]
    assert "OPENAI_BASE_URL and OPENAI_MODEL, for example to http" in row["message"]


def test_caption_without_a_key_names_the_setting(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    (row,) = run(capsys, folder / "a.jpg", "--captioner", "gemini", code=1)

    assert "key_missing" == row["error"]
    assert "GEMINI_API_KEY" in row["message"]


def test_caption_without_a_model_says_to_run_it_again(
    folder: Path, captioner: FakeCaptioner, capsys: pytest.CaptureFixture[str]
) -> None:
    captioner.answers = [Unavailable(busy("Gemini"))]
    (row,) = run(capsys, folder / "a.jpg", code=1)

    assert "Gemini cannot be reached at the moment. Run the command again later." == row["message"]
