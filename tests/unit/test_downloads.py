"""Downloads: the archive, the names of its files, and what it leaves out."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from unittest.mock import Mock
from xml.etree import ElementTree

import pytest

from imgcore.collections import downloads, names
from imgcore.collections.archive import ArchiveFile, zip_stream
from imgcore.collections.downloads import AT_ONCE, STRIPPED_AT_MOST, Contents, DownloadSize, archive_name
from imgcore.collections.names import FileNames
from imgcore.errors import Rejected, Unavailable
from imgcore.gallery.models import EVERYBODY, Image, Viewer
from imgcore.gallery.service import Gallery
from tests import images
from tests.support.hostile_texts import PATHS, TEXTS
from tests.web.fakes import add_done, add_image, fake_gallery

DC, IPTC = "{http://purl.org/dc/elements/1.1/}", "{http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/}"
RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
MINE = Viewer(7, sees_others=False, changes_others=False)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    gallery = fake_gallery(tmp_path)
    yield gallery
    gallery.images.database.close()


def opened(gallery: Gallery, *images: Image, **more: object) -> zipfile.ZipFile:
    contents = Contents([image.public_id for image in images], **{"viewer": EVERYBODY, **more})
    return zipfile.ZipFile(io.BytesIO(b"".join(gallery.downloads.archive(contents))))


def test_archive_contains_files_sidecars_and_tables(gallery: Gallery) -> None:
    first, second = add_done(gallery, "a.jpg"), add_done(gallery, "b.jpg", tags=("cat", "é, ü"))
    with opened(gallery, first, second, size=DownloadSize.ORIGINAL) as archive:
        assert archive.testzip() is None
        assert [
            "a.jpg",
            "a.jpg.xmp",
            "b.jpg",
            "b.jpg.xmp",
            "captions.csv",
            "captions.json",
        ] == archive.namelist()
        assert first.image_key.encode() == archive.read("a.jpg")
        rows = list(csv.DictReader(io.StringIO(archive.read("captions.csv").decode("utf-8"))))
        objects = json.loads(archive.read("captions.json"))
    assert (["a.jpg", "b.jpg"], "cat, é, ü") == ([row["file"] for row in rows], rows[1]["tags"])
    assert (["cat", "é, ü"], second.public_id) == (objects[1]["tags"], objects[1]["id"])
    assert [row["caption"] for row in rows] == [row["caption"] for row in objects]


def test_display_size_contains_derived_images(gallery: Gallery) -> None:
    image = add_done(gallery, "a.jpg")
    with opened(gallery, image, size=DownloadSize.DISPLAY) as archive:
        assert image.display_key.encode() == archive.read("a.webp")


def test_original_is_for_those_who_may_change_the_photo(gallery: Gallery) -> None:
    """A photo that is visible only in an album is in display size."""
    image = add_done(gallery, "a.jpg")
    more = {"size": DownloadSize.ORIGINAL, "viewer": MINE, "also": lambda image: True}
    with opened(gallery, image, **more) as archive:
        assert image.display_key.encode() == archive.read("a.webp")


def test_visitor_gets_no_name_date_camera_or_original(gallery: Gallery) -> None:
    image = add_done(gallery, "IMG_private.jpg", camera="Contoso", latitude=1.5, longitude=2.5)
    with opened(gallery, image, size=DownloadSize.ORIGINAL, viewer=None) as archive:
        assert ["photo.webp", "photo.webp.xmp", "captions.csv", "captions.json"] == archive.namelist()
        assert {(1980, 1, 1, 0, 0, 0)} == {info.date_time for info in archive.infolist()}
        texts = b"".join(archive.read(name) for name in archive.namelist() if name != "photo.webp")
    assert [] == [word for word in ("private", "Contoso", "1.5", image.public_id) if word.encode() in texts]


@pytest.mark.parametrize("text", TEXTS)
def test_sidecar_is_read_back_by_an_xml_parser(gallery: Gallery, text: str) -> None:
    """dc:description, dc:subject and Iptc4xmpCore:AltTextAccessibility, as other programs read them."""
    image = add_done(gallery, "a.jpg", caption=text, alt_text=text, tags=(text,))
    with opened(gallery, image) as archive:
        packet = archive.read("a.webp.xmp")
    root = ElementTree.fromstring(packet)
    for name in (f"{DC}description", f"{DC}subject", f"{IPTC}AltTextAccessibility"):
        assert [text] == [item.text for item in root.findall(f".//{name}//{RDF}li")]


def test_photos_that_are_gone_are_listed_as_left_out(gallery: Gallery) -> None:
    kept, deleted, vanished = (add_done(gallery, f"{name}.jpg") for name in ("kept", "deleted", "vanished"))
    awaited, _ = gallery.request_upload("awaited.jpg", 5, "image/jpeg")
    unseen = replace(kept, public_id="0" * 32)
    gallery.images.delete(deleted.public_id)
    gallery.storage.vanished.add(vanished.display_key)
    with opened(gallery, kept, deleted, vanished, awaited, unseen) as archive:
        left_out = archive.read("left-out.txt").decode().splitlines()[1:]
        assert ["kept.webp"] == [name for name in archive.namelist() if name.endswith(".webp")]
    assert {each.public_id for each in (deleted, vanished, awaited, unseen)} == set(left_out)


def test_photo_of_another_account_is_left_out(gallery: Gallery) -> None:
    image = add_done(gallery, "secret.jpg")
    with opened(gallery, image, viewer=MINE) as archive:
        assert ["captions.csv", "captions.json", "left-out.txt"] == archive.namelist()


def test_csv_begins_with_a_mark_for_excel_only(gallery: Gallery) -> None:
    image = add_done(gallery, caption='=HYPERLINK("x")')
    for excel, mark in ((True, b"\xef\xbb\xbf"), (False, b"")):
        with opened(gallery, image, excel=excel) as archive:
            text = archive.read("captions.csv")
            assert text.startswith(mark + b"file,id,")
            assert b"'=HYPERLINK" in text


def test_error_in_a_file_ends_the_archive(gallery: Gallery) -> None:
    """An incomplete archive has no directory, so that no program takes it for a whole one."""

    def broken() -> Iterator[bytes]:
        yield b"x" * 200_000
        raise Unavailable("The bucket is away.")

    stream = zip_stream([ArchiveFile("a", broken())])
    sent = [next(stream)]
    with pytest.raises(Unavailable):
        sent.extend(stream)
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(sent)))


def test_archive_needs_little_memory() -> None:
    """64 MiB in 64 files, each in parts of 64 KiB."""
    part = bytes(64 * 1024)
    files = (ArchiveFile(f"{number}", (part for _ in range(16))) for number in range(64))
    tracemalloc.start()
    try:
        size = sum(map(len, zip_stream(files)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size > 64 * 2**20
    assert peak < 2 * 2**20


def test_archive_of_more_than_65535_files_has_a_zip64_directory() -> None:
    data = b"".join(zip_stream(ArchiveFile(f"{number}", ()) for number in range(65_536)))
    assert b"PK\x06\x06" in data
    assert 65_536 == len(zipfile.ZipFile(io.BytesIO(data)).namelist())


@pytest.mark.parametrize("at", [datetime(1969, 1, 1), datetime(2200, 1, 1), None])  # noqa: DTZ001
def test_time_that_the_format_lacks_is_replaced(at: datetime | None) -> None:
    data = b"".join(zip_stream([ArchiveFile("a", [b"x"], at)]))
    assert (1980, 1, 1, 0, 0, 0) == zipfile.ZipFile(io.BytesIO(data)).infolist()[0].date_time


@pytest.fixture
def no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse at once a download that finds no slot."""
    monkeypatch.setattr(downloads, "SLOT_WAIT", 0.0)


