"""Campaigns: API routes, and the page that starts and controls them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.campaigns.models import Campaign, CampaignStatus, Preview, Selection
from imgcore.campaigns.service import DEFAULT_RATE, MAX_RATE
from imgcore.errors import ImgcoreError, Invalid, NotFound
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import Source
from imgcore.gallery.service import QUERY_LENGTH, TAG_LENGTH
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, requires
from web.http.csrf import csrf_token, verified_form
from web.http.errors import problem_of
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer
from web.serializers import moment, utc

if TYPE_CHECKING:
    from imgcore.campaigns.service import Campaigns
    from imgcore.gallery.service import Gallery

IDS = 1000  # in one request
_TEXTS = {"query": QUERY_LENGTH, "source": 20, "model": 100, "tag": TAG_LENGTH, "before": 40}


class CampaignsBase:
    """The campaigns with the caller's rights. campaigns: None where the gallery has none."""

    def __init__(self, gallery: Gallery, campaigns: Campaigns | None) -> None:
        self._gallery = gallery
        self._given = campaigns

    @property
    def _campaigns(self) -> Campaigns:
        if self._given is None:
            raise NotFound("This gallery has no campaigns.")
        return replace(self._given, viewer=gallery_for_caller(self._gallery).viewer)


class CampaignsApi(CampaignsBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = f"{PREFIX}/campaigns/<public_id>"
        return [
            ("GET", f"{PREFIX}/campaigns", self.list_all),
            ("POST", f"{PREFIX}/campaigns", self.start),
            ("GET", one, self.show),
            ("POST", f"{one}/pause", self.pause),
            ("POST", f"{one}/resume", self.resume),
            ("POST", f"{one}/cancel", self.cancel),
        ]

    @requires(Scope.EDIT)
    def list_all(self) -> HTTPResponse:
        """List the newest campaigns."""
        return json_with_etag({"campaigns": [found.as_json() for found in self._campaigns.all()]})

    @requires(Scope.EDIT)
    def start(self) -> HTTPResponse:
        """Start a campaign, or with ``dry_run`` only say what it would do."""
        names = frozenset({"ids", "failed", "missing", "rate", "dry_run", *_TEXTS})
        body = request.json_object(names)
        ids = request.strings(body["ids"], "ids", most=IDS) if "ids" in body else []
        if "ids" in body and not (ids and all(map(is_public_id, ids))):
            raise Invalid("ids is a list of ids of photos.", code="ids")
        texts = {name: request.string(body, name) for name in _TEXTS if name in body}
        selection = _selection(texts, ids, failed=_flag(body, "failed"), missing=_flag(body, "missing"))
        rate = request.whole_number(body["rate"], "rate") if "rate" in body else DEFAULT_RATE
        if not 1 <= rate <= MAX_RATE:
            raise Invalid(f"rate must be a whole number from 1 to {MAX_RATE}.", code="rate")
        if _flag(body, "dry_run"):
            return json_response(self._campaigns.preview(selection).as_json())
        return json_response(self._campaigns.start(selection, rate).as_json(), 201)

    @requires(Scope.EDIT)
    def show(self, public_id: str) -> HTTPResponse:
        """Return a campaign and its progress."""
        return json_with_etag(self._campaigns.get(public_id).as_json())

    @requires(Scope.EDIT)
    def pause(self, public_id: str) -> HTTPResponse:
        """Pause a campaign."""
        return json_response(self._campaigns.pause(public_id).as_json())

    @requires(Scope.EDIT)
    def resume(self, public_id: str) -> HTTPResponse:
        """Resume a campaign."""
        return json_response(self._campaigns.resume(public_id).as_json())

    @requires(Scope.EDIT)
    def cancel(self, public_id: str) -> HTTPResponse:
        """Cancel a campaign."""
        return json_response(self._campaigns.cancel(public_id).as_json())


class CampaignPages(CampaignsBase):
    """Handlers of the page /campaigns."""

    def __init__(self, gallery: Gallery, campaigns: Campaigns | None, renderer: TemplateRenderer) -> None:
        super().__init__(gallery, campaigns)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/campaigns", self.page),
            ("POST", "/campaigns", self.start),
            ("POST", "/campaigns/<public_id>/<change>", self.change),
        ]

    @requires(Scope.EDIT)
    def page(self) -> str:
        """Show the form of a new campaign, and the campaigns."""
        return self._page({"query": request.query().get("q", "")})

    @requires(Scope.EDIT)
    def start(self) -> str | HTTPResponse:
        """Show what the campaign of the form would do, or start it."""
        fields = verified_form()
        try:
            texts = {name: value for name in _TEXTS if (value := fields.get(name, "").strip())}
            selection = _selection(texts, [], failed="failed" in fields, missing="missing" in fields)
            if "start" not in fields:
                return self._page(fields, preview=self._campaigns.preview(selection))
            self._campaigns.start(selection, _rate(fields.get("rate", "")))
        except ImgcoreError as error:
            return self._page(fields, error)
        return HTTPResponse(status=303, headers={"Location": "/campaigns"})

    @requires(Scope.EDIT)
    def change(self, public_id: str, change: str) -> HTTPResponse:
        """Pause, resume or cancel a campaign."""
        verified_form()
        campaigns = self._campaigns
        changes = {"pause": campaigns.pause, "resume": campaigns.resume, "cancel": campaigns.cancel}
        if change not in changes:
            raise NotFound("There is nothing at this address.")
        changes[change](public_id)
        return HTTPResponse(status=303, headers={"Location": "/campaigns"})

    def _page(
        self, fields: Mapping[str, str], error: ImgcoreError | None = None, preview: Preview | None = None
    ) -> str:
        response.set_header("Cache-Control", "no-store")
        if error is not None:
            if (problem := problem_of(error)).status_code >= 500:
                raise error
            response.status = problem.status_code
        return self._renderer.render(
            "campaigns",
            token=csrf_token(),
            fields=fields,
            trouble=error.message if error else None,
            preview=preview and preview_row(preview),
            campaigns=[campaign_row(campaign) for campaign in self._campaigns.all()],
            sources=list(Source),
            rate=DEFAULT_RATE,
        )


