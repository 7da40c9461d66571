"""Changes of words that go back: undo, versions of the history, the machine's words.

Every function here needs the image's row locked by the caller's transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from imgcore.db.connection import Transaction
from imgcore.db.mapping import Row, in_list
from imgcore.db.statements import sql
from imgcore.db.words import FIRST, HISTORY_LIMIT, Author, Words
from imgcore.gallery.models import Source, WordField

_CHANGES = (
    "SELECT change_id, MIN(id) AS first_id, MIN(undoes) AS undoes FROM word_versions"
    " WHERE image_id = :image_id AND applied = 1 AND field IN ({fields}) GROUP BY change_id"
    " ORDER BY first_id DESC LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class ReplacedWords:
    """A change of one field. version_id: that it wrote. before: the one before; None where it was the first."""

    field: WordField
    version_id: int
    before: Row | None


@dataclass(frozen=True, slots=True)
class Change:
    """A change that can be undone. replaced: by field."""

    id: str
    replaced: Sequence[ReplacedWords]


def restore_version(tx: Transaction, image_id: int, version_id: int) -> bool:
    """Make a version current again, with its source; False where the image has no such version."""
    query = "SELECT * FROM word_versions WHERE id = :version_id AND image_id = :image_id"
    version = tx.row(query, version_id=version_id, image_id=image_id)
    if version is not None:
        _restore(tx, image_id, {WordField(version["field"]): version})
    return version is not None


def undo(tx: Transaction, image_id: int) -> bool:
    """Undo the last change; False where there is none that can be undone.

    Each field that it wrote gets the words that it would have without the change: those of before, or of a
    description that came since and was not used; none where there were none. Called again, it goes one change
    further back.
    """
    change = last_change(tx, image_id)
    if change is not None:
        take_back(tx, image_id, change)
    return change is not None


def take_back(tx: Transaction, image_id: int, change: Change) -> None:
    """Undo a change, see ``undo``."""
    versions = {each.field: _without(tx, image_id, each) for each in change.replaced}
    _restore(tx, image_id, versions, undoes=change.id)


def last_change(
    tx: Transaction, image_id: int, fields: Iterable[WordField] = tuple(WordField)
) -> Change | None:
    """Return the change of these fields that ``undo`` would undo; None where there is none.

    The first words of a machine are not undone: the field would have none.
    """
    undone: set[str] = set()
    names, values = in_list("field", (field.value for field in fields))
    changes = sql(_CHANGES, fields=names)
    for row in tx.rows(changes, image_id=image_id, limit=HISTORY_LIMIT, **values):
        if row["undoes"] is not None:
            undone.add(row["undoes"])
        elif row["change_id"] not in undone and (found := _replaced(tx, image_id, row["change_id"])):
            return Change(row["change_id"], found)
    return None


def restore_machine_words(tx: Transaction, image_id: int, fields: Iterable[WordField]) -> bool:
    """Replace a person's words by those of the highest rank, the latest of them; False where there are none.

    These are the words of a machine or the file that the image would have without the person's.
    """
    change = Words(tx, image_id)
    replaced = [field for field in fields if change.source(field) is Source.HUMAN]
    found = {field: _machine_version(tx, image_id, field) for field in replaced}
    known = {field: version for field, version in found.items() if version is not None}
    _restore(tx, image_id, known)
    return bool(known)


def _replaced(tx: Transaction, image_id: int, change_id: str) -> list[ReplacedWords]:
    """Return what a change replaced, by field; without the first words of a machine."""
    query = (
        "SELECT id, field, source FROM word_versions WHERE image_id = :image_id AND change_id = :change_id"
        " AND applied = 1"
    )
    found = []
    for row in tx.rows(query, image_id=image_id, change_id=change_id):
        before = _before(tx, image_id, row["field"], row["id"])
        if before is not None or (row["source"] == Source.HUMAN.value and change_id != FIRST):
            found.append(ReplacedWords(WordField(row["field"]), row["id"], before))
    return found


def _without(tx: Transaction, image_id: int, change: ReplacedWords) -> Row | None:
    """Return the version that a field would have without the change; None where it would have none.

    The words of a machine that came since are not applied as long as a person's stand.
    """
    query = (
        "SELECT * FROM word_versions WHERE image_id = :image_id AND field = :field AND id > :version_id"
        " AND applied = 0 AND source <> 'human' ORDER BY id"
    )
    found = change.before
    field = change.field
    for row in tx.rows(query, image_id=image_id, field=field.value, version_id=change.version_id):
        if found is None or Source(row["source"]).rank(field) >= Source(found["source"]).rank(field):
            found = row
    return found


def _restore(
    tx: Transaction, image_id: int, versions: Mapping[WordField, Row | None], undoes: str | None = None
) -> None:
    """Make these versions current, each as a new one; a field has no words where it has no version."""
    words = Words(tx, image_id)
    for field, version in versions.items():
        if version is None:
            words.clear(field)
            continue
        source = Source(version["source"])
        author = Author(source, version["account_id"], version["model"], version["prompt_version"])
        languages = json.loads(version["languages"] or "{}")
        words.set(field, version["value"], source, languages)
        words.add_version(field, version["value"], author, applied=True, languages=languages, undoes=undoes)
    words.store(described=False)


def _machine_version(tx: Transaction, image_id: int, field: WordField) -> Row | None:
    query = (
        "SELECT source, MAX(id) AS id FROM word_versions WHERE image_id = :image_id AND field = :field"
        " AND source <> 'human' GROUP BY source"
    )
    latest = tx.rows(query, image_id=image_id, field=field.value)
    if not latest:
        return None
    _, version_id = max((Source(row["source"]).rank(field), row["id"]) for row in latest)
    return tx.row("SELECT * FROM word_versions WHERE id = :version_id", version_id=version_id)


def _before(tx: Transaction, image_id: int, field: str, version_id: int) -> Row | None:
    """Return the version that was current before ``version_id`` was written."""
    return tx.row(
        "SELECT * FROM word_versions WHERE image_id = :image_id AND field = :field AND id < :version_id"
        " AND applied = 1 ORDER BY id DESC LIMIT 1",
        image_id=image_id,
        field=field,
        version_id=version_id,
    )
