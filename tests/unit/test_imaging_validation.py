"""Rejected files, their codes and their messages."""

from __future__ import annotations

import pytest
from PIL import Image

from imgcore.errors import Rejected
from imgcore.gallery.limits import MAX_BYTES
from imgcore.imaging import decode as images
from imgcore.imaging import validation
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import Damaged, Unsupported
from tests import images as samples


def refusal(data: bytes, **options: object) -> Rejected:
    with pytest.raises(Rejected) as caught:
        decode(data, max_side=100, **options)  # type: ignore[arg-type]
    assert caught.value.permanent
    return caught.value


TRUNCATED = samples.Files(
    jpeg=samples.jpeg,
    progressive=lambda: samples.jpeg(progressive=True).rpartition(b"\xff\xda")[0],  # its last scan only refines
    png=lambda: samples.encode(samples.photo(), "PNG"),
    webp=lambda: samples.encode(samples.photo(), "WEBP"),
    gif=lambda: samples.encode(samples.photo(), "GIF"),
    avif=lambda: samples.encode(samples.photo(), "AVIF"),
    heic=samples.heic,
)


@pytest.mark.parametrize("part", [0.2, 0.6, 0.9])
@pytest.mark.parametrize("name", TRUNCATED)
def test_validation_file_that_was_cut_off_is_damaged_and_says_so(name: str, part: float) -> None:
    """Never a picture whose lower half is grey."""
    error = refusal(samples.truncated(TRUNCATED[name], part))
    assert error.code == "damaged"
    assert "breaks off before its end" in error.message


@pytest.mark.parametrize("name", TRUNCATED)
def test_validation_first_bytes_alone_are_damaged(name: str) -> None:
    """Enough to know what it should have been, and nothing more."""
    assert refusal(TRUNCATED[name][:16]).code == "damaged"


@pytest.mark.parametrize(
    ("data", "code", "reported"),
    [
        (b"", "empty", "The file is empty; choose it again on the device that it is on."),
        (
            samples.not_an_image(),
            "not_an_image",
            "The file is not a picture, whatever its name says; "
            "choose a JPEG, PNG, WebP, GIF, AVIF, HEIC, TIFF, BMP or camera raw file.",
        ),
        (
            b"%PDF-1.7\n%...",
            "unsupported_type",
            "The file is a PDF document, which is not taken; export the picture as JPEG and upload that.",
        ),
        (
            samples.bomb(),
            "too_many_pixels",
            "The picture has 3,600 megapixels; the limit is 50. Scale it down and upload it again.",
        ),
        (
            samples.png(10_000, 5_001),
            "too_many_pixels",
            "The picture has 50.1 megapixels; the limit is 50. Scale it down and upload it again.",
        ),
        (
            samples.strip(),
            "too_long",
            "The picture measures 30,001 × 1 pixels; a side may have at most 30,000. "
            "Crop it and upload it again.",
        ),
    ],
    ids=["empty", "text", "PDF", "bomb", "just over", "strip"],
)
def test_rejection_names_the_problem_and_the_remedy(data: bytes, code: str, reported: str) -> None:
    """One sentence or two, with figures."""
    error = refusal(data)
    assert (code, reported) == (error.code, error.message)


def test_validation_too_many_bytes_are_refused_with_both_figures() -> None:
    """Rounded so that the size never looks like the limit."""
    error = refusal(b"\xff\xd8\xff" + bytes(MAX_BYTES))
    expected = "This file has 100.1 MiB; the limit is 100 MiB. Export it smaller and upload that."
    assert ("too_large", expected) == (error.code, error.message)


def test_validation_caller_may_allow_fewer_bytes() -> None:
    """Down to the byte."""
    data = samples.jpeg(64, 48)
    assert refusal(data, max_bytes=len(data) - 1).code == "too_large"
    assert decode(data, max_side=64, max_bytes=len(data)).facts.size == len(data)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"II+\0", "a BigTIFF picture"),
        (b"IIRO", "an Olympus raw file"),
        (b"IIU\0", "a Panasonic raw file"),
        (b"8BPS", "a Photoshop document"),
        (b"PK\3\4", "a ZIP archive or office document"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  \r\n", "a JPEG 2000 picture"),
        (b"\0\0\1\0", "an icon"),
        (b"\x1aE\xdf\xa3", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<svg xmlns='...'/>", "an SVG drawing"),
        (b"  <svg xmlns='...'/>", "an SVG drawing"),
    ],
)
def test_rejection_names_known_other_formats(head: bytes, name: str) -> None:
    """The message tells the uploader what to convert."""
    error = refusal(head + b"\0" * 50)
    assert error.code == "unsupported_type"
    assert f"The file is {name}, which is not taken" in error.message