def preview_row(preview: Preview) -> dict[str, Any]:
    """Return what a campaign would do for the page."""
    price = "at an unknown price" if preview.price_usd is None else f"for about ${preview.price_usd:,.2f}"
    number = f"{preview.images:,} photo{'' if preview.images == 1 else 's'}"
    return {
        "text": f"{number} would be described again, {price}.",
        "images": preview.images,
        "sample": preview.sample,
    }


def campaign_row(campaign: Campaign) -> dict[str, Any]:
    """Return a campaign for the page."""
    counts = ", ".join(f"{count:,} {status}" for status, count in sorted(campaign.counts.items()))
    changes = {CampaignStatus.RUNNING: ("pause", "cancel"), CampaignStatus.PAUSED: ("resume", "cancel")}
    return {
        "id": campaign.public_id,
        "text": f"{campaign.finished:,} of {campaign.total:,} photos, {campaign.rate:,} a minute",
        "status": campaign.status,
        "counts": counts,
        "selection": campaign.selection,
        "created": moment(campaign.created_at),
        "created_machine": utc(campaign.created_at),
        "changes": changes.get(campaign.status, ()),
    }


def _selection(texts: Mapping[str, str], ids: list[str], *, failed: bool, missing: bool) -> Selection:
    for name, text in texts.items():
        if len(text) > _TEXTS[name]:
            raise Invalid(f"{name} may have at most {_TEXTS[name]} characters.", code=name)
        if not text.strip():
            raise Invalid(f"{name} is empty: leave it out.", code=name)
    known = {name: texts.get(name, "").strip() or None for name in ("query", "model", "tag")}
    return Selection(
        ids=tuple(ids),
        source=_source(texts.get("source")),
        before=_time(texts.get("before")),
        failed=failed,
        missing=missing,
        **known,
    )


def _source(text: str | None) -> Source | None:
    if text is None:
        return None
    try:
        return Source(text)
    except ValueError:
        raise Invalid(f"source is one of {', '.join(Source)}.", code="source") from None


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Invalid("before is a day or a time: 2026-11-28, 2026-11-28T14:00Z.", code="before") from None


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise Invalid(f"{name} must be true or false.", code=name)
    return value


def _rate(text: str) -> int:
    if not text.strip():
        return DEFAULT_RATE
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid("rate must be a whole number.", code="rate")
    return int(text)
