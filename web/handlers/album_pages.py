"""Albums: the pages, which work without JavaScript."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.models import Album, AlbumChanges, AlbumOrder, AlbumRole, Results, summary
from imgcore.errors import Forbidden, ImgcoreError, Invalid
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import UploadStatus
from web import serializers
from web.collection_texts import album_row, tile
from web.form_texts import SHOWN, form_fields
from web.handlers.albums import AlbumsBase, choice
from web.handlers.forms import redirect, set_error_status
from web.handlers.lists import here, listed
from web.http import request
from web.http.auth import caller, record_event, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route
from web.http.templates import TemplateRenderer
from web.limits import LIMITS

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

_DONE = {
    "created": "The album is created. Add photos to it.",
    "saved": "Saved.",
    "deleted": "The album is deleted. Its photos are still in the gallery.",
    "moved": "The photo is moved.",
    "shared": "The album is shared.",
    "unshared": "The album is not shared with that account any more.",
}
_PHOTO = "photo_"  # prefix of the names of checkboxes


class AlbumPages(AlbumsBase):
    """Handlers of /albums."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = "/albums/<public_id>"
        return [
            ("GET", "/albums", self.albums),
            ("POST", "/albums", self.create),
            ("GET", one, self.album),
            ("GET", f"{one}/images/<image_id>", self.photo),
            ("GET", f"{one}/add", self.picker),
            ("POST", f"{one}/add", self.add),
            ("POST", f"{one}/remove", self.remove),
            ("POST", f"{one}/move", self.move),
            ("POST", f"{one}/edit", self.edit),
            ("POST", f"{one}/delete", self.delete),
            ("POST", f"{one}/members", self.set_member),
            ("POST", f"{one}/members/remove", self.remove_member),
        ]

    @requires(Scope.READ)
    def albums(self) -> str:
        """Show the albums."""
        return self._list({})

    @requires(Scope.EDIT)
    def create(self) -> str | HTTPResponse:
        """Create an album and show it."""
        fields = verified_form()
        try:
            album = self._albums.create(fields.get("name", ""), fields.get("description", ""))
        except ImgcoreError as error:
            return self._list(fields, error)
        return redirect(f"/albums/{album.public_id}?done=created")

    @requires(Scope.READ)
    def album(self, public_id: str) -> str:
        """Show an album."""
        return self._album(self._albums.get(public_id))

    @requires(Scope.READ)
    def photo(self, public_id: str, image_id: str) -> str:
        """Show a photo of an album, also one that is visible only there."""
        gallery, album = self._gallery, self._albums.get(public_id)
        image, place, ids = self._albums.image(album, image_id)
        return self._page(
            "album_photo",
            album=album_row(album, gallery),
            image=serializers.image_json(image, gallery),
            place=f"{place + 1:,} of {len(ids):,}",
            previous=ids[place - 1] if place else None,
            following=ids[place + 1] if place + 1 < len(ids) else None,
            seen=gallery.viewer.sees(image),
        )

    @requires(Scope.EDIT)
    def picker(self, public_id: str) -> str:
        """Show photos to choose from: the newest ones that the viewer may change, or those of a search."""
        asked, gallery, album = request.query(), self._gallery, self._albums.get(public_id)
        if album.role is AlbumRole.VIEW:
            raise Forbidden("You may view this album, not add photos to it.")
        words, cursor = asked.get("q", "").strip(), asked.get("cursor") or None
        own = gallery.for_viewer(replace(gallery.viewer, sees_others=False), gallery.language)
        page = own.page(cursor=cursor, limit=LIMITS.page_size, query=words or None)
        inside = set(self._albums.public_ids(album))
        choices = [image for image in page.images if image.upload_status is UploadStatus.RECEIVED]
        return self._page(
            "album_add",
            album=album_row(album, gallery),
            tiles=[tile(image, gallery) | {"inside": image.public_id in inside} for image in choices],
            sought=words,
            following=page.next,
        )

    @requires(Scope.EDIT)
    def add(self, public_id: str) -> str:
        """Add the photos of the form."""
        ids = _photos(verified_form())
        return self._act(public_id, lambda: self._albums.add(public_id, ids))

    @requires(Scope.EDIT)
    def remove(self, public_id: str) -> str:
        """Take the photos of the form out of the album."""
        ids = _photos(verified_form())
        return self._act(public_id, lambda: self._albums.remove(public_id, ids))

    @requires(Scope.EDIT)
    def move(self, public_id: str) -> HTTPResponse:
        """Move a photo before another one, or to the end."""
        fields = verified_form()
        self._albums.move(public_id, fields.get("photo", ""), fields.get("before") or None)
        return redirect(f"/albums/{self._albums.get(public_id).public_id}?done=moved")

    @requires(Scope.EDIT)
    def edit(self, public_id: str) -> str | HTTPResponse:
        """Store name, description, order and cover."""
        fields = verified_form()
        try:
            self._albums.edit(public_id, _changes(fields), _changes(fields, SHOWN))
        except ImgcoreError as error:
            return self._album(self._albums.get(public_id), error=error, sent=fields)
        return redirect(f"/albums/{self._albums.get(public_id).public_id}?done=saved")

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete the album; its photos stay."""
        verified_form()
        self._albums.delete(public_id)
        return redirect("/albums?done=deleted")

    @requires(Scope.EDIT)
    def set_member(self, public_id: str) -> str | HTTPResponse:
        """Share the album with an account."""
        fields = verified_form()
        may, name = choice(AlbumRole, fields.get("may", ""), "may"), fields.get("name", "")
        try:
            album = self._albums.set_member(public_id, name, may)
        except ImgcoreError as error:
            return self._album(self._albums.get(public_id), error=error)
        record_event(SecurityEvent.ALBUM_SHARED, name, f"album {album.public_id}, {may}")
        return redirect(f"/albums/{album.public_id}?done=shared")

    @requires(Scope.EDIT)
    def remove_member(self, public_id: str) -> HTTPResponse:
        """End the sharing with an account; a member may leave by themselves."""
        fields, album = verified_form(), self._albums.get(public_id)
        name = fields.get("name", "")
        self._albums.remove_member(public_id, name)
        record_event(SecurityEvent.ALBUM_UNSHARED, name, f"album {album.public_id}")
        owner = album.role is AlbumRole.OWNER
        return redirect(f"/albums/{album.public_id}?done=unshared" if owner else "/albums?done=unshared")

    def _act(self, public_id: str, work: Any) -> str:
        try:
            results: Results = work()
        except ImgcoreError as error:
            return self._album(self._albums.get(public_id), error=error)
        return self._album(self._albums.get(public_id), done=summary(results).capitalize())

    def _list(self, fields: Mapping[str, str], error: ImgcoreError | None = None) -> str:
        gallery = self._gallery
        cursor = request.query().get("cursor") or None
        try:
            found = self._albums.listed(cursor)
        except Invalid:
            cursor, found = None, self._albums.listed()
        return self._page(
            "albums",
            error,
            albums=[album_row(album, gallery) for album in found.albums],
            first=cursor is None,
            following=found.next,
            fields=fields,
            may_create=_may_edit(),
        )

    def _album(
        self,
        album: Album,
        *,
        error: ImgcoreError | None = None,
        done: str | None = None,
        sent: Mapping[str, str] | None = None,
    ) -> str:
        """Return the page of an album. error, sent: why its form was refused, and the fields of the form."""
        present = {"name": album.name, "description": album.description, "order": album.order.value}
        gallery = self._gallery
        shown = listed(lambda cursor: self._albums.page(album, LIMITS.page_size, cursor))
        known = {"done": done} if done else {}
        return self._page(
            "album",
            error,
            album=album_row(album, gallery),
            tiles=[tile(image, gallery) for image in shown.page.images],
            following=shown.page.next,
            first=shown.first,
            same_page=here(),
            form=form_fields(present, sent or {}),
            me=account.name if (account := caller().account) else None,
            may_edit=_may_edit(),
            **known,
        )

    def _page(self, view: str, error: ImgcoreError | None = None, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store")
        set_error_status(error)
        values.setdefault("done", _DONE.get(request.query().get("done", "")))
        return self._renderer.render(
            view, token=csrf_token(), trouble=error.message if error else None, **values
        )


def _changes(fields: Mapping[str, str], prefix: str = "") -> AlbumChanges:
    """Return the changes in the fields of a form whose names begin with ``prefix``. Invalid (``order``)."""
    order = fields.get(f"{prefix}order")
    return AlbumChanges(
        name=fields.get(f"{prefix}name"),
        description=fields.get(f"{prefix}description"),
        order=None if order is None else choice(AlbumOrder, order, "order"),
        cover=fields.get(f"{prefix}cover"),
    )


def _may_edit() -> bool:
    return Scope.EDIT in caller().scopes


def _photos(fields: Mapping[str, str]) -> list[str]:
    """Return the ids of the checked photos."""
    ids = [name.removeprefix(_PHOTO) for name in fields if name.startswith(_PHOTO)]
    return [public_id for public_id in ids if is_public_id(public_id)]
