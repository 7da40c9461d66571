"""Images: their rows from the upload form on, the words that people write, and the trash.

What only the gallery needs is imported where it is used, because the functions, which load this at each cold
start, would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from imgcore.db import undo, words
from imgcore.db.connection import Repository, Transaction
from imgcore.db.duplicates import present, refuse_duplicate
from imgcore.db.mapping import (
    ALT_TEXT,
    CAPTION,
    HINT,
    KEY,
    NAME,
    SELECT,
    WORD,
    Row,
    image_by_id,
    images,
    in_list,
    lock_account,
    micros,
    storable_tags,
)
from imgcore.db.statements import sql
from imgcore.db.tasks import reset_task
from imgcore.db.word_index import update_search_text
from imgcore.errors import Conflict, Invalid, Unavailable
from imgcore.gallery.models import (
    MISSING,
    TRASH_SECONDS,
    Edit,
    Image,
    NewImage,
    Source,
    TaskKind,
    WordField,
    WordVersion,
)
from imgcore.pipeline.models import ObjectCreated
from imgcore.text import storable

if TYPE_CHECKING:
    from imgcore.accounts.models import Quota

_CHANGED = "Others changed the words after this page was loaded. Load it again to see them."


class ImageRepository(Repository):
    """The images as the gallery and the pipeline read and change them.

    Each method is one transaction on the database's clock, and raises Unavailable where the database cannot be
    reached.
    """

    def ping(self) -> None:
        """Check that the database answers and its schema is up to date. Unavailable (``not_migrated``)."""
        from imgcore.db.migrations import pending

        if steps := pending(self._database):
            raise Unavailable(
                f"The database lacks the migration {steps[0]}. Run `imgcore migrate`.", code="not_migrated"
            )

    def add(self, new: NewImage, quota: Quota | None = None, *, largest: int = 0, again: bool = True) -> Image:
        """Add an image whose upload is awaited, with both tasks pending, and return it.

        quota: of accounts without one of their own; None checks nothing. largest: bytes that an upload of
        unknown size may take. again: also where the owner has an image with the same ``sha256``; else
        AlreadyPresent. Conflict where the key is taken or the owner's quota is used up, NotFound where the
        account was deleted.
        """

        def work(tx: Transaction) -> Image:
            if not again:
                refuse_duplicate(tx, new)
            if quota is not None and new.owner_id is not None:
                from imgcore.db.quotas import check_quota

                lock_account(tx, new.owner_id)
                check_quota(tx, new.owner_id, new.size, quota, largest=largest)
            return image_by_id(tx, _insert(tx, new))

        return self._database.run(work)

    def present(self, hashes: Sequence[str], owner_id: int | None) -> dict[str, str]:
        """Return the public id of the owner's image for each of these SHA-256 that has one."""
        return self._database.read(lambda tx: present(tx, hashes, owner_id))

    def receive(self, event: ObjectCreated, new: NewImage | None) -> Image | None:
        """Mark the image of ``event.key`` as received, with the object's size, etag and version; return it.

        It is added from ``new`` where the gallery does not know the key; None: it is not added, and None is
        returned. A rejected image stays so; an expired one is received after all, and one in the trash stays
        in it. A received one keeps the version that was received first, whatever arrives under its key later.
        """
        key = _checked_key(event.key)
        known = self._database.read(lambda tx: tx.rows(SELECT + " WHERE i.image_key = :key", key=key))
        if known and not _is_awaited(known[0]):  # most events come twice, once to each worker
            return images(known)[0]
        try:
            return self._database.run(lambda tx: _receive(tx, event, new))
        except Conflict:  # another event of the same object added the row just before
            return self._database.run(lambda tx: _receive(tx, event, new))

    def missing(self) -> int:
        """Return the number of images whose stored file has vanished, as the sweep found."""
        query = "SELECT COUNT(*) AS count FROM tasks WHERE status = 'failed' AND error = :error"
        return int(self._database.read(lambda tx: tx.rows(query, error=MISSING))[0]["count"])

    def get(self, public_id: str) -> Image | None:
        """Return an image, one in the trash included; None where there is none of that id."""
        query = SELECT + " WHERE i.public_id = :public_id"
        found = self._database.read(lambda tx: images(tx.rows(query, public_id=public_id)))
        return found[0] if found else None

    def get_many(self, public_ids: Sequence[str]) -> Sequence[Image]:
        """Return the images of these ids that exist, in no order."""
        names, values = in_list("public_id", dict.fromkeys(public_ids))
        if not values:
            return []
        query = sql("{select} WHERE i.public_id IN ({names}) ORDER BY i.id", select=SELECT, names=names)
        return self._database.read(lambda tx: images(tx.rows(query, **values)))

    def edit(self, public_id: str, edit: Edit, account_id: int | None = None) -> Image | None:
        """Store a person's words, with the source ``human``, and return the image.

        account_id: of the person. None where there is no such image or it is in the trash. Invalid where a text
        is too long.
        """
        changes = {
            WordField.CAPTION: None if edit.caption is None else _exact(edit.caption, CAPTION, "caption"),
            WordField.ALT_TEXT: None if edit.alt_text is None else _exact(edit.alt_text, ALT_TEXT, "alt text"),
            WordField.TAGS: None if edit.tags is None else storable_tags(edit.tags),
        }
        given = {field: value for field, value in changes.items() if value is not None}
        author = words.Author(Source.HUMAN, account_id)
        languages = {field: {edit.language: None} for field in given} if edit.language else None
        return self._change_words(
            public_id, lambda tx, id_: words.write_words(tx, id_, given, author, languages)
        )

    def history(self, public_id: str) -> Sequence[WordVersion]:
        """Return the versions of an image's words, the newest first; none where there is no such image."""

        def work(tx: Transaction) -> Sequence[WordVersion]:
            row = tx.row("SELECT id FROM images WHERE public_id = :public_id", public_id=public_id)
            return words.history(tx, row["id"]) if row else []

        return self._database.read(work)

    def last_change(self, public_id: str) -> str | None:
        """Return the change of words that ``undo`` would undo; None where there is none."""

        def work(tx: Transaction) -> str | None:
            row = tx.row("SELECT id FROM images WHERE public_id = :public_id", public_id=public_id)
            return _last_change(tx, row["id"]) if row is not None else None

        return self._database.read(work)

    def undo(self, public_id: str, seen: str | None = None) -> Image | None:
        """Undo the last change of the words; None where there is none. See imgcore.db.undo.

        seen: the last change that a person has seen, "" for none. Conflict where it is another one by now.
        """
        return self._change_words(public_id, undo.undo, seen)

    def restore_version(self, public_id: str, version_id: int) -> Image | None:
        """Make a version of the words current again; None where there is no such image or version."""
        return self._change_words(public_id, lambda tx, id_: undo.restore_version(tx, id_, version_id))

    def restore_machine_words(
        self, public_id: str, fields: Sequence[WordField], seen: str | None = None
    ) -> Image | None:
        """Replace a person's words in these fields by a machine's; None without any. seen: see undo."""
        return self._change_words(public_id, lambda tx, id_: undo.restore_machine_words(tx, id_, fields), seen)

    def _change_words(
        self, public_id: str, change: Callable[[Transaction, int], bool | None], seen: str | None = None
    ) -> Image | None:
        """Call ``change`` with the locked image; return the image, or None where it returned False."""

        def work(tx: Transaction) -> Image | None:
            row = _lock(tx, public_id)
            if row is None or row["deleted_at"] is not None:
                return None
            if seen is not None and seen != (_last_change(tx, row["id"]) or ""):
                raise Conflict(_CHANGED, code="changed")
            return None if change(tx, row["id"]) is False else image_by_id(tx, row["id"])

        return self._database.run(work)

    def reopen(
        self, public_id: str, kinds: Sequence[TaskKind] | None = None, *, also_done: bool = False
    ) -> Sequence[TaskKind]:
        """Make failed and blocked tasks pending again, without attempts; return the kinds reopened.

        kinds: all where None. also_done: reopen done and waiting tasks too. Nothing is reopened of an
        image that is rejected, not received yet, or in the trash.
        """
        ended = ("failed", "blocked", "done", "retry") if also_done else ("failed", "blocked")

        def work(tx: Transaction) -> list[TaskKind]:
            row = _lock(tx, public_id)
            if row is None or row["deleted_at"] is not None or row["upload_status"] != "received":
                return []
            wanted = TaskKind if kinds is None else dict.fromkeys(kinds)
            return [kind for kind in wanted if reset_task(tx, row["id"], kind, ended)]

        return self._database.run(work)

    def delete(self, public_id: str) -> bool:
        """Move an image into the trash; False where there is none or it is in the trash already."""
        statement = (
            "UPDATE images SET deleted_at = {now}, listed_id = NULL"
            " WHERE public_id = :public_id AND deleted_at IS NULL"
        )
        return bool(self._database.run(lambda tx: tx.execute(statement, public_id=public_id)))

    def restore(self, public_id: str) -> bool:
        """Take an image out of the trash; False where it is not in it, or was deleted for good."""
        # The sweep may be deleting the files of older ones. An upload whose form has expired lacks its file
        statement = (
            "UPDATE images SET deleted_at = NULL, listed_id = id"
            " WHERE public_id = :public_id AND deleted_at > {ago:age}"
            " AND (upload_status IN ('received', 'rejected') OR upload_expires_at > {now})"
        )
        values = {"public_id": public_id, "age": micros(TRASH_SECONDS)}
        return bool(self._database.run(lambda tx: tx.execute(statement, **values)))


