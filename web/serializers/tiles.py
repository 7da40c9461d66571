"""Tiles of the timeline as the API's compact JSON: what is false, unknown or usual is left out."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from imgcore.gallery.models import WordField
from web.serializers.images import (
    alt,
    alt_language,
    caption_label,
    message,
    retryable,
    status_text,
    word_language,
)
from web.serializers.times import utc

if TYPE_CHECKING:
    from imgcore.gallery.changes import Changes
    from imgcore.gallery.listing import Tile
    from imgcore.gallery.models import Image
    from imgcore.gallery.ports import Storage
    from imgcore.gallery.service import Gallery

_HEIGHT = 360  # of the pictures in the grid
_SIGNATURE = "X-Amz-Signature="  # the last parameter of a presigned URL


class Addresses:
    """Presigned URLs of many images in few bytes: templates, and for each image its number and signature."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.templates: list[str] = []

    def add(self, image: Image) -> list[Any] | None:
        """Return (number of the template, signature) of the image's picture; None where it has none yet."""
        key = image.grid_key or image.display_key
        if key is None or image.deleted_at is not None:
            return None
        url, mark, signature = self._storage.url(key).partition(_SIGNATURE)
        template = url.replace(image.public_id, "{id}") + mark + "{signature}"
        if template not in self.templates:
            self.templates.append(template)
        return [self.templates.index(template), signature]


def tiles_json(tiles: Iterable[Tile], gallery: Gallery) -> dict[str, Any]:
    """Return rows, and what their URLs have in common."""
    addresses = Addresses(gallery.storage)
    expires_at = utc(gallery.storage.expires_at())  # first: the URLs signed after it end no earlier
    photos = [tile_json(tile, gallery, addresses) for tile in tiles]
    return {"urls": addresses.templates, "expires_at": expires_at, "photos": photos}


def pictures(tiles: Iterable[Tile], gallery: Gallery) -> list[dict[str, Any]]:
    """Return what the page draws of photos before its scripts run. Those without a picture are left out."""
    return [found for tile in tiles if (found := _picture(tile.image, gallery))]


def _picture(image: Image, gallery: Gallery) -> dict[str, Any] | None:
    image, key = image.in_language(gallery.language), image.grid_key or image.display_key
    if key is None or not (image.width and image.height):
        return None
    return {
        "id": image.public_id,
        "url": gallery.storage.url(key),
        "height": _HEIGHT,
        "width": round(_HEIGHT * min(3.0, max(0.4, image.width / image.height))),  # as in js/model/layout.js
        "alt": alt(image),
        "alt_language": alt_language(image, gallery) or "",
        "caption": image.caption or image.name,
        "caption_language": word_language(image, WordField.CAPTION, gallery) or "",
    }


def changes_json(found: Changes, gallery: Gallery) -> dict[str, Any]:
    """Return an answer of the feed of changes."""
    return {
        "cursor": found.cursor.text(gallery.viewer),
        **tiles_json(found.tiles, gallery),
        "removed": list(found.removed),
        "batches": [each._asdict() for each in found.batches],
        "more": found.more,
    }


def tile_json(tile: Tile, gallery: Gallery, addresses: Addresses) -> dict[str, Any]:
    """Return one row of a month or of the changes."""
    image, at = tile.image.in_language(gallery.language), tile.at
    status = image.status
    row: dict[str, Any] = {
        "id": image.public_id,
        "version": image.version,
        "month": f"{at:%Y-%m}" if at else None,
        "at": _time(at) if at else None,
        "uploaded": _time(image.uploaded_at) if at else None,
        "aspect": round(image.width / image.height, 4) if image.width and image.height else None,
        "placeholder": image.placeholder,
        "url": addresses.add(image),
        "caption": image.caption,
        "alt": None if image.alt_text is None or image.alt_text == image.caption else image.alt_text,
        "name": None if image.caption else image.name,
        "source_label": caption_label(image),
        "provisional": image.provisional,
        "read_only": not gallery.viewer.changes(image),
    }
    if len(gallery.languages) > 1:
        row |= {"caption_language": word_language(image, WordField.CAPTION, gallery)}
        row |= {"alt_language": alt_language(image, gallery)}
    if status != "done":
        row |= {"status": status, "status_text": status_text(image)}
        row |= {"message": message(image), "retryable": retryable(image)}
    return {name: value for name, value in row.items() if value is not None and value is not False}


def _time(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds")
