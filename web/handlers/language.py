"""The switch between the languages of captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bottle import HTTPResponse

from imgcore.errors import NotFound
from web.handlers.forms import local_path, redirect
from web.http import request
from web.http.auth import requires
from web.http.language import set_language_cookie
from web.http.responses import Route

if TYPE_CHECKING:
    from imgcore.gallery.languages import Language


class LanguageSwitch:
    """The handler of the links in the menu."""

    def __init__(self, languages: Sequence[Language]) -> None:
        self._codes = {language.code for language in languages}

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the route."""
        return [("GET", "/language/<code>", self.choose)]

    @requires(authenticate=False)
    def choose(self, code: str) -> HTTPResponse:
        """Remember a language of the gallery, and return to the page that ``next`` names."""
        if code not in self._codes:
            raise NotFound("Photos are not described in this language.")
        return set_language_cookie(redirect(local_path(request.query().get("next", ""))), code)