def _lock(tx: Transaction, public_id: str) -> Row | None:
    return tx.row(
        "SELECT id, upload_status, deleted_at FROM images WHERE public_id = :public_id {for_update}",
        public_id=public_id,
    )


def _insert(tx: Transaction, new: NewImage) -> int:
    name = storable(new.name, NAME)
    batch = storable(new.batch_id, WORD) if new.batch_id else None
    if new.owner_id is not None:
        lock_account(tx, new.owner_id)
    image_id = tx.insert(
        "INSERT INTO images (public_id, image_key, name, media_type, size, upload_status, uploaded_at,"
        " upload_expires_at, search_text, owner_id, batch_id, hint, sha256)"
        " VALUES (:public_id, :image_key, :name, :media_type, :size, 'awaiting', {now}, {later:expires_in},"
        " '', :owner_id, :batch_id, :hint, :sha256)",
        public_id=new.public_id,
        image_key=_checked_key(new.image_key),
        name=name,
        media_type=storable(new.media_type, WORD) if new.media_type else None,
        size=new.size,
        expires_in=micros(new.expires_in),
        owner_id=new.owner_id,
        batch_id=batch,
        hint=storable(new.hint, HINT) if new.hint else None,
        sha256=new.sha256,
    )
    if batch is not None:
        from imgcore.db.notifications import add_notification

        add_notification(tx, new.owner_id, batch)
    tx.execute("UPDATE images SET listed_id = id WHERE id = :image_id", image_id=image_id)
    update_search_text(tx, image_id)
    for kind in TaskKind:
        task = "INSERT INTO tasks (image_id, kind, status) VALUES (:image_id, :kind, 'pending')"
        tx.execute(task, image_id=image_id, kind=kind.value)
    return image_id


