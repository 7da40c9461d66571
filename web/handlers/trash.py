"""The trash: a page that works without JavaScript, and its API routes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Conflict, ImgcoreError, Invalid, Misconfigured, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import TrashContents
from imgcore.gallery.places import place_in
from web.handlers.forms import set_error_status
from web.handlers.lists import here, listed
from web.http import request
from web.http.auth import PREFIX, CallerGallery, record_event, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer
from web.limits import LIMITS
from web.serializers import trashed_json

if TYPE_CHECKING:
    from imgcore.db.trash import TrashRepository
    from imgcore.gallery.models import Page
    from imgcore.gallery.service import Gallery

CONFIRMED_FROM = 21  # photos that are deleted at once only after their number was typed

_DONE = {"restored": "Restored.", "deleted": "Deleted for good."}


class _Trash(CallerGallery):
    @property
    def _rows(self) -> TrashRepository:
        if self._unrestricted.trash is None:
            raise Misconfigured("This gallery has no trash.")
        return self._unrestricted.trash

    def _listed(self, cursor: str | None, limit: int) -> Page:
        place = place_in(cursor) if cursor is not None else None
        return self._rows.page(self._gallery.viewer, place=place, limit=limit)

    def _delete(self, public_id: str) -> None:
        """Delete one image for good. NotFound where it is not in the caller's trash."""
        if not (is_public_id(public_id) and self._rows.delete(self._gallery.viewer, public_id)):
            raise NotFound("There is no such photo in the trash.")
        record_event(SecurityEvent.IMAGE_DELETED, public_id, "for good")

    def _delete_all(self, shown: TrashContents | None = None) -> int:
        """Delete all images for good. shown: what the page has shown of the trash; others stay. Conflict."""
        deleted = self._rows.delete_all(self._gallery.viewer, shown)
        if deleted:
            record_event(SecurityEvent.IMAGE_DELETED, f"{deleted} photos", "for good")
        return deleted

    def _restore_all(self, shown: TrashContents | None = None) -> int:
        restored = self._rows.restore_all(self._gallery.viewer, shown)
        if restored:
            record_event(SecurityEvent.IMAGE_RESTORED, f"{restored} photos")
        return restored


class TrashApi(_Trash):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """Return (method, path, handler)."""
        return [
            ("DELETE", f"{PREFIX}/trash", self.empty),
            ("POST", f"{PREFIX}/trash/all/restore", self.restore),
            ("DELETE", f"{PREFIX}/trash/<public_id>", self.delete),
        ]

    def listed(self, asked: Mapping[str, str], limit: int) -> HTTPResponse:
        """List the trash, as GET /images does with ``deleted=1``."""
        gallery = self._gallery
        page = self._listed(request.short(asked, "cursor"), limit)
        return json_with_etag(
            {"images": [trashed_json(image, gallery) for image in page.images], "next": page.next}
        )

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete an image in the trash for good."""
        self._delete(public_id)
        return HTTPResponse(status=204)

    @requires(Scope.EDIT)
    def empty(self) -> HTTPResponse:
        """Delete all images in the trash for good."""
        return json_response({"deleted": self._delete_all()})

    @requires(Scope.EDIT)
    def restore(self) -> HTTPResponse:
        """Restore all images in the trash."""
        return json_response({"restored": self._restore_all()})


class TrashPages(_Trash):
    """Handlers of the page."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return (method, path, handler)."""
        return [
            ("GET", "/trash", self.trash),
            ("POST", "/trash/restore", self.restore),
            ("POST", "/trash/delete", self.delete),
        ]

    @requires(Scope.READ, account=True)
    def trash(self) -> str:
        """Show what is in the trash, those deleted last first."""
        return self._page()

    @requires(Scope.EDIT)
    def restore(self) -> HTTPResponse | str:
        """Restore one photo, or all that the page has counted."""
        fields = verified_form()
        public_id = _named(fields)
        if public_id is not None:
            self._gallery.restore(public_id)
            record_event(SecurityEvent.IMAGE_RESTORED, public_id)
            return _see("restored")
        try:
            self._restore_all(_shown(fields))
        except Conflict as error:
            return self._page(error)
        return _see("restored")

    @requires(Scope.EDIT)
    def delete(self) -> HTTPResponse | str:
        """Delete one photo, or all that the page has counted, for good: many only if their number was typed."""
        fields = verified_form()
        public_id = _named(fields)
        if public_id is not None:
            self._delete(public_id)
            return _see("deleted")
        try:
            shown = _shown(fields)
            if shown.count >= CONFIRMED_FROM and fields.get("confirm", "").strip() != str(shown.count):
                said = f"Type {shown.count}, the number of photos, to delete all of them for good."
                raise Invalid(said, code="confirm")
            self._delete_all(shown)
        except (Conflict, Invalid) as error:
            return self._page(error)
        return _see("deleted")

    def _page(self, error: ImgcoreError | None = None) -> str:
        asked, gallery = request.query(), self._gallery
        contents = self._rows.contents(gallery.viewer)  # before the list, so that the list has all of them
        found = listed(lambda cursor: self._listed(cursor, LIMITS.page_size))
        shown: dict[str, Any] = {
            "images": [trashed_json(image, gallery) for image in found.page.images],
            "following": found.page.next,
            "first": found.first,
            "same_page": here(),
            "count": contents.count,
            "contents": f"{contents.count} {contents.newest.isoformat()}" if contents.newest else "",
            "confirmed_from": CONFIRMED_FROM,
            "done": _DONE.get(asked.get("done", "")),
            "trouble": error.message if error else None,
        }
        set_error_status(error)
        response.set_header("Cache-Control", "no-store")
        return self._renderer.render("trash", token=csrf_token(), notices=gallery.notices(), **shown)


def _named(fields: Mapping[str, str]) -> str | None:
    """Return the id in a form; None for all. Invalid without either."""
    public_id = fields.get("id")
    if public_id is None and fields.get("all") != "1":
        raise Invalid("Name a photo, or all of them.", code="id")
    return public_id


def _shown(fields: Mapping[str, str]) -> TrashContents:
    """Return what the page of a form has shown of the trash. Conflict where the form does not say it."""
    number, _, newest = fields.get("contents", "").partition(" ")
    count = request.digits(number, 9)
    if count is not None:
        with suppress(ValueError):
            return TrashContents(count, datetime.fromisoformat(newest))
    raise Conflict("This page is out of date. Check the number of photos and try again.", code="trash_changed")


def _see(done: str) -> HTTPResponse:
    return HTTPResponse(status=303, headers={"Location": f"/trash{here(done=done)}"})
