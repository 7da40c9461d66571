"""Names of images and their keys in the two buckets. Pure."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from imgcore.gallery.limits import MEDIA_TYPES, RAW_PREFIX
from imgcore.gallery.media_types import type_of_ending
from imgcore.text import cut_to_bytes, printable

if TYPE_CHECKING:
    from imgcore.gallery.models import NewImage

NAME_BYTES = 255  # the limit of common file systems
_LONGEST_ENDING = 16  # characters
THUMBNAIL_SIDE = 200  # pixels; a second one for dense screens has twice as many
GRID_HEIGHT = 360  # pixels of the picture in the timeline, whose rows are 160 to 320 high
GRID_ASPECTS = (0.4, 3.0)  # width by height of the narrowest and the widest picture there
DISPLAY_SIDE = 1600  # pixels, of the longer side
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")
_ANY_CONTENT = "bin"  # the ending of a key where only the content shows the media type


def new_public_id() -> str:
    """Return a random public id: 32 hexadecimal digits (128 bits)."""
    return secrets.token_hex(16)


def is_public_id(text: str) -> bool:
    """Return whether ``text`` has the form of a public id."""
    return _PUBLIC_ID.fullmatch(text) is not None


def raw_key(public_id: str, media_type: str | None) -> str:
    """Return the original's key in the uploads bucket. media_type: None where only the content shows it."""
    return f"{RAW_PREFIX}{public_id}.{MEDIA_TYPES[media_type] if media_type else _ANY_CONTENT}"


def thumbnail_key(public_id: str, side: int) -> str:
    """Return the key of a thumbnail of ``side`` pixels in the derived bucket."""
    return f"thumbnails/{public_id}/{side}.webp"


def grid_key(public_id: str) -> str:
    """Return the key of the picture for the timeline in the derived bucket."""
    return f"thumbnails/{public_id}/grid.webp"


def display_key(public_id: str) -> str:
    """Return the key of the display image in the derived bucket."""
    return f"display/{public_id}/{DISPLAY_SIDE}.webp"


def derived_keys(public_id: str) -> list[str]:
    """Return the keys of all derived images of one image."""
    sides = (THUMBNAIL_SIDE, 2 * THUMBNAIL_SIDE)
    thumbnails = [thumbnail_key(public_id, side) for side in sides]
    return [*thumbnails, grid_key(public_id), display_key(public_id)]


def is_raw_key(key: str) -> bool:
    """Return whether ``raw_key`` gives out such keys."""
    stem, _, ending = key.removeprefix(RAW_PREFIX).partition(".")
    return is_public_id(stem) and ending in {*MEDIA_TYPES.values(), _ANY_CONTENT}


def new_image_for_key(key: str) -> NewImage | None:
    """Return the row to insert for an object that was uploaded without a form of the gallery.

    None for a key of the gallery's own: its row was inserted before its form was given out, so that an image
    without one was deleted for good.
    """
    from imgcore.gallery.models import NewImage

    if is_raw_key(key):
        return None
    name = key.removeprefix(RAW_PREFIX)
    return NewImage(
        public_id=new_public_id(),
        image_key=key,
        name=clean_name(name),
        media_type=type_of_ending(name),
        size=None,
        expires_in=0.0,
    )


def clean_name(name: str) -> str:
    """Return a file name fit to show and to save: no folders, no invisible characters, at most 255 bytes.

    A longer one is cut before its ending.
    """
    clean = printable(re.split(r"[/\\]", name)[-1]) or "photo"
    if len(clean.encode()) <= NAME_BYTES:
        return clean
    stem, dot, ending = clean.rpartition(".")
    if not stem or len(ending) > _LONGEST_ENDING:
        stem, dot, ending = clean, "", ""
    return cut_to_bytes(stem, NAME_BYTES - len(f"{dot}{ending}".encode())) + dot + ending
