"""Share links: what they show, and until when. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from imgcore.collections.models import AlbumOrder, Results
from imgcore.errors import Invalid

DAYS = 7  # until a link ends, by default
MOST_DAYS = 365
SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 256  # characters
SHARES = 1000  # links of one account
LISTED = 100  # links of a list


class ShareKind(StrEnum):
    """What a link shows."""

    IMAGE = "image"
    SELECTION = "selection"
    ALBUM = "album"  # as it is when the link is opened


class ShareStatus(StrEnum):
    """Whether a link can be opened."""

    OPEN = "open"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ShareFiles(StrEnum):
    """Which files visitors of a link download."""

    DISPLAY = "display"
    ORIGINALS = "originals"  # without their metadata, which may say where a photo was taken
    AS_UPLOADED = "as_uploaded"


@dataclass(frozen=True, slots=True)
class NewShare:
    """A link to create. ids: of images, in their order; empty for an album. password: None for none.

    files: what a download is, where ``download`` allows it.
    """

    title: str = ""
    ids: tuple[str, ...] = ()
    album: str | None = None
    days: int = DAYS
    password: str | None = None
    download: bool = False
    files: ShareFiles = ShareFiles.DISPLAY


@dataclass(frozen=True, slots=True)
class Share:
    """A link, without its token, which is shown only once.

    title: empty where the creator gave none. password: the hash; None where there is none. images: those that
    the link shows now. owner_id: the creator; None in open mode. files: see NewShare.
    """

    id: int
    public_id: str
    token_hash: str
    kind: ShareKind
    status: ShareStatus
    title: str
    download: bool
    created_at: datetime
    expires_at: datetime
    opened: int
    files: ShareFiles = ShareFiles.DISPLAY
    password: str | None = None
    owner_id: int | None = None
    owner: str | None = None
    album_id: int | None = None
    album: str | None = None  # public id
    album_name: str | None = None
    album_order: str | None = None
    revoked_at: datetime | None = None
    last_opened_at: datetime | None = None
    images: int = 0

    @property
    def by_date(self) -> bool:
        """Whether the images are ordered by date, as those of most albums; else by hand."""
        return self.album_order == AlbumOrder.DATE

    @property
    def name(self) -> str:
        """The title for people."""
        number = f"{self.images:,} photo{'' if self.images == 1 else 's'}"
        return self.title or self.album_name or number


class CreatedShare(NamedTuple):
    """A new link. token: is not stored and cannot be read again. left_out: the images that it does not show."""

    share: Share
    token: str
    left_out: Results = ()


@dataclass(frozen=True, slots=True)
class ShareList:
    """Links, the open ones first. next: the cursor of the links that follow; None where there are none."""

    shares: tuple[Share, ...]
    next: str | None


def checked_days(days: int) -> int:
    """Return the days until a link ends. Invalid (``days``)."""
    if not 1 <= days <= MOST_DAYS:
        raise Invalid(f"days must be a whole number from 1 to {MOST_DAYS}.", code="days")
    return days


def check_password(password: str) -> None:
    """Check the password of a new link. Invalid (``password``)."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Invalid(
            f"The password of a link has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.", code="password"
        )
