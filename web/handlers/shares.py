"""Share links: the routes of the API, and the page that creates, lists and revokes them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import bottle
from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.collections.models import IDS, Results, checked_ids, summary
from imgcore.collections.selections import QuerySelection, all_selected
from imgcore.collections.share_models import (
    DAYS,
    MOST_DAYS,
    SHORTEST_PASSWORD,
    CreatedShare,
    NewShare,
    ShareFiles,
)
from imgcore.errors import Conflict, ImgcoreError, Invalid, NotFound
from web.collection_texts import results_json
from web.handlers.albums import albums_for_caller, choice
from web.handlers.forms import redirect, set_error_status
from web.handlers.lists import here
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, record_event, requires
from web.http.csrf import csrf_token, is_same_origin_stated, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.selection import MEMBERS, selection_of_body, selection_of_form
from web.http.templates import TemplateRenderer
from web.share_texts import share_json, share_row

if TYPE_CHECKING:
    from imgcore.collections.shares import Shares
    from imgcore.gallery.service import Gallery


class SharesBase:
    """The links with the caller's rights."""

    def __init__(self, gallery: Gallery) -> None:
        self._unrestricted = gallery

    @property
    def _shares(self) -> Shares:
        if self._unrestricted.shares is None:
            raise NotFound("This gallery has no share links.")
        return self._unrestricted.shares.for_viewer(gallery_for_caller(self._unrestricted).viewer)

    def _ids(self, fields: Mapping[str, str]) -> tuple[str, ...]:
        """Return the ids of the photos of a form. Invalid: too many."""
        if selection := selection_of_form(fields):
            return self._selected(selection)
        ids = [part for part in fields.get("ids", "").split(",") if part]
        return tuple(checked_ids(ids)) if ids else ()

    def _selected(self, selection: QuerySelection) -> tuple[str, ...]:
        return tuple(all_selected(gallery_for_caller(self._unrestricted), selection))

    def _create(self, new: NewShare) -> tuple[CreatedShare, str]:
        """Create a link and return it with its address."""
        made = self._shares.create(new)
        share = made.share
        detail = f"{share.kind}, {new.days} days, {'a' if new.password else 'no'} password"
        if new.download:
            detail += f", downloads: {new.files}"
        record_event(SecurityEvent.SHARE_CREATED, share.public_id, detail)
        environ = bottle.request.environ
        return made, f"{environ['wsgi.url_scheme']}://{environ['HTTP_HOST']}/s/{made.token}"

    def _revoke(self, public_id: str) -> None:
        share = self._shares.revoke(public_id)
        record_event(SecurityEvent.SHARE_REVOKED, share.public_id)


class SharesApi(SharesBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", f"{PREFIX}/shares", self.list_all),
            ("POST", f"{PREFIX}/shares", self.create),
            ("DELETE", f"{PREFIX}/shares/<public_id>", self.revoke),
        ]

    @requires(Scope.EDIT)
    def list_all(self) -> HTTPResponse:
        """List the links, the open ones first."""
        found = self._shares.listed(request.short(request.query(), "cursor"))
        return json_with_etag({"shares": [share_json(share) for share in found.shares], "next": found.next})

    @requires(Scope.EDIT)
    def create(self) -> HTTPResponse:
        """Create a link; only this response contains its address."""
        body = request.json_object(
            frozenset({"ids", "album", "title", "days", "password", "download", "files"}) | MEMBERS
        )
        selection = selection_of_body(body)
        texts = {
            name: request.string(body, name)
            for name in ("album", "title", "password")
            if body.get(name) is not None
        }
        new = NewShare(
            title=texts.get("title", ""),
            ids=self._selected(selection)
            if selection
            else tuple(request.strings(body["ids"], "ids", most=IDS))
            if "ids" in body
            else (),
            album=texts.get("album"),
            days=request.whole_number(body["days"], "days") if "days" in body else DAYS,
            password=texts.get("password"),
            download=request.flag(body, "download"),
            files=choice(ShareFiles, body.get("files", ShareFiles.DISPLAY), "files"),
        )
        made, url = self._create(new)
        return json_response(share_json(made.share) | {"url": url} | _left_out(made.left_out), 201)

    @requires(Scope.EDIT)
    def revoke(self, public_id: str) -> HTTPResponse:
        """Revoke a link."""
        self._revoke(public_id)
        return HTTPResponse(status=204)


