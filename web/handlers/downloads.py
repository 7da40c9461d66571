"""Downloads: zip archives of photos with their words, and one photo with its words written into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.collections.downloads import Contents, DownloadSize, archive_name
from imgcore.collections.models import IDS, checked_ids
from imgcore.collections.selections import QuerySelection, all_selected
from imgcore.errors import Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.text import attachment
from web.handlers.albums import AlbumsBase, choice
from web.http import request
from web.http.auth import PREFIX, requires
from web.http.csrf import verified_form
from web.http.responses import Route
from web.http.selection import MEMBERS, selection_of_body, selection_of_form

if TYPE_CHECKING:
    from imgcore.collections.downloads import Downloads, FileDownload
    from imgcore.gallery.service import Gallery


class DownloadRoutes(AlbumsBase):
    """Handlers of the API and of the forms of pages."""

    def api_routes(self) -> list[Route]:
        """(method, path, handler) of the API."""
        return [
            ("POST", f"{PREFIX}/download", self.selection),
            ("GET", f"{PREFIX}/albums/<public_id>/download", self.album),
        ]

    def routes(self) -> list[Route]:
        """(method, path, handler) of the pages."""
        return [
            ("POST", "/download", self.form),
            ("GET", "/images/<public_id>/embedded", self.embedded),
        ]

    @requires(Scope.READ)
    def selection(self) -> HTTPResponse:
        """Return an archive of up to 1,000 photos, or of up to 10,000 that a search finds."""
        body = request.json_object(frozenset({"ids", "size", "excel"}) | MEMBERS)
        selection = selection_of_body(body)
        ids = [] if selection else request.strings(body.get("ids"), "ids", most=IDS)
        size = request.string(body, "size") if "size" in body else DownloadSize.ORIGINAL
        return self._photos(ids, size, selection, excel=request.flag(body, "excel"))

    @requires(Scope.READ)
    def album(self, public_id: str) -> HTTPResponse:
        """Return an archive of an album."""
        asked = request.query()
        size, excel = asked.get("size", DownloadSize.ORIGINAL), asked.get("excel", "false")
        if excel not in ("true", "false"):
            raise Invalid("excel must be true or false.", code="excel")
        return self._album(public_id, size, excel=excel == "true")

    @requires(Scope.READ)
    def form(self) -> HTTPResponse:
        """Return the archive of the form's album or photos."""
        fields = verified_form()
        size, excel = fields.get("size", DownloadSize.ORIGINAL), "excel" in fields
        if album := fields.get("album"):
            return self._album(album, size, excel=excel)
        ids = [part for part in fields.get("ids", "").split(",") if part]
        return self._photos(ids, size, selection_of_form(fields), excel=excel)

    @requires(Scope.READ)
    def embedded(self, public_id: str) -> HTTPResponse:
        """Return a photo with caption, alt text and tags written into its metadata."""
        image = self._gallery.get_editable(public_id)
        if image.deleted_at is not None:
            raise NotFound("This photo is in the trash.")
        return file_response(downloads_of(self._unrestricted).embedded(image), image.name)

    def _photos(
        self, ids: list[str], size: str, selection: QuerySelection | None, *, excel: bool
    ) -> HTTPResponse:
        if selection is not None:
            known = all_selected(self._gallery, selection)
        else:
            known = [public_id for public_id in checked_ids(ids) if is_public_id(public_id)]
        return self._archive("photos", known, size, excel=excel)

    def _album(self, public_id: str, size: str, *, excel: bool) -> HTTPResponse:
        album = self._albums.get(public_id)
        ids = self._albums.public_ids(album)  # those that the viewer sees, also if only in the album
        return self._archive(album.name, list(ids), size, excel=excel, also=lambda image: True)

    def _archive(self, title: str, ids: list[str], size: str, *, excel: bool, **more: Any) -> HTTPResponse:
        wanted = choice(DownloadSize, size, "size")
        contents = Contents(ids, wanted, self._gallery.viewer, excel=excel, **more)
        return archive_response(self._unrestricted, contents, title)


def downloads_of(gallery: Gallery) -> Downloads:
    """Return the downloads. NotFound where the gallery has none."""
    if gallery.downloads is None:
        raise NotFound("This gallery has no downloads.")
    return gallery.downloads


def file_response(file: FileDownload, name: str, headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """Return a file as a download."""
    known = _headers(name, "application/octet-stream") | {"Content-Length": str(file.size)}
    return HTTPResponse(file.chunks, headers=known | dict(headers or {}))


def archive_response(
    gallery: Gallery, contents: Contents, title: str, headers: Mapping[str, str] | None = None
) -> HTTPResponse:
    """Return a response that is sent while the archive is made."""
    chunks = downloads_of(gallery).archive(contents)
    return HTTPResponse(chunks, headers=_headers(archive_name(title), "application/zip") | dict(headers or {}))


def _headers(name: str, media_type: str) -> dict[str, str]:
    return {
        "Content-Type": media_type,
        "Content-Disposition": attachment(name),
        "Cache-Control": "no-store",
    }
