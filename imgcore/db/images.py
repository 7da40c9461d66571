"""Photographs in a SQL database: the gallery's statements, and the repository as a whole."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

from imgcore.db.circuit_breaker import Gates
from imgcore.db.connection import Transaction
from imgcore.db.intake import Intake, reset
from imgcore.db.mapping import (
    ALT_TEXT,
    CAPTION,
    SELECT,
    Row,
    by_id,
    folded,
    images,
    searchable,
    storable,
    storable_tags,
)
from imgcore.db.migrations import pending
from imgcore.db.notifications import Noticing
from imgcore.db.sweep import Sweeping
from imgcore.db.tasks import Tasking
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import EVERYBODY, Edit, Image, Page, Source, TaskKind, Viewer

_TOP = 2**62  # above every id
_LIMIT = 200  # images of one page at most
_WORDS = 16  # of one search at most


class SqlRepository(Intake, Tasking, Sweeping, Noticing, Gates):
    """imgcore.gallery.ports.Repository on SQLite and MySQL."""

    def ping(self) -> None:
        """The database answers and its schema is up to date. Unavailable (``not_migrated``) where it is not."""
        if steps := pending(self._database):
            raise Unavailable(
                f"The database lacks {steps[0]}; `imgcore migrate` makes it.", code="not_migrated"
            )

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
        limit = max(1, min(limit, _LIMIT))
        conditions = ["listed_id < ?", "(upload_status <> 'awaiting' OR upload_expires_at > {now})"]
        parameters: list[Any] = [_TOP if cursor is None else _decoded(cursor)]
        for word in _words(query):
            conditions.append("INSTR(search_text, ?) > 0")
            parameters.append(word)
        if not viewer.changes_others:
            others = " OR upload_status = 'received'" if viewer.sees_others else ""
            conditions.append(f"(owner_id = ?{others})")  # NULL, nobody's, equals nothing
            parameters.append(viewer.account_id)
        sql = (
            f"{SELECT} JOIN"
            f" (SELECT id FROM images WHERE {' AND '.join(conditions)} ORDER BY listed_id DESC LIMIT ?) page"
            " ON page.id = i.id ORDER BY i.id DESC"
        )
        found = self._database.read(lambda tx: images(tx.rows(sql, *parameters, limit + 1)))
        more = len(found) > limit
        return Page(tuple(found[:limit]), _encoded(found[limit - 1].id) if more else None)

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


def _words(query: str | None) -> list[str]:
    words = list(dict.fromkeys(folded(query or "").split()))
    if len(words) > _WORDS:
        raise Invalid(f"The search has too many words: at most {_WORDS}.")
    return words


def _encoded(id_: int) -> str:
    return base64.urlsafe_b64encode(f"id<{id_}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except ValueError:
        text = ""
    number = text.removeprefix("id<")
    if number == text or not number.isdecimal() or len(number) > 18 or cursor != _encoded(int(number)):
        raise Invalid("The cursor is not one of ours.")
    return int(number)
