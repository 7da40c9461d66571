"""Pages of the gallery: its repository, the rows of a page, the search, and the pagination cursor."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from imgcore.db.connection import Repository, Transaction
from imgcore.db.dialects import Answer
from imgcore.db.filters import query_of
from imgcore.db.mapping import SELECT, images, in_list
from imgcore.db.search import BATCH, search, unless_found
from imgcore.db.search_query import Query
from imgcore.db.search_sources import TOP
from imgcore.db.statements import sql
from imgcore.db.tiles import read_cards, read_progress
from imgcore.errors import Invalid
from imgcore.gallery.filters import NO_FILTERS, Filters, Progress
from imgcore.gallery.listing import END_OF_TIME
from imgcore.gallery.models import EVERYBODY, Image, Page, PageVersions, Viewer

T = TypeVar("T")

_LIMIT = 200  # images of one page at most

# A file that could not be decoded is not found by its name among photos
DECODED = (
    "(SELECT 1 FROM tasks t WHERE t.image_id = {id} AND t.kind = 'thumbnail'"
    " AND t.status IN ('failed', 'blocked', 'skipped')) IS NULL"
)
_WITHOUT_FAILED = sql(" AND upload_status <> 'rejected' AND {decoded}", decoded=sql(DECODED, id="i.id"))
# CASE, because SQLite prefers an index of upload_status, and so every photo, to the ids that it is given
_RECEIVED = "CASE WHEN upload_status = 'received' THEN 1 ELSE 0 END = 1"
_WANTED: dict[Progress | None, list[str]] = {
    Progress.FAILED: ["CASE WHEN upload_status IN ('received', 'rejected') THEN 1 ELSE 0 END = 1"],
    Progress.WAITING: [_RECEIVED],
    Progress.UNDESCRIBED: [_RECEIVED],
}
_SEEN = "SELECT i.id, i.version, {text} FROM images i WHERE i.listed_id IN ({names}) AND {conditions}"

# A file that was rejected is on no timeline, but the filter of what failed finds it at the time of its upload.
_FOUND_AT = (
    "COALESCE(i.{column}, CASE WHEN i.listed_id IS NOT NULL AND i.upload_status = 'rejected'"
    " THEN i.uploaded_at END)"
)
_UNTIL = "SELECT i.public_id FROM images i WHERE i.id IN ({names}) AND {place} <= :latest ORDER BY i.id DESC"
_VERSIONS = "SELECT id, version FROM images WHERE {conditions} ORDER BY listed_id DESC LIMIT :limit"


class PageRepository(Repository):
    """The images as the gallery lists them. Each method is one transaction; Unavailable without a database."""

    def page(
        self,
        *,
        cursor: str | None,
        limit: int,
        query: str | None,
        viewer: Viewer = EVERYBODY,
        filters: Filters = NO_FILTERS,
    ) -> Page:
        """Return up to ``limit`` images after ``cursor``, the newest first, without deleted and expired ones.

        query: words that each image must have. filters: what it must have beside them. viewer: whose rights
        decide which images are seen.
        Invalid: a cursor that the gallery did not give out, or too many words.
        """
        _checked(cursor)
        nothing = Page((), None)
        return self._find(
            lambda tx: read_page(tx, cursor, limit, query, viewer, filters), query, filters, viewer, nothing
        )

    def page_versions(
        self,
        *,
        cursor: str | None,
        limit: int,
        query: str | None,
        viewer: Viewer = EVERYBODY,
        filters: Filters = NO_FILTERS,
    ) -> PageVersions:
        """Return ids and versions of what ``page`` would return."""
        _checked(cursor)
        nothing = PageVersions((), None)
        return self._find(
            lambda tx: read_versions(tx, cursor, limit, query, viewer, filters), query, filters, viewer, nothing
        )

    def _find(
        self,
        work: Callable[[Transaction], T],
        query: str | None,
        filters: Filters,
        viewer: Viewer,
        nothing: T,
    ) -> T:
        """Run ``work`` as a heavy query where it searches. nothing: what it returns where nothing is found."""
        if not query and not filters:
            return self._database.read(work)
        return self._database.read_heavy(work, unless_found(query, viewer, nothing))

    def select(
        self,
        *,
        cursor: str | None,
        limit: int,
        query: str | None,
        viewer: Viewer = EVERYBODY,
        filters: Filters = NO_FILTERS,
        until: datetime | None = None,
    ) -> tuple[Sequence[str], str | None]:
        """Return the public ids of up to ``limit`` received or rejected images of ``page``, and the cursor.

        It is None at the end; else more may follow, also where there are fewer than ``limit``. until: images
        whose upload ended later are left out; in UTC, without a time zone.
        """
        latest = until.isoformat(" ", "microseconds") if until else END_OF_TIME
        return self._database.read_heavy(lambda tx: _select(tx, cursor, limit, query, viewer, filters, latest))

    def by_ids(self, ids: Sequence[int]) -> Sequence[Image]:
        """Return the images of these ids that exist, newest first."""
        return self._database.read(lambda tx: read_images(tx, ids))

    def tiles(self, ids: Sequence[int]) -> Sequence[Image]:
        """Return what a card shows of the images of these ids that exist, newest first."""
        names, values = in_list("id", ids)
        if not values:
            return []
        where = sql("i.id IN ({names}) ORDER BY i.id DESC", names=names)
        return self._database.read(lambda tx: read_cards(tx, where, values))

    def progress(self, public_id: str) -> Image | None:
        """Return an image as ``get`` does, with its tasks and its rights alone."""
        return self._database.read(lambda tx: read_progress(tx, public_id))


def read_page(
    tx: Transaction,
    cursor: str | None,
    limit: int,
    query: str | None,
    viewer: Viewer,
    filters: Filters = NO_FILTERS,
) -> Page:
    """Return the page after ``cursor``; see PageRepository.page."""
    page = read_versions(tx, cursor, limit, query, viewer, filters)
    return Page(tuple(read_images(tx, [id_ for id_, _ in page.versions])), page.next)


def _select(
    tx: Transaction,
    cursor: str | None,
    limit: int,
    query: str | None,
    viewer: Viewer,
    filters: Filters,
    latest: str,
) -> tuple[list[str], str | None]:
    found: list[str] = []
    for _ in range(-(-limit // _LIMIT)):
        page = read_versions(tx, cursor, min(_LIMIT, limit - len(found)), query, viewer, filters)
        cursor = page.next
        names, values = in_list("id", [id_ for id_, _ in page.versions])
        if values:
            statement = sql(_UNTIL, names=names, place=found_at("timeline_upload", filters))
            rows = tx.rows(statement, latest=latest, **values)
            found += [row["public_id"] for row in rows]
        if cursor is None:
            break
    return found, cursor


def found_at(column: str, filters: Filters) -> str:
    """Return the expression of when an image ``i`` that a search or a filter finds was taken or uploaded.

    column: of the timeline. The expression is NULL for what the timeline does not show.
    """
    return sql(_FOUND_AT, column=column) if filters.status is Progress.FAILED else f"i.{column}"


def read_images(tx: Transaction, ids: Sequence[int]) -> list[Image]:
    """Return the images of these ids that exist, newest first."""
    if not ids:
        return []
    names, values = in_list("id", ids)
    statement = sql("{select} WHERE i.id IN ({names}) ORDER BY i.id DESC", select=SELECT, names=names)
    return images(tx.rows(statement, **values))


def read_versions(
    tx: Transaction,
    cursor: str | None,
    limit: int,
    query: str | None,
    viewer: Viewer,
    filters: Filters = NO_FILTERS,
) -> PageVersions:
    """Return ids and versions of the page after ``cursor``; see PageRepository.page."""
    limit = max(1, min(limit, _LIMIT))
    below = _checked(cursor)
    if query is not None or filters:
        return _search(tx, below, limit, query_of(tx, query, filters, viewer), viewer)
    conditions, values = rights(viewer)
    statement = sql(_VERSIONS, conditions=" AND ".join(["listed_id < :below", *conditions]))
    return _page_of(tx.answer(statement, below=below, limit=limit + 1, **values), limit)


@lru_cache(maxsize=128)
def _page_of(answer: Answer, limit: int) -> PageVersions:
    """Return the page in an answer to _VERSIONS, which is most often the same as before."""
    rows = [(int(id_ or 0), int(version or 0)) for id_, version in answer.rows]
    found = tuple(rows[:limit])
    return PageVersions(found, encode_cursor(found[-1][0]) if len(rows) > limit else None)


def _search(tx: Transaction, below: int, limit: int, query: Query, viewer: Viewer) -> PageVersions:
    seen: dict[int, int] = {}
    found = search(tx, query, below, limit, lambda ids: _visible(tx, ids, query, viewer, seen))
    page = tuple((id_, seen[id_]) for id_ in found.ids)
    return PageVersions(page, encode_cursor(found.next) if found.next is not None else None)


def _visible(
    tx: Transaction,
    ids: Sequence[int],
    query: Query,
    viewer: Viewer,
    seen: dict[int, int],
) -> dict[int, str]:
    """Return those of the images that the viewer may find, with their folded texts, and add them to ``seen``.

    The texts are empty where the query has no phrases. seen: the versions of images.
    """
    conditions, own = findable(query, viewer)
    phrases = query.phrases or query.excluded_phrases
    found: dict[int, str] = {}
    for first in range(0, len(ids), BATCH):
        names, values = in_list("id", ids[first : first + BATCH])
        text = "i.search_text" if phrases else "''"
        statement = sql(_SEEN, text=text, names=names, conditions=conditions)
        for id_, version, text in tx.tuples(statement, **values, **own):
            found[id_], seen[id_] = text, version
    return found


def findable(query: Query, viewer: Viewer) -> tuple[str, dict[str, Any]]:
    """Return the condition of images ``i`` that the viewer may find by a query, and its values."""
    conditions, values = rights(viewer)
    found = " AND ".join([*conditions, *_WANTED.get(query.status, [])])
    return found + (_WITHOUT_FAILED if query.words and query.status is None else ""), values


def rights(viewer: Viewer) -> tuple[list[str], dict[str, Any]]:
    """Return the conditions that an image meets which the viewer sees, and their values."""
    # CASE, because databases look for a range of each column of an OR: MariaDB for longer than the rows take,
    # and SQLite then sorts every photo that was received
    conditions = ["CASE WHEN upload_status = 'awaiting' THEN upload_expires_at > {now} ELSE 1 END"]
    if viewer.changes_others:
        return conditions, {}
    own = "owner_id = :viewer_id"  # NULL, the owner of nobody's, equals nothing
    seen = sql("CASE WHEN {own} THEN 1 ELSE upload_status = 'received' END", own=own)
    conditions.append(seen if viewer.sees_others else own)
    return conditions, {"viewer_id": viewer.account_id}


def _checked(cursor: str | None) -> int:
    """Return the number below which a page begins. Invalid: see ``decode_cursor``."""
    return TOP if cursor is None else decode_cursor(cursor)


def encode_cursor(image_id: int) -> str:
    """Return the cursor of the page whose first image comes after ``image_id``."""
    return base64.urlsafe_b64encode(f"id<{image_id}".encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> int:
    """Return the image id in a cursor of encode_cursor. Invalid for any other text."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
    except ValueError:
        text = ""
    number = text.removeprefix("id<")
    if number == text or not number.isdecimal() or len(number) > 18 or cursor != encode_cursor(int(number)):
        raise Invalid("The cursor is not one that the gallery gave out.")
    return int(number)
