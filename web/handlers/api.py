"""The JSON API under /api/v1. openapi.yaml describes the requests and responses of each route."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import AlreadyPresent, Invalid
from imgcore.gallery.models import MAX_BYTES, Edit, Image
from imgcore.gallery.part_models import PART_BYTES
from imgcore.gallery.service import PAGE_LIMIT, TAGS
from imgcore.gallery.words import ImageWords
from web import serializers
from web.handlers.activity import ActivityApi
from web.handlers.albums import AlbumsApi
from web.handlers.api_accounts import AccountsApi
from web.handlers.bulk import BulkApi
from web.handlers.campaigns import CampaignsApi
from web.handlers.downloads import DownloadRoutes
from web.handlers.jobs import JobsApi
from web.handlers.parts import PartsApi, plan_json
from web.handlers.shares import SharesApi
from web.handlers.spending import SpendingApi
from web.handlers.timeline import TimelineApi
from web.handlers.trash import TrashApi
from web.handlers.webhooks import WebhooksApi
from web.handlers.words import WordsApi
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, record_event, requires
from web.http.errors import Problem
from web.http.filters import searched
from web.http.page_cache import JSON_BYTES, Cache, CachedPage, common_key, json_from_cache
from web.http.responses import Route, json_response, json_with_etag
from web.limits import LIMITS

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.gallery.service import Gallery

_WORDS = frozenset({"caption", "alt_text", "tags"})
DESCRIPTION = Path(__file__).parents[1] / "openapi.yaml"


class Api:
    """Handlers of images and uploads. accounts: None in open mode."""

    def __init__(self, gallery: Gallery, accounts: Accounts | None = None) -> None:
        self._unrestricted = gallery
        self._accounts = AccountsApi(accounts)
        self._words = WordsApi(gallery)
        self._timeline = TimelineApi(gallery)
        self._trash = TrashApi(gallery)
        self._campaigns = CampaignsApi(gallery, gallery.campaigns)
        self._albums = AlbumsApi(gallery)
        self._shares = SharesApi(gallery)
        self._downloads = DownloadRoutes(gallery)
        self._bulk = BulkApi(gallery)
        self._jobs = JobsApi(gallery.jobs)
        self._activity = ActivityApi(gallery)
        self._spending = SpendingApi(gallery.spending)
        self._lists: Cache[CachedPage] = Cache(JSON_BYTES)
        self._parts = PartsApi(gallery)
        self._webhooks = WebhooksApi(gallery)
        self._description = _description(gallery.limits.max_bytes)

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of all API routes."""
        image = f"{PREFIX}/images/<public_id>"
        return [
            ("POST", f"{PREFIX}/uploads", self.request_upload),
            ("GET", f"{PREFIX}/duplicates", self.duplicates),
            ("GET", f"{PREFIX}/images", self.images),
            ("GET", image, self.image),
            ("PATCH", image, self.edit),
            ("DELETE", image, self.delete),
            ("GET", f"{image}/status", self.status),
            ("POST", f"{image}/retry", self.retry),
            ("POST", f"{image}/restore", self.restore),
            ("GET", f"{PREFIX}/openapi.yaml", self.description),
            *self._words.routes(),
            *self._timeline.routes(),
            *self._trash.routes(),
            *self._campaigns.routes(),
            *self._albums.routes(),
            *self._shares.routes(),
            *self._downloads.api_routes(),
            *self._bulk.routes(),
            *self._jobs.routes(),
            *self._activity.routes(),
            *self._spending.routes(),
            *self._parts.routes(),
            *self._webhooks.routes(),
            *self._accounts.routes(),
        ]

    @property
    def _gallery(self) -> Gallery:
        """The gallery with the caller's rights."""
        return gallery_for_caller(self._unrestricted)

    @requires(Scope.UPLOAD)
    def request_upload(self) -> HTTPResponse:
        """Create an image and return the presigned form that uploads its file, or how it is sent in parts."""
        names = frozenset({"name", "size", "type", "batch", "hint", "sha256", "again", "parts"})
        body = request.json_object(names)
        size = None if body.get("size") is None else request.whole_number(body["size"], "size")
        given = request.string(body, "name"), size, request.string(body, "type")
        optional: dict[str, Any] = {
            name: request.string(body, name)
            for name in ("batch", "hint", "sha256")
            if body.get(name) is not None
        } | {"again": request.flag(body, "again")}
        gallery, found = self._gallery, {}
        try:
            if request.flag(body, "parts") and gallery.parts and size and size > PART_BYTES:
                image, plan = gallery.parts.start(gallery, given[0], size, given[2], **optional)
                found = {"form": None, "parts": plan_json(plan)}
            else:
                image, form = gallery.request_upload(*given, **optional)
                found = {"form": {"url": form.url, "fields": dict(form.fields)}}
        except AlreadyPresent as error:
            present = gallery.get(error.public_id)
            return json_response({"image": self._shown(present), "form": None, "message": error.message})
        headers = {"Location": f"{PREFIX}/images/{image.public_id}", "Cache-Control": "no-store"}
        return json_response({"image": self._shown(image), **found}, 201, headers)

    @requires(Scope.UPLOAD)
    def duplicates(self) -> HTTPResponse:
        """Return which files, by their SHA-256, the account has uploaded before."""
        hashes = request.query().get("sha256", "").split(",")
        return json_response({"images": self._gallery.already_present(hashes)})

    @requires(Scope.READ)
    def images(self) -> HTTPResponse | bytes:
        """List images, newest first, or up to 100 given by their ids."""
        asked = request.query()
        limit = request.number(asked, "limit", LIMITS.page_size, least=1, most=PAGE_LIMIT)
        cursor, (words, filters) = request.short(asked, "cursor"), searched(asked)
        if asked.get("deleted"):
            if asked["deleted"] != "1":
                raise Problem(400, "deleted", "deleted must be 1, for the trash.")
            return self._trash.listed(asked, limit)
        gallery = self._gallery
        if "ids" in asked:
            named = gallery.get_many([public_id for public_id in asked["ids"].split(",") if public_id])
            return json_with_etag(_listed(named, None, gallery))
        page = gallery.page_versions(cursor=cursor, limit=limit, query=words, filters=filters)
        key = (page, common_key(gallery, originals=True))

        def listed() -> dict[str, Any]:
            images = gallery.by_ids([id_ for id_, _ in page.versions])
            if serializers.wait_for_model(images):
                raise _Waiting(images)
            return _listed(images, page.next, gallery)

        try:
            return json_from_cache(self._lists, key, listed)
        except _Waiting as waiting:
            return json_with_etag(_listed(waiting.images, page.next, gallery))

    @requires(Scope.READ)
    def image(self, public_id: str) -> HTTPResponse:
        """Return one image."""
        return json_with_etag(self._shown(self._gallery.get(public_id)))

    @requires(Scope.READ)
    def status(self, public_id: str) -> HTTPResponse:
        """Return the part of an image that changes while it is processed."""
        gallery = self._gallery
        return json_with_etag(serializers.status_json(gallery.progress(public_id), gallery))

    @requires(Scope.EDIT)
    def edit(self, public_id: str) -> HTTPResponse:
        """Store a caption, an alt text or tags written by a person; with ``shown`` only in place of these."""
        body = request.json_object(_WORDS | {"shown"})
        if not body.keys() & _WORDS:
            raise Invalid("Name what to change: caption, alt_text or tags.", code="empty")
        edit = _edit(body)
        if "shown" not in body:
            return json_response(self._shown(self._gallery.edit(public_id, edit)))
        shown = _edit(request.members(body["shown"], "shown", _WORDS))
        ImageWords(self._gallery).edit(public_id, edit, shown)
        return json_response(self._shown(self._gallery.get(public_id)))

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Move an image to the trash."""
        self._gallery.delete(public_id)
        record_event(SecurityEvent.IMAGE_DELETED, public_id)
        return HTTPResponse(status=204)

    @requires(Scope.EDIT)
    def restore(self, public_id: str) -> HTTPResponse:
        """Take an image out of the trash."""
        restored = self._gallery.restore(public_id)
        record_event(SecurityEvent.IMAGE_RESTORED, public_id)
        return json_response(self._shown(restored))

    @requires(Scope.EDIT)
    def retry(self, public_id: str) -> HTTPResponse:
        """Retry failed tasks; the work happens after the response."""
        return json_response(self._shown(self._gallery.retry(public_id)), 202)

    @requires(authenticate=False)
    def description(self) -> HTTPResponse:
        """Return the OpenAPI description."""
        return HTTPResponse(
            self._description,
            headers={"Content-Type": "application/yaml; charset=utf-8", "Cache-Control": "no-cache"},
        )

    def _shown(self, image: Image) -> dict[str, Any]:
        return serializers.image_json(image, self._gallery)


def _edit(body: Mapping[str, Any]) -> Edit:
    return Edit(
        caption=request.string(body, "caption") if "caption" in body else None,
        alt_text=request.string(body, "alt_text") if "alt_text" in body else None,
        tags=request.strings(body["tags"], "tags", most=TAGS) if "tags" in body else None,
    )


class _Waiting(Exception):
    """Images of a list that is not kept: its key has no circuit breaker, which says when they are tried."""

    def __init__(self, images: Sequence[Image]) -> None:
        super().__init__()
        self.images = images


def _listed(images: Sequence[Image], following: str | None, gallery: Gallery) -> dict[str, Any]:
    return {"images": serializers.images_json(images, gallery), "next": following}


def _description(max_bytes: int) -> bytes:
    """Return openapi.yaml with this gallery's upload limit instead of the default."""
    return DESCRIPTION.read_text("utf-8").replace(str(MAX_BYTES), str(max_bytes)).encode()