def test_only_some_archives_are_made_at_once(gallery: Gallery, no_wait: None) -> None:
    image = add_done(gallery)
    streams = [
        gallery.downloads.archive(Contents([image.public_id], viewer=EVERYBODY)) for _ in range(AT_ONCE + 1)
    ]
    for stream in streams[:-1]:
        next(stream)
    with pytest.raises(Unavailable):
        next(streams[-1])
    streams[0].close()
    assert b"".join(gallery.downloads.archive(Contents([image.public_id], viewer=EVERYBODY)))
    streams[1].close()


def padded(size: int) -> bytes:
    """A JPEG whose scan is padded to about that many bytes."""
    data = images.jpeg(64, 48)
    return data[:-2] + bytes(size - len(data)) + data[-2:]


class Fresh(dict[str, bytes]):
    """Objects that are read from a bucket: each reader has bytes of its own."""

    def get(self, key: str, default: object = None) -> bytes:  # type: ignore[override]
        return bytes(bytearray(self[key])) if key in self else default  # type: ignore[return-value]


def test_visitors_originals_need_the_memory_of_one(gallery: Gallery) -> None:
    """24 MiB of originals as an archive, and each of them alone. Reading makes two copies for a moment."""
    size = 8 * 2**20
    photos = [add_done(gallery, f"{name}.jpg") for name in "abc"]
    gallery.storage.objects = Fresh({photo.image_key: padded(size) for photo in photos})
    contents = Contents([each.public_id for each in photos], DownloadSize.ORIGINAL)

    def alone() -> Iterator[bytes]:
        for photo in photos:
            yield from gallery.downloads.stripped(photo).chunks

    for chunks in (gallery.downloads.archive(contents), alone()):
        tracemalloc.start()
        try:
            parts = [len(chunk) for chunk in chunks]
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert sum(parts) > 2.9 * size
        assert max(parts) <= 256 * 1024
        assert peak < 2.5 * size


