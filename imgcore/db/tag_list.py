"""The tags of a gallery in alphabetical order, with the number of photos that the viewer sees under each."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import in_list
from imgcore.db.search_words import END, facet
from imgcore.db.statements import sql
from imgcore.db.word_index import owner_word
from imgcore.errors import Invalid
from imgcore.gallery.listing import TagCount, Tags
from imgcore.gallery.models import Viewer

MOST_COUNTED = 500  # photos of one tag
_EXAMINED = 200  # words of the vocabulary for one page

_WORDS = (
    "SELECT word FROM vocabulary WHERE word > :after AND word >= :first AND word < :end"
    " ORDER BY word LIMIT :limit"
)
_IDS = (
    "SELECT w.image_id FROM words w {own} JOIN images i ON i.listed_id = w.image_id"
    " AND i.upload_status = 'received' WHERE w.word = :word ORDER BY w.image_id DESC LIMIT :limit"
)
_OWN = "JOIN words o ON o.image_id = w.image_id AND o.word = :owner"


class TagListRepository(Repository):
    """The tags as a viewer sees them."""

    def page(self, viewer: Viewer, *, cursor: str | None, limit: int, prefix: str = "") -> Tags:
        """Return up to ``limit`` tags that begin with ``prefix``, after ``cursor``. A page may be short."""
        after = _decoded(cursor) if cursor else ""
        return self._database.read_heavy(lambda tx: _page(tx, viewer, after, limit, facet("tag", prefix)))


def _page(tx: Transaction, viewer: Viewer, after: str, limit: int, first: str) -> Tags:
    found: list[tuple[str, list[int]]] = []
    rows = tx.tuples(_WORDS, after=after, first=first, end=first + END, limit=_EXAMINED + 1)
    words = [str(row[0]) for row in rows]
    examined = 0
    for examined, word in enumerate(words[:_EXAMINED], 1):  # noqa: B007 - used after the loop
        if ids := _ids(tx, word, viewer):
            found.append((word, ids))
        if len(found) == limit:
            break
    following = _encoded(words[examined - 1]) if examined < len(words) else None
    names = _as_written(tx, {word: ids[0] for word, ids in found})
    return Tags(
        tuple(
            TagCount(names[word], min(len(ids), MOST_COUNTED), more=len(ids) > MOST_COUNTED)
            for word, ids in found
        ),
        following,
    )


def _ids(tx: Transaction, word: str, viewer: Viewer) -> list[int]:
    """Return the newest photos of a tag that the viewer sees, one more than are counted."""
    if viewer.changes_others or viewer.sees_others:
        rows = tx.tuples(sql(_IDS, own=""), word=word, limit=MOST_COUNTED + 1)
    else:
        owner = owner_word(viewer.account_id)
        rows = tx.tuples(sql(_IDS, own=_OWN), word=word, owner=owner, limit=MOST_COUNTED + 1)
    return [row[0] for row in rows]


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
