"""What people do with the words of one image beside writing them: history, undo, machine's words, restore."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgcore.errors import Conflict, NotFound
from imgcore.gallery.edits import changed_words, checked_edit
from imgcore.gallery.models import Edit, Image, WordField, WordVersion

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery


@dataclass(frozen=True, slots=True)
class ImageWords:
    """Use cases on the words of an image, with the rights of the gallery's viewer.

    Methods raise NotFound and Forbidden as the gallery's, and Conflict where there is nothing to do.
    """

    gallery: Gallery

    def edit(self, public_id: str, sent: Edit, shown: Edit) -> None:
        """Store the words of a form that differ from those that it showed.

        Conflict (``changed``) where one of these holds other words meanwhile; nothing is stored then. Invalid:
        caption, alt_text, tags.
        """
        self.gallery.get_editable(public_id)
        if self.gallery.tags is None:
            raise NotFound("This gallery has no tags.")
        edit = replace(checked_edit(changed_words(sent, shown)), language=self.gallery.language)
        self.gallery.tags.edit(public_id, edit, shown, self.gallery.viewer.account_id)

    def history(self, public_id: str) -> Sequence[WordVersion]:
        """Return the versions of the words, the newest first, for viewers who may change the image."""
        self.gallery.get_editable(public_id)
        return self.gallery.images.history(public_id)

    def undo(self, public_id: str, seen: str | None = None) -> Image:
        """Restore the words that the last change replaced; called again, those before them.

        seen: the last change that a person has seen, "" for none. Conflict where it is another one by now.
        """
        self.gallery.get_editable(public_id)
        return _changed(self.gallery.images.undo(public_id, seen), "There is no earlier text to go back to.")

    def restore(self, public_id: str, version_id: int) -> Image:
        """Make a version of the history current again. NotFound where there is no such version."""
        self.gallery.get_editable(public_id)
        image = self.gallery.images.restore_version(public_id, version_id)
        if image is None:
            raise NotFound("There is no such version of the text.", code="version")
        return image

    def restore_machine_words(
        self, public_id: str, fields: Sequence[WordField] = tuple(WordField), seen: str | None = None
    ) -> Image:
        """Replace what a person wrote in ``fields`` by the latest of a model or the file. seen: see undo."""
        self.gallery.get_editable(public_id)
        image = self.gallery.images.restore_machine_words(public_id, fields, seen)
        return _changed(image, "There is no machine's text to go back to: describe the photo again.")


def _changed(image: Image | None, reason: str) -> Image:
    if image is None:
        raise Conflict(reason, code="nothing_to_restore")
    return image
