"""Safe decoding of photographs that strangers send: the only door between their bytes and a codec."""

from __future__ import annotations

import hashlib
import io

from PIL import Image, ImageOps, UnidentifiedImageError

from imgcore.errors import Rejected
from imgcore.model import MAX_BYTES, MAX_PIXELS, MAX_SIDE, PhotoFacts


class Photo:
    """A decoded photograph: upright, sRGB, 8 bits, without alpha and metadata. Implements model.Picture."""

    def __init__(self, image: Image.Image, facts: PhotoFacts) -> None:
        self.image = image
        self.facts = facts

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels that it was decoded at."""
        return self.image.size

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        """A JPEG whose longer side is at most ``max_side`` pixels."""
        image = self.image.copy()
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        return out.getvalue()

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        """``box`` (all of it by default) resized to ``size``: width × height × 3 bytes, row by row."""
        return self.image.resize(size, Image.Resampling.BICUBIC, box=box).tobytes()


def decode(data: bytes, *, max_side: int, declared: str | None = None, max_bytes: int = MAX_BYTES) -> Photo:
    """Decode ``data`` so that its longer side is at most ``max_side`` pixels. Rejected says why not."""
    if not data:
        raise Rejected("The file is empty; choose it again and upload it once more.", code="empty")
    if len(data) > max_bytes:
        raise Rejected("The file is too large.", code="too_large")
    try:
        image: Image.Image = _open(data)
        if getattr(image, "n_frames", 1) > 1 and image.format != "HEIF":
            raise Rejected("Animated pictures are not accepted; upload a still one.", code="animated")
        if image.width * image.height > MAX_PIXELS:
            raise Rejected("The picture has too many pixels.", code="too_many_pixels")
        if max(image.size) > min(MAX_SIDE, 30 * min(image.size)):
            raise Rejected("The picture is too long.", code="too_long")
        form, whole = image.format or "", image.size
        if form == "JPEG":
            image.draft(None, (max_side, max_side))
        orientation = image.getexif().get(0x0112, 1)
        if orientation > 4:
            whole = whole[::-1]
        image = ImageOps.exif_transpose(image)
        image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        if image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        image = image.convert("RGB")
        image.info.clear()
    except Rejected:
        raise
    except Exception as error:
        raise Rejected("The picture is damaged; export it again and upload that.", code="damaged") from error
    digest = hashlib.sha256(data).hexdigest()
    return Photo(image, PhotoFacts(form, whole[0], whole[1], len(data), digest))


def _open(data: bytes) -> Image.Image:
    stream = io.BytesIO(data)
    if data[4:8] == b"ftyp" and data[8:12] not in (b"avif", b"avis"):
        from pillow_heif import HeifImageFile

        return HeifImageFile(stream)  # type: ignore[no-untyped-call]
    try:
        return Image.open(stream, formats=("JPEG", "PNG", "WEBP", "GIF", "AVIF"))
    except UnidentifiedImageError as error:
        raise Rejected("The file is not a picture.", code="not_an_image") from error
