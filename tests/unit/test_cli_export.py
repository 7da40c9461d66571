"""The command export: JSON lines, CSV and archives of described photos."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

from imgcore.cli import main as cli
from imgcore.gallery.models import Edit
from tests.support.repositories import Repositories
from tests.unit.cli_tools import described, lines
from tests.unit.fakes import FakeStorage


def test_export_prints_json_lines_and_csv(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """The same rows, newest first, from more than one page; formulas are quoted."""
    ids = [described(database, f"{n}.jpg", caption="=SUM(A1)") for n in range(120)]

    codes = [cli.main(["export"])]
    as_json = lines(capsys)
    codes.append(cli.main(["export", "--format", "csv"]))
    as_csv = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))

    assert [0, 0] == codes
    assert ids[::-1] == [line["id"] for line in as_json] == [row["id"] for row in as_csv]
    assert ("=SUM(A1)", ["cat"]) == (as_json[0]["caption"], as_json[0]["tags"])
    assert ("'=SUM(A1)", "cat") == (as_csv[0]["caption"], as_csv[0]["tags"])


def test_export_refuses_an_empty_query(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty variable of a shell does not mean all photos."""
    described(database, "a.jpg")
    assert 1 == cli.main(["export", "--query", " "])
    printed = capsys.readouterr()
    assert ("", True) == (printed.out, "--query is empty" in printed.err)


def test_export_for_excel_begins_with_its_mark(
    database: Repositories, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert 0 == cli.main(["export", "--excel"])
    assert capsysbinary.readouterr().out.startswith(b"\xef\xbb\xbfid,name,")


def test_export_prints_utf8_on_any_console(database: Repositories, monkeypatch: pytest.MonkeyPatch) -> None:
    described(database, "a.jpg", caption="日本語 é")
    console = io.TextIOWrapper(io.BytesIO(), encoding="cp437")
    monkeypatch.setattr("sys.stdout", console)
    assert 0 == cli.main(["export"])
    assert "日本語 é".encode() in console.buffer.getvalue()


def test_export_writes_an_archive_or_nothing(
    database: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = database.images.get(described(database, "a.jpg"))
    assert image is not None
    storage = FakeStorage({image.image_key: b"original"})
    monkeypatch.setattr("imgcore.bootstrap.storage", lambda config: storage)
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "photos.zip"
    assert 0 == cli.main(["export", "--zip", str(target)])
    with zipfile.ZipFile(target) as archive:
        assert b"original" == archive.read("a.jpg")
    for refused in (
        tmp_path / "missing" / "photos.zip",
        tmp_path,
        Path(),
        tmp_path / ("n" * 252),
    ):
        assert 1 == cli.main(["export", "--zip", str(refused)])
    assert ["photos.zip"] == [file.name for file in tmp_path.glob("*.zip*")]
    assert [] == list(tmp_path.rglob("*.part"))


def test_export_with_query_prints_the_matches(
    database: Repositories, capsys: pytest.CaptureFixture[str]
) -> None:
    described(database, "a.jpg", caption="A dog.")
    wanted = described(database, "b.jpg", caption="A heron.")

    cli.main(["export", "--query", "heron"])

    assert [wanted] == [line["id"] for line in lines(capsys)]


def test_export_edit_has_source_human(database: Repositories, capsys: pytest.CaptureFixture[str]) -> None:
    database.images.edit(described(database, "a.jpg"), Edit(caption="Mine"))

    cli.main(["export"])

    assert [("Mine", "human")] == [(line["caption"], line["source"]) for line in lines(capsys)]
