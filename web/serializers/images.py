"""Images as the API's JSON and as the pages' texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from imgcore.gallery.languages import ENGLISH
from imgcore.gallery.models import (
    EVERYBODY,
    NO_DETAILS,
    TRASH_SECONDS,
    Image,
    Links,
    Source,
    Task,
    TaskKind,
    TaskStatus,
    UploadStatus,
    Viewer,
    WordField,
)
from imgcore.pipeline.models import next_attempt, waits_for_model
from imgcore.text import file_size
from web.serializers import photography
from web.serializers.times import moment, optional_utc, utc

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
    Source.OPENAI: "Described by a model",
    Source.EMBEDDED: "From the photo’s own metadata",
    Source.LOCAL: "Described by the local describer, without Gemini",
}

_SOURCE_LABEL = {
    Source.HUMAN: "Edited by a person",
    Source.GEMINI: "Gemini",
    Source.OPENAI: "Model",
    Source.EMBEDDED: "Own metadata",
    Source.LOCAL: "Local describer",
}


_DONE = {
    "status": "done",
    "status_text": _STATUS_TEXT["done"],
    "settled": True,
    "retryable": False,
    "message": None,
}


def card_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return what a card of the page shows of an image, of which Gallery.tiles has read enough."""
    image, links = image.in_language(gallery.language), gallery.thumbnails(image)
    return {
        "id": image.public_id,
        "name": image.name,
        **_progress(image),
        "caption": image.caption,
        "alt": alt(image),
        "caption_language": word_language(image, WordField.CAPTION, gallery),
        "alt_language": alt_language(image, gallery),
        "source_label": caption_label(image),
        "thumbnail_url": links.thumbnail,
        "thumbnail_2x_url": links.thumbnail_2x,
        "read_only": not gallery.viewer.changes(image),
    }


def wait_for_model(images: Iterable[Image]) -> bool:
    """Return whether one of the images waits for the model: then its JSON changes with the circuit breaker."""
    return any(
        task.next_at is not None and waits_for_model(task.kind, task.error)
        for image in images
        for task in image.tasks
    )


def _probe_time(images: Iterable[Image], gallery: Gallery) -> datetime | None:
    """Return the time of the next probe of the model, read only where one of the images waits for it."""
    return gallery.breakers.open_until(gallery.breaker) if wait_for_model(images) else None


