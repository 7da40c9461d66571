"""Campaigns: API routes, and the page that starts and controls them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.campaigns.models import Campaign, CampaignStatus, Preview, Selection
from imgcore.campaigns.requests import FIELDS, TEXTS, run, selection
from imgcore.campaigns.service import DEFAULT_RATE
from imgcore.errors import Conflict, ImgcoreError, Invalid, NotFound
from imgcore.gallery.models import Source
from web.handlers.forms import set_error_status
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer
from web.serializers import moment, utc

if TYPE_CHECKING:
    from imgcore.campaigns.service import Campaigns
    from imgcore.gallery.service import Gallery


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
        body = request.json_object(FIELDS)
        return json_response(run(self._campaigns, body), 200 if body.get("dry_run") else 201)

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
        """Show what the campaign of the form would do, or start it as it was shown."""
        fields = verified_form()
        try:
            texts = {name: value for name in TEXTS if (value := fields.get(name, "").strip())}
            chosen = selection(texts, [], failed="failed" in fields, missing="missing" in fields)
            counted = _counted(fields, chosen)
            if "start" not in fields or counted is None:
                changed = Conflict(_CHANGED, code="selection_changed") if "start" in fields else None
                return self._page(fields, changed, chosen)
            self._campaigns.start(chosen, _rate(fields.get("rate", "")), most=counted)
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
        self,
        fields: Mapping[str, str],
        error: ImgcoreError | None = None,
        chosen: Selection | None = None,
    ) -> str:
        """Return the page. chosen: whose number and price it shows."""
        preview = self._campaigns.preview(chosen) if chosen else None
        response.set_header("Cache-Control", "no-store")
        set_error_status(error)
        return self._renderer.render(
            "campaigns",
            token=csrf_token(),
            fields=fields,
            trouble=error.message if error else None,
            preview=preview and preview_row(preview),
            shown=f"{_digest(chosen)} {preview.images}" if chosen and preview else "",
            campaigns=[campaign_row(campaign) for campaign in self._campaigns.all()],
            sources=list(Source),
            rate=DEFAULT_RATE,
        )


# A campaign costs money: it is started with the selection and the number that the page has shown
_CHANGED = "This is another selection than the one that was counted. Check the number, then start again."


def _counted(fields: Mapping[str, str], chosen: Selection) -> int | None:
    """Return how many photos of this selection the form's page has counted; None where it was another one."""
    digest, _, count = fields.get("shown", "").partition(" ")
    return request.digits(count, 9) if digest == _digest(chosen) else None


def _digest(chosen: Selection) -> str:
    return hashlib.sha256(repr(chosen).encode()).hexdigest()


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


def _rate(text: str) -> int:
    if not text.strip():
        return DEFAULT_RATE
    found = request.digits(text, 6)
    if found is None:
        raise Invalid("rate must be a whole number.", code="rate")
    return found
