"""The gallery, photo and upload pages. All work without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import bottle
from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Conflict, ImgcoreError, Invalid, NotFound
from imgcore.gallery.filters import NO_FILTERS, Filters
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import Image, PageVersions
from imgcore.gallery.words import ImageWords
from web import serializers
from web.form_texts import SHOWN
from web.handlers.forms import set_error_status
from web.handlers.words import DONE, photo_page
from web.http import request
from web.http.auth import caller, gallery_for_caller, record_event, requires
from web.http.cards import Cards
from web.http.csrf import csrf_token, verified_form
from web.http.errors import Problem
from web.http.filters import FILTERS, searched
from web.http.page_cache import PAGES_BYTES, TOKEN_MARK, Cache, CachedPage, answer_from_cache, common_key
from web.http.responses import Route
from web.http.templates import TemplateRenderer
from web.limits import LIMITS
from web.word_texts import provenance, sent_words, words_form, written_by

if TYPE_CHECKING:
    from imgcore.db.front import FrontPage
    from imgcore.gallery.service import Gallery

Versions = tuple[tuple[int, int], ...]  # of images: id and version
_DRAWN = 8  # photos that the page has before its scripts have asked for any
_PUBLIC_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address of the gallery page asks for.

    refusal: why a filter is refused, so that the list is shown without any. deleted: the public id of an image.
    address: of this page; it holds all of this.
    """

    cursor: str | None
    words: str | None
    filters: Filters
    refusal: str | None
    chosen: Mapping[str, str]
    deleted: str
    address: str
    searches: bool
    draws_newest: bool

    @classmethod
    def of(cls, query: Mapping[str, str]) -> _Asked:
        """Read query parameters."""
        refusal = None
        try:
            words, filters = searched(query)
        except Problem as error:
            words, filters, refusal = query.get("q", "").strip() or None, NO_FILTERS, str(error.body)
        chosen = {name: query[name] for name in FILTERS if query.get(name)}
        cursor, deleted = query.get("cursor") or None, query.get("deleted", "")
        deleted = deleted if _PUBLIC_ID.fullmatch(deleted) else ""
        sort = Sort.UPLOADED if query.get("sort") == Sort.UPLOADED else None
        searches = bool(words or filters)
        here = {"cursor": cursor, "q": words, **chosen, "sort": sort, "deleted": deleted}
        given = {name: value for name, value in here.items() if value}
        return cls(
            cursor,
            words,
            filters,
            refusal,
            chosen,
            deleted,
            f"/?{urlencode(given)}" if given else "/",
            searches,
            draws_newest=not (cursor or searches or refusal or sort),
        )


_NOTHING = _Asked.of({})


