"""How rows come to be: before an upload, or with the news of it."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Store, Transaction
from imgcore.db.mapping import (
    KEY,
    NAME,
    SELECT,
    WORD,
    Row,
    by_id,
    hold_account,
    images,
    micros,
    search_text,
    storable,
)
from imgcore.db.notifications import promise
from imgcore.errors import Conflict, Invalid
from imgcore.gallery.models import Image, NewImage, TaskKind
from imgcore.pipeline.models import ObjectCreated


class Intake(Store):
    """The part of the repository that takes photographs in."""

    def add(self, new: NewImage) -> Image:
        """Make the row ``awaiting`` with both tasks ``pending``.

        Conflict where the key is taken, NotFound where the owner's account is no more.
        """

        def work(tx: Transaction) -> Image:
            return by_id(tx, _insert(tx, new))

        return self._database.run(work)

    def receive(self, event: ObjectCreated, new: NewImage) -> Image:
        """Mark the row of ``event.key`` received; note size, etag, version. Make it from ``new`` if none is.

        A rejected or deleted row stays so. An expired one is received after all. Where the object was
        overwritten since, its tasks start again; S3's sequencer tells which event is the later one.
        """
        key = _exact_key(event.key)
        known = self._database.read(lambda tx: tx.rows(SELECT + " WHERE i.image_key = ?", key))
        if known and not _news(known[0], event):  # told before: most events come twice, once to each worker
            return images(known)[0]
        try:
            return self._database.run(lambda tx: _receive(tx, event, new))
        except Conflict:  # another event of the same object made the row just before
            return self._database.run(lambda tx: _receive(tx, event, new))


def _insert(tx: Transaction, new: NewImage) -> int:
    name = storable(new.name, NAME)
    batch = storable(new.batch_id, WORD) if new.batch_id else None
    if new.owner_id is not None:
        hold_account(tx, new.owner_id)
    id_ = tx.insert(
        "INSERT INTO images (public_id, image_key, name, media_type, size, upload_status, uploaded_at,"
        " upload_expires_at, search_text, owner_id, batch_id)"
        " VALUES (?, ?, ?, ?, ?, 'awaiting', {now}, {later}, ?, ?, ?)",
        new.public_id,
        _exact_key(new.image_key),
        name,
        storable(new.media_type, WORD) if new.media_type else None,
        new.size,
        micros(new.expires_in),
        search_text(name),
        new.owner_id,
        batch,
    )
    if batch is not None:
        promise(tx, new.owner_id, batch)
    tx.execute("UPDATE images SET listed_id = id WHERE id = ?", id_)
    for kind in TaskKind:
        tx.execute("INSERT INTO tasks (image_id, kind, status) VALUES (?, ?, 'pending')", id_, kind.value)
    return id_


def _receive(tx: Transaction, event: ObjectCreated, new: NewImage) -> Image:
    row = tx.row(
        "SELECT id, upload_status, deleted_at, etag, sequencer FROM images WHERE image_key = ? {for_update}",
        event.key,
    )
    if row is None:
        row = {"id": _insert(tx, new), "upload_status": "awaiting", "deleted_at": None}
    if _news(row, event):
        tx.execute(
            "UPDATE images SET size = COALESCE(?, size), etag = ?, version_id = ?, sequencer = ? WHERE id = ?",
            event.size,
            event.etag,
            event.version_id,
            event.sequencer,
            row["id"],
        )
        if row["upload_status"] == "received":
            for kind in TaskKind:
                reset(tx, row["id"], kind, ("processing", "retry", "failed", "blocked", "done"))
        else:
            tx.execute(
                "UPDATE images SET upload_status = 'received', uploaded_at = {now}, listed_id = id"
                " WHERE id = ?",
                row["id"],
            )
            tx.execute("UPDATE tasks SET next_at = {now} WHERE image_id = ? AND status = 'pending'", row["id"])
    return by_id(tx, row["id"])


def _news(row: Row, event: ObjectCreated) -> bool:
    """True where the event changes the row: the upload has arrived, or was overwritten since."""
    if row["deleted_at"] is not None:
        return False
    if row["upload_status"] == "received":
        return _overwritten(row, event)
    return row["upload_status"] in ("awaiting", "expired")


def _overwritten(row: Row, event: ObjectCreated) -> bool:
    """True where ``event`` is of a later object than the row's. Sequencers are compared as S3 says:

    padded with zeros to one length, then as text.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    old, new = row["sequencer"], event.sequencer
    if not old or not new or event.etag == row["etag"]:
        return False
    width = max(len(old), len(new))
    return bool(new.ljust(width, "0") > old.ljust(width, "0"))


def reset(tx: Transaction, id_: int, kind: TaskKind, ended: Sequence[str]) -> bool:
    """A task in one of the states ``ended`` becomes pending, as if new; the image's row must be locked."""
    marks = ", ".join("?" * len(ended))
    return bool(
        tx.execute(
            "UPDATE tasks SET status = 'pending', attempts = 0, lease_token = NULL, lease_until = NULL,"
            " next_at = {now}, dispatched_at = NULL, error = NULL, message = NULL, started_at = NULL,"
            f" finished_at = NULL WHERE image_id = ? AND kind = ? AND status IN ({marks})",
            id_,
            kind.value,
            *ended,
        )
    )


def _exact_key(key: str) -> str:
    # A trailing blank does not count when MySQL compares; an index holds no more than KEY characters.
    if len(key) > KEY or key != key.rstrip(" ") or "\0" in key:
        raise Invalid("The object's key cannot be stored: it is too long, ends in a blank or holds a NUL.")
    return key
