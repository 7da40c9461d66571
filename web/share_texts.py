"""Share links as the API's JSON and as the texts of the pages, and what a visitor sees of a photo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from imgcore.collections.share_models import Share, ShareFiles
from web import serializers

if TYPE_CHECKING:
    from imgcore.gallery.models import Image
    from imgcore.gallery.service import Gallery

_FILES = {
    ShareFiles.DISPLAY: "download",
    ShareFiles.ORIGINALS: "originals without metadata",
    ShareFiles.AS_UPLOADED: "originals as uploaded",
}
_STATUS = {"open": "Open", "expired": "Ended", "revoked": "Revoked"}


def share_json(share: Share) -> dict[str, Any]:
    """Return a link as the API's JSON, without its token."""
    return {
        "id": share.public_id,
        "kind": share.kind,
        "status": share.status,
        "title": share.name,
        "album": share.album,
        "images": share.images,
        "password": share.password is not None,
        "download": share.download,
        "files": share.files,
        "owner": share.owner,
        "created_at": serializers.utc(share.created_at),
        "expires_at": serializers.utc(share.expires_at),
        "revoked_at": serializers.optional_utc(share.revoked_at),
        "opened": share.opened,
        "last_opened_at": serializers.optional_utc(share.last_opened_at),
    }


def share_row(share: Share) -> dict[str, Any]:
    """Return a link for the pages."""
    options = ["password" if share.password else "", _files(share)]
    times = "time" if share.opened == 1 else "times"
    return share_json(share) | {
        "status_text": _STATUS[share.status],
        "photos": f"{share.images:,} photo{'' if share.images == 1 else 's'}",
        "options": ", ".join(option for option in options if option),
        "opened_text": f"opened {share.opened:,} {times}" if share.opened else "never opened",
        "last": serializers.moment(share.last_opened_at) if share.last_opened_at else None,
        "created": serializers.moment(share.created_at),
        "ends": serializers.moment(share.expires_at),
        "open": share.status == "open",
    }


def _files(share: Share) -> str:
    """Return what visitors may download, for the pages; empty for nothing."""
    return _FILES[share.files] if share.download else ""


def visitor_photo(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return what a visitor sees of a photo: its pictures and words; no name of a file or person, no place."""
    image = image.in_language(gallery.language)

    def url(key: str | None) -> str | None:
        return gallery.storage.url(key) if key else None

    return {
        "id": image.public_id,
        "url": url(image.thumbnail_key),
        "dense_url": url(image.thumbnail_2x_key),
        "thumbnail_url": url(image.thumbnail_key),
        "display_url": url(image.display_key),
        "placeholder": image.placeholder,
        "width": image.width,
        "height": image.height,
        "caption": image.caption or "",
        "alt_text": image.alt_text or "",
        "alt": image.alt_text or image.caption or "A photo that is not described yet",
        "tags": list(image.tags),
        **serializers.languages(image, gallery),
    }
