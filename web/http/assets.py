"""The files under static/, read at start: no path of a request ever reaches the file system."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path

from bottle import HTTPResponse, request

from imgcore.gallery import foreign_formats
from web.http.auth import requires
from web.http.compression import accepts_gzip
from web.http.errors import Problem
from web.http.headers import SHARE_TARGET

STATIC = Path(__file__).parents[1] / "static"

# The mimetypes module is not used: its table differs between systems.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".jpg": "image/jpeg",
    ".md": "text/plain; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".png": "image/png",
}
# A page has one stylesheet, joined from files of css/ at start: each one more delays its first view.
_EVERY = ("base", "bar", "controls")
_PHOTO = (*_EVERY, "photo")
_COLLECTIONS = (*_EVERY, "collections")
SHEETS = {
    "every": _EVERY,
    "gallery": (
        *_EVERY, "timeline", "cards", "filters", "scrubber", "uploads", "empty", "selection",
    ),
    "photo": _PHOTO,
    "accounts": (*_PHOTO, "accounts"),
    "collections": _COLLECTIONS,
    "trash": (*_COLLECTIONS, "trash"),
}  # fmt: skip
# A service worker may be registered for addresses above its own where its script names them.
_WORKER_SCOPES = {"js/worker/share.js": SHARE_TARGET}
_COMMENT = re.compile(rb"/\*.*?\*/\s*", re.DOTALL)
# A quarter of a script's bytes. The lines stay, empty, so that errors name those of the source.
_SCRIPT_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*\*.*?\*/[ \t]*)", re.DOTALL | re.MULTILINE)
_IMPORT = re.compile(r'^import .*"(\.{1,2}/[a-z/]+\.js)";$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file. packed: ``data`` as gzip, None for formats that are compressed already."""

    data: bytes
    packed: bytes | None
    media_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample photo that an empty gallery offers, with its licence."""

    file: str
    title: str
    credit: str
    licence: str


class StaticFiles:
    """All static files. ``/static/…`` is revalidated on each use, ``/static/<version>/…`` cached for a year.

    The version is a hash over every file, so that JavaScript modules that import each other by relative paths
    always come from the same release.
    """

    def __init__(self, root: Path = STATIC) -> None:
        paths = sorted(path for path in root.rglob("*") if path.suffix in _TYPES and path.is_file())
        self._assets = {path.relative_to(root).as_posix(): _load(path) for path in paths}
        self._assets[foreign_formats.FILE.name] = _load(foreign_formats.FILE)
        self._assets |= {f"sheets/{name}.css": self._sheet(parts) for name, parts in SHEETS.items()}
        whole = "".join(f"{name}{asset.etag}" for name, asset in self._assets.items())
        self.version = hashlib.sha256(whole.encode()).hexdigest()[:12]
        self.samples = self._samples()
        self.imported = {
            name[3:-3]: self._imported(name)
            for name in self._assets
            if name.startswith("js/") and name.endswith(".js") and name.count("/") == 1
        }

    @property
    def prefix(self) -> str:
        """The path of this release's files."""
        return f"/static/{self.version}"

    @requires(authenticate=False)
    def serve(self, name: str) -> HTTPResponse:
        """Return the file, or 304 if the browser has it already. Problem: 404."""
        head, _, tail = name.partition("/")
        versioned = head == self.version
        asset = self._assets.get(tail if versioned else name)
        if asset is None:
            raise Problem(404, "not_found", "There is nothing at this address.")
        headers = {
            "ETag": asset.etag,
            "Cache-Control": "public, max-age=31536000, immutable" if versioned else "no-cache",
        }
        if scope := _WORKER_SCOPES.get(tail if versioned else name):
            headers["Service-Worker-Allowed"] = scope
        if asset.etag in request.environ.get("HTTP_IF_NONE_MATCH", ""):
            return HTTPResponse(status=304, headers=headers)
        data = asset.data
        if asset.packed is not None:
            headers["Vary"] = "Accept-Encoding"
            if accepts_gzip(request.environ.get("HTTP_ACCEPT_ENCODING", "")):
                data = asset.packed
                headers["Content-Encoding"] = "gzip"
        headers |= {"Content-Type": asset.media_type, "Content-Length": str(len(data))}
        return HTTPResponse(data, headers=headers)

    def _sheet(self, parts: tuple[str, ...]) -> Asset:
        joined = b"\n".join(self._assets[f"css/{part}.css"].data for part in parts)
        return _asset(_COMMENT.sub(b"", joined), ".css")

    def _imported(self, script: str) -> tuple[str, ...]:
        """Return all modules that ``script`` imports, directly or not, for ``<link rel=modulepreload>``."""
        found: set[str] = set()
        waiting = [script]
        while waiting:
            importer = waiting.pop()
            named = _IMPORT.findall(self._assets[importer].data.decode())
            new = {posixpath.normpath(f"{posixpath.dirname(importer)}/{name}") for name in named} - found
            found |= new
            waiting += new
        return tuple(sorted(name.removeprefix("js/") for name in found))

    def _samples(self) -> tuple[Sample, ...]:
        listed = self._assets.get("samples/samples.json")
        rows = json.loads(listed.data) if listed else []
        samples = (Sample(row["file"], row["title"], row["credit"], row["licence"]) for row in rows)
        return tuple(sample for sample in samples if f"samples/{sample.file}" in self._assets)


@functools.cache
def static_files() -> StaticFiles:
    """Return the files of this release, read once a process."""
    return StaticFiles()


def _load(path: Path) -> Asset:
    data = path.read_bytes()
    if path.suffix == ".js":
        data = _SCRIPT_COMMENT.sub(lambda found: b"\n" * found[0].count(b"\n"), data)
    return _asset(data, path.suffix)


def _asset(data: bytes, suffix: str) -> Asset:
    media_type = _TYPES[suffix]
    text = media_type.startswith("text/") or "json" in media_type or "svg" in media_type
    digest = hashlib.sha256(data).hexdigest()[:24]
    return Asset(data, gzip.compress(data, mtime=0) if text else None, media_type, f'W/"{digest}"')
