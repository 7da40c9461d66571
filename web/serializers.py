"""Images and accounts as the API's JSON and as the pages' texts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from imgcore.accounts.models import Account, ApiKey, Quota, Role, Scope, SecurityEntry, Session, Usage
from imgcore.accounts.security_log import SecurityEvent
from imgcore.gallery.models import (
    EVERYBODY,
    Image,
    Links,
    Source,
    Task,
    TaskKind,
    TaskStatus,
    UploadStatus,
    Viewer,
)
from imgcore.text import file_size

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

_STATUS_TEXT = {
    "awaiting": "Not uploaded yet",
    "rejected": "Not accepted",
    "expired": "Never arrived",
    "deleted": "In the trash",
    "waiting": "Waiting",
    "working": "Describing",
    "failed": "Failed",
    "done": "Done",
}

_SOURCE_TEXT = {
    Source.HUMAN: "Edited by a person",
    Source.GEMINI: "Described by Gemini",
    Source.EMBEDDED: "From the photo’s own metadata",
    Source.LOCAL: "Described by the local describer, without Gemini",
}

_SOURCE_LABEL = {
    Source.HUMAN: "Edited by a person",
    Source.GEMINI: "Gemini",
    Source.EMBEDDED: "Own metadata",
    Source.LOCAL: "Local describer",
}


def card_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return what a card of the page shows of an image: its JSON without the original's URL."""
    read_only = {} if gallery.viewer.changes(image) else {"read_only": True}
    return _image_json(image, gallery.links(image, original=False)) | read_only


