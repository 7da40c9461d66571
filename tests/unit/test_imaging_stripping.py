"""Files without their metadata."""

from __future__ import annotations

import tracemalloc
import zlib

import pytest
from PIL import Image, ImageCms

from imgcore.errors import Invalid
from imgcore.imaging import stripping
from imgcore.imaging.decode import decode
from tests import images

SECRET = b"Where nobody may look"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def without_metadata(data: bytes) -> bytes:
    return b"".join(stripping.without_metadata(data))


def made(form: str, orientation: int, **options: object) -> bytes:
    """A file whose EXIF, XMP, comment and tail hold what nobody may see."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = orientation, SECRET.decode()
    exif.get_ifd(0x8825)[29] = SECRET.decode()
    stored = images.laid(images.corners(), orientation)
    more = {"pnginfo": _texts()} if form == "PNG" else {"xmp": XMP}
    data = images.encode(stored, form, exif=exif.tobytes(), icc_profile=ICC, **more, **options)
    if form == "JPEG":
        data = images.with_segments(data, images.segment(0xFE, SECRET), images.segment(0xED, SECRET))
    return data + (SECRET if form == "JPEG" else b"")


def _texts() -> object:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    return info


def seen(data: bytes) -> tuple[tuple[int, int], bytes]:
    """Size and pixels of the upright picture."""
    photo = decode(data, max_side=100)
    return photo.size, photo.rgb(photo.size)


FORMS = {
    "JPEG": ("JPEG", {"quality": 95}),
    "progressive JPEG": ("JPEG", {"quality": 95, "progressive": True, "restart_marker_rows": 1}),
    "PNG": ("PNG", {}),
    "WebP": ("WEBP", {"lossless": True}),
}


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("form", FORMS)
def test_file_keeps_picture_orientation_and_profile_and_nothing_else(form: str, orientation: int) -> None:
    name, options = FORMS[form]
    data = made(name, orientation, **options)
    assert SECRET in data
    found = without_metadata(data)
    assert SECRET not in found
    assert seen(data) == seen(found)
    assert seen(found)[0] == (96, 64)
    assert ICC in found or name == "PNG"  # compressed there
    assert without_metadata(found) == found


@pytest.mark.parametrize("kind", [b"cICP", b"gAMA", b"cHRM", b"sRGB", b"cLLI", b"mDCV"])
def test_png_keeps_what_its_colours_mean(kind: bytes) -> None:
    extra = images.chunk(kind, bytes(range(8)))
    assert extra in without_metadata(images.png(1, 1, pixels=zlib.compress(b"\0" * 4), extra=extra))


@pytest.mark.parametrize("options", [{}, {"progressive": True}], ids=["baseline", "progressive"])
def test_second_picture_in_the_place_of_the_end_mark_is_left_out(options: dict[str, bool]) -> None:
    """The first one ends where it begins, as when the file is shown."""
    first = images.encode(images.corners(), "JPEG", quality=95, **options)
    second = images.with_segments(images.jpeg(320, 240), images.segment(0xFE, SECRET))
    data = first[:-2] + second
    assert without_metadata(data) == without_metadata(first)
    assert seen(data) == seen(without_metadata(data))


@pytest.mark.parametrize("marker", [0x02, 0xBF, 0xC8, 0xDE, 0xDF, 0xF0, 0xF5, 0xFD])
def test_segment_of_a_jpeg_that_is_no_part_of_the_picture_is_left_out(marker: int) -> None:
    data = images.jpeg(64, 48)
    assert without_metadata(images.with_segments(data, images.segment(marker, SECRET))) == without_metadata(
        data
    )


def test_preview_of_a_jpeg_is_left_out() -> None:
    data = images.jpeg(64, 48)
    start = data.index(b"JFIF")
    length = int.from_bytes(data[start - 2 : start])
    preview = (length + len(SECRET)).to_bytes(2) + data[start : start + length - 2] + SECRET
    found = without_metadata(data[: start - 2] + preview + data[start + length - 2 :])
    assert SECRET not in found
    assert found == without_metadata(data)


@pytest.mark.parametrize(
    "data",
    [
        images.heic(64, 48),
        images.encode(images.corners(), "GIF"),
        images.encode(images.corners(), "TIFF"),
        images.encode(images.corners(), "WEBP", save_all=True, append_images=[images.photo(96, 64)]),
        images.jpeg(64, 48)[:-2],
        images.jpeg(64, 48)[:-2] + b"\xff\x01" * 5000 + b"\xff\xd9",
        b"no picture",
        b"",
    ],
    ids=["HEIC", "GIF", "TIFF", "animation", "without an end", "segments", "text", "nothing"],
)
def test_other_and_broken_files_are_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        without_metadata(data)
    assert caught.value.code == "not_strippable"


def test_picture_is_not_copied() -> None:
    """Carving and stripping copy no pixels: hosts have little memory, and originals are large."""
    for form in FORMS:
        name, options = FORMS[form]
        data = made(name, 6, **options)
        size = 24 * 2**20
        if name == "JPEG":
            end = data.rindex(b"\xff\xd9")
            data = data[:end] + bytes(size) + data[end:]
        elif name == "PNG":
            data = data[:-12] + images.chunk(b"IDAT", bytes(size)) + data[-12:]
        else:
            data += b"ALPH" + size.to_bytes(4, "little") + bytes(size)
            data = b"RIFF" + (len(data) - 8).to_bytes(4, "little") + data[8:]
        tracemalloc.start()
        try:
            parts = stripping.without_metadata(data)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert sum(map(len, parts)) > size, form
        assert peak < size / 4, form
