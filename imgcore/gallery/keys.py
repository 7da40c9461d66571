"""Where things lie in the two buckets, and how they are named there. Pure."""

from __future__ import annotations

import re
import secrets

from imgcore.gallery.models import MEDIA_TYPES, RAW_PREFIX, NewImage
from imgcore.text import printable

NAME_LENGTH = 255  # characters
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


def new_public_id() -> str:
    """32 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(16)


def is_public_id(text: str) -> bool:
    """Whether ``text`` has the form of one."""
    return _PUBLIC_ID.fullmatch(text) is not None


def raw_key(public_id: str, media_type: str) -> str:
    """The original's key in the uploads bucket."""
    return f"{RAW_PREFIX}{public_id}.{MEDIA_TYPES[media_type]}"


def thumbnail_key(public_id: str, side: int) -> str:
    """The thumbnail's key in the derived bucket; ``side`` in pixels."""
    return f"thumbnails/{public_id}/{side}.webp"


def display_key(public_id: str, side: int) -> str:
    """The display image's key in the derived bucket; ``side`` is the longer one at most, in pixels."""
    return f"display/{public_id}/{side}.webp"


def derived_keys(public_id: str) -> list[str]:
    """All that is ever written for one photograph."""
    return [thumbnail_key(public_id, 200), thumbnail_key(public_id, 400), display_key(public_id, 1600)]


def adopted(key: str) -> NewImage:
    """A row for an object that came into the bucket without asking for a form first."""
    name = key.removeprefix(RAW_PREFIX)
    ending = name.rpartition(".")[2].lower()
    media_type = next((kind for kind, end in MEDIA_TYPES.items() if end == ending), None)
    return NewImage(
        public_id=new_public_id(),
        image_key=key,
        name=clean_name(name),
        media_type=media_type,
        size=None,
        expires_in=0.0,
    )


def clean_name(name: str) -> str:
    """A file's name as people may be shown it: no folders, no control characters, at most 255 characters."""
    return printable(re.split(r"[/\\]", name)[-1])[:NAME_LENGTH] or "photograph"
