"""All photos that a search finds, but for some: what an action works on without naming each photo."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from imgcore.collections.models import ALBUM_IMAGES, IDS
from imgcore.errors import Invalid, NotFound
from imgcore.gallery.filters import NO_FILTERS, Filters

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

SELECTED = ALBUM_IMAGES  # photos of one archive or share link


@dataclass(frozen=True, slots=True)
class QuerySelection:
    """The photos on the timeline that words and filters find.

    excluded: ids of those that are left out. until: so are those whose upload ended later, in UTC.
    """

    text: str | None = None
    filters: Filters = NO_FILTERS
    excluded: frozenset[str] = frozenset()
    until: datetime | None = None


def selected_page(
    gallery: Gallery, wanted: QuerySelection, cursor: str | None = None
) -> tuple[list[str], str | None]:
    """Return the ids of up to 1,000 of the photos, the newest upload first, and the cursor of the next ones.

    The cursor is a place among all photos: what an action has changed meanwhile makes no photo come twice, and
    none is left out. Invalid: a cursor of another list.
    """
    ids, following = gallery.pages.select(
        cursor=cursor,
        limit=IDS,
        query=wanted.text,
        viewer=gallery.viewer,
        filters=wanted.filters,
        until=wanted.until,
    )
    return [public_id for public_id in ids if public_id not in wanted.excluded], following


def all_selected(gallery: Gallery, wanted: QuerySelection) -> list[str]:
    """Return the ids of all photos of a selection. Invalid (``query``): more than 10,000. NotFound: none."""
    found: list[str] = []
    cursor: str | None = None
    while True:
        ids, cursor = selected_page(gallery, wanted, cursor)
        found += ids
        if len(found) > SELECTED:
            raise Invalid(f"Select at most {SELECTED:,} photos for this.", code="query")
        if cursor is None:
            break
    if not found:
        raise NotFound("No photo is selected.")
    return found
