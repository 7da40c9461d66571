"""Tags that a person adds to an image or removes from it, whatever others changed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import storable_tags
from imgcore.db.words import Author, write_words
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.models import Source, WordField


class TagRepository(Repository):
    """The tags of images."""

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
            row = tx.row(
                "SELECT id, tags FROM images WHERE public_id = :public_id AND deleted_at IS NULL {for_update}",
                public_id=public_id,
            )
            if row is None:
                raise NotFound("There is no such photo.")
            present = [str(tag) for tag in json.loads(row["tags"] or "[]")]
            added = [tag for tag in add if tag not in present]
            removed = [tag for tag in present if tag in remove]
            tags = [tag for tag in present if tag not in removed] + added
            if added and len(tags) > most:
                raise Conflict(f"A photo may have at most {most} tags.", code="tags")
            if added or removed:
                author = Author(Source.HUMAN, account_id)
                write_words(tx, row["id"], {WordField.TAGS: storable_tags(tags)}, author)
            return [*added, *removed]

        return self._database.run(work)
