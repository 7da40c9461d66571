"""The local describer on real photographs, decoded as the pipeline decodes them."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter, ImageOps

from imgcore.captioning.local import LocalDescriber
from imgcore.gallery.models import Description
from imgcore.imaging.decode import decode

SAMPLES = Path(__file__).parents[2] / "web" / "static" / "samples"
LISTED: list[dict[str, str]] = json.loads((SAMPLES / "samples.json").read_text("utf-8"))


def described(data: bytes, max_side: int = 1600) -> Description:
    return LocalDescriber().describe(decode(data, max_side=max_side), deadline=time.monotonic() + 60)


def saved(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.convert("RGB").save(out, form, **options)
    return out.getvalue()


def upright(name: str) -> Image.Image:
    return ImageOps.exif_transpose(Image.open(SAMPLES / name))


@pytest.mark.parametrize(
    ("name", "caption"),
    [
        ("cat.jpg", "What looks like a cat in a photograph that is mostly brown and beige."),
        ("mountains.jpg", "What looks like mountains in a photograph that is mostly olive and gray."),
        (
            "coffee.jpg",
            "What looks like a cup, perhaps a cup of coffee, in a photograph that is mostly brown and red.",
        ),
        ("dogs.jpg", "What looks like a dog in a tall photograph that is mostly gray."),
        ("pagoda.jpg", "What looks like a building in a photograph with some gray and white."),
        ("astronaut.jpg", "A person in a square photograph that is mostly gray and black."),
    ],
)
def test_the_samples_are_described(name: str, caption: str) -> None:
    """A cat as a cat, a face as a person; the one on its side as it is meant to be seen."""
    assert caption == described((SAMPLES / name).read_bytes()).caption


@pytest.mark.parametrize("max_side", [256, 640, 1600])
@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_the_size_it_was_decoded_at_matters_little(entry: dict[str, str], max_side: int) -> None:
    """The subject stays the same."""
    data = (SAMPLES / entry["file"]).read_bytes()
    assert described(data).tags[0] == described(data, max_side).tags[0]


@pytest.mark.parametrize(
    ("form", "options"), [("PNG", {}), ("WEBP", {"quality": 60}), ("JPEG", {"quality": 40})]
)
def test_the_format_matters_little(form: str, options: dict[str, Any]) -> None:
    """A cat is a cat in any of them."""
    assert "cat" == described(saved(upright("cat.jpg"), form, **options)).tags[0]


def test_a_mirrored_cat_is_a_cat() -> None:
    """Left and right mean nothing."""
    assert "cat" == described(saved(ImageOps.mirror(upright("cat.jpg")))).tags[0]


def test_a_gray_cat_is_a_cat() -> None:
    """The photo is black and white."""
    found = described(saved(upright("cat.jpg").convert("L")))
    assert ("cat", True) == (found.tags[0], found.caption.endswith("in a black-and-white photograph."))


def test_a_group_is_counted() -> None:
    """Two people side by side."""
    one = upright("astronaut.jpg")
    pair = Image.new("RGB", (2 * one.width, one.height))
    pair.paste(one, (0, 0))
    pair.paste(ImageOps.mirror(one), (one.width, 0))
    assert described(saved(pair)).caption.startswith("Two people in ")


def test_a_close_up_is_seen() -> None:
    """A face that fills the picture."""
    assert "person" == described(saved(upright("astronaut.jpg").crop((160, 50, 300, 190)))).tags[0]


def test_a_blur_is_not_named() -> None:
    """The caption and the alternative text state its colors alone."""
    found = described(saved(upright("cat.jpg").filter(ImageFilter.GaussianBlur(40))))
    assert found.alt_text == found.caption
    assert found.caption.startswith("Mostly ")


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_the_samples_are_small(entry: dict[str, str]) -> None:
    """They come with the repository and go through the browser."""
    data = (SAMPLES / entry["file"]).read_bytes()
    assert len(data) <= 250_000
    assert max(Image.open(io.BytesIO(data)).size) <= 1280


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["file"])
def test_the_samples_are_credited(entry: dict[str, str]) -> None:
    """Title, author and licence, the same in the list and in the credits."""
    row = next(
        line
        for line in (SAMPLES / "CREDITS.md").read_text("utf-8").splitlines()
        if line.startswith(f"| {entry['file']} ")
    )
    assert [] == [part for part in (entry["title"], entry["credit"], entry["licence"]) if part not in row]


def test_every_sample_is_listed() -> None:
    """No photograph without a credit."""
    assert {path.name for path in SAMPLES.glob("*.jpg")} == {entry["file"] for entry in LISTED}


def test_one_sample_lies_on_its_side() -> None:
    """A check for the rotation needs it."""
    turned = [e["file"] for e in LISTED if Image.open(SAMPLES / e["file"]).getexif().get(0x0112, 1) != 1]
    assert ["dogs.jpg"] == turned
