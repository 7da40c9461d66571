"""One decoded photograph → what the gallery shows of it."""

from __future__ import annotations

import base64
import io

from PIL import Image, ImageOps

from imgcore.images import Photo
from imgcore.model import Rendition, Renditions


def render(photo: Photo, public_id: str, *, fit: str) -> Renditions:
    """Thumbnails (200 and 400), display size (1600) and placeholder. ``fit``: "crop" or "fit"."""
    image = photo.image

    def thumbnail(side: int) -> Rendition:
        if fit == "crop":
            side = min(side, *image.size)
            small = ImageOps.fit(image, (side, side), Image.Resampling.LANCZOS)
        else:
            small = _inside(image, side)
        return small_rendition(small, side)

    def small_rendition(small: Image.Image, side: int) -> Rendition:
        return Rendition("", _webp(small, 78), "image/webp", *small.size)

    def named(key: str, item: Rendition) -> Rendition:
        return Rendition(key, item.data, item.media_type, item.width, item.height)

    shown = _inside(image, 1600)
    return Renditions(
        named(f"thumbnails/{public_id}/200.webp", thumbnail(200)),
        named(f"thumbnails/{public_id}/400.webp", thumbnail(400)),
        Rendition(f"display/{public_id}/1600.webp", _webp(shown, 80), "image/webp", *shown.size),
        "data:image/webp;base64," + base64.b64encode(_webp(_inside(image, 16), 20)).decode("ascii"),
    )


def _inside(image: Image.Image, side: int) -> Image.Image:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _webp(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=2)
    return out.getvalue()
