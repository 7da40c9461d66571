"""Albums and who may see and change them. Pure data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from imgcore.errors import Invalid
from imgcore.gallery.edits import same_words
from imgcore.gallery.models import Image
from imgcore.gallery.places import Place, place_in
from imgcore.text import is_showable, one_line, without_overrides

NAME_LENGTH = 100  # characters
UNTITLED = "Untitled"  # where a name has no visible character
DESCRIPTION_LENGTH = 2000  # characters
IDS = 1000  # images in one request
ALBUM_IMAGES = 10_000
ALBUMS = 1000  # of one account
MEMBERS = 100  # of one album
_OWN = "own."  # begins the cursor after one of the viewer's albums


class AlbumOrder(StrEnum):
    """The order of an album's images."""

    DATE = "date"  # the oldest first, by the camera's time, else the time of the upload
    HAND = "hand"  # as the album's owner arranges them


class AlbumRole(StrEnum):
    """What the current user may do with an album."""

    OWNER = "owner"
    ADD = "add"  # view, add images of one's own, remove them again
    VIEW = "view"


class ItemResult(StrEnum):
    """What an action on many images did with one of them."""

    ADDED = "added"
    PRESENT = "present"  # it was in the album already
    REMOVED = "removed"
    NOT_FOUND = "not_found"
    FORBIDDEN = "forbidden"  # visible, but another account's
    FULL = "full"  # the album holds as many images as it may
    CHANGED = "changed"  # its tags
    UNCHANGED = "unchanged"  # there was nothing to do
    TOO_MANY_TAGS = "too_many_tags"
    QUEUED = "queued"  # to be described again
    TRASHED = "trashed"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Member:
    """An account with which an album is shared."""

    name: str
    may: AlbumRole  # VIEW or ADD


@dataclass(frozen=True, slots=True)
class Album:
    """An album as the current user sees it. images, first_at, last_at, cover: of the images that they see.

    members: only for the owner. Times of images are those of the camera, else of the upload.
    """

    id: int
    public_id: str
    name: str
    description: str
    order: AlbumOrder
    role: AlbumRole
    created_at: datetime
    updated_at: datetime
    owner: str | None = None  # the name of the account; None in open mode
    images: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    cover: Image | None = None
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class AlbumCursor:
    """The album after which a list goes on. own: it is one of the viewer's, not of others."""

    place: Place
    own: bool

    def text(self) -> str:
        """Return the cursor as the API gives it out."""
        return f"{_OWN if self.own else ''}{self.place.text()}"

    @classmethod
    def read(cls, cursor: str) -> AlbumCursor:
        """Return the cursor of a text. Invalid."""
        return cls(place_in(cursor.removeprefix(_OWN)), cursor.startswith(_OWN))


@dataclass(frozen=True, slots=True)
class AlbumList:
    """Albums, the last changed first. next: the cursor of the albums that follow; None where there are none."""

    albums: tuple[Album, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class AlbumChanges:
    """What to change of an album; None leaves a field as it is. cover: a public id, empty for none."""

    name: str | None = None
    description: str | None = None
    order: AlbumOrder | None = None
    cover: str | None = None


def changed_fields(sent: AlbumChanges, shown: AlbumChanges) -> AlbumChanges:
    """Return the fields of a form that differ from those that it showed, and those that it did not show."""
    return AlbumChanges(
        name=None if same_words(sent.name, shown.name) else sent.name,
        description=None if same_words(sent.description, shown.description) else sent.description,
        order=None if sent.order is shown.order else sent.order,
        cover=sent.cover,
    )


Results = Sequence[tuple[str, ItemResult]]  # public id and result, in the order of the request

_SENTENCES = {
    ItemResult.ADDED: ("{} added", "{} added"),
    ItemResult.PRESENT: ("{} was there already", "{} were there already"),
    ItemResult.REMOVED: ("{} removed", "{} removed"),
    ItemResult.CHANGED: ("{} changed", "{} changed"),
    ItemResult.QUEUED: ("{} will be described again", "{} will be described again"),
    ItemResult.TRASHED: ("{} moved to the trash", "{} moved to the trash"),
    ItemResult.RESTORED: ("{} restored", "{} restored"),
    ItemResult.UNCHANGED: ("{} needed no change", "{} needed no change"),
    ItemResult.TOO_MANY_TAGS: ("{} has too many tags", "{} have too many tags"),
    ItemResult.NOT_FOUND: ("{} was not found", "{} were not found"),
    ItemResult.FORBIDDEN: ("{} is not yours", "{} are not yours"),
    ItemResult.FULL: ("{} did not fit into the album", "{} did not fit into the album"),
}


def summary(results: Results) -> str:
    """Return what happened in one sentence: "11 added, 1 is not yours."."""
    counts = {kind: sum(result is kind for _, result in results) for kind in _SENTENCES}
    parts = [_SENTENCES[kind][count != 1].format(f"{count:,}") for kind, count in counts.items() if count]
    return f"{', '.join(parts)}." if parts else "Nothing was named."


def checked_name(name: str, what: str = "An album's name") -> str:
    """Return a name as it is stored: one line, without invisible characters. Invalid (``name``)."""
    if len(name) > NAME_LENGTH:
        raise Invalid(f"{what} may have at most {NAME_LENGTH} characters.", code="name")
    return one_line(name) or UNTITLED


def checked_description(text: str) -> str:
    """Return a description as it is stored, without direction overrides. Invalid (``description``)."""
    if len(text) > DESCRIPTION_LENGTH:
        raise Invalid(f"A description may have at most {DESCRIPTION_LENGTH:,} characters.", code="description")
    if not is_showable(text):
        raise Invalid("The description contains characters that cannot be shown.", code="description")
    return without_overrides(text).strip()


def checked_ids(ids: Iterable[str], most: int = IDS) -> list[str]:
    """Return the ids without doubles. Invalid (``ids``) where there are none or more than ``most``."""
    unique = list(dict.fromkeys(ids))
    if not 0 < len(unique) <= most:
        raise Invalid(f"Name 1 to {most:,} photos at once.", code="ids")
    return unique