def test_validation_markup_that_draws_nothing_is_no_picture() -> None:
    """XML alone is not SVG."""
    assert refusal(b"<?xml version='1.0'?><html/>").code == "not_an_image"


CONTENT = samples.Files(
    **{
        "image/jpeg": lambda: samples.jpeg(64, 48),
        "image/png": lambda: samples.encode(samples.corners(), "PNG"),
        "image/webp": lambda: samples.encode(samples.corners(), "WEBP"),
        "image/gif": lambda: samples.encode(samples.corners(), "GIF"),
        "image/avif": lambda: samples.encode(samples.corners(), "AVIF"),
        "image/heic": lambda: samples.heic(64, 48),
    }
)


@pytest.mark.parametrize("declared", [*CONTENT, "image/tiff", "text/plain", "", None])
@pytest.mark.parametrize("actual", CONTENT)
def test_decode_content_decides_whatever_was_declared(declared: str | None, actual: str) -> None:
    photo = decode(CONTENT[actual], max_side=64, declared=declared)
    assert photo.facts.size == len(CONTENT[actual])


def test_validation_something_declared_an_image_that_is_none_is_not_an_image() -> None:
    """Another ending would not help."""
    assert refusal(samples.not_an_image(), declared="image/jpeg").code == "not_an_image"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MemoryError(), "too_heavy"),
        (SyntaxError("broken PNG"), "damaged"),
        (RecursionError(), "damaged"),
        (KeyError("MPO"), "damaged"),
        (Image.DecompressionBombError("bomb"), "too_many_pixels"),
        (Image.DecompressionBombWarning("bomb"), "too_many_pixels"),
    ],
)
def test_validation_whatever_a_codec_raises_is_a_refusal(
    error: Exception, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wall, whose cause is kept for the log."""

    def open_nothing(*_: object) -> None:
        raise error

    monkeypatch.setattr(images, "_open", open_nothing)
    refused = refusal(samples.jpeg(64, 48))
    assert (code, error) == (refused.code, refused.__cause__)


def test_decode_lets_keyboard_interrupt_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no property of the file."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "_open", stop)
    with pytest.raises(KeyboardInterrupt):
        decode(samples.jpeg(64, 48), max_side=64)


@pytest.mark.parametrize("name", ["PNG, 49 million pixels in a column", "GIF, 4,295 megapixels claimed"])
def test_validation_limits_are_checked_before_anything_is_decoded(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The codec is not even opened."""
    opened: list[object] = []
    monkeypatch.setattr(images, "_open", lambda *which: opened.append(which))
    files = {
        "PNG, 49 million pixels in a column": samples.png(1, 49_000_000),
        "GIF, 4,295 megapixels claimed": b"GIF89a\xff\xff\xff\xff\0\0\0"
        + samples.encode(Image.new("P", (1, 1)), "GIF")[-20:],
    }
    refusal(files[name])
    assert [] == opened


@pytest.mark.parametrize("size", [(1, 1), (1, 30_000), (30_000, 1), (10_000, 5_000)])
def test_validation_picture_at_a_limit_is_accepted(size: tuple[int, int]) -> None:
    validation.check_size(size)


@pytest.mark.parametrize(
    ("size", "megapixels"), [((1, 50_000_001), "50.1"), ((9_990, 10_000), "99.9"), ((10_000, 10_000), "100")]
)
def test_validation_names_megapixels_rounded_up(size: tuple[int, int], megapixels: str) -> None:
    with pytest.raises(Rejected, match=f"has {megapixels} megapixels; the limit is 50"):
        validation.check_size(size)


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0), (-1, 5)])
def test_validation_size_without_area_is_damaged(size: tuple[int, int]) -> None:
    with pytest.raises(Damaged):
        validation.check_size(size)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (EOFError(), "breaks off before its end"),
        (Damaged("rows are missing", ends_early=True), "breaks off before its end"),
        (OSError("image file is Truncated (3 bytes)"), "breaks off before its end"),
        (Damaged("no area"), "is damaged and cannot be shown"),
        (ValueError("bad"), "is damaged and cannot be shown"),
        (Unsupported("lossless"), "is packed in a way that cannot be shown here"),
    ],
)
def test_validation_error_of_a_codec_says_what_is_wrong(error: Exception, said: str) -> None:
    assert f"The PNG {said}" in validation.damaged("image/png", error).message


def test_validation_raw_file_that_cannot_be_shown_lacks_a_preview() -> None:
    assert "The DNG has no preview inside" in validation.damaged("image/x-adobe-dng", Unsupported("x")).message


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_validation_picture_without_area_is_damaged(size: tuple[int, int]) -> None:
    """There is nothing to show."""
    assert refusal(samples.png(*size, pixels=b"\0" * 16)).code == "damaged"