class GalleryPages:
    """Handlers of the gallery's pages and forms."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        self._unrestricted = gallery
        self._renderer = renderer
        self._cards = Cards(renderer)
        self._pages: Cache[CachedPage] = Cache(PAGES_BYTES)
        self._version = f"{renderer.version} {gallery.limits}"

    @property
    def _gallery(self) -> Gallery:
        """The gallery with the caller's rights."""
        return gallery_for_caller(self._unrestricted)

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of all pages and forms."""
        image = "/images/<public_id>"
        return [
            ("GET", "/", self.gallery),
            ("GET", image, self.image),
            (
                "GET",
                "/photo/<public_id>",
                self.image,
            ),  # the address of the viewer, which scripts show over the list
            ("GET", f"{image}/original", self.original),
            ("POST", f"{image}/edit", self.edit),
            ("POST", f"{image}/retry", self.retry),
            ("POST", f"{image}/delete", self.delete),
            ("POST", f"{image}/restore", self.restore),
            ("GET", "/about", self.about),
            ("GET", "/upload", self.choose_type),
            ("POST", "/upload", self.upload_form),
        ]

    @requires(Scope.READ)
    def gallery(self) -> bytes:
        """Show the newest images or the results of a search with filters.

        The query parameter ``deleted`` names an image whose deletion the page offers to undo.
        """
        query = request.query()
        asked = _Asked.of(query) if query else _NOTHING
        gallery, account = self._gallery, caller().account
        found: FrontPage | PageVersions
        if asked.searches:
            found = gallery.page_versions(
                cursor=asked.cursor, limit=LIMITS.page_size, query=asked.words, filters=asked.filters
            )
            notices = gallery.notices()
        else:
            drawn = _DRAWN if asked.draws_newest else 0
            found = gallery.front_page(asked.cursor, LIMITS.page_size, drawn)
            notices = gallery.notices_of(found.conditions())
        owners = gallery.viewer.sees_others and account is not None

        def render() -> bytes:
            page = found if isinstance(found, PageVersions) else found.page()
            newest = () if isinstance(found, PageVersions) else found.first_of_timeline()
            html = self._renderer.render(
                "gallery",
                token=TOKEN_MARK,
                cards=self._cards.of_page(page, gallery),
                pictures=self._pictures(newest, gallery),
                following=page.next,
                limits=gallery.limits,
                here=asked.address,
                notices=notices,
                words=asked.words or "",
                chosen=asked.chosen,
                refusal=asked.refusal,
                first=asked.cursor is None,
                owners=owners,
                deleted=asked.deleted,
            )
            return html.encode()

        key = (found, asked.address, notices, owners, self._version, account, common_key(gallery))
        return answer_from_cache(self._pages, key, csrf_token(), render)

    def _pictures(self, newest: Versions, gallery: Gallery) -> list[dict[str, Any]]:
        if not newest or gallery.timeline is None:
            return []
        tiles = {tile.image.id: tile for tile in gallery.timeline.tiles([id_ for id_, _ in newest])}
        return serializers.pictures([tiles[id_] for id_, _ in newest if id_ in tiles], gallery)

    @requires(Scope.READ)
    def image(self, public_id: str) -> str:
        """Show one image with its details and the forms to change them."""
        return self._photo(public_id, {})

    def _photo(self, public_id: str, sent: Mapping[str, str], error: ImgcoreError | None = None) -> str:
        """Return the page of an image. sent, error: the fields of its refused form, which is shown again."""
        gallery = self._gallery
        image, viewer = gallery.get(public_id), gallery.viewer
        set_error_status(error)
        shown = self._shown(image)
        return self._page(
            "photo",
            private=error is not None,
            image=shown,
            form=words_form(shown, sent),
            trouble=error.message if error else None,
            details=serializers.details(image, viewer),
            mine=viewer.changes(image),
            provenance=provenance(image),
            written_by=written_by(image),
            last_change=gallery.images.last_change(public_id) if viewer.changes(image) else None,
            done=DONE.get(request.query().get("done", "")),
        )

    @requires(Scope.READ)
    def original(self, public_id: str) -> HTTPResponse:
        """Redirect to the original, with a URL signed now: one in the page would expire while it is open."""
        url = self._gallery.links(self._gallery.get_editable(public_id)).original
        if url is None:
            raise NotFound("This photo has no file.")
        return HTTPResponse(status=303, headers={"Location": url, "Cache-Control": "no-store"})

    @requires(Scope.EDIT)
    def edit(self, public_id: str) -> str | HTTPResponse:
        """Store what a person changed of caption, alt text and tags in the form."""
        fields = verified_form()
        try:
            ImageWords(self._gallery).edit(public_id, sent_words(fields), sent_words(fields, SHOWN))
        except (Conflict, Invalid) as error:
            return self._photo(public_id, fields, error)
        return photo_page(public_id, "saved")

    @requires(Scope.EDIT)
    def retry(self, public_id: str) -> HTTPResponse:
        """Retry failed tasks."""
        verified_form()
        self._gallery.retry(public_id)
        return _see(f"/images/{public_id}")

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Move an image to the trash and return to the gallery, which offers to undo it."""
        verified_form()
        self._gallery.delete(public_id)
        record_event(SecurityEvent.IMAGE_DELETED, public_id)
        return _see(f"/?deleted={public_id}")

    @requires(Scope.EDIT)
    def restore(self, public_id: str) -> HTTPResponse:
        """Take an image out of the trash."""
        verified_form()
        self._gallery.restore(public_id)
        record_event(SecurityEvent.IMAGE_RESTORED, public_id)
        return _see(f"/images/{public_id}")

    @requires(Scope.READ)
    def about(self) -> str:
        """Show who describes the photos, the release, and the limits of files."""
        return self._page("about", limits=self._gallery.limits)

    @requires(Scope.UPLOAD)
    def choose_type(self) -> str:
        """Show step 1 of an upload without JavaScript: the choice of the file type."""
        return self._page("upload_type", limits=self._gallery.limits)

    @requires(Scope.UPLOAD)
    def upload_form(self) -> str:
        """Show step 2: the presigned form. The bucket redirects to the photo page after the upload."""
        fields = verified_form()
        origin = f"{bottle.request.environ['wsgi.url_scheme']}://{bottle.request.environ['HTTP_HOST']}"
        image, form = self._gallery.request_upload(
            fields.get("name", ""),
            None,
            fields.get("type", ""),
            redirect=f"{origin}/images/{{id}}",
            hint=fields.get("hint"),
        )
        return self._page(
            "upload_file",
            image=image,
            form=form,
            limits=self._gallery.limits,
            private=True,
        )

    def _page(self, name: str, *, private: bool = False, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store" if private else "private, no-cache")
        return self._renderer.render(name, token=csrf_token(), notices=self._gallery.notices(), **values)

    def _shown(self, image: Image) -> dict[str, Any]:
        return serializers.image_json(image, self._gallery)


def _see(path: str) -> HTTPResponse:
    """Return 303 See Other to a path, never to an absolute URL, which would depend on the Host header."""
    if "\n" in path or "\r" in path:
        raise NotFound("There is no such photo.")
    return HTTPResponse(status=303, headers={"Location": path})
