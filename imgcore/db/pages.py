"""Pages of the gallery: the rows of a page, the search, and the pagination cursor."""

from __future__ import annotations

import base64
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import SELECT, images
from imgcore.db.statements import sql
from imgcore.errors import Invalid
from imgcore.gallery.models import Page, Viewer
from imgcore.text import fold_for_search

_TOP = 2**62  # above every id
_LIMIT = 200  # images of one page at most
_WORDS = 16  # words of one search at most

# The inner query reads one index and LIMIT rows; only these are joined with their tasks and owner.
_PAGE = sql(
    "{select} JOIN (SELECT id FROM images WHERE {conditions} ORDER BY listed_id DESC LIMIT :limit) page"
    " ON page.id = i.id ORDER BY i.id DESC",
    select=SELECT,
)


def read_page(tx: Transaction, cursor: str | None, limit: int, query: str | None, viewer: Viewer) -> Page:
    """Return the page after ``cursor``; see ImageRepository.page."""
    limit = max(1, min(limit, _LIMIT))
    conditions = ["listed_id < :below", "(upload_status <> 'awaiting' OR upload_expires_at > {now})"]
    values: dict[str, Any] = {"below": _TOP if cursor is None else decode_cursor(cursor), "limit": limit + 1}
    for number, word in enumerate(_words(query)):
        conditions.append(f"INSTR(search_text, :word_{number}) > 0")
        values[f"word_{number}"] = word
    if not viewer.changes_others:
        others = " OR upload_status = 'received'" if viewer.sees_others else ""
        conditions.append(f"(owner_id = :viewer_id{others})")  # NULL, the owner of nobody's, equals nothing
        values["viewer_id"] = viewer.account_id
    found = images(tx.rows(sql(_PAGE, conditions=" AND ".join(conditions)), **values))
    more = len(found) > limit
    return Page(tuple(found[:limit]), encode_cursor(found[limit - 1].id) if more else None)


def _words(query: str | None) -> list[str]:
    words = list(dict.fromkeys(fold_for_search(query or "").split()))
    if len(words) > _WORDS:
        raise Invalid(f"The search has too many words: at most {_WORDS}.")
    return words


def encode_cursor(image_id: int) -> str:
    """Return the cursor of the page whose first image comes after ``image_id``."""
    return base64.urlsafe_b64encode(f"id<{image_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the image id in a cursor of encode_cursor. Invalid for any other text."""
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except ValueError:
        text = ""
    number = text.removeprefix("id<")
    if number == text or not number.isdecimal() or len(number) > 18 or cursor != encode_cursor(int(number)):
        raise Invalid("The cursor is not one that the gallery gave out.")
    return int(number)
