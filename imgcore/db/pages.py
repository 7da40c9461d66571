"""Pages of the gallery: which rows a page holds, the search, and the pagination cursor."""

from __future__ import annotations

import base64
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import SELECT, folded, images
from imgcore.errors import Invalid
from imgcore.gallery.models import Page, Viewer

_TOP = 2**62  # above every id
_LIMIT = 200  # images of one page at most
_WORDS = 16  # of one search at most


def read_page(tx: Transaction, cursor: str | None, limit: int, query: str | None, viewer: Viewer) -> Page:
    """Return the page after ``cursor``; see ImageRepository.page."""
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
    found = images(tx.rows(sql, *parameters, limit + 1))
    more = len(found) > limit
    return Page(tuple(found[:limit]), encode_cursor(found[limit - 1].id) if more else None)


def _words(query: str | None) -> list[str]:
    words = list(dict.fromkeys(folded(query or "").split()))
    if len(words) > _WORDS:
        raise Invalid(f"The search has too many words: at most {_WORDS}.")
    return words


def encode_cursor(id_: int) -> str:
    return base64.urlsafe_b64encode(f"id<{id_}".encode()).decode().rstrip("=")


def _decoded(cursor: str) -> int:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except ValueError:
        text = ""
    number = text.removeprefix("id<")
    if number == text or not number.isdecimal() or len(number) > 18 or cursor != encode_cursor(int(number)):
        raise Invalid("The cursor is not one of ours.")
    return int(number)
