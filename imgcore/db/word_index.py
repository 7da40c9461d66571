"""The search index: the table ``words`` holds each word of each photo, ``vocabulary`` each word once.

Every statement that changes what a photo is found under is followed by ``update_search_text`` in the same
transaction. The text of a photo ends with END_MARK once its words are stored: the generated column
``unindexed`` is 1 for rows that a release without this table has written, and the sweeper adds those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from imgcore.db.connection import Row, Transaction
from imgcore.db.mapping import in_list, moment
from imgcore.db.search_words import facet, index_words
from imgcore.db.statements import sql
from imgcore.text import fold_for_search

SEARCH_TEXT = 8000  # characters
END_MARK = "\n"  # never part of a folded text
_ROWS = 500  # rows of one INSERT

_SOURCES = (
    "SELECT i.id, i.name, i.caption, i.alt_text, i.tags, i.visible_text, i.taken_at, i.camera, i.source,"
    " i.languages, i.uploaded_at, i.format, i.media_type, i.width, i.height, i.owner_id,"
    " owner.name AS owner FROM images i LEFT JOIN accounts owner ON owner.id = i.owner_id"
    " WHERE i.id IN ({names})"
)


def search_text(row: Row) -> str:
    """Return the folded text that a photo is searched by, from its row with the owner's name."""
    taken_at = moment(row["taken_at"])
    texts = [row["caption"], row["alt_text"], *_in_other_languages(row, "caption", "alt_text")]
    parts = [row["name"], *texts, *_tags(row), row["visible_text"]]
    parts += [row["camera"], row["owner"], f"{taken_at:%Y-%m-%d %B}" if taken_at else None]
    return fold_for_search(" ".join(part for part in parts if part))[:SEARCH_TEXT]


def update_search_text(tx: Transaction, image_id: int) -> None:
    """Make the photo's present words searchable. The caller must have locked the row."""
    index_images(tx, [image_id])


def index_images(tx: Transaction, image_ids: Sequence[int]) -> None:
    """Make the present words of these photos searchable. The caller must have locked the rows."""
    names, values = in_list("id", image_ids)
    rows = tx.rows(sql(_SOURCES, names=names), **values)
    wanted: set[tuple[str, int]] = set()
    for row in rows:
        text = search_text(row)
        wanted.update((word, row["id"]) for word in index_words(text, _facets(row)))
        statement = "UPDATE images SET search_text = :text WHERE id = :image_id"
        tx.execute(statement, text=text + END_MARK, image_id=row["id"])
    stored = sql("SELECT word, image_id FROM words WHERE image_id IN ({names})", names=names)
    known = {(row["word"], row["image_id"]) for row in tx.rows(stored, **values)}
    for word, image_id in sorted(known - wanted):
        tx.execute(
            "DELETE FROM words WHERE word = :word AND image_id = :image_id", word=word, image_id=image_id
        )
    _insert_words(tx, sorted(wanted - known))


def index_unindexed(tx: Transaction, limit: int) -> int:
    """Index up to ``limit`` photos whose words were written by an older release; return how many."""
    found = tx.rows(
        "SELECT id FROM images WHERE unindexed = 1 ORDER BY id LIMIT :limit {for_update}", limit=limit
    )
    if found:
        index_images(tx, [row["id"] for row in found])
    return len(found)


def _insert_words(tx: Transaction, rows: Sequence[tuple[str, int]]) -> None:
    for words in _batches(sorted({word for word, _ in rows})):
        names, values = in_list("word", words)
        found = tx.rows(sql("SELECT word FROM vocabulary WHERE word IN ({names})", names=names), **values)
        new = sorted({*words} - {row["word"] for row in found})
        if new:
            places, values = in_list("word", new)
            listed = ", ".join(f"({name})" for name in places.split(", "))
            tx.execute(sql("{insert_ignore} vocabulary (word) VALUES {rows}", rows=listed), **values)
    for batch in _batches(rows):
        values = {f"word_{number}": word for number, (word, _) in enumerate(batch)}
        values |= {f"id_{number}": image_id for number, (_, image_id) in enumerate(batch)}
        listed = ", ".join(f"(:word_{number}, :id_{number})" for number in range(len(batch)))
        tx.execute(sql("INSERT INTO words (word, image_id) VALUES {rows}", rows=listed), **values)


def _batches(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[first : first + _ROWS] for first in range(0, len(rows), _ROWS))


def _tags(row: Row) -> list[str]:
    tags = json.loads(row["tags"]) if row["tags"] else []
    return [*tags, *(tag for tags in _in_other_languages(row, "tags") for tag in tags)]


def _in_other_languages(row: Row, *fields: str) -> list[Any]:
    known = json.loads(row["languages"]) if row["languages"] else {}
    return [value for field in fields for value in known.get(field, {}).values() if value is not None]


def _facets(row: Row) -> list[tuple[str, str]]:
    """Return what filters compare. Dates are there by decade, year, month and day."""
    taken_at, uploaded_at = moment(row["taken_at"]), moment(row["uploaded_at"])
    found = [("tag", tag) for tag in _tags(row)]
    found += [("source", row["source"])] if row["source"] else []
    found += [("owner", str(row["owner_id"]))] if row["owner_id"] is not None else []
    found += [("camera", row["camera"])] if row["camera"] else []
    found += [("type", _type(row))] if row["format"] or row["media_type"] else []
    if row["width"] and row["height"]:
        sides = row["width"] - row["height"]
        found.append(("orientation", "landscape" if sides > 0 else "portrait" if sides else "square"))
    for name, at in (("taken", taken_at), ("uploaded", uploaded_at), ("placed", taken_at or uploaded_at)):
        if at:
            found += [(name, f"{at.year // 10:03d}")]
            found += [(name, f"{at:{form}}") for form in ("%Y", "%Y-%m", "%Y-%m-%d")]
    return found


def _type(row: Row) -> str:
    """Return the content's type, else the declared one, without the name of a maker: jpeg, heic, dng."""
    found = (row["format"] or row["media_type"].removeprefix("image/")).lower()
    return "heic" if found == "heif" else str(found).rpartition("-")[2]


def owner_word(account_id: int | None) -> str:
    """Return the word under which the photos of an account are found."""
    return facet("owner", str(account_id))
