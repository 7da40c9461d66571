"""The pages for people; each of them works without JavaScript."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import bottle
from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.errors import NotFound
from imgcore.gallery.models import Edit, Image
from web import serializers
from web.http import request
from web.http.auth import needs, seen
from web.http.responses import Route
from web.http.security import check_form, form_token
from web.http.templates import Views

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

PAGE = 40
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


class Pages:
    """The handlers, over one gallery and its templates."""

    def __init__(self, gallery: Gallery, views: Views) -> None:
        self._whole = gallery
        self._views = views

    @property
    def _gallery(self) -> Gallery:
        """As whoever asks sees it."""
        return seen(self._whole)

    def routes(self) -> list[Route]:
        """(method, path, handler) of every page and form."""
        image = "/images/<public_id>"
        return [
            ("GET", "/", self.gallery),
            ("GET", image, self.image),
            ("POST", f"{image}/edit", self.edit),
            ("POST", f"{image}/retry", self.retry),
            ("POST", f"{image}/delete", self.delete),
            ("POST", f"{image}/restore", self.restore),
            ("GET", "/upload", self.choose_type),
            ("POST", "/upload", self.upload_form),
        ]

    @needs(Scope.READ)
    def gallery(self) -> str:
        """Newest first, or what a search finds; ``deleted`` names one whose removal can be undone."""
        asked = request.query()
        words = asked.get("q", "").strip()
        cursor = asked.get("cursor") or None
        page = self._gallery.page(cursor=cursor, limit=PAGE, query=words or None)
        deleted = asked.get("deleted", "")
        return self._page(
            "gallery",
            images=[self._shown(image) for image in page.images],
            following=page.next,
            words=words,
            first=cursor is None,
            limits=self._gallery.limits,
            deleted=deleted if _PUBLIC_ID.fullmatch(deleted) else None,
        )

    @needs(Scope.READ)
    def image(self, public_id: str) -> str:
        """One photograph, all that is known of it, and the forms to change that."""
        image = self._gallery.get(public_id)
        viewer = self._gallery.viewer
        return self._page(
            "photo",
            image=self._shown(image),
            details=serializers.details(image, viewer),
            mine=viewer.changes(image),
        )

    @needs(Scope.EDIT)
    def edit(self, public_id: str) -> HTTPResponse:
        """A person's own words, from the form."""
        fields = check_form(request.form())
        tags = fields.get("tags")
        self._gallery.edit(
            public_id,
            Edit(
                caption=fields.get("caption"),
                alt_text=fields.get("alt_text"),
                tags=None if tags is None else tags.split(","),
            ),
        )
        return _see(f"/images/{public_id}")

    @needs(Scope.EDIT)
    def retry(self, public_id: str) -> HTTPResponse:
        """Try again what failed."""
        check_form(request.form())
        self._gallery.retry(public_id)
        return _see(f"/images/{public_id}")

    @needs(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Into the trash, then back to the gallery, which offers to undo it."""
        check_form(request.form())
        self._gallery.delete(public_id)
        return _see(f"/?deleted={public_id}")

    @needs(Scope.EDIT)
    def restore(self, public_id: str) -> HTTPResponse:
        """Out of the trash."""
        check_form(request.form())
        self._gallery.restore(public_id)
        return _see(f"/images/{public_id}")

    @needs(Scope.UPLOAD)
    def choose_type(self) -> str:
        """The first step of an upload without JavaScript: what kind of file it will be."""
        return self._page("upload_type", limits=self._gallery.limits)

    @needs(Scope.UPLOAD)
    def upload_form(self) -> str:
        """The second step: a plain form that leads straight to the bucket, and from there to the page."""
        fields = check_form(request.form())
        origin = f"{bottle.request.environ['wsgi.url_scheme']}://{bottle.request.environ['HTTP_HOST']}"
        media_type = fields.get("type", "")
        image, form = self._gallery.request_upload(
            fields.get("name", ""), None, media_type, redirect=f"{origin}/images/{{id}}"
        )
        return self._page(
            "upload_file",
            image=image,
            form=form,
            media_type=media_type,
            limits=self._gallery.limits,
            private=True,
        )

    def _page(self, name: str, *, private: bool = False, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store" if private else "private, no-cache")
        return self._views.page(name, token=form_token(), notices=self._gallery.notices(), **values)

    def _shown(self, image: Image) -> dict[str, Any]:
        return serializers.image_json(image, self._gallery)


def _see(path: str) -> HTTPResponse:
    """303 to a path of ours, never to a whole address: what the request calls us stays out of it."""
    if "\n" in path or "\r" in path:
        raise NotFound("There is no such photograph.")
    return HTTPResponse(status=303, headers={"Location": path})