def image_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return an image as JSON, the same for all API routes and pages.

    ``owner`` is present if the gallery has accounts, ``location`` only for callers who may change the image.
    """
    viewer = gallery.viewer
    shown = _image_json(image, gallery.links(image))
    if viewer.account_id is not None:
        shown["owner"] = image.owner
    if not viewer.changes(image):
        shown["read_only"] = True
    elif image.latitude is not None:
        shown["location"] = {"latitude": image.latitude, "longitude": image.longitude}
    return shown


def _image_json(image: Image, links: Links) -> dict[str, Any]:
    return {
        "id": image.public_id,
        "name": image.name,
        "status": image.status,
        "status_text": status_text(image),
        "settled": image.settled,
        "retryable": retryable(image),
        "message": message(image),
        "caption": image.caption,
        "alt_text": image.alt_text,
        "alt": alt(image),
        "tags": list(image.tags),
        "visible_text": image.visible_text,
        "safety": image.safety,
        "source": image.source,
        "source_text": source_text(image),
        "source_label": _label(image),
        "provisional": image.provisional,
        "caption_source": image.caption_source,
        "alt_text_source": image.alt_text_source,
        "tags_source": image.tags_source,
        "alt_text_may_not_fit": image.alt_text_may_not_fit,
        "model": image.model,
        "thumbnail_url": links.thumbnail,
        "thumbnail_2x_url": links.thumbnail_2x,
        "display_url": links.display,
        "original_url": links.original,
        "placeholder": image.placeholder,
        "width": image.width,
        "height": image.height,
        "media_type": image.content_type,
        "size": image.size,
        "uploaded_at": utc(image.uploaded_at),
        "taken_at": image.taken_at.replace(tzinfo=None).isoformat() if image.taken_at else None,
        "camera": image.camera,
        "tasks": [task_json(task) for task in image.tasks],
    }


def blank() -> dict[str, Any]:
    """Return an empty image for the card template that JavaScript fills in."""
    image = Image(
        id=0,
        public_id="",
        image_key="",
        name="",
        upload_status=UploadStatus.AWAITING,
        uploaded_at=datetime(1970, 1, 1, tzinfo=UTC),
        tasks=(),
    )
    return _image_json(image, Links())


def status_json(image: Image) -> dict[str, Any]:
    """Return the part of an image that changes while it is processed."""
    return {
        "id": image.public_id,
        "status": image.status,
        "settled": image.settled,
        "message": message(image),
        "tasks": [task_json(task) for task in image.tasks],
    }


def task_json(task: Task) -> dict[str, Any]:
    """Return one task with its error code and sentence."""
    return {
        "kind": task.kind,
        "status": task.status,
        "error": task.error,
        "message": task.message,
        "attempts": task.attempts,
        "next_at": utc(task.next_at) if task.next_at else None,
    }


def status_text(image: Image) -> str:
    """Return the status in one or two words."""
    if image.status == "waiting" and any(task.status is TaskStatus.RETRY for task in image.tasks):
        return "Trying again later"
    if image.status == "working" and image.task(TaskKind.CAPTION).status.terminal:
        return "Making the thumbnail"
    if image.status == "failed" and all(task.status is not TaskStatus.FAILED for task in image.tasks):
        return "Declined"
    return _STATUS_TEXT[image.status]


def message(image: Image) -> str | None:
    """Return one or two sentences on why an image failed or waits; None for other states."""
    if image.status == "expired":
        return "The file never arrived. Upload it again."
    if image.status not in {"rejected", "failed", "waiting"}:
        return None
    said = dict.fromkeys(task.message for task in image.tasks if task.message and _has_message(task))
    if not said and image.status == "failed":
        return "It could not be finished."
    return " ".join(said) or None


def retryable(image: Image) -> bool:
    """Return whether a retry can help: a task failed or was declined, and none is in progress."""
    return image.status == "failed"


def alt(image: Image) -> str:
    """Return the alt attribute: the alt text, else the caption, else the file name; never empty."""
    if image.alt_text:
        return image.alt_text
    if image.caption:
        return image.caption
    return f"Photo {image.name}, {'not described' if image.settled else 'not described yet'}"


def source_text(image: Image) -> str | None:
    """Return who wrote the caption, as a sentence; None without a caption."""
    if image.source is None:
        return None
    if image.provisional:
        return "Provisional: described by the local describer until the model answers"
    text = _SOURCE_TEXT[image.source]
    return f"{text} ({image.model})" if image.source is Source.GEMINI and image.model else text


def _label(image: Image) -> str | None:
    """Return the source of the caption in one or two words; None without a caption."""
    if image.source is None:
        return None
    return "Provisional" if image.provisional else source_label(image.source)


def source_label(source: Source) -> str:
    """Return a source in one or two words."""
    return _SOURCE_LABEL[source]


def details(image: Image, viewer: Viewer = EVERYBODY) -> list[tuple[str, str, str | None]]:
    """Return (label, text, RFC 3339 time or None) for the details on the photo page."""
    rows: list[tuple[str, str, str | None]] = [("File", image.name, None)]
    if image.width and image.height:
        rows.append(("Dimensions", f"{image.width} × {image.height} pixels", None))
    if image.size is not None:
        rows.append(("Size", file_size(image.size), None))
    if image.format or image.media_type:
        rows.append(("Type", image.format or str(image.media_type).removeprefix("image/").upper(), None))
    if image.taken_at:
        rows.append(("Taken", moment(image.taken_at), None))
    if image.camera:
        rows.append(("Camera", image.camera, None))
    if image.latitude is not None and image.longitude is not None and viewer.changes(image):
        rows.append(("Location", place(image.latitude, image.longitude), None))
    rows.append(("Uploaded", f"{moment(image.uploaded_at)} UTC", utc(image.uploaded_at)))
    if viewer.account_id is not None:
        rows.append(("Uploaded by", image.owner or "no account", None))
    return rows


def place(latitude: float, longitude: float) -> str:
    """Return coordinates in degrees as text: 48.13710° N, 11.57540° E."""
    north, east = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{abs(latitude):.5f}° {north}, {abs(longitude):.5f}° {east}"


def account_json(account: Account) -> dict[str, Any]:
    """Return an account as the API's JSON."""
    return {
        "id": account.public_id,
        "name": account.name,
        "role": account.role,
        "created_at": utc(account.created_at),
    }


def account_row(account: Account, images: int) -> dict[str, Any]:
    """Return an account for the administrators' pages."""
    return {
        "id": account.public_id,
        "name": account.name,
        "administrator": account.role is Role.ADMINISTRATOR,
        "photos": f"{images:,} photo{'' if images == 1 else 's'}",
        "since": moment(account.created_at),
        "since_machine": utc(account.created_at),
    }


