"""Albums: the routes of the API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.albums import PAGE_LIMIT
from imgcore.collections.models import IDS, Album, AlbumChanges, AlbumOrder, AlbumRole
from imgcore.errors import Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from web import serializers
from web.collection_texts import album_json, results_json
from web.http import request
from web.http.auth import PREFIX, CallerGallery, gallery_for_caller, record_event, requires
from web.http.responses import Route, json_response, json_with_etag

if TYPE_CHECKING:
    from enum import StrEnum

    from imgcore.collections.albums import Albums
    from imgcore.gallery.service import Gallery

Choice = TypeVar("Choice", bound="StrEnum")
DEFAULT_LIMIT = 40  # images a page


def albums_for_caller(gallery: Gallery) -> Albums:
    """Return the albums with the caller's rights. NotFound where the gallery has none."""
    if gallery.albums is None:
        raise NotFound("This gallery has no albums.")
    return gallery.albums.for_viewer(gallery_for_caller(gallery).viewer)


class AlbumsBase(CallerGallery):
    """The albums with the caller's rights."""

    @property
    def _albums(self) -> Albums:
        return albums_for_caller(self._unrestricted)


class AlbumsApi(AlbumsBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = f"{PREFIX}/albums/<public_id>"
        return [
            ("GET", f"{PREFIX}/albums", self.list_all),
            ("POST", f"{PREFIX}/albums", self.create),
            ("GET", one, self.show),
            ("PATCH", one, self.edit),
            ("DELETE", one, self.delete),
            ("GET", f"{one}/images", self.images),
            ("POST", f"{one}/images", self.add),
            ("POST", f"{one}/images/remove", self.remove),
            ("POST", f"{one}/images/move", self.move),
            ("PUT", f"{one}/members/<name>", self.set_member),
            ("DELETE", f"{one}/members/<name>", self.remove_member),
        ]

    @requires(Scope.READ)
    def list_all(self) -> HTTPResponse:
        """List the albums, the last changed first."""
        found = self._albums.listed(request.short(request.query(), "cursor"))
        return json_with_etag({"albums": [self._shown(album) for album in found.albums], "next": found.next})

    @requires(Scope.EDIT)
    def create(self) -> HTTPResponse:
        """Create an album, with photos where ids are given."""
        body = request.json_object(frozenset({"name", "description", "order", "ids"}))
        changes, albums = _changes(body), self._albums
        ids = request.strings(body["ids"], "ids", most=IDS) if "ids" in body else []
        name = request.string(body, "name")
        order = changes.order or AlbumOrder.DATE
        album = albums.create(name, changes.description or "", order)
        results = albums.add(album.public_id, ids) if ids else []
        shown = self._shown(albums.get(album.public_id)) | results_json(results)
        return json_response(shown, 201, {"Location": f"{PREFIX}/albums/{album.public_id}"})

    @requires(Scope.READ)
    def show(self, public_id: str) -> HTTPResponse:
        """Return an album."""
        return json_with_etag(self._shown(self._albums.get(public_id)))

    @requires(Scope.EDIT)
    def edit(self, public_id: str) -> HTTPResponse:
        """Change name, description, order or cover."""
        body = request.json_object(frozenset({"name", "description", "order", "cover"}))
        return json_response(self._shown(self._albums.edit(public_id, _changes(body))))

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete an album; its photos stay."""
        self._albums.delete(public_id)
        return HTTPResponse(status=204)

    @requires(Scope.READ)
    def images(self, public_id: str) -> HTTPResponse:
        """List the photos of an album in its order."""
        asked, albums, gallery = request.query(), self._albums, self._gallery
        limit = request.number(asked, "limit", DEFAULT_LIMIT, least=1, most=PAGE_LIMIT)
        page = albums.page(albums.get(public_id), limit, request.short(asked, "cursor"))
        images = serializers.images_json(page.images, gallery)
        return json_with_etag({"images": images, "next": page.next})

    @requires(Scope.EDIT)
    def add(self, public_id: str) -> HTTPResponse:
        """Add photos."""
        return json_response(results_json(self._albums.add(public_id, _ids())))

    @requires(Scope.EDIT)
    def remove(self, public_id: str) -> HTTPResponse:
        """Take photos out of an album."""
        return json_response(results_json(self._albums.remove(public_id, _ids())))

    @requires(Scope.EDIT)
    def move(self, public_id: str) -> HTTPResponse:
        """Move a photo before another one, or to the end."""
        body = request.json_object(frozenset({"id", "before"}))
        before = None if body.get("before") is None else request.string(body, "before")
        self._albums.move(public_id, request.string(body, "id"), before)
        return HTTPResponse(status=204)

    @requires(Scope.EDIT)
    def set_member(self, public_id: str, name: str) -> HTTPResponse:
        """Share an album with an account."""
        body = request.json_object(frozenset({"may"}))
        may = choice(AlbumRole, request.string(body, "may"), "may")
        album = self._albums.set_member(public_id, name, may)
        record_event(SecurityEvent.ALBUM_SHARED, name, f"album {public_id}, {may}")
        return json_response(self._shown(album))

    @requires(Scope.EDIT)
    def remove_member(self, public_id: str, name: str) -> HTTPResponse:
        """End the sharing with an account."""
        self._albums.remove_member(public_id, name)
        record_event(SecurityEvent.ALBUM_UNSHARED, name, f"album {public_id}")
        return HTTPResponse(status=204)

    def _shown(self, album: Album) -> dict[str, Any]:
        return album_json(album, self._gallery)


def choice(kind: type[Choice], text: str, name: str) -> Choice:
    """Return the member of an enumeration. Invalid (``name``) where it has no such value."""
    try:
        return kind(text)
    except ValueError:
        raise Invalid(f"{name} is one of {', '.join(kind)}.", code=name) from None


def _ids() -> list[str]:
    body = request.json_object(frozenset({"ids"}))
    return request.strings(body.get("ids"), "ids", most=IDS)


def _changes(body: Mapping[str, Any]) -> AlbumChanges:
    texts = {name: request.string(body, name) for name in ("name", "description", "order") if name in body}
    order = choice(AlbumOrder, texts["order"], "order") if "order" in texts else None
    cover = None
    if "cover" in body:
        cover = "" if body["cover"] is None else request.string(body, "cover")
        if body["cover"] is not None and not is_public_id(cover):
            raise Invalid("cover is the id of a photo in the album, or null.", code="cover")
    return AlbumChanges(texts.get("name"), texts.get("description"), order, cover)
