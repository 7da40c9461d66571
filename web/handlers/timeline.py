"""The timeline in the API: months with counts, and the photos of one month in compact rows."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.errors import Misconfigured
from imgcore.gallery.listing import MONTH_LIMIT, MOST_SKIPPED, MonthSlice, Sort, checked_month, parsed_sort
from imgcore.gallery.service import PAGE_LIMIT
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, requires
from web.http.filters import searched
from web.http.page_cache import JSON_BYTES, Cache, CachedPage, common_key, json_from_cache
from web.http.responses import Route, json_of_key, json_with_etag
from web.serializers import changes_json, tiles_json

if TYPE_CHECKING:
    from imgcore.db.timeline import TimelineRepository
    from imgcore.gallery.service import Gallery

_USUAL_LIMIT, _USUAL_TAGS = 500, 50


class TimelineApi:
    """Handlers of the timeline."""

    def __init__(self, gallery: Gallery) -> None:
        self._unrestricted = gallery
        self._answers: Cache[CachedPage] = Cache(JSON_BYTES)

    def routes(self) -> list[Route]:
        """Return (method, path, handler)."""
        return [
            ("GET", f"{PREFIX}/timeline", self.months),
            ("GET", f"{PREFIX}/timeline/<month>", self.month),
            ("GET", f"{PREFIX}/changes", self.changes),
            ("GET", f"{PREFIX}/tags", self.tags),
        ]

    @property
    def _rows(self) -> TimelineRepository:
        if self._unrestricted.timeline is None:
            raise Misconfigured("This gallery has no timeline.")
        return self._unrestricted.timeline

    @requires(Scope.READ)
    def months(self) -> bytes:
        """Return the months that have photos, the newest first, with their counts."""
        gallery = gallery_for_caller(self._unrestricted)
        asked = request.query()
        sort = parsed_sort(asked.get("sort"), Sort.TAKEN)
        found = self._rows.months(gallery.viewer, sort, *searched(asked))
        return json_from_cache(
            self._answers,
            found,
            lambda: {
                "months": [asdict(each) for each in found.months],
                "total": found.total,
                "exact": found.exact,
            },
        )

    @requires(Scope.READ)
    def month(self, month: str) -> bytes:
        """Return photos of one month, the newest first."""
        asked, gallery = request.query(), gallery_for_caller(self._unrestricted)
        month, sort = checked_month(month), parsed_sort(asked.get("sort"), Sort.TAKEN)
        given = "offset" in asked
        offset = request.number(asked, "offset", 0, least=0, most=MOST_SKIPPED) if given else None
        limit = request.number(asked, "limit", _USUAL_LIMIT, least=1, most=MONTH_LIMIT)
        cursor = request.short(asked, "cursor")
        text, filters = searched(asked)
        found = self._rows.month(
            gallery.viewer,
            month,
            sort,
            offset=offset,
            limit=limit,
            cursor=cursor,
            text=text,
            filters=filters,
        )
        rest = {"next": (offset or 0) + limit if found.more else None, "cursor": found.cursor}
        key = (found, month, sort, rest["next"], common_key(gallery))
        return json_from_cache(
            self._answers, key, lambda: {"month": month, **self._shown(found, sort, gallery), **rest}
        )

    @requires(Scope.READ)
    def changes(self) -> HTTPResponse:
        """Return what has changed since a cursor; without one, a cursor to begin with."""
        since, gallery = request.query().get("since"), gallery_for_caller(self._unrestricted)
        if gallery.changes is None:
            raise Misconfigured("This gallery has no feed of changes.")
        viewer = gallery.viewer
        found = gallery.changes.start(viewer) if since is None else gallery.changes.since(since, viewer)
        versions = [(tile.image.id, tile.image.version) for tile in found.tiles]
        rest = (found.cursor, found.removed, found.batches, found.more)
        key = (versions, rest, common_key(gallery))
        return json_of_key(key, lambda: changes_json(found, gallery))

    @requires(Scope.READ)
    def tags(self) -> HTTPResponse:
        """Return the tags in alphabetical order with their counts."""
        asked, gallery = request.query(), gallery_for_caller(self._unrestricted)
        if gallery.tag_list is None:
            raise Misconfigured("This gallery has no list of tags.")
        limit = request.number(asked, "limit", _USUAL_TAGS, least=1, most=PAGE_LIMIT)
        prefix = request.short(asked, "q") or ""
        found = gallery.tag_list.page(
            gallery.viewer, cursor=request.short(asked, "cursor"), limit=limit, prefix=prefix
        )
        return json_with_etag({"tags": [asdict(each) for each in found.tags], "next": found.next})

    def _shown(self, found: MonthSlice, sort: Sort, gallery: Gallery) -> dict[str, Any]:
        ids = [id_ for id_, _ in found.versions]
        tiles = {tile.image.id: tile for tile in self._rows.tiles(ids, sort)}
        return tiles_json([tiles[id_] for id_ in ids if id_ in tiles], gallery)