def session(found: Session, here: str | None) -> dict[str, Any]:
    """Return a session for the account page. here: the id of the current session."""
    return {
        "id": found.public_id,
        "browser": browser(found.agent),
        "address": found.address or "an unknown address",
        "seen": moment(found.seen_at),
        "seen_machine": utc(found.seen_at),
        "here": found.public_id == here,
    }


def key(found: ApiKey) -> dict[str, Any]:
    """Return an API key for the account page."""
    return {
        "id": found.public_id,
        "label": found.label,
        "hint": found.hint,
        "scopes": ", ".join(scope for scope in Scope if scope in found.scopes),
        "used": moment(found.used_at) if found.used_at else None,
        "used_machine": utc(found.used_at) if found.used_at else None,
        "used_address": found.used_address,
        "expires": moment(found.expires_at),
        "expires_machine": utc(found.expires_at),
        "expired": found.expired,
    }


def quota_rows(used: Usage, quota: Quota) -> list[tuple[str, str, str]]:
    """Return (what, used, limit) of an account's quota as texts."""
    return [
        ("Photos, with those in the trash", f"{used.images:,}", f"{quota.images:,}"),
        ("Size of the originals", file_size(used.bytes), file_size(quota.bytes)),
        ("Uploads in progress", f"{used.uploads:,}", f"{quota.uploads:,}"),
    ]


_EVENT_TEXT = {
    SecurityEvent.SIGNED_IN: "Signed in",
    SecurityEvent.SIGN_IN_FAILED: "Sign-in failed",
    SecurityEvent.SIGN_IN_DELAYED: "Sign-in refused: too many attempts",
    SecurityEvent.CONFIRMATION_FAILED: "Wrong password in an open session",
    SecurityEvent.SIGNED_OUT: "Signed out",
    SecurityEvent.SESSION_ENDED: "Signed out another browser",
    SecurityEvent.SESSIONS_ENDED: "Signed out everywhere",
    SecurityEvent.KEY_CREATED: "API key created",
    SecurityEvent.KEY_REVOKED: "API key revoked",
    SecurityEvent.PASSWORD_CHANGED: "Password changed",
    SecurityEvent.PASSWORD_RESET: "Password reset",
    SecurityEvent.ROLE_CHANGED: "Role changed",
    SecurityEvent.ACCOUNT_CREATED: "Account created",
    SecurityEvent.ACCOUNT_DELETED: "Account deleted",
    SecurityEvent.IMAGE_DELETED: "Photo moved to the trash",
    SecurityEvent.IMAGE_RESTORED: "Photo restored",
    SecurityEvent.SETTING_CHANGED: "Setting changed",
}


def security_entries(entries: Iterable[SecurityEntry]) -> list[dict[str, str]]:
    """Return entries of the security log for the pages. An event of a later release is shown by its name."""
    texts = {event.value: text for event, text in _EVENT_TEXT.items()}
    return [
        {
            "text": texts.get(entry.event, entry.event),
            "actor": entry.actor or "nobody signed in",
            "subject": entry.subject if entry.subject and entry.subject != entry.actor else "",
            "address": entry.address or "no address",
            "detail": entry.detail,
            "at": moment(entry.at),
            "at_machine": utc(entry.at),
        }
        for entry in entries
    ]


_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def browser(agent: str) -> str:
    """Return browser and system from a User-Agent header: "Chrome on Linux"."""
    name = next((name for mark, name in _BROWSERS if mark in agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in agent), None)
    return f"{name} on {system}" if system else name


def moment(when: datetime) -> str:
    """Return a time as text: 21 November 2026, 09:05."""
    return f"{when.day} {when:%B %Y, %H:%M}"


def utc(when: datetime) -> str:
    """Return a time in UTC as RFC 3339 with Z; a time without a zone is taken as UTC."""
    if when.tzinfo is not None:
        when = when.astimezone(UTC).replace(tzinfo=None)
    return when.isoformat(timespec="milliseconds") + "Z"


def search_path(words: str) -> str:
    """Return the path of the gallery page with the results for ``words``."""
    return f"/?q={quote(words, safe='')}"


def _has_message(task: Task) -> bool:
    return task.status in {TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED, TaskStatus.RETRY}