def image_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return an image as ``images_json`` does."""
    return images_json([image], gallery)[0]


def images_json(images: Sequence[Image], gallery: Gallery) -> list[dict[str, Any]]:
    """Return images as JSON, the same for all API routes and pages."""
    probe_at = _probe_time(images, gallery)
    return [_shown(image, gallery, probe_at) for image in images]


def _shown(image: Image, gallery: Gallery, probe_at: datetime | None) -> dict[str, Any]:
    """Return an image as JSON.

    ``details`` is present if any are known, ``owner`` if the gallery has accounts, and ``location`` only for
    callers who may change the image.
    """
    viewer = gallery.viewer
    shown = _image_json(image, gallery.links(image), gallery, probe_at)
    if image.details and (known := photography.details_json(image.details)):
        shown["details"] = known
    if viewer.account_id is not None:
        shown["owner"] = image.owner
    if not viewer.changes(image):
        shown["read_only"] = True
    elif image.latitude is not None:
        shown["location"] = {"latitude": image.latitude, "longitude": image.longitude}
    return shown


def trashed_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return an image in the trash as JSON, with its thumbnail and the days until it is deleted for good."""
    shown = _shown(image, gallery, None)  # no task is tried while it is there
    if image.thumbnail_key is not None:
        shown["thumbnail_url"] = gallery.storage.url(image.thumbnail_key)
    assert image.deleted_at is not None
    left = image.deleted_at + timedelta(seconds=TRASH_SECONDS) - datetime.now(UTC)
    return shown | {"deleted_at": utc(image.deleted_at), "days_left": max(0, -(-left // timedelta(days=1)))}


def _image_json(
    image: Image, links: Links, gallery: Gallery | None = None, probe_at: datetime | None = None
) -> dict[str, Any]:
    if gallery is not None:
        image = image.in_language(gallery.language)
    return {
        "id": image.public_id,
        "version": image.version,
        "name": image.name,
        **_progress(image),
        "caption": image.caption,
        "alt_text": image.alt_text,
        "alt": alt(image),
        "tags": list(image.tags),
        **languages(image, gallery),
        "visible_text": image.visible_text,
        "safety": image.safety,
        "source": image.source,
        "source_text": source_text(image),
        "source_label": caption_label(image),
        "provisional": image.provisional,
        "caption_source": image.caption_source,
        "alt_text_source": image.alt_text_source,
        "tags_source": image.tags_source,
        "alt_text_may_not_fit": image.alt_text_may_not_fit,
        "model": image.model,
        "thumbnail_url": links.thumbnail,
        "thumbnail_2x_url": links.thumbnail_2x,
        "grid_url": links.grid,
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
        "tasks": [task_json(task, probe_at) for task in image.tasks],
    }


def _progress(image: Image) -> dict[str, Any]:
    if (status := image.status) == "done":  # nearly all: the functions below ask for the status nine times
        return _DONE
    return {
        "status": status,
        "status_text": status_text(image),
        "settled": image.settled,
        "retryable": retryable(image),
        "message": message(image),
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


def status_json(image: Image, gallery: Gallery) -> dict[str, Any]:
    """Return the part of an image that changes while it is processed."""
    probe_at = _probe_time([image], gallery)
    return {
        "id": image.public_id,
        "status": image.status,
        "settled": image.settled,
        "message": message(image),
        "tasks": [task_json(task, probe_at) for task in image.tasks],
    }


def task_json(task: Task, probe_at: datetime | None) -> dict[str, Any]:
    """Return one task with its error code and sentence. probe_at: see ``_probe_time``."""
    return {
        "kind": task.kind,
        "status": task.status,
        "error": task.error,
        "message": task.message,
        "attempts": task.attempts,
        "next_at": optional_utc(next_attempt(task.kind, task.error, task.next_at, probe_at)),
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


def word_language(image: Image, field: WordField, gallery: Gallery | None) -> str | None:
    """Return the code of the language in which a field is shown; None where it is empty or unknown."""
    words = {WordField.CAPTION: image.caption, WordField.ALT_TEXT: image.alt_text, WordField.TAGS: image.tags}
    return gallery.language_of(image, field) if gallery is not None and words[field] else None


def languages(image: Image, gallery: Gallery | None) -> dict[str, str | None]:
    """Return the codes of the languages of caption, alt attribute and tags, where they are known."""
    return {
        "caption_language": word_language(image, WordField.CAPTION, gallery),
        "alt_language": alt_language(image, gallery),
        "tags_language": word_language(image, WordField.TAGS, gallery),
    }


def alt_language(image: Image, gallery: Gallery | None) -> str | None:
    """Return the code of the language of the alt attribute; None where it is unknown."""
    if image.alt_text or image.caption:
        field = WordField.ALT_TEXT if image.alt_text else WordField.CAPTION
        return word_language(image, field, gallery)
    return ENGLISH  # "Photo x.jpg, not described yet"


def source_text(image: Image) -> str | None:
    """Return who wrote the caption, as a sentence; None without a caption."""
    if image.source is None:
        return None
    if image.provisional:
        return "Provisional: described by the local describer until the model answers"
    text = _SOURCE_TEXT[image.source]
    return f"{text} ({image.model})" if image.source.is_model and image.model else text


def caption_label(image: Image) -> str | None:
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
    taken = image.details or NO_DETAILS
    if image.width and image.height:
        rows.append(("Dimensions", f"{image.width} × {image.height} pixels", None))
    if image.size is not None:
        rows.append(("Size", file_size(image.size), None))
    if image.format or image.media_type:
        rows.append(("Type", image.format or str(image.media_type).removeprefix("image/").upper(), None))
    if image.taken_at:
        zone = f" (UTC{taken.utc_offset})" if taken.utc_offset else ""
        rows.append(("Taken", moment(image.taken_at) + zone, None))
    if image.camera:
        rows.append(("Camera", image.camera, None))
    rows += [(term, words, None) for term, words in photography.rows(taken)]
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


def search_path(words: str) -> str:
    """Return the path of the gallery page with the results for ``words``."""
    return f"/?q={quote(words, safe='')}"


def _has_message(task: Task) -> bool:
    return task.status in {TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED, TaskStatus.RETRY}
