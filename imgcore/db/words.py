"""Words of images: who may replace whose, and their versions.

Every function here needs the image's row locked by the caller's transaction.

The columns caption, alt_text and tags hold the words in the gallery's own language. ``languages`` of an image
is JSON: for each field the codes of the languages that its words are known in, that of the column first with
null, the others with their words. ``languages`` of a version is that of its field.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imgcore.db.connection import Transaction
from imgcore.db.mapping import NAME, WORD, Row, field_source, moment, storable_tags
from imgcore.db.statements import sql
from imgcore.db.word_index import update_search_text
from imgcore.gallery.models import Description, Source, WordField, WordVersion
from imgcore.text import storable

HISTORY_LIMIT = 300  # versions of one image that are listed

_CURRENT = (
    "SELECT caption, alt_text, tags, source, caption_source, alt_text_source, tags_source, model,"
    " prompt_version, input_tokens, output_tokens, price_usd, caption_generated_at, languages FROM images"
    " WHERE id = :image_id"
)
_ADD = (
    "INSERT INTO word_versions (image_id, change_id, field, value, source, applied, undoes, created_at,"
    " account_id, languages, model, prompt_version, input_tokens, output_tokens, price_usd) VALUES (:image_id,"
    " :change_id, :field, :value, :source, :applied, :undoes, {now}, :account_id, :languages, :model,"
    " :prompt_version, :input_tokens, :output_tokens, :price_usd)"
)
# What was stored before versions were kept becomes the first version, when it is about to be replaced.
_ADD_FIRST = (
    "INSERT INTO word_versions (image_id, change_id, field, value, source, applied, created_at,"
    " languages, model, prompt_version, input_tokens, output_tokens, price_usd) VALUES (:image_id, :first,"
    " :field, :value, :source, 1, COALESCE(:created_at, {now}), :languages, :model,"
    " :prompt_version, :input_tokens, :output_tokens, :price_usd)"
)
_HISTORY = (
    "SELECT v.*, a.name AS account FROM word_versions v LEFT JOIN accounts a ON a.id = v.account_id"
    " WHERE v.image_id = :image_id ORDER BY v.id DESC LIMIT :limit"
)
_EMPTY = {WordField.CAPTION: "", WordField.ALT_TEXT: "", WordField.TAGS: "[]"}
# They are no longer what the field had before a later change.
_CLEAR = "UPDATE word_versions SET applied = 0 WHERE image_id = :image_id AND field = :field AND applied = 1"
Languages = Mapping[str, Any]  # of one field: by code, null for the words of the column
FIRST = "first"  # the change_id of words that were stored before versions were kept
_FACTS = ("model", "prompt_version", "input_tokens", "output_tokens", "price_usd")


@dataclass(frozen=True, slots=True)
class Author:
    """The source of words: a person with or without an account, or a machine's answer."""

    source: Source
    account_id: int | None = None
    model: str | None = None
    prompt_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    price_usd: float | None = None

    @classmethod
    def of(cls, description: Description) -> Author:
        """Return the author of a description."""
        return cls(
            source=description.source,
            model=storable(description.model, NAME) if description.model else None,
            prompt_version=storable(description.prompt_version, WORD) if description.prompt_version else None,
            input_tokens=description.input_tokens,
            output_tokens=description.output_tokens,
            price_usd=description.price_usd,
        )


def write_words(
    tx: Transaction,
    image_id: int,
    words: Mapping[WordField, str],
    author: Author,
    languages: Mapping[WordField, Languages] | None = None,
) -> None:
    """Store the words that outrank those of the image, field by field, and a version of each.

    words: as the columns hold them. Equal words of a person in one language, whichever, are no change: a form
    sends all fields as they are shown.
    """
    change = Words(tx, image_id)
    for field, value in words.items():
        stored, known = change.source(field), (languages or {}).get(field, {})
        if author.source is Source.HUMAN and len(known) < 2 and value in change.shown(field):
            continue
        if author.source is stored and value == change.row[field]:
            if known != change.languages(field):
                change.set(field, value, stored, known)
                change.add_version(field, value, author, applied=True, languages=known)
            continue
        applied = stored is None or author.source.rank(field) >= stored.rank(field)
        if applied:
            change.set(field, value, author.source, known)
        change.add_version(field, value, author, applied=applied, languages=known)
    change.store(described=author.source is not Source.HUMAN)


def current_words(tx: Transaction, image_id: int) -> Mapping[WordField, Sequence[str | list[str]]]:
    """Return the words of each field in all languages; tags as lists."""
    change = Words(tx, image_id)
    return {
        field: [json.loads(text) if field is WordField.TAGS else text for text in change.shown(field)]
        for field in WordField
    }


def history(tx: Transaction, image_id: int) -> Sequence[WordVersion]:
    """Return the versions of an image's words, the newest first; the current ones also without a version."""
    change = Words(tx, image_id)
    rows = tx.rows(_HISTORY, image_id=image_id, limit=HISTORY_LIMIT)
    seen: set[str] = set()
    versions = [_version(row, change.row, seen) for row in rows]
    return [*versions, *(change.unversioned(field) for field in WordField if change.lacks_version(field))]


