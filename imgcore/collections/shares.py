"""Use cases of share links: create, list and revoke them, and what a visitor sees."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imgcore.accounts import throttle
from imgcore.accounts.models import Hasher, clean_password, count_attempt
from imgcore.accounts.tokens import hash_token
from imgcore.collections.models import IDS, AlbumRole, ItemResult, Results, checked_ids, checked_name, summary
from imgcore.collections.selections import SELECTED
from imgcore.collections.share_models import (
    CreatedShare,
    NewShare,
    Share,
    ShareKind,
    ShareList,
    ShareStatus,
    check_password,
    checked_days,
)
from imgcore.errors import Forbidden, Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import EVERYBODY, Image, Page, Viewer
from imgcore.gallery.places import place_in

if TYPE_CHECKING:
    from imgcore.collections.albums import Albums
    from imgcore.db.images import ImageRepository
    from imgcore.db.login_throttle import LoginThrottle
    from imgcore.db.shares import ShareRepository

TOKEN_LENGTH = 32  # characters; 192 random bits
_NO_LINK = (
    "This link does not show anything: it is not complete, has ended, or was revoked."
    " Ask the person who sent it for another one."
)


@dataclass(frozen=True, slots=True)
class Shares:
    """The share links. viewer: the rights of the current user. hasher: called when a password is needed.

    A link shows the images that its creator may change when it is opened: the derived images and the words, the
    originals where it says so, and nothing else of them.
    """

    rows: ShareRepository
    albums: Albums
    images: ImageRepository
    attempts: LoginThrottle
    hasher: Callable[[], Hasher]
    viewer: Viewer = EVERYBODY
    clock: Callable[[], float] = time.time  # Unix time in seconds

    def for_viewer(self, viewer: Viewer) -> Shares:
        """Return the links with the rights of ``viewer``."""
        return self if viewer == self.viewer else replace(self, viewer=viewer)

    # The creator

    def listed(self, cursor: str | None = None) -> ShareList:
        """Return 100 links of the viewer's, the open ones first; an administrator sees those of all accounts.

        cursor: ``next`` of the previous list, for the links that follow. Invalid.
        """
        return self.rows.listed(self.viewer, place_in(cursor, timed=False) if cursor is not None else None)

    def get(self, public_id: str) -> Share:
        """Return a link of the viewer's. NotFound."""
        share = self.rows.get(public_id) if is_public_id(public_id) else None
        if share is None or not self._owns(share):
            raise NotFound("There is no such link.")
        return share

    def create(self, new: NewShare) -> CreatedShare:
        """Create a link. Images that are not the viewer's are left out.

        Invalid: ids, days, password, title. NotFound, Forbidden: the album or all images are not the viewer's.
        """
        checked_days(new.days)
        if new.password is not None:
            check_password(new.password)
        title = checked_name(new.title, "A title") if new.title.strip() else ""
        if (new.album is None) == (not new.ids):
            raise Invalid("Name either photos or an album.", code="ids")
        ids, left_out = self.shareable(new.ids) if new.album is None else ([], [])
        if new.album is None and not ids:
            raise _refusal(left_out)
        album_id = self._own_album(new.album) if new.album is not None else None
        hashed = self.hasher().hash(clean_password(new.password)) if new.password is not None else None
        token = secrets.token_urlsafe(24)
        public_id = self.rows.create(
            replace(new, title=title, password=hashed),
            _kind(new, ids),
            hash_token(token),
            album_id=album_id,
            image_ids=ids,
            owner_id=self.viewer.account_id,
        )
        return CreatedShare(self.get(public_id), token, left_out)

    def revoke(self, public_id: str) -> Share:
        """End a link now; harmless where it has ended."""
        self.rows.revoke(self.get(public_id).id)
        return self.get(public_id)

    def _owns(self, share: Share) -> bool:
        mine = self.viewer.account_id is not None and share.owner_id == self.viewer.account_id
        return self.viewer.changes_others or mine

    def _own_album(self, public_id: str) -> int:
        album = self.albums.for_viewer(self.viewer).get(public_id)
        if album.role is not AlbumRole.OWNER:
            raise Forbidden("This album belongs to another account.")
        return album.id

    def shareable(self, public_ids: Sequence[str]) -> tuple[list[int], Results]:
        """Return the ids of the images that are the viewer's, in their order, and why others are left out."""
        wanted = checked_ids(public_ids, SELECTED)
        known = [public_id for public_id in wanted if is_public_id(public_id)]
        found: dict[str, Image] = {}
        for first in range(0, len(known), IDS):
            some = self.images.get_many(known[first : first + IDS])
            found |= {image.public_id: image for image in some}
        ids: list[int] = []
        left_out: list[tuple[str, ItemResult]] = []
        for public_id in wanted:
            image = found.get(public_id)
            if image is None or image.deleted_at is not None or not self.viewer.sees(image):
                left_out.append((public_id, ItemResult.NOT_FOUND))
            elif not self.viewer.changes(image):
                left_out.append((public_id, ItemResult.FORBIDDEN))
            else:
                ids.append(image.id)
        return ids, left_out

    # The visitor

    def open(self, token: str) -> Share:
        """Return the link of a token. NotFound, with one answer for wrong, expired and revoked ones."""
        share = self.rows.find(hash_token(token)) if is_token(token) else None
        if share is None or share.status is not ShareStatus.OPEN:
            raise NotFound(_NO_LINK, code="no_link")
        return share

    def count_visit(self, share: Share) -> None:
        """Store that the link was opened now."""
        self.rows.count_visit(share.id)

    def unlock(self, share: Share, password: str, address: str) -> str:
        """Return the proof that a visitor knows the password. Forbidden (``password``), TooManyTries."""
        tries = throttle.share_password(share.public_id, address, self.clock())
        count_attempt(self.attempts, *tries.counted)
        if not self.hasher().verify(share.password, clean_password(password)):
            raise Forbidden("The password is wrong.", code="password")
        self.attempts.reset(tries.forget, tries.refund)
        return self._proof(share)

    def is_unlocked(self, share: Share, proof: str) -> bool:
        """Return whether the link has no password, or ``proof`` was given for the present one."""
        return share.password is None or hmac.compare_digest(proof.encode(), self._proof(share).encode())

    def page(self, share: Share, limit: int, cursor: str | None = None) -> Page:
        """Return up to ``limit`` images that a link shows. cursor: ``next`` of the previous page. Invalid."""
        place = place_in(cursor, timed=share.by_date) if cursor is not None else None
        return self.rows.page(share, place=place, limit=limit)

    def public_ids(self, share: Share) -> Sequence[str]:
        """Return the ids of all images that a link shows, in its order."""
        return self.rows.public_ids(share)

    def image(self, share: Share, public_id: str) -> tuple[Image, int, Sequence[str]]:
        """Return an image of a link, its number from 0, and the ids of all. NotFound."""
        ids = self.rows.public_ids(share)
        image = self.images.get(public_id) if public_id in ids else None
        if image is None:
            raise NotFound("This photo is not shown by the link any more.")
        return image, ids.index(public_id), ids

    @staticmethod
    def _proof(share: Share) -> str:
        """Return a text that only the server can compute: the stored hash contains a random salt."""
        return hash_token(f"share {share.token_hash} {share.password}")


def is_token(text: str) -> bool:
    """Return whether ``text`` has the form of a token."""
    return len(text) == TOKEN_LENGTH and text.isascii() and text.replace("-", "").replace("_", "").isalnum()


def _refusal(left_out: Results) -> Forbidden | NotFound:
    """Return why none of the images can be shown by a link."""
    message = f"There is no photo to share: {summary(left_out)}"
    forbidden = any(result is ItemResult.FORBIDDEN for _, result in left_out)
    return Forbidden(message) if forbidden else NotFound(message)


def _kind(new: NewShare, ids: Sequence[int]) -> ShareKind:
    if new.album is not None:
        return ShareKind.ALBUM
    return ShareKind.IMAGE if len(ids) == 1 else ShareKind.SELECTION
