"""What the tests of the describer share: a picture made of an array, and a pattern to compare nets on."""

from __future__ import annotations

from typing import Any

import numpy as np

from imgcore.captioning.local.findings import Findings, Impression, Subject
from imgcore.captioning.local.layers import Array
from imgcore.gallery.models import PhotoFacts


class Pixels:
    """A Picture of what the array (height × width × 3, 0 … 255) shows; resized by the nearest pixel."""

    def __init__(self, array: Any, **facts: Any) -> None:
        self.array = np.asarray(array, np.uint8)
        self.size = (self.array.shape[1], self.array.shape[0])
        self.facts = PhotoFacts("JPEG", *self.size, 0, "0" * 64, **facts)

    def jpegs(self, max_side: int, quality: int = 85) -> list[bytes]:
        return [self.jpeg(max_side, quality)]

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        left, top, right, bottom = box or (0, 0, *self.size)
        columns = (left + (np.arange(size[0]) + 0.5) * (right - left) / size[0]).astype(int)
        rows = (top + (np.arange(size[1]) + 0.5) * (bottom - top) / size[1]).astype(int)
        return self.array[rows][:, columns].tobytes()

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        raise AssertionError("the local describer needs no JPEG")


def plain(color: tuple[int, int, int], width: int = 60, height: int = 40, **facts: Any) -> Pixels:
    """A picture of one color."""
    return Pixels(np.full((height, width, 3), color), **facts)


def pattern(side: int) -> Array:
    """Waves and a little noise: the same on every machine, and alive in every channel."""
    y, x, c = np.mgrid[0:side, 0:side, 0:3]
    waves = 127.5 + 60 * np.sin(x * 0.11 + c) + 60 * np.cos(y * 0.07 - 2 * c)
    noise = ((x * 7 + y * 13 + c * 29) % 31 - 15) * 0.4
    return np.floor(waves + noise).clip(0, 255).astype(np.float32)


def seen(faces: int = 0, subject: Subject | None = None, **impression: Any) -> Findings:
    """A wide photograph that is mostly green, where nothing else is said."""
    usual = {
        "shape": "wide",
        "light": None,
        "colors": ("green",),
        "foreground": (),
        "mostly": True,
        "black_and_white": False,
        "plain": False,
        "drawn": False,
    }
    return Findings(Impression(**{**usual, **impression}), faces, subject)


CAT = Subject("a cat", None, sure=True, tags=("cat", "animal"))
TABBY = Subject("a cat", "a tabby", sure=True, tags=("cat", "tabby", "animal"))
CHAIR = Subject("a rocking chair", None, sure=False, tags=("rocking chair",))
