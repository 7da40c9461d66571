"""Names of files in an archive: safe on every file system, and each once. Pure."""

from __future__ import annotations

import re
from itertools import count

from imgcore.gallery.keys import NAME_BYTES, clean_name
from imgcore.gallery.media_types import type_of_ending
from imgcore.gallery.models import MEDIA_TYPES
from imgcore.text import cut_to_bytes, normalized

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')  # in names on Windows
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)", re.IGNORECASE)
_RESERVE = 20  # bytes for a number and the ending of a sidecar


class FileNames:
    """Gives out names that no other file of the archive has, also where case or Unicode form does not count."""

    def __init__(self, *taken: str) -> None:
        self._taken = {_folded(name) for name in taken}
        self._tried: dict[tuple[str, str], int] = {}  # the last number of each stem and ending

    def unique(self, name: str, media_type: str | None) -> str:
        """Return a safe name like ``name``, with the ending of the type, and a number where it is taken."""
        stem, ending = _split(_safe(name), media_type)
        alike = _folded(stem), _folded(ending)
        for number in count(self._tried.get(alike, 0) + 1):
            found = f"{stem} ({number}){ending}" if number > 1 else f"{stem}{ending}"
            if self._is_free(found):
                break
        self._tried[alike] = number
        self._taken |= {_folded(found), _folded(f"{found}.xmp")}
        return found

    def _is_free(self, name: str) -> bool:
        return not self._taken & {_folded(name), _folded(f"{name}.xmp")}


def _safe(name: str) -> str:
    """Return the name without folders, invisible characters and what Windows does not allow."""
    cleaned = _FORBIDDEN.sub("_", clean_name(name)).strip(" .")
    if not cleaned.strip("_"):
        cleaned = "photo"
    return f"_{cleaned}" if _DEVICES.match(cleaned) else cleaned


def _split(name: str, media_type: str | None) -> tuple[str, str]:
    """Return stem and ending; another ending than one of the type is kept in the stem."""
    ending = MEDIA_TYPES.get(media_type or "")
    stem, dot, present = name.rpartition(".")
    if ending is None or (stem and type_of_ending(name) == media_type):
        stem, ending = (stem, f"{dot}{present}") if stem else (name, "")
    else:
        stem, ending = (stem if stem and type_of_ending(name) else name), f".{ending}"
    return cut_to_bytes(stem, NAME_BYTES - _RESERVE - len(ending.encode())), ending


def _folded(name: str) -> str:
    return normalized("NFC", normalized("NFC", name).casefold())