class SharePages(SharesBase):
    """Handlers of /shared."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/shared", self.page),
            ("GET", "/shared/new", self.form),
            ("POST", "/shared/new", self.form_of_selection),
            ("POST", "/shared", self.create),
            ("POST", "/shared/<public_id>/revoke", self.revoke),
        ]

    @requires(Scope.EDIT)
    def page(self) -> str:
        """Show the links."""
        return self._list(done=_DONE.get(request.query().get("done", "")))

    @requires(Scope.EDIT)
    def form(self) -> str:
        """Show the form of a link to an album or to photos; the query names them."""
        return self._form(request.query())

    @requires(Scope.EDIT)
    def form_of_selection(self) -> str:
        """Show the form of a link to photos of a form: an address has no room for a thousand ids.

        It changes nothing, so that one of our own pages needs no token: that of a page from before signing out
        and in again is out of date.
        """
        return self._form(request.form() if is_same_origin_stated() else verified_form())

    @requires(Scope.EDIT)
    def create(self) -> str:
        """Create a link and show its address, once."""
        fields = verified_form()
        try:
            ids = self._ids(fields)
            if fields.get("selection") and fields.get("shown") != _digest(ids):
                raise Conflict(_CHANGED, code="selection_changed")
            made, url = self._create(_new_share(fields, ids))
        except ImgcoreError as error:
            return self._form(fields, error)
        return self._list(made=share_row(made.share) | _left_out(made.left_out), url=url)

    @requires(Scope.EDIT)
    def revoke(self, public_id: str) -> HTTPResponse:
        """Revoke a link."""
        verified_form()
        self._revoke(public_id)
        return redirect(f"/shared{here(done='revoked')}")

    def _list(self, **values: Any) -> str:
        cursor = request.query().get("cursor") or None
        try:
            found = self._shares.listed(cursor)
        except Invalid:
            cursor, found = None, self._shares.listed()
        shares = [share_row(share) for share in found.shares]
        first = cursor is None
        return self._page(
            "shared", shares=shares, first=first, following=found.next, same_page=here(), **values
        )

    def _form(self, fields: Mapping[str, str], error: ImgcoreError | None = None) -> str:
        ids = self._ids(fields)
        shown, left_out = self._shares.shareable(ids) if ids else ([], [])
        number = f"{len(shown):,} photo{'' if len(shown) == 1 else 's'}"
        album = fields.get("album", "")
        what = albums_for_caller(self._unrestricted).get(album).name if album else number
        return self._page(
            "share_new",
            error,
            fields=fields,
            what=what,
            left_out=summary(left_out) if left_out else "",
            album=album,
            ids="" if fields.get("selection") else ",".join(ids),
            selection=fields.get("selection", ""),
            excluded=fields.get("except", ""),
            shown=_digest(ids),
            days=DAYS,
            most_days=MOST_DAYS,
            shortest=SHORTEST_PASSWORD,
            files=_CHOICES,
        )

    def _page(self, view: str, error: ImgcoreError | None = None, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store")
        set_error_status(error)
        trouble = error.message if error else None
        return self._renderer.render(view, token=csrf_token(), trouble=trouble, **values)


def _left_out(results: Results) -> dict[str, Any]:
    """Return the photos that a new link does not show, and a sentence; empty where it shows all."""
    found = results_json(results)
    return {"left_out": found["results"], "summary": found["summary"] if results else ""}


def _digest(ids: Iterable[str]) -> str:
    """Return what the form names photos of a search by, whose ids are too many for it."""
    return hashlib.sha256(",".join(sorted(ids)).encode()).hexdigest()


# A link makes photos public: none that the form has not counted
_CHANGED = "The search finds other photos than a moment ago. Check their number and create the link again."
_NOTHING = "none"
_CHOICES = (
    (_NOTHING, "nothing"),
    (ShareFiles.DISPLAY, "the photos in display size"),
    (ShareFiles.ORIGINALS, "the original files without metadata"),
    (ShareFiles.AS_UPLOADED, "the original files as uploaded"),
)
_DONE = {"revoked": "The link is revoked. It does not show anything any more."}


def _new_share(fields: Mapping[str, str], ids: tuple[str, ...]) -> NewShare:
    days = request.digits(fields.get("days", "") or str(DAYS), 4)
    if days is None:
        raise Invalid("The number of days must be a whole number.", code="days")
    files = fields.get("files", _NOTHING)
    download = files != _NOTHING
    return NewShare(
        title=fields.get("title", ""),
        ids=ids,
        album=fields.get("album") or None,
        days=days,
        password=fields.get("password") or None,
        download=download,
        files=choice(ShareFiles, files, "files") if download else ShareFiles.DISPLAY,
    )