class Words:
    """The words of one image, and what one edit, answer or restore changes of them."""

    def __init__(self, tx: Transaction, image_id: int) -> None:
        [self.row] = tx.rows(_CURRENT, image_id=image_id)
        self._tx, self._image_id = tx, image_id
        self._id = secrets.token_hex(8)
        self._new: dict[str, str | None] = {}
        self._languages: dict[str, Languages] = json.loads(self.row["languages"] or "{}")
        known = "SELECT DISTINCT field FROM word_versions WHERE image_id = :image_id"
        self._versioned = {row["field"] for row in tx.rows(known, image_id=image_id)}

    def source(self, field: WordField) -> Source | None:
        return field_source(self.row, field)

    def languages(self, field: WordField) -> Languages:
        found: Languages = self._languages.get(field.value, {})
        return found

    def shown(self, field: WordField) -> list[str]:
        """Return the words of a field in all languages, as a form may send them back."""
        others = [value for value in self.languages(field).values() if value is not None]
        texts = [storable_tags(value) for value in others] if field is WordField.TAGS else others
        return [self.row[field] or _EMPTY[field], *texts]

    def lacks_version(self, field: WordField) -> bool:
        return self.row[field] is not None and field not in self._versioned

    def set(self, field: WordField, value: str, source: Source, languages: Languages) -> None:
        if self.lacks_version(field):
            self._add_first(field)
        self._new |= {field.value: value, f"{field}_source": source.value}
        self._languages.pop(field.value, None)
        if languages:
            self._languages[field.value] = languages

    def clear(self, field: WordField) -> None:
        """Leave the field without words, as it was before the first ones."""
        self._new |= {field.value: None, f"{field}_source": None}
        self._languages.pop(field.value, None)
        self._tx.execute(_CLEAR, image_id=self._image_id, field=field.value)

    def add_version(
        self,
        field: WordField,
        value: str,
        author: Author,
        *,
        applied: bool,
        languages: Languages,
        undoes: str | None = None,
    ) -> None:
        if self.lacks_version(field):
            self._add_first(field)
        self._tx.execute(
            _ADD,
            image_id=self._image_id,
            change_id=self._id,
            field=field.value,
            value=value,
            source=author.source.value,
            applied=int(applied),
            undoes=undoes,
            account_id=author.account_id,
            languages=_json(languages),
            **{name: getattr(author, name) for name in _FACTS},
        )

    def store(self, *, described: bool) -> None:
        """Write the new words. described: they are a new description, and not a person's."""
        if not self._new:
            return
        # Rows of 0.1.0 get the source of each field once, so that a new one does not speak for all
        row = self.row | {
            f"{field}_source": source.value for field in WordField if (source := self.source(field))
        }
        row |= self._new
        sources = [row[f"{field}_source"] for field in WordField if row[field] is not None]
        clock = "{now}" if described else "COALESCE(caption_generated_at, {now})" if sources else "NULL"
        statement = sql(
            "UPDATE images SET caption = :caption, alt_text = :alt_text, tags = :tags, source = :source,"
            " caption_source = :caption_source, alt_text_source = :alt_text_source, tags_source = :tags_source,"
            " languages = :languages, caption_generated_at = {clock} WHERE id = :image_id",
            clock=clock,
        )
        names = [name for field in WordField for name in (field.value, f"{field}_source")]
        values = {name: row[name] for name in names} | {"languages": _json(self._languages)}
        self._tx.execute(statement, image_id=self._image_id, source=next(iter(sources), None), **values)
        update_search_text(self._tx, self._image_id)

    def unversioned(self, field: WordField) -> WordVersion:
        facts = self._facts(field)
        source = self.source(field)
        created_at = moment(self.row["caption_generated_at"])
        assert source is not None
        assert created_at is not None
        return WordVersion(
            id=0,
            field=field,
            value=_shown(field, self.row[field]),
            source=source,
            created_at=created_at,
            applied=True,
            current=True,
            **facts,
        )

    def _add_first(self, field: WordField) -> None:
        source = self.source(field)
        assert source is not None
        self._tx.execute(
            _ADD_FIRST,
            image_id=self._image_id,
            first=FIRST,
            field=field.value,
            value=self.row[field],
            source=source.value,
            created_at=self.row["caption_generated_at"],
            languages=_json(self.languages(field)),
            **self._facts(field),
        )
        self._versioned.add(field.value)

    def _facts(self, field: WordField) -> dict[str, Any]:
        machine = self.source(field) not in (Source.HUMAN, Source.EMBEDDED)
        return {name: self.row[name] if machine else None for name in _FACTS}


def _version(row: Row, current: Row, seen: set[str]) -> WordVersion:
    field, created_at = WordField(row["field"]), moment(row["created_at"])
    assert created_at is not None
    is_current = bool(row["applied"]) and field.value not in seen and current[field] == row["value"]
    if row["applied"]:
        seen.add(field.value)
    return WordVersion(
        id=row["id"],
        field=field,
        value=_shown(field, row["value"]),
        source=Source(row["source"]),
        created_at=created_at,
        applied=bool(row["applied"]),
        current=is_current,
        account=row["account"],
        **{name: row[name] for name in _FACTS},
    )


def _json(languages: Mapping[str, Any]) -> str | None:
    return json.dumps(languages, ensure_ascii=False) if languages else None


def _shown(field: WordField, value: str) -> str | tuple[str, ...]:
    return tuple(json.loads(value)) if field is WordField.TAGS else value
