"""Use cases of albums: create, change, share with accounts, add and arrange images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgcore.collections.models import (
    Album,
    AlbumChanges,
    AlbumCursor,
    AlbumList,
    AlbumOrder,
    AlbumRole,
    ItemResult,
    Results,
    changed_fields,
    checked_description,
    checked_ids,
    checked_name,
)
from imgcore.errors import Conflict, Forbidden, Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import EVERYBODY, Image, Page, Viewer
from imgcore.gallery.places import place_in

if TYPE_CHECKING:
    from imgcore.db.albums import AlbumRepository
    from imgcore.db.images import ImageRepository

PAGE_LIMIT = 100  # images a page
_NOTHING = AlbumChanges()


@dataclass(frozen=True, slots=True)
class Albums:
    """The albums. viewer: the rights of the current user.

    An album belongs to the account that created it, and in open mode to everybody. It contains images that
    their owner, or an administrator, has added; the accounts that it is shared with see these.
    """

    rows: AlbumRepository
    images: ImageRepository
    viewer: Viewer = EVERYBODY

    def for_viewer(self, viewer: Viewer) -> Albums:
        """Return the albums with the rights of ``viewer``."""
        return self if viewer == self.viewer else replace(self, viewer=viewer)

    def listed(self, cursor: str | None = None) -> AlbumList:
        """Return all albums of the viewer and up to 1,000 others that they see; fewer of many photos.

        cursor: ``next`` of the previous list, for those that follow. Invalid.
        """
        if cursor is None:
            return self.rows.listed(self.viewer, None)
        following = AlbumCursor.read(cursor)
        return self.rows.listed(self.viewer, following.place, own=following.own)

    def get(self, public_id: str) -> Album:
        """Return an album that the viewer sees. NotFound."""
        album = self.rows.get(public_id, self.viewer) if is_public_id(public_id) else None
        if album is None:
            raise NotFound("There is no such album.")
        return album

    def create(self, name: str, description: str = "", order: AlbumOrder = AlbumOrder.DATE) -> Album:
        """Create an album of the viewer's. Invalid: name, description."""
        cleaned = checked_name(name), checked_description(description)
        return self.get(self.rows.create(*cleaned, order, self.viewer))

    def edit(self, public_id: str, changes: AlbumChanges, shown: AlbumChanges = _NOTHING) -> Album:
        """Change what is given. Invalid: name, description. NotFound for a cover that is not in the album.

        shown: what a form showed; equal fields stay as they are. Conflict (``changed``), and nothing is stored,
        where one that differs was changed by others meanwhile.
        """
        album = self._owned(public_id)
        changes = changed_fields(changes, shown)
        if changes.name is not None:
            changes = replace(changes, name=checked_name(changes.name))
        if changes.description is not None:
            changes = replace(changes, description=checked_description(changes.description))
        self.rows.edit(album.id, changes, shown)
        return self.get(public_id)

    def delete(self, public_id: str) -> None:
        """Delete an album; its images stay."""
        self.rows.delete(self._owned(public_id).id)

    def page(self, album: Album, limit: int = 40, cursor: str | None = None) -> Page:
        """Return ``limit`` images (1 to 100) of an album. cursor: ``next`` of the previous page. Invalid."""
        if not 1 <= limit <= PAGE_LIMIT:
            raise Invalid(f"limit must be a whole number from 1 to {PAGE_LIMIT}.", code="limit")
        timed = album.order is AlbumOrder.DATE
        place = place_in(cursor, timed=timed) if cursor is not None else None
        return self.rows.page(album.id, album.order, self.viewer, place=place, limit=limit)

    def public_ids(self, album: Album) -> Sequence[str]:
        """Return the ids of all images that the viewer sees in an album, in its order."""
        return self.rows.public_ids(album.id, album.order, self.viewer)

    def image(self, album: Album, public_id: str) -> tuple[Image, int, Sequence[str]]:
        """Return an image of an album, its number from 0, and the ids of all. NotFound."""
        ids = self.public_ids(album)
        image = self.images.get(public_id) if public_id in ids else None
        if image is None:
            raise NotFound("This photo is not in the album.")
        return image, ids.index(public_id), ids

    def add(self, public_id: str, ids: Sequence[str], *, undoing: bool = False) -> Results:
        """Add images of the viewer's. Forbidden for a viewer who may only view. Invalid: ids.

        undoing: images that the viewer took out within a day are put back as they were, also those of others.
        """
        album = self.get(public_id)
        return _merge(
            checked_ids(ids),
            lambda known: self.rows.add_images(album.id, known, self.viewer, undoing=undoing),
        )

    def remove(self, public_id: str, ids: Sequence[str]) -> Results:
        """Take images out of an album: its owner any, others those that they added or own. Invalid: ids."""
        album = self.get(public_id)
        owner = album.role is AlbumRole.OWNER
        return _merge(
            checked_ids(ids),
            lambda known: self.rows.remove_images(album.id, known, self.viewer, owner=owner),
        )

    def move(self, public_id: str, image: str, before: str | None) -> None:
        """Place an image before another one, or at the end. Conflict (``order``) unless ordered by hand."""
        album = self._owned(public_id)
        if album.order is not AlbumOrder.HAND:
            raise Conflict("Choose the order by hand before you move photos.", code="order")
        self.rows.move(album.id, image, before)

    def set_member(self, public_id: str, name: str, may: AlbumRole) -> Album:
        """Share an album with an account. may: VIEW or ADD. NotFound, Invalid (``name``)."""
        if may is AlbumRole.OWNER:
            raise Invalid("An account may view an album or add to it.", code="may")
        self.rows.set_member(self._owned(public_id).id, name.strip().lower(), may)
        return self.get(public_id)

    def remove_member(self, public_id: str, name: str) -> None:
        """End the sharing with an account and take out what it added; a member may do that for themselves."""
        album = self.get(public_id)
        only = None if album.role is AlbumRole.OWNER else self.viewer.account_id
        self.rows.remove_member(album.id, name.strip().lower(), only=only)

    def _owned(self, public_id: str) -> Album:
        album = self.get(public_id)
        if album.role is not AlbumRole.OWNER:
            raise Forbidden("This album belongs to another account.")
        return album


def _merge(ids: Sequence[str], work: Callable[[Sequence[str]], Results]) -> Results:
    """Return the results of ``work`` for the well-formed ids, and NOT_FOUND for the others, in their order."""
    known = [public_id for public_id in ids if is_public_id(public_id)]
    found = dict(work(known)) if known else {}
    return [(public_id, found.get(public_id, ItemResult.NOT_FOUND)) for public_id in ids]
