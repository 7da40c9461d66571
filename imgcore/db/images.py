"""Images: the rows from the upload form on, people's words, and the trash."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import (
    ALT_TEXT,
    CAPTION,
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
    searchable,
    storable,
    storable_tags,
)
from imgcore.db.migrations import pending
from imgcore.db.notifications import promise
from imgcore.db.pages import read_page
from imgcore.db.tasks import reset
from imgcore.errors import Conflict, Invalid, Unavailable
from imgcore.gallery.models import EVERYBODY, Edit, Image, NewImage, Page, Source, TaskKind, Viewer
from imgcore.pipeline.models import ObjectCreated


class ImageRepository(Repository):
    """The rows of ``images`` as the gallery and the pipeline read and change them."""

    def ping(self) -> None:
        """The database answers and its schema is up to date. Unavailable (``not_migrated``) where it is not."""
        if steps := pending(self._database):
            raise Unavailable(
                f"The database lacks {steps[0]}; `imgcore migrate` makes it.", code="not_migrated"
            )

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

    def get(self, public_id: str) -> Image | None:
        """One photograph, deleted ones included."""
        found = self._database.read(lambda tx: images(tx.rows(SELECT + " WHERE i.public_id = ?", public_id)))
        return found[0] if found else None

    def get_many(self, public_ids: Sequence[str]) -> Sequence[Image]:
        """Those that exist, in no order."""
        wanted = list(dict.fromkeys(public_ids))
        if not wanted:
            return []
        marks = ", ".join("?" * len(wanted))
        return self._database.read(
            lambda tx: images(tx.rows(SELECT + f" WHERE i.public_id IN ({marks}) ORDER BY i.id", *wanted))
        )

    def page(self, *, cursor: str | None, limit: int, query: str | None, viewer: Viewer = EVERYBODY) -> Page:
        """Newest first by key, never by offset; no deleted or expired ones, and none that ``viewer`` does
        not see. Invalid: a cursor not ours."""
        return self._database.read(lambda tx: read_page(tx, cursor, limit, query, viewer))

    def edit(self, public_id: str, edit: Edit) -> Image | None:
        """Store a person's words with source human; None where there is no such photograph, or in the trash."""
        changes = {
            "caption": None if edit.caption is None else _exact(edit.caption, CAPTION, "caption"),
            "alt_text": None if edit.alt_text is None else _exact(edit.alt_text, ALT_TEXT, "alternative text"),
            "tags": None if edit.tags is None else storable_tags(edit.tags),
        }
        given = {column: value for column, value in changes.items() if value is not None}

        def work(tx: Transaction) -> Image | None:
            row = _lock(tx, public_id)
            if row is None or row["deleted_at"] is not None:
                return None
            if given:
                assignments = ", ".join(f"{column} = ?" for column in given)
                tx.execute(
                    f"UPDATE images SET {assignments}, source = ?,"
                    " caption_generated_at = COALESCE(caption_generated_at, {now}) WHERE id = ?",
                    *given.values(),
                    Source.HUMAN.value,
                    row["id"],
                )
                searchable(tx, row["id"])
            return by_id(tx, row["id"])

        return self._database.run(work)

    def reopen(
        self, public_id: str, kinds: Sequence[TaskKind] | None = None, *, also_done: bool = False
    ) -> Sequence[TaskKind]:
        """failed or blocked (and done, if asked) → pending with attempts 0; the kinds reopened.

        Nothing of a photograph that is rejected, not received yet, or in the trash.
        """
        ended = ("failed", "blocked", "done") if also_done else ("failed", "blocked")

        def work(tx: Transaction) -> list[TaskKind]:
            row = _lock(tx, public_id)
            if row is None or row["deleted_at"] is not None or row["upload_status"] != "received":
                return []
            wanted = TaskKind if kinds is None else dict.fromkeys(kinds)
            return [kind for kind in wanted if reset(tx, row["id"], kind, ended)]

        return self._database.run(work)

    def delete(self, public_id: str) -> bool:
        """Into the trash; False where there is no such photograph or it is there already."""
        sql = (
            "UPDATE images SET deleted_at = {now}, listed_id = NULL WHERE public_id = ? AND deleted_at IS NULL"
        )
        return bool(self._database.run(lambda tx: tx.execute(sql, public_id)))

    def restore(self, public_id: str) -> bool:
        """Out of the trash again; False where it is not there."""
        sql = (
            "UPDATE images SET deleted_at = NULL, listed_id = CASE WHEN upload_status <> 'expired' THEN id END"
            " WHERE public_id = ? AND deleted_at IS NOT NULL"
        )
        return bool(self._database.run(lambda tx: tx.execute(sql, public_id)))


def _lock(tx: Transaction, public_id: str) -> Row | None:
    return tx.row(
        "SELECT id, upload_status, deleted_at FROM images WHERE public_id = ? {for_update}", public_id
    )


def _exact(text: str, limit: int, what: str) -> str:
    if len(text) > limit:
        raise Invalid(f"The {what} is too long: at most {limit} characters.")
    return storable(text, limit)


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


def _exact_key(key: str) -> str:
    # A trailing blank does not count when MySQL compares; an index holds no more than KEY characters.
    if len(key) > KEY or key != key.rstrip(" ") or "\0" in key:
        raise Invalid("The object's key cannot be stored: it is too long, ends in a blank or holds a NUL.")
    return key
