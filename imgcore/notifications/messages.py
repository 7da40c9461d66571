"""The text of notifications: what happened to the photos of a finished batch. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.gallery.models import Image, TaskStatus, UploadStatus
from imgcore.notifications.models import FinishedBatch, NotificationMessage
from imgcore.text import one_line, shorten

NAMES = 5  # file names listed for one reason
NAME_LENGTH = 80  # characters
REASONS = 20
NEVER_ARRIVED = "The file never arrived. Upload it again."
UNKNOWN = "It could not be finished."
_UNSUCCESSFUL = frozenset({TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED})


def compose(batch: FinishedBatch, public_url: str | None) -> NotificationMessage:
    """Return the message about ``batch``: numbers of finished and failed photos, reasons, and a link.

    public_url: the address of the gallery; None leaves the links out.
    """
    base = (public_url or "").rstrip("/")
    parts = [_summary(batch)]
    if batch.failed:
        parts.append("\n\n".join(_reasons(batch)))
    if base:
        parts.append(f"See the photos: {base}/")
        if batch.owner is not None:
            parts.append(f"You subscribed to these notifications. To unsubscribe: {base}/account")
    body = "\n\n".join(parts) + "\n"
    return NotificationMessage(batch.number, batch.owner, batch.owner_name, _subject(batch), body)


def failure_reason(image: Image) -> str:
    """Return why ``image`` failed, in sentences for its owner."""
    if image.upload_status is UploadStatus.EXPIRED:
        return NEVER_ARRIVED
    messages = (task.message for task in image.tasks if task.message and task.status in _UNSUCCESSFUL)
    return " ".join(dict.fromkeys(messages)) or UNKNOWN


def _subject(batch: FinishedBatch) -> str:
    done = batch.total - batch.failed
    if not batch.failed:
        return f"{_photos(done)} {'is' if done == 1 else 'are'} ready"
    if not done:
        return f"{_photos(batch.failed)} failed"
    return f"{_photos(done)} {'is' if done == 1 else 'are'} ready, {batch.failed:,} failed"


def _summary(batch: FinishedBatch) -> str:
    done, when = batch.total - batch.failed, f"{batch.begun:%d %B %Y at %H:%M} UTC".lstrip("0")
    if batch.total == 1:
        return f"The photo that you uploaded on {when} {'is done' if done else 'failed'}."
    counts = f"{done:,} {'is' if done == 1 else 'are'} done and {batch.failed:,} failed"
    if not batch.failed or not done:
        counts = "all are done" if done else "all failed"
    return f"Of the {_photos(batch.total)} that you uploaded on {when}, {counts}."


def _reasons(batch: FinishedBatch) -> Iterable[str]:
    """Yield a paragraph for each reason, with the first file names that failed for it."""
    names_by_reason: dict[str, list[str]] = {}
    for image in batch.failures:
        name = shorten(one_line(image.name), NAME_LENGTH)
        names_by_reason.setdefault(failure_reason(image), []).append(name)
    for reason, names in list(names_by_reason.items())[:REASONS]:
        more = f"\n  and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
        yield "\n".join([f"{len(names):,} failed: {reason}", *(f"  {name}" for name in names[:NAMES])]) + more
    left = batch.failed - sum(len(names) for names in list(names_by_reason.values())[:REASONS])
    if left > 0:
        yield f"{left:,} failed for other reasons."


def _photos(number: int) -> str:
    return f"{number:,} photo{'' if number == 1 else 's'}"
