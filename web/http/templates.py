"""Page templates, compiled once. All values are escaped; only the layout inserts a page unescaped."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bottle import SimpleTemplate, request, touni

from imgcore.gallery.languages import Language
from imgcore.gallery.models import MAX_PIXELS, MAX_SIDE
from imgcore.text import file_size, without_overrides
from web import serializers
from web.http.assets import StaticFiles
from web.http.auth import caller
from web.http.language import current_language
from web.http.navigation import destinations
from web.limits import LIMITS
from web.limits import TEXT as LIMITS_TEXT

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
    "tif": "TIFF",
}


class _Template(SimpleTemplate):  # type: ignore[misc] # Bottle has no types
    """A template that escapes what needs it: Bottle's five replacements would take most of a page's time."""

    def prepare(self, **options: Any) -> None:
        super().prepare(**options)
        self._escape = _escape


def _escape(value: Any) -> str:
    """Return a value as HTML, as Bottle's html_escape does: a search for each character is the quickest."""
    text = value if type(value) is str else str(touni(value))
    if "&" in text:  # first, because the others bring it in
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "'" in text:
        text = text.replace("'", "&#039;")
    return text


@functools.cache
def _templates() -> dict[str, _Template]:
    """Return the templates by their names. A template compiles itself at its first use, once a process."""
    return {path.stem: _Template(name=path.name, lookup=[str(VIEWS)]) for path in sorted(VIEWS.glob("*.tpl"))}


@functools.cache
def _sources() -> bytes:
    return b"".join(path.read_bytes() for path in sorted(VIEWS.glob("*.tpl")))


class TemplateRenderer:
    """Renders the templates under views/. release, describer, languages: for menu and About.

    version: of all that does not depend on the request: templates, static files and settings.
    """

    def __init__(
        self, assets: StaticFiles, *, release: str, describer: str, languages: Sequence[Language] = ()
    ) -> None:
        self._languages = languages
        settings = repr((assets.version, release, describer, languages))
        self.version = hashlib.sha256(settings.encode() + _sources()).hexdigest()[:16]
        self._shared: dict[str, Any] = {
            "static": assets.prefix,
            "samples": assets.samples,
            "scripts": assets.imported,
            "release": release,
            "describer": describer,
            "file_size": file_size,
            "search_path": serializers.search_path,
            "type_names": type_names,
            "max_megapixels": MAX_PIXELS // 1_000_000,
            "max_side": f"{MAX_SIDE:,}",
            "destinations": destinations,
            "without_overrides": without_overrides,
            "quoted": lambda text: quote(text, safe=""),
            "blank": serializers.blank(),
            "blank_pixel": BLANK_PIXEL,
            "shared": LIMITS,
            "shared_text": LIMITS_TEXT,
        }
        self._templates = _templates()

    def render(self, name: str, /, **values: Any) -> str:
        """Return the page ``name``; the template sees ``values`` and what all pages share.

        here: the address to which a choice of the language returns, by default that of the request. A page that
        is kept must give its own, of what is in its key.
        """
        shown = {
            "caller": caller(),
            "languages": self._languages,
            "language": current_language(self._languages),
            "here": _here(),
        }
        return str(self._templates[name].render(self._shared, **(shown | values)))

    def fragment(self, name: str, /, **values: Any) -> str:
        """Return a part of pages that does not depend on the request; see render for the rest."""
        return str(self._templates[name].render(self._shared, **values))


def _here() -> str:
    """Return the path and the query of the current request; "/" for what is not to be requested again."""
    if request.environ.get("REQUEST_METHOD") != "GET":
        return "/"
    query = request.environ.get("QUERY_STRING", "")
    path = quote(request.environ.get("PATH_INFO", "/").encode("latin-1", "replace"))
    return f"{path}?{query}" if query else path


def type_names(endings: Iterable[str]) -> str:
    """Return file endings as a list for people: "JPEG, PNG or WebP". HEIF is left out beside HEIC."""
    listed = dict.fromkeys(endings)
    if "heic" in listed:
        listed.pop("heif", None)
    known = [_TYPE_NAMES.get(ending, ending.upper()) for ending in listed]
    return " or ".join(part for part in (", ".join(known[:-1]), known[-1]) if part) if known else "Nothing"
