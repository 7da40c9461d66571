"""The words in which people are told that all they uploaded together has ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from imgcore.gallery.models import Image, TaskStatus, UploadStatus
from imgcore.notifications.models import EndedBatch, Letter
from imgcore.text import one_line, shorten

NAMES = 5  # of photographs that failed for one reason
NAME_LENGTH = 80  # characters
REASONS = 20
NEVER_CAME = "The file never arrived. Upload it again."
UNKNOWN = "It could not be finished."
_SPEAKING = frozenset({TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED})


def compose(ended: EndedBatch, public_url: str | None) -> Letter:
    """How many are done, how many failed and why, and where to look.

    public_url: where the gallery is; without it there is no link.
    """
    base = (public_url or "").rstrip("/")
    parts = [_summary(ended)]
    if ended.failed:
        parts.append("\n\n".join(_explained(ended)))
    if base:
        parts.append(f"See them here: {base}/")
        if ended.owner is not None:
            parts.append(f"You asked for this notice; on {base}/account you can stop it.")
    return Letter(ended.number, ended.owner, ended.owner_name, _subject(ended), "\n\n".join(parts) + "\n")


def reason(image: Image) -> str:
    """Why it failed, in a sentence or two."""
    if image.upload_status is UploadStatus.EXPIRED:
        return NEVER_CAME
    said = dict.fromkeys(task.message for task in image.tasks if task.message and task.status in _SPEAKING)
    return " ".join(said) or UNKNOWN


def _subject(ended: EndedBatch) -> str:
    done = ended.total - ended.failed
    if not ended.failed:
        return f"{_photographs(done)} {'is' if done == 1 else 'are'} ready"
    if not done:
        return f"{_photographs(ended.failed)} failed"
    return f"{_photographs(done)} {'is' if done == 1 else 'are'} ready, {ended.failed:,} failed"


def _summary(ended: EndedBatch) -> str:
    done, when = ended.total - ended.failed, f"{ended.begun:%d %B %Y at %H:%M} UTC".lstrip("0")
    if ended.total == 1:
        return f"The photograph that you uploaded on {when} {'is done' if done else 'failed'}."
    counted = f"{done:,} {'is' if done == 1 else 'are'} done and {ended.failed:,} failed"
    if not ended.failed or not done:
        counted = "all are done" if done else "all failed"
    return f"Of the {_photographs(ended.total)} that you uploaded on {when}, {counted}."


def _explained(ended: EndedBatch) -> Iterable[str]:
    """A paragraph for each reason, with the names of the first photographs that failed for it."""
    found: dict[str, list[str]] = {}
    for image in ended.failures:
        found.setdefault(reason(image), []).append(shorten(one_line(image.name), NAME_LENGTH))
    for why, names in list(found.items())[:REASONS]:
        more = f"\n  and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
        yield "\n".join([f"{len(names):,} failed: {why}", *(f"  {name}" for name in names[:NAMES])]) + more
    left = ended.failed - sum(len(names) for names in list(found.values())[:REASONS])
    if left > 0:
        yield f"{left:,} failed for other reasons."


def _photographs(number: int) -> str:
    return f"{number:,} photograph{'' if number == 1 else 's'}"
