"""Changes of words that keep what others changed meanwhile: of single tags, and of a form's texts."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, storable_tags
from imgcore.db.undo import last_change, take_back
from imgcore.db.words import Author, current_words, write_words
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.edits import CHANGED, same_words
from imgcore.gallery.models import Edit, Source, WordField
from imgcore.text import without_overrides

_NAMES = {WordField.CAPTION: "the caption", WordField.ALT_TEXT: "the alt text", WordField.TAGS: "the tags"}

_Lists = Mapping[str, Sequence[str]]  # tags by the code of their language


class TagRepository(Repository):
    """The tags of images, and the words of forms."""

    def change_tags(
        self,
        public_id: str,
        *,
        add: Sequence[str] = (),
        remove: Collection[str] = (),
        most: int,
        account_id: int | None = None,
        language: str | None = None,
        undoing: bool = False,
    ) -> Sequence[str]:
        """Add and remove tags, with the source ``human``; return those that were added or removed.

        Tags are added where the list of the reader's ``language`` lacks them, and then to the lists of all
        languages; they are removed from all. most: the tags that a list may have. account_id: of the person.
        undoing: where the opposite was the last change of the tags, they are as without it, with the source.
        NotFound where the image does not exist or is in the trash, Conflict (``tags``) where it would have too
        many.
        """

        def work(tx: Transaction) -> list[str]:
            row = _lock(tx, public_id)
            lists = _lists(row["tags"], json.loads(row["languages"] or "{}").get("tags", {}))
            shown = lists.get(language or "", next(iter(lists.values())))
            added = [tag for tag in add if tag not in shown]
            changed = [*added, *dict.fromkeys(tag for tags in lists.values() for tag in _removed(tags, remove))]
            if not changed or (undoing and _undo(tx, row["id"], lists, add=added, remove=remove)):
                return changed
            new = _changed(lists, add=added, remove=remove)
            if added and any(len(tags) > most for tags in new.values()):
                raise Conflict(f"A photo may have at most {most} tags.", code="tags")
            own, *_ = new.values()
            known = {code: None if tags is own else tags for code, tags in new.items() if code}
            write_words(
                tx,
                row["id"],
                {WordField.TAGS: storable_tags(own)},
                Author(Source.HUMAN, account_id),
                {WordField.TAGS: known},
            )
            return changed

        return self._database.run(work)

    def edit(self, public_id: str, edit: Edit, shown: Edit, account_id: int | None = None) -> None:
        """Store a person's words as the images' ``edit`` does, where the words that they replace were shown.

        shown: the words that the person saw; None for a field that is stored in any case. NotFound where the
        image does not exist or is in the trash, Conflict (``changed``) where a field holds other words now.
        """
        given = {field: words for field in WordField if (words := getattr(edit, field)) is not None}
        texts = {
            field: words if isinstance(words, str) else storable_tags(words) for field, words in given.items()
        }
        languages = {field: {edit.language: None} for field in given} if edit.language else None
        seen = replace(shown, tags=None if shown.tags is None else _split(shown.tags))

        def work(tx: Transaction) -> None:
            image_id = _lock(tx, public_id)["id"]
            current = dict(current_words(tx, image_id))
            # A form shows tags separated by commas, of which a stored one may have some
            current[WordField.TAGS] = [_split(tags) for tags in current[WordField.TAGS]]
            changed = [
                _NAMES[field]
                for field, words in given.items()
                if (known := getattr(seen, field)) is not None
                and not any(same_words(text, known) or same_words(text, words) for text in current[field])
            ]
            if changed:
                raise Conflict(CHANGED.format(" and ".join(changed)), code="changed")
            write_words(tx, image_id, texts, Author(Source.HUMAN, account_id), languages)

        self._database.run(work)


def _split(tags: Sequence[str]) -> list[str]:
    return ",".join(tags).split(",")


def _lock(tx: Transaction, public_id: str) -> Row:
    row = tx.row(
        "SELECT id, tags, languages FROM images WHERE public_id = :public_id AND deleted_at IS NULL"
        " {for_update}",
        public_id=public_id,
    )
    if row is None:
        raise NotFound("There is no such photo.")
    return row


def _lists(value: str | None, languages: Mapping[str, Any]) -> _Lists:
    """Return the tags in each language, first those of the column, whose code is empty where it is unknown.

    value, languages: of the field, as imgcore.db.words has them.
    """
    own = json.loads(value or "[]")
    return {code: own if tags is None else tags for code, tags in languages.items()} or {"": own}


def _changed(lists: _Lists, *, add: Sequence[str], remove: Collection[str]) -> _Lists:
    kept = {code: [tag for tag in tags if tag not in _removed(tags, remove)] for code, tags in lists.items()}
    return {code: [*tags, *(tag for tag in add if tag not in tags)] for code, tags in kept.items()}


def _removed(tags: Sequence[str], remove: Collection[str]) -> list[str]:
    return [tag for tag in tags if tag in remove or without_overrides(tag) in remove]


def _undo(
    tx: Transaction, image_id: int, lists: _Lists, *, add: Sequence[str], remove: Collection[str]
) -> bool:
    """Undo the last change of the tags where it did just the opposite to them; return whether it was that."""
    change = last_change(tx, image_id, [WordField.TAGS])
    if change is None or [each.field for each in change.replaced] != [WordField.TAGS]:
        return False
    [replaced] = change.replaced
    version = replaced.before or {"value": None, "languages": None}
    before = _lists(version["value"], json.loads(version["languages"] or "{}"))
    if _changed(before, add=list(remove), remove=add) != lists:
        return False
    take_back(tx, image_id, change)
    return True