def test_large_original_is_not_stripped(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    image = add_done(gallery)
    gallery.storage.objects[image.image_key] = padded(1024 * 1024)
    limits: list[int] = []

    def refuse(key: str, *, max_bytes: int, version_id: str | None = None) -> object:
        limits.append(max_bytes)
        raise Rejected("Too large.", code="too_large")

    gallery.downloads.stripped(image).chunks.close()
    monkeypatch.setattr(gallery.storage, "read", refuse)
    assert gallery.downloads.stripped(image) is None
    with opened(gallery, image, size=DownloadSize.ORIGINAL, viewer=None) as archive:
        assert image.display_key.encode() == archive.read("photo.webp")
    assert [STRIPPED_AT_MOST] * 2 == limits


@pytest.mark.parametrize("way", ["embedded", "stripped"])
def test_file_takes_a_slot_until_it_is_closed(gallery: Gallery, no_wait: None, way: str) -> None:
    image = add_done(gallery)
    gallery.storage.objects[image.image_key] = images.jpeg(64, 48)
    download = getattr(gallery.downloads, way)
    files = [download(image) for _ in range(AT_ONCE)]
    with pytest.raises(Unavailable):
        download(image)
    files[0].chunks.close()
    last = download(image)
    content = b"".join(last.chunks)
    assert (last.size, b"\xff\xd8") == (len(content), content[:2])
    for file in files[1:]:
        file.chunks.close()
    assert [each.chunks.close() for each in [download(image) for _ in range(AT_ONCE)]]


def test_one_large_file_is_embedded_at_once(gallery: Gallery, no_wait: None) -> None:
    image = replace(add_done(gallery), size=STRIPPED_AT_MOST + 1)
    gallery.storage.objects[image.image_key] = images.jpeg(64, 48)
    first = gallery.downloads.embedded(image)
    with pytest.raises(Unavailable):
        gallery.downloads.embedded(image)
    first.chunks.close()
    gallery.downloads.embedded(image).chunks.close()


@pytest.mark.parametrize(
    "name", [*PATHS, "CON.jpg", "a:b?.jpg", "x" * 400, "é" * 200, "", "nul", "photo.", " "]
)
def test_name_in_an_archive_is_safe_everywhere(name: str) -> None:
    found = FileNames().unique(name, "image/jpeg")
    assert [] == [c for c in '<>:"/\\|?*' if c in found]
    assert (True, True) == (len(found.encode()) <= 251, found.endswith((".jpg", ".jpeg")))
    assert found.strip(" .") not in ("", "jpg")
    assert found.split(".")[0].lower() not in ("con", "nul")


def test_names_that_differ_only_by_case_or_form_are_numbered() -> None:
    files = FileNames("captions.csv")
    given = [
        files.unique(name, "image/jpeg") for name in ("a.jpg", "A.JPG", "a.jpg", "\u00e9.jpg", "e\u0301.jpg")
    ]
    assert ["a.jpg", "A (2).JPG", "a (3).jpg", "é.jpg", "é (2).jpg"] == given
    assert "captions (2).csv" == files.unique("captions.csv", None)


def test_each_of_many_equal_names_costs_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody with a link to 10,000 photos of one name has them named; others with numbers are among them."""
    folded = Mock(side_effect=names._folded)
    monkeypatch.setattr(names, "_folded", folded)
    given, costs = FileNames(), []
    found = [given.unique(f"photo ({number}).jpg", "image/jpeg") for number in range(2, 50, 3)]
    for _ in range(3):
        folded.reset_mock()
        found += [given.unique(name, "image/jpeg") for name in ("photo.jpg", "PHOTO.jpg") for _ in range(50)]
        costs.append(folded.call_count)
    assert len(found) == len({name.lower() for name in found})
    assert costs[2] == costs[1] <= costs[0] < 1000


def test_ending_follows_the_content() -> None:
    files = FileNames()
    given = [files.unique(name, "image/webp") for name in ("photo.heic", "a.png", "none", "2026.11", "b.WEBP")]
    assert ["photo.webp", "a.webp", "none.webp", "2026.11.webp", "b.WEBP"] == given


@pytest.mark.parametrize(
    ("title", "name"), [("Trip", "Trip.zip"), ("../../x", "_.._x.zip"), ("con", "_con.zip")]
)
def test_archive_has_the_name_of_the_album(title: str, name: str) -> None:
    assert name == archive_name(title)


def test_image_without_words_has_an_empty_sidecar(gallery: Gallery) -> None:
    image = add_image(gallery, "a.jpg", caption=None, display_key="display/x/1600.webp")
    with opened(gallery, image) as archive:
        assert b"x:xmpmeta" in archive.read("a.webp.xmp")
