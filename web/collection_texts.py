"""Albums as the API's JSON and as the texts of the pages."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from imgcore.collections.models import Album, ItemResult, Results, summary
from web import serializers

if TYPE_CHECKING:
    from imgcore.gallery.models import Image
    from imgcore.gallery.service import Gallery

_MESSAGES = {
    ItemResult.NOT_FOUND: "There is no such photo.",
    ItemResult.FORBIDDEN: "This photo belongs to another account.",
    ItemResult.FULL: "The album is full.",
    ItemResult.TOO_MANY_TAGS: "This photo would have too many tags.",
}


def album_json(album: Album, gallery: Gallery) -> dict[str, Any]:
    """Return an album as the API's JSON."""
    return {
        "id": album.public_id,
        "name": album.name,
        "description": album.description,
        "order": album.order,
        "role": album.role,
        "owner": album.owner,
        "images": album.images,
        "cover": album.cover.public_id if album.cover else None,
        "cover_url": gallery.thumbnails(album.cover).thumbnail_2x if album.cover else None,
        "first_at": _time(album.first_at),
        "last_at": _time(album.last_at),
        "members": [{"name": member.name, "may": member.may} for member in album.members],
        "created_at": serializers.utc(album.created_at),
        "updated_at": serializers.utc(album.updated_at),
    }


def album_row(album: Album, gallery: Gallery) -> dict[str, Any]:
    """Return an album for the pages."""
    dates = [f"{when.day} {when:%B %Y}" for when in (album.first_at, album.last_at) if when]
    return album_json(album, gallery) | {
        "photos": f"{album.images:,} photo{'' if album.images == 1 else 's'}",
        "dates": " – ".join(dict.fromkeys(dates)),
        "mine": album.role == "owner",
        "may_add": album.role != "view",
    }


def results_json(results: Results) -> dict[str, Any]:
    """Return the results of an action on many images as the API's JSON."""
    rows = [
        {"id": public_id, "status": result, "message": _MESSAGES.get(result)} for public_id, result in results
    ]
    return {"results": rows, "summary": summary(results)}


def tile(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return a photo in a grid of a page."""
    image, links = image.in_language(gallery.language), gallery.thumbnails(image)
    return {
        "id": image.public_id,
        "url": links.thumbnail,
        "dense_url": links.thumbnail_2x,
        "placeholder": image.placeholder,
        "alt": serializers.alt(image),
        "caption": image.caption or image.name,
        **serializers.languages(image, gallery),
    }


def _time(when: datetime | None) -> str | None:
    return when.replace(tzinfo=None).isoformat(timespec="seconds") if when else None
