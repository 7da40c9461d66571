"""What ``bench_pages`` asks: pages, lists, every kind of search and filter, and unchanged answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle, islice
from urllib.parse import quote

from imgcore.db.pages import PageRepository, encode_cursor
from imgcore.db.timeline_search import MOST_COUNTED, MOST_WALKED
from tests.load.many_rows import ALBUM, BASE, MONTH_OF

PAGE, PAGES = 40, 24  # photos of a page, and pages that are asked for once: a thousand photos have no more
MONTHS, MORE_OF_MONTH = 120, 200  # of the dates taken, and the photos that one of them has more than others
GZIP = {"Accept-Encoding": "gzip"}

HOT_PAGE, HOT_LIST, COLD_PAGE = "page", "list", "page, not asked for before"
NO_PHOTO_HAS_BOTH = "a frequent word and a rare one"
SEARCHES = {
    "a word of none": "zebra",
    "a word of one in a thousand": "windmill",
    "a word of one in a hundred": "lighthouse",
    "a frequent word": "boat",
    "two words": "boat snow",
    NO_PHOTO_HAS_BOTH: "boat windmill",
    "a prefix": "harb",
    "a prefix of a million words": "00",
    "a phrase": '"red boat"',
    "a frequent word without another": "boat -snow",
    "a facet": "tag:dog",
    "a date": "after:2018 boat",
}
FILTERS = {
    "a tag": "tag=dog",
    "a tag and a word": "tag=dog&q=boat",
    "a camera": f"camera={quote('Contoso Phone 7')}",
    "a source": "source=local",
    "a type": "type=jpeg",
    "an orientation": "orientation=landscape",
    "a month": "month={month}",
    "days of the date taken": "taken_from={year}-01-01&taken_to={year}-12-31",
    "days of the upload": "uploaded_from={year}-01-01&uploaded_to={year}-12-31",
    "failed": "status=failed",
    "waiting": "status=waiting",
    "undescribed": "status=undescribed",
    "an album": f"album={ALBUM}",
    "similar photos": "similar={photo}",
}
# The page searches by its timeline: first its months, then the photos of the newest one
OF_TIMELINE = {
    "a word of none": "q=zebra",
    "a word of one in a thousand": "q=windmill",
    "a word of one in a hundred": "q=lighthouse",
    "a frequent word": "q=boat",
    "two words": "q=boat+snow",
    NO_PHOTO_HAS_BOTH: "q=boat+windmill",
    "a phrase": "q=%22red+boat%22",
    "a phrase of none": "q=%22boat+red%22",
    "a frequent word without another": "q=boat+-snow",
    "a tag": "tag=dog",
    "a source": "source=local",
    "days of the date taken": "taken_from={year}-01-01&taken_to={year}-12-31",
    "waiting": "status=waiting",
    "an album": f"album={ALBUM}",
}
# Searches of the timeline whose photos are looked up one by one, because no index has those of a term by month;
# with the share of all photos that have the rarest term
COUNTED = {
    "a word of one in a thousand": 1 / 1000,
    "a word of one in a hundred": 1 / 100,
    NO_PHOTO_HAS_BOTH: 1 / 1000,
    "a phrase": 1 / 6,
    "a phrase of none": 1 / 6,
    "a frequent word without another": 1 / 6,
    "a source": 1 / 5,
    "days of the date taken": 1 / 10,
    "waiting": 1 / 1000,
    "an album": 1 / 100,
}
# Copies of a photo have its place in the timeline: the first match of a month may come after thousands
OF_MOST = (
    *("a frequent word", "a frequent word without another", "a source", "a tag", "two words"),
    *("a phrase", "a phrase of none"),
)
FOUND_IN_MONTH = COUNTED | dict.fromkeys(OF_MOST, 1.0) | {"days of the date taken": 0.0}


@dataclass(frozen=True)
class Question:
    """What is asked. paths: in turn. conditional: with the ETag of the first answer. once: each path once.

    compared: photos that are looked up one by one, at most; more among more photos.
    changed: of the newest photos, before each request.
    """

    what: str
    paths: list[str]
    headers: dict[str, str] = field(default_factory=dict)
    conditional: bool = False
    once: bool = False
    goal_of_peer: float | None = None
    compared: int = 0
    changed: int = 0

    @property
    def of_page(self) -> bool:
        """Return whether peer and floor are asked in turn with it."""
        return self.goal_of_peer is not None

    def paths_for(self, requests: int) -> list[str]:
        """Return the paths of all requests."""
        return self.paths if self.once else list(islice(cycle(self.paths), requests))

    def rounds(self, count: int, paths: Iterator[str]) -> Iterator[list[str]]:
        """Yield the paths of each round."""
        known = list(paths)
        size = len(known) // count
        for number in range(count):
            yield known[number * size : (number + 1) * size]


def questions(pages: PageRepository, rows: int) -> list[Question]:
    """Return the questions over a gallery of ``rows`` photos."""
    newest = pages.page_versions(cursor=None, limit=1, query=None).versions[0][0]
    photo = pages.page(cursor=encode_cursor(rows - 400), limit=1, query=None).images[0].public_id
    step = (newest - PAGE) // (PAGES + 1)
    cursors = [encode_cursor(newest - step * number) for number in range(1, PAGES + 1)]
    taken_at = pages.page(cursor=encode_cursor(MONTH_OF + 1), limit=1, query=None).images[0].taken_at
    assert taken_at is not None
    known = {"photo": photo, "month": f"{taken_at:%Y-%m}", "year": f"{taken_at:%Y}"}
    status, month = f"/api/v1/images/{photo}/status", f"/api/v1/timeline/{known['month']}?limit=100"
    unchanged = {"page": "/", "list": "/api/v1/images", "status": status, "months": "/api/v1/timeline"}
    return [
        Question(HOT_PAGE, ["/"], goal_of_peer=1 / 3),
        Question("page, gzip", ["/"], GZIP, goal_of_peer=1 / 3),
        Question(COLD_PAGE, [f"/?cursor={each}" for each in cursors], once=True, goal_of_peer=1),
        Question("page, from the middle", [f"/?cursor={encode_cursor(newest // 2)}"]),
        Question(HOT_LIST, ["/api/v1/images"]),
        Question(
            "list, not asked for before", [f"/api/v1/images?cursor={each}" for each in cursors], once=True
        ),
        Question("list, from the end", [f"/api/v1/images?cursor={encode_cursor(PAGE + 1)}"]),
        Question("status", [status]),
        Question("photo", [f"/api/v1/images/{photo}"]),
        Question("months", ["/api/v1/timeline"]),
        Question("month of 100 rows", [month]),
        *(
            Question(
                f"search, {what}",
                [f"/api/v1/images?q={quote(words)}"],
                compared=rows // BASE if what == NO_PHOTO_HAS_BOTH else 0,
            )
            for what, words in SEARCHES.items()
        ),
        *(
            Question(f"filter by {what}", [f"/api/v1/images?{query.format_map(known)}"])
            for what, query in FILTERS.items()
        ),
        Question("page of a search", ["/?q=boat"]),
        *(
            Question(
                f"timeline, {part} of {what}",
                [f"{path}{query.format_map(known)}"],
                compared=min(round(shares.get(what, 0) * rows), most),
            )
            for what, query in OF_TIMELINE.items()
            for part, path, shares, most in (
                ("months", "/api/v1/timeline?", COUNTED, MOST_COUNTED),
                ("month", f"{month}&", FOUND_IN_MONTH, min(rows // MONTHS + MORE_OF_MONTH, MOST_WALKED)),
            )
        ),
        *(Question(f"{what}, 304", [path], conditional=True) for what, path in unchanged.items()),
        # At the end, because the web process counts the months of changed photos anew
        Question(
            "months, newest photo changed",
            ["/api/v1/timeline"] * PAGES,
            once=True,
            compared=rows // MONTHS,
            changed=1,
        ),
        *(
            Question(f"page, {what}", ["/"] * PAGES, once=True, goal_of_peer=1, changed=photos)
            for what, photos in (("newest photo changed", 1), ("all photos changed", PAGE))
        ),
    ]
