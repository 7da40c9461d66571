"""The rights of those who look at the gallery. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.gallery.states import UploadStatus

if TYPE_CHECKING:
    from imgcore.gallery.models import Image


@dataclass(frozen=True, slots=True)
class Viewer:
    """The current user's read and write rights. By default everything is permitted.

    account_id: the owner of "own" images. sees_others: the received images of others are visible.
    changes_others: they may also be changed, downloaded and restored.
    """

    account_id: int | None = None
    sees_others: bool = True
    changes_others: bool = True

    def changes(self, image: Image) -> bool:
        """Return whether the viewer has the rights of the owner of ``image``."""
        return self.changes_others or (self.account_id is not None and image.owner_id == self.account_id)

    def sees(self, image: Image) -> bool:
        """Return whether ``image`` is visible to the viewer."""
        visible = image.upload_status is UploadStatus.RECEIVED and image.deleted_at is None
        return self.changes(image) or (self.sees_others and visible)


EVERYBODY = Viewer()
