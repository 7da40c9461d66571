"""The templates, compiled once. Every value that is put into one is escaped; only a page's own frame is not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bottle import SimpleTemplate

from web import serializers
from web.http.assets import Assets
from web.http.auth import caller

VIEWS = Path(__file__).parents[1] / "views"
BLANK_PIXEL = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
_TYPE_NAMES = {
    "jpg": "JPEG",
    "png": "PNG",
    "webp": "WebP",
    "gif": "GIF",
    "avif": "AVIF",
    "heic": "HEIC",
    "heif": "HEIF",
}


class Views:
    """Pages in the gallery's frame.

    release, describer: shown at the foot of every page.
    """

    def __init__(self, assets: Assets, *, release: str, describer: str) -> None:
        self._shared: dict[str, Any] = {
            "static": assets.prefix,
            "samples": assets.samples,
            "scripts": assets.imported,
            "release": release,
            "describer": describer,
            "file_size": serializers.file_size,
            "search_path": serializers.search_path,
            "type_names": type_names,
            "quoted": lambda text: quote(text, safe=""),
            "blank": serializers.blank(),
            "blank_pixel": BLANK_PIXEL,
        }
        self._templates = {
            path.stem: SimpleTemplate(name=path.name, lookup=[str(VIEWS)])
            for path in sorted(VIEWS.glob("*.tpl"))
        }

    def page(self, name: str, /, **values: Any) -> str:
        """The page ``name``, with these values beside those that every page has."""
        return str(self._templates[name].render(self._shared, caller=caller(), **values))


def type_names(endings: Iterable[str]) -> str:
    """JPEG, PNG or WebP for the endings jpg, png and webp; HEIF is HEIC's other name and not said twice."""
    listed = dict.fromkeys(endings)
    if "heic" in listed:
        listed.pop("heif", None)
    known = [_TYPE_NAMES.get(ending, ending.upper()) for ending in listed]
    return " or ".join(part for part in (", ".join(known[:-1]), known[-1]) if part) if known else "Nothing"
