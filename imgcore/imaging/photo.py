"""A decoded photo, and how it is laid on a background where it is transparent."""

from __future__ import annotations

import io
from functools import cached_property

from PIL import Image, ImageStat

from imgcore.gallery.models import PhotoFacts
from imgcore.imaging.sizes import Box, Size, inside, parts

Colour = tuple[int, int, int]
WHITE, BLACK = (255, 255, 255), (0, 0, 0)

_LIGHT = 160  # of 255: what is lighter on average is laid on black
_VISIBLE = 64  # of 255: alpha from which a pixel counts


class Photo:
    """A decoded photo: upright, sRGB, 8 bits a channel, without metadata; with alpha where it is transparent.

    Implements gallery.models.Picture. ``facts`` describe the whole file, ``size`` what was decoded.
    """

    def __init__(self, image: Image.Image, facts: PhotoFacts) -> None:
        self._image = image
        self._facts = facts

    @property
    def facts(self) -> PhotoFacts:
        """Return what the file states; width and height are those of the whole upright picture."""
        return self._facts

    @property
    def size(self) -> Size:
        """Return the width and height of the decoded picture in pixels."""
        return self._image.size

    @cached_property
    def background(self) -> Colour | None:
        """The one of black and white that contrasts with the visible pixels; None where all are opaque."""
        if self._image.mode != "RGBA":
            return None
        visible = self._image.getchannel("A").point(lambda alpha: 255 if alpha >= _VISIBLE else 0)
        statistics = ImageStat.Stat(self._image.convert("L"), visible)
        return BLACK if statistics.count[0] and statistics.mean[0] > _LIGHT else WHITE

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        """Return a JPEG whose longer side is at most ``max_side`` pixels; never enlarged."""
        return self._jpeg((0, 0, *self.size), max_side, quality)

    def jpegs(self, max_side: int, quality: int = 85) -> list[bytes]:
        """Return JPEGs of the whole and, of a long picture, of its parts from one end to the other."""
        boxes: list[Box] = [(0, 0, *self.size), *parts(self.size)]
        return [self._jpeg(box, max_side, quality) for box in boxes]

    def rgb(self, size: Size, box: Box | None = None) -> bytes:
        """Return ``box`` (left, top, right, bottom in pixels of ``self.size``; by default all) at ``size``.

        Width × height × 3 bytes, row by row, as if all of it had been resized and the box cut out then.
        ValueError where the box leaves the picture.
        """
        if box is None and size == self.size:
            return self._on_background(self._image).tobytes()
        small = self._image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)
        return self._on_background(small).tobytes()

    def image(
        self,
        size: Size,
        box: Box | None = None,
        method: Image.Resampling = Image.Resampling.LANCZOS,
        gap: float = 2.0,
    ) -> Image.Image:
        """Return ``box`` at ``size`` as an image with its alpha; not to be changed.

        ``gap``: the picture is made smaller by a whole number first, down to so many times ``size``. What is
        small enough is made from the picture at half its size: other pixels than those of ``rgb``, which nets
        and hashes depend on.
        """
        if box is None and size == self.size:
            return self._image
        left, top, right, bottom = box or (0, 0, *self.size)
        if min((right - left) / size[0], (bottom - top) / size[1]) < 2 * gap:
            return self._image.resize(size, method, box=box, reducing_gap=gap)
        halves = (left / 2, top / 2, right / 2, bottom / 2)
        return self._half.resize(size, method, box=halves, reducing_gap=gap)

    @cached_property
    def _half(self) -> Image.Image:
        """The picture at half its size, from which all smaller images are made: most of a resize is reading."""
        return self._image.reduce(2)

    def _jpeg(self, box: Box, max_side: int, quality: int) -> bytes:
        whole = max(1, round(box[2] - box[0])), max(1, round(box[3] - box[1]))
        size = inside(whole, max_side)
        image = (
            self._image if size == self.size else self._image.resize(size, Image.Resampling.LANCZOS, box=box)
        )
        out = io.BytesIO()
        self._on_background(image).save(out, "JPEG", quality=quality)
        return out.getvalue()

    def _on_background(self, image: Image.Image) -> Image.Image:
        if self.background is None:
            return image
        laid = Image.new("RGB", image.size, self.background)
        laid.paste(image.convert("RGB"), mask=image.getchannel("A"))
        return laid
