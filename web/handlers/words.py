"""History, undo and new descriptions of one image: API routes, and the forms of the photo page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.errors import Invalid
from imgcore.gallery.models import WordField
from imgcore.gallery.words import ImageWords
from web import serializers
from web.http import request
from web.http.auth import PREFIX, CallerGallery, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer
from web.word_texts import version_json, version_row

if TYPE_CHECKING:
    from imgcore.gallery.models import Image
    from imgcore.gallery.service import Gallery

# What the photo page says after a form, by the query parameter ``done``
DONE = {
    "saved": "Saved. What you wrote is never overwritten automatically.",
    "undone": "The last change is undone.",
    "restored": "The earlier text is back.",
    "machine": "The machine’s text is back. New descriptions may replace it.",
    "queued": "The photo will be described again. What people wrote stays.",
}


class WordsApi(CallerGallery):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        image = f"{PREFIX}/images/<public_id>"
        return [
            ("POST", f"{image}/recaption", self.recaption),
            ("GET", f"{image}/history", self.history),
            ("POST", f"{image}/history/<version>/restore", self.restore),
            ("POST", f"{image}/undo", self.undo),
            ("POST", f"{image}/machine-words", self.machine_words),
        ]

    @requires(Scope.EDIT)
    def recaption(self, public_id: str) -> HTTPResponse:
        """Describe an image again; the work happens after the response."""
        return self._answer(self._gallery.recaption(public_id), 202)

    @requires(Scope.EDIT)
    def history(self, public_id: str) -> HTTPResponse:
        """List the versions of an image's words."""
        versions = ImageWords(self._gallery).history(public_id)
        return json_with_etag({"versions": [version_json(version) for version in versions]})

    @requires(Scope.EDIT)
    def restore(self, public_id: str, version: str) -> HTTPResponse:
        """Make a version current again."""
        return self._answer(ImageWords(self._gallery).restore(public_id, _version(version)))

    @requires(Scope.EDIT)
    def undo(self, public_id: str) -> HTTPResponse:
        """Undo the last change of an image's words."""
        return self._answer(ImageWords(self._gallery).undo(public_id))

    @requires(Scope.EDIT)
    def machine_words(self, public_id: str) -> HTTPResponse:
        """Replace a person's words by the machine's."""
        body = request.json_object(frozenset({"fields"}))
        names = request.strings(body["fields"], "fields", most=3) if "fields" in body else list(WordField)
        return self._answer(ImageWords(self._gallery).restore_machine_words(public_id, _fields(names)))

    def _answer(self, image: Image, status: int = 200) -> HTTPResponse:
        return json_response(serializers.image_json(image, self._gallery), status)


class WordPages(CallerGallery):
    """Handlers of the photo page's forms, and of the history page."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        image = "/images/<public_id>"
        return [
            ("POST", f"{image}/recaption", self.recaption),
            ("GET", f"{image}/history", self.history),
            ("POST", f"{image}/history/<version>/restore", self.restore),
            ("POST", f"{image}/undo", self.undo),
            ("POST", f"{image}/machine-words", self.machine_words),
        ]

    @requires(Scope.EDIT)
    def recaption(self, public_id: str) -> HTTPResponse:
        """Describe an image again."""
        verified_form()
        self._gallery.recaption(public_id)
        return photo_page(public_id, "queued")

    @requires(Scope.EDIT)
    def history(self, public_id: str) -> str:
        """Show the versions of an image's words, each with a form that restores it."""
        versions = ImageWords(self._gallery).history(public_id)
        response.set_header("Cache-Control", "no-store")
        values: dict[str, Any] = {
            "image": serializers.image_json(self._gallery.get(public_id), self._gallery),
            "versions": [version_row(version) for version in versions],
        }
        return self._renderer.render("history", token=csrf_token(), **values)

    @requires(Scope.EDIT)
    def restore(self, public_id: str, version: str) -> HTTPResponse:
        """Make a version current again."""
        verified_form()
        ImageWords(self._gallery).restore(public_id, _version(version))
        return photo_page(public_id, "restored")

    @requires(Scope.EDIT)
    def undo(self, public_id: str) -> HTTPResponse:
        """Undo the change that was the last one when the page was loaded."""
        seen = verified_form().get("change", "")
        ImageWords(self._gallery).undo(public_id, seen)
        return photo_page(public_id, "undone")

    @requires(Scope.EDIT)
    def machine_words(self, public_id: str) -> HTTPResponse:
        """Replace the person's words that the page has shown by the machine's."""
        seen = verified_form().get("change", "")
        ImageWords(self._gallery).restore_machine_words(public_id, seen=seen)
        return photo_page(public_id, "machine")


def photo_page(public_id: str, done: str) -> HTTPResponse:
    """Return a redirect to the photo page, which then says what was done. done: a key of DONE."""
    return HTTPResponse(status=303, headers={"Location": f"/images/{public_id}?done={done}"})


def _version(text: str) -> int:
    """Return the id of a version; 0, which is the id of none, for anything but a number of the database."""
    return request.digits(text, 18) or 0


def _fields(names: Sequence[str]) -> list[WordField]:
    try:
        return [WordField(name) for name in names]
    except ValueError:
        raise Invalid("fields names caption, alt_text or tags.", code="fields") from None
