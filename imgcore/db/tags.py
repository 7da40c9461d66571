"""Changes of words that keep what others changed meanwhile: of single tags, and of a form's texts."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, storable_tags
from imgcore.db.words import Author, current_words, write_words
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.edits import CHANGED, same_words
from imgcore.gallery.models import Edit, Source, WordField
from imgcore.text import without_overrides

_NAMES = {WordField.CAPTION: "the caption", WordField.ALT_TEXT: "the alt text", WordField.TAGS: "the tags"}


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
    ) -> Sequence[str]:
        """Add and remove tags, with the source ``human``; return those that were added or removed.

        most: the tags that an image may have. account_id: of the person. NotFound where the image does not
        exist or is in the trash, Conflict (``tags``) where it would have too many.
        """

        def work(tx: Transaction) -> list[str]:
            row = _lock(tx, public_id)
            present = [str(tag) for tag in json.loads(row["tags"] or "[]")]
            added = [tag for tag in add if tag not in present]
            removed = [tag for tag in present if tag in remove or without_overrides(tag) in remove]
            tags = [tag for tag in present if tag not in removed] + added
            if added and len(tags) > most:
                raise Conflict(f"A photo may have at most {most} tags.", code="tags")
            if added or removed:
                author = Author(Source.HUMAN, account_id)
                write_words(tx, row["id"], {WordField.TAGS: storable_tags(tags)}, author)
            return [*added, *removed]

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

        def work(tx: Transaction) -> None:
            image_id = _lock(tx, public_id)["id"]
            current = dict(current_words(tx, image_id))
            # A form shows tags separated by commas, of which a stored one may have some
            current[WordField.TAGS] = [",".join(tags).split(",") for tags in current[WordField.TAGS]]
            changed = [
                _NAMES[field]
                for field, words in given.items()
                if (known := getattr(shown, field)) is not None
                and not any(same_words(text, known) or same_words(text, words) for text in current[field])
            ]
            if changed:
                raise Conflict(CHANGED.format(" and ".join(changed)), code="changed")
            write_words(tx, image_id, texts, Author(Source.HUMAN, account_id), languages)

        self._database.run(work)


def _lock(tx: Transaction, public_id: str) -> Row:
    row = tx.row(
        "SELECT id, tags FROM images WHERE public_id = :public_id AND deleted_at IS NULL {for_update}",
        public_id=public_id,
    )
    if row is None:
        raise NotFound("There is no such photo.")
    return row