def _receive(tx: Transaction, event: ObjectCreated, new: NewImage | None) -> Image | None:
    row = tx.row("SELECT id, upload_status FROM images WHERE image_key = :key {for_update}", key=event.key)
    if row is None:
        if new is None:
            return None
        row = {"id": _insert(tx, new), "upload_status": "awaiting"}
    if _is_awaited(row):
        _store_object(tx, row["id"], event)
        _mark_received(tx, row["id"])
        update_search_text(tx, row["id"])  # it is found by the date of its upload
    return image_by_id(tx, row["id"])


def _store_object(tx: Transaction, image_id: int, event: ObjectCreated) -> None:
    tx.execute(
        "UPDATE images SET size = COALESCE(:size, size), etag = :etag, version_id = :version_id,"
        " sequencer = :sequencer WHERE id = :image_id",
        image_id=image_id,
        size=event.size,
        etag=event.etag,
        version_id=event.version_id,
        sequencer=event.sequencer,
    )


def _mark_received(tx: Transaction, image_id: int) -> None:
    tx.execute(
        "UPDATE images SET upload_status = 'received', uploaded_at = {now},"
        " listed_id = CASE WHEN deleted_at IS NULL THEN id END WHERE id = :image_id",
        image_id=image_id,
    )
    tx.execute(
        "UPDATE tasks SET next_at = {now} WHERE image_id = :image_id AND status = 'pending'", image_id=image_id
    )


def _is_awaited(row: Row) -> bool:
    """Return whether an upload changes the row: it is the first one."""
    return row["upload_status"] in ("awaiting", "expired")


def _last_change(tx: Transaction, image_id: int) -> str | None:
    change = undo.last_change(tx, image_id)
    return None if change is None else change.id


def _exact(text: str, limit: int, what: str) -> str:
    if len(text) > limit:
        raise Invalid(f"The {what} is too long: at most {limit} characters.")
    return storable(text, limit)


def _checked_key(key: str) -> str:
    # MySQL ignores trailing blanks when it compares; an index holds at most KEY characters.
    if len(key) > KEY or key != key.rstrip(" ") or "\0" in key:
        raise Invalid("The object's key cannot be stored: it is too long, ends in a blank or holds a NUL.")
    return key
