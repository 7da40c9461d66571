"""The page of all tags, each with a link to its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import response

from imgcore.accounts.models import Scope
from imgcore.errors import Misconfigured
from web.http import request
from web.http.auth import gallery_for_caller, requires
from web.http.csrf import csrf_token
from web.http.responses import Route
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery

_PAGE = 300  # tags


class TagPages:
    """Handlers of the page of tags."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        self._unrestricted = gallery
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the page."""
        return [("GET", "/tags", self.tags)]

    @requires(Scope.READ)
    def tags(self) -> str:
        """Show the tags in alphabetical order with the number of their photos."""
        asked, gallery = request.query(), gallery_for_caller(self._unrestricted)
        if gallery.tag_list is None:
            raise Misconfigured("This gallery has no list of tags.")
        prefix = request.short(asked, "q") or ""
        found = gallery.tag_list.page(
            gallery.viewer, cursor=request.short(asked, "cursor"), limit=_PAGE, prefix=prefix
        )
        response.set_header("Cache-Control", "private, no-cache")
        return self._renderer.render(
            "tags",
            token=csrf_token(),
            notices=gallery.notices(),
            tags=found.tags,
            following=found.next,
            prefix=prefix,
        )
