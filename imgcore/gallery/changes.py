"""The feed of changes: its cursor, and what a viewer receives of the images that have changed. Pure.

A cursor is the time of the last change that was reported and a digest of those of the seconds before. A
transaction sets the time of a change before it commits: where one commits late, the digest is another one, and
these seconds are reported again. The same row may therefore come twice, with the same version.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from imgcore.errors import Forbidden, Gone, Invalid
from imgcore.gallery.listing import Tile
from imgcore.gallery.models import Image, UploadStatus, Viewer

OVERLAP = timedelta(seconds=10)  # that a transaction may take to commit after it has set changed_at
LIFETIME = timedelta(minutes=15)  # of a cursor; images are purged later than that
RENEWAL = timedelta(minutes=5)  # after which a cursor is replaced although nothing has changed
MOST_ROWS = 1000  # images of one answer

_CURSOR = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}) ([0-9a-f]{16}) ([0-9a-f]{16})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last change that was reported, in the database's time, and the digest of those just before."""

    at: datetime
    seen: str

    def text(self, viewer: Viewer) -> str:
        """Return the cursor as the API gives it out, for this viewer's account."""
        plain = f"{self.at.isoformat(' ', 'microseconds')} {self.seen} {_tag(viewer)}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


class BatchCounts(NamedTuple):
    """How far the images of one batch are. described, failed: with and without words at the end."""

    batch: str
    total: int
    described: int
    failed: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed for a viewer. more: whether the feed has further changes already."""

    cursor: Cursor
    tiles: tuple[Tile, ...] = ()
    removed: tuple[str, ...] = ()
    batches: tuple[BatchCounts, ...] = ()
    more: bool = False


def parsed_cursor(text: str, viewer: Viewer, now: datetime) -> Cursor:
    """Return the cursor of ``text``. now: the database's time.

    Invalid: not a cursor. Forbidden (``cursor_account``): of another account. Gone (``cursor_expired``).
    """
    try:
        plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
        found = _CURSOR.fullmatch(plain)
        at = datetime.fromisoformat(found[1]) if found else None
    except ValueError:
        found = at = None
    if found is None or at is None:
        raise Invalid("since is not a cursor that the gallery gave out.", code="since")
    if found[3] != _tag(viewer):
        raise Forbidden("This cursor belongs to another account. Start without one.", code="cursor_account")
    if not now - LIFETIME <= at <= now + OVERLAP:
        raise Gone("This cursor has expired. Start again without one.", code="cursor_expired")
    return Cursor(at, found[2])


def first_cursor(rows: Sequence[Tile], viewer: Viewer, now: datetime) -> Cursor:
    """Return the cursor after all of these changes. rows: those of the last seconds at least."""
    return Cursor(now, _digest(rows, viewer, now))


def changes_since(rows: Sequence[Tile], cursor: Cursor, viewer: Viewer, now: datetime) -> Changes:
    """Return what is reported to the viewer. rows: all since OVERLAP before the cursor, oldest first."""
    late = _digest(rows, viewer, cursor.at) != cursor.seen
    start = cursor.at - OVERLAP if late else cursor.at
    reported = [row for row in rows if changed_at(row) > start and _shows(row.image, viewer) is not None]
    more = len(reported) > MOST_ROWS
    if more:
        reported = whole_times(reported[: MOST_ROWS + 1], cursor.at)
    if not reported:
        idle = now - OVERLAP
        moved = late or idle - cursor.at > RENEWAL
        at = max(cursor.at, idle) if moved else cursor.at
        return Changes(Cursor(at, _digest(rows, viewer, at)) if moved else cursor)
    at = max(cursor.at, changed_at(reported[-1]))
    return Changes(
        Cursor(at, _digest(rows, viewer, at)),
        tuple(row for row in reported if _shows(row.image, viewer)),
        tuple(row.image.public_id for row in reported if not _shows(row.image, viewer)),
        more=more,
    )


def changed_at(row: Tile) -> datetime:
    """Return the time of a row's last change; rows of the feed have one."""
    assert row.changed_at is not None
    return row.changed_at


def whole_times(rows: Sequence[Tile], after: datetime) -> list[Tile]:
    """Return the rows without the last time, which may be there in part. Gone where they end at ``after``."""
    kept = [row for row in rows if changed_at(row) < changed_at(rows[-1])]
    if not kept or changed_at(kept[-1]) <= after:
        raise Gone("Too much has changed at once. Start again without a cursor.", code="cursor_expired")
    return kept


def _shows(image: Image, viewer: Viewer) -> bool | None:
    """Return True for an image that the viewer sees, False for one that has gone, None for those of others."""
    received = image.upload_status is UploadStatus.RECEIVED
    if not (viewer.changes(image) or (viewer.sees_others and received)):
        return None
    return image.deleted_at is None and image.upload_status is not UploadStatus.EXPIRED


def _digest(rows: Sequence[Tile], viewer: Viewer, at: datetime) -> str:
    """Return a digest of what the viewer sees of the changes in the seconds up to ``at``."""
    found = [
        f"{row.image.id} {row.image.version}"
        for row in rows
        if at - OVERLAP < changed_at(row) <= at and _shows(row.image, viewer) is not None
    ]
    return hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:16]


def _tag(viewer: Viewer) -> str:
    return hashlib.sha256(f"account {viewer.account_id}".encode()).hexdigest()[:16]
