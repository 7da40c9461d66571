"""/api/v1: the same use cases as JSON. openapi.yaml says what each route takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.errors import Invalid
from imgcore.gallery.models import MAX_BYTES, Edit, Image
from imgcore.gallery.service import PAGE_LIMIT, QUERY_LENGTH, TAGS
from web import serializers
from web.handlers.api_accounts import AccountsApi
from web.http import request
from web.http.auth import PREFIX, needs, seen
from web.http.responses import Route, answer, fresh

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.gallery.service import Gallery

DESCRIPTION = Path(__file__).parents[1] / "openapi.yaml"


class Api:
    """The handlers, over one gallery and its accounts, if it has any."""

    def __init__(self, gallery: Gallery, accounts: Accounts | None = None) -> None:
        self._whole = gallery
        self._accounts = AccountsApi(accounts)
        self._description = _description(gallery.limits.max_bytes)

    def routes(self) -> list[Route]:
        """(method, path, handler) of every route that there is."""
        image = f"{PREFIX}/images/<public_id>"
        return [
            ("POST", f"{PREFIX}/uploads", self.request_upload),
            ("GET", f"{PREFIX}/images", self.images),
            ("GET", image, self.image),
            ("PATCH", image, self.edit),
            ("DELETE", image, self.delete),
            ("GET", f"{image}/status", self.status),
            ("POST", f"{image}/retry", self.retry),
            ("POST", f"{image}/restore", self.restore),
            ("GET", f"{PREFIX}/openapi.yaml", self.description),
            *self._accounts.routes(),
        ]

    @property
    def _gallery(self) -> Gallery:
        """As whoever asks sees it."""
        return seen(self._whole)

    @needs(Scope.UPLOAD)
    def request_upload(self) -> HTTPResponse:
        """The row, and the form that puts exactly this file in its place."""
        body = request.json_object(frozenset({"name", "size", "type", "batch"}))
        size = body.get("size")
        image, form = self._gallery.request_upload(
            request.string(body, "name"),
            None if size is None else request.whole_number(size, "size"),
            request.string(body, "type"),
            batch=None if body.get("batch") is None else request.string(body, "batch"),
        )
        found = {"image": self._shown(image), "form": {"url": form.url, "fields": dict(form.fields)}}
        return answer(
            found, 201, {"Location": f"{PREFIX}/images/{image.public_id}", "Cache-Control": "no-store"}
        )

    @needs(Scope.READ)
    def images(self) -> HTTPResponse:
        """One screenful, or up to 100 by their ids."""
        asked = request.query()
        limit, cursor, words = _limit(asked), _short(asked, "cursor"), _short(asked, "q")
        following = None
        if "ids" in asked:
            found = self._gallery.get_many([public_id for public_id in asked["ids"].split(",") if public_id])
        else:
            page = self._gallery.page(cursor=cursor, limit=limit, query=words)
            found, following = list(page.images), page.next
        return fresh({"images": [self._shown(image) for image in found], "next": following})

    @needs(Scope.READ)
    def image(self, public_id: str) -> HTTPResponse:
        """One photograph."""
        return fresh(self._shown(self._gallery.get(public_id)))

    @needs(Scope.READ)
    def status(self, public_id: str) -> HTTPResponse:
        """Only what changes while it is worked on."""
        return fresh(serializers.status_json(self._gallery.get(public_id)))

    @needs(Scope.EDIT)
    def edit(self, public_id: str) -> HTTPResponse:
        """A person's own words."""
        body = request.json_object(frozenset({"caption", "alt_text", "tags"}))
        if not body:
            raise Invalid("Say what to change: caption, alt_text or tags.", code="empty")
        edit = Edit(
            caption=request.string(body, "caption") if "caption" in body else None,
            alt_text=request.string(body, "alt_text") if "alt_text" in body else None,
            tags=request.strings(body["tags"], "tags", most=TAGS) if "tags" in body else None,
        )
        return answer(self._shown(self._gallery.edit(public_id, edit)))

    @needs(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Into the trash."""
        self._gallery.delete(public_id)
        return HTTPResponse(status=204)

    @needs(Scope.EDIT)
    def restore(self, public_id: str) -> HTTPResponse:
        """Out of it again."""
        return answer(self._shown(self._gallery.restore(public_id)))

    @needs(Scope.EDIT)
    def retry(self, public_id: str) -> HTTPResponse:
        """Try again what failed; the work itself goes on after the answer."""
        return answer(self._shown(self._gallery.retry(public_id)), 202)

    @needs(asks=False)
    def description(self) -> HTTPResponse:
        """This API in OpenAPI's words."""
        return HTTPResponse(
            self._description,
            headers={"Content-Type": "application/yaml; charset=utf-8", "Cache-Control": "no-cache"},
        )

    def _shown(self, image: Image) -> dict[str, Any]:
        return serializers.image_json(image, self._gallery)


def _description(max_bytes: int) -> bytes:
    """openapi.yaml with the limit that is set here in the place of the usual one."""
    return DESCRIPTION.read_text("utf-8").replace(str(MAX_BYTES), str(max_bytes)).encode()


def _limit(asked: Mapping[str, str]) -> int:
    text = asked.get("limit", "40")
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_LIMIT):
        raise Invalid(f"limit must be a whole number from 1 to {PAGE_LIMIT}.", code="limit")
    return int(text)


def _short(asked: Mapping[str, str], name: str) -> str | None:
    text = asked.get(name) or None
    if text is not None and len(text) > QUERY_LENGTH:
        raise Invalid(f"{name} may have {QUERY_LENGTH} characters at most.", code=name)
    return text
