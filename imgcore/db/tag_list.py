"""The tags of a gallery in alphabetical order, with the number of photos that the viewer sees under each."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import in_list
from imgcore.db.search_words import END, facet
from imgcore.db.statements import sql
from imgcore.errors import Invalid
from imgcore.gallery.listing import TagCount, Tags
from imgcore.gallery.models import Viewer

MOST_COUNTED = 500  # photos of one tag
MOST_OWN = 100_000  # photos of an account whose tags are read
_START_OF_TIME = "0001-01-01 00:00:00.000000"

# The vocabulary has words of photos that are in the trash or gone, too. The value of a subquery is looked up
# for each word; as a semi-join, the database may read the photos of all words
_WORDS = (
    "SELECT v.word FROM vocabulary v WHERE v.word > :after AND v.word >= :first AND v.word < :end"
    " AND (SELECT 1 FROM words w {then_join} images i ON i.listed_id = w.image_id"
    " AND i.upload_status = 'received' WHERE w.word = v.word LIMIT 1) IS NOT NULL"
    " ORDER BY v.word LIMIT :limit"
)
_IDS = (
    "SELECT w.image_id FROM words w JOIN images i ON i.listed_id = w.image_id"
    " AND i.upload_status = 'received' WHERE w.word = :word ORDER BY w.image_id DESC LIMIT :limit"
)
# The index images_timeline_at_of has an account's photos that are listed and received
_OLDEST = (
    "SELECT timeline_at FROM images WHERE owner_id = :owner AND timeline_at IS NOT NULL"
    " ORDER BY timeline_at DESC LIMIT 1 OFFSET :most"
)
_OWN = (
    "SELECT w.word, COUNT(*), MAX(w.image_id) FROM images i {then_join} words w ON w.image_id = i.id"
    " AND w.word > :after AND w.word >= :first AND w.word < :end"
    " WHERE i.owner_id = :owner AND i.timeline_at >= :oldest GROUP BY w.word ORDER BY w.word LIMIT :limit"
)

_Found = tuple[str, int, int]  # a word, how many photos have it, and the newest of these


class TagListRepository(Repository):
    """The tags as a viewer sees them."""

    def page(self, viewer: Viewer, *, cursor: str | None, limit: int, prefix: str = "") -> Tags:
        """Return up to ``limit`` tags that begin with ``prefix``, after ``cursor``.

        Nothing of the answer depends on photos that the viewer does not see. For viewers who see their own
        photos only, the newest MOST_OWN of these are read.
        """
        after, first = _decoded(cursor) if cursor else "", facet("tag", prefix)
        if viewer.changes_others or viewer.sees_others:
            return self._database.read_heavy(lambda tx: _page(tx, after, limit, first))
        return self._database.read_heavy(lambda tx: _own_page(tx, viewer.account_id, after, limit, first))


def _page(tx: Transaction, after: str, limit: int, first: str) -> Tags:
    """Return the page of the words of all photos."""
    rows = tx.tuples(_WORDS, after=after, first=first, end=first + END, limit=limit + 1)
    words = [str(row[0]) for row in rows]
    found: list[_Found] = []
    for word in words[:limit]:
        if ids := [row[0] for row in tx.tuples(_IDS, word=word, limit=MOST_COUNTED + 1)]:
            found.append((word, len(ids), ids[0]))
    return _tags_of(tx, found, _encoded(words[limit - 1]) if len(words) > limit else None)


def _own_page(tx: Transaction, owner: int | None, after: str, limit: int, first: str) -> Tags:
    """Return the page of the words of an account's own photos, which are read once."""
    oldest = tx.tuples(_OLDEST, owner=owner, most=MOST_OWN - 1)
    found: Sequence[_Found] = tx.tuples(
        _OWN,
        after=after,
        first=first,
        end=first + END,
        owner=owner,
        oldest=oldest[0][0] if oldest else _START_OF_TIME,
        limit=limit + 1,
    )
    return _tags_of(tx, found[:limit], _encoded(found[limit - 1][0]) if len(found) > limit else None)


def _tags_of(tx: Transaction, found: Sequence[_Found], following: str | None) -> Tags:
    names = _as_written(tx, {word: newest for word, _, newest in found})
    return Tags(
        tuple(
            TagCount(names[word], min(count, MOST_COUNTED), more=count > MOST_COUNTED)
            for word, count, _ in found
        ),
        following,
    )


def _as_written(tx: Transaction, newest: dict[str, int]) -> dict[str, str]:
    """Return each folded tag as its newest photo has it."""
    written = {word: word.partition("=")[2] for word in newest}
    names, values = in_list("id", sorted(set(newest.values())))
    if not values:
        return written
    rows = tx.tuples(sql("SELECT id, tags, languages FROM images WHERE id IN ({names})", names=names), **values)
    tags = {row[0]: _tags(row[1], row[2]) for row in rows}
    for word, image_id in newest.items():
        written[word] = next(
            (tag for tag in tags.get(image_id, ()) if facet("tag", tag) == word), written[word]
        )
    return written


def _tags(tags: str | None, languages: str | None) -> Sequence[str]:
    others = json.loads(languages).get("tags", {}) if languages else {}
    return [*(json.loads(tags) if tags else []), *(tag for each in others.values() for tag in each or ())]


def _encoded(word: str) -> str:
    return base64.urlsafe_b64encode(word.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> str:
    try:
        word = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except ValueError:
        word = ""
    if not word.startswith("tag=") or "\0" in word:
        raise Invalid("The cursor is not one that the gallery gave out.", code="cursor")
    return word
