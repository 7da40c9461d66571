"""What the tests of imaging share: files taken apart, and the facts that are read from them."""

from __future__ import annotations

from datetime import datetime

import pytest
from PIL import Image

from imgcore.gallery.models import PhotoFacts
from imgcore.imaging import formats
from imgcore.imaging.decode import decode
from imgcore.imaging.formats import Carved, Damaged

WHEN = datetime(2024, 5, 17, 18, 30, 5)  # noqa: DTZ001 - a camera's clock has no zone


def facts(data: bytes) -> PhotoFacts:
    return decode(data, max_side=64).facts


def tiff(block: bytes) -> bytes:
    """What is behind the mark that stands before EXIF in most containers."""
    return block.removeprefix(b"Exif\0\0")


def exposed(**tags: object) -> bytes:
    """An EXIF block with these fields, by their tags in hexadecimal: x829A=(1, 250)."""
    block = Image.Exif()
    for name, value in tags.items():
        tag = int(name[1:], 16)
        (block if tag < 0x8000 else block.get_ifd(0x8769))[tag] = value
    return tiff(block.tobytes())


def carve(data: bytes) -> Carved:
    kind = formats.media_type(data)
    assert kind
    return formats.carve(data, kind)


def damage(data: bytes) -> str:
    with pytest.raises(Damaged) as caught:
        carve(data)
    return str(caught.value)
