"""Webhooks: the routes of the API, and the page that adds, lists and deletes them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Conflict, ImgcoreError, NotFound
from imgcore.webhooks.models import URL_LENGTH, Delivery, Webhook, WebhookEvent
from web import serializers
from web.handlers.forms import set_error_status
from web.http import request
from web.http.auth import PREFIX, gallery_for_caller, record_event, requires
from web.http.csrf import csrf_token, verified_form
from web.http.responses import Route, json_response, json_with_etag
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.gallery.service import Gallery
    from imgcore.webhooks.service import Webhooks


class WebhooksBase:
    """The webhooks of the caller's account."""

    def __init__(self, gallery: Gallery) -> None:
        self._unrestricted = gallery

    @property
    def _webhooks(self) -> Webhooks:
        if self._unrestricted.webhooks is None:
            raise NotFound("This gallery has no webhooks.")
        return replace(self._unrestricted.webhooks, viewer=gallery_for_caller(self._unrestricted).viewer)

    def _create(self, url: str, events: list[str]) -> Webhook:
        webhook = self._webhooks.create(url, events)
        record_event(SecurityEvent.WEBHOOK_CHANGED, webhook.public_id, "added")
        return webhook

    def _rotate(self, public_id: str) -> Webhook:
        webhook = self._webhooks.rotate(public_id)
        record_event(SecurityEvent.WEBHOOK_CHANGED, public_id, "new secret")
        return webhook

    def _delete(self, public_id: str) -> None:
        self._webhooks.delete(public_id)
        record_event(SecurityEvent.WEBHOOK_CHANGED, public_id, "deleted")


class WebhooksApi(WebhooksBase):
    """Handlers of the API."""

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        one = f"{PREFIX}/webhooks/<public_id>"
        return [
            ("GET", f"{PREFIX}/webhooks", self.list_all),
            ("POST", f"{PREFIX}/webhooks", self.create),
            ("DELETE", one, self.delete),
            ("POST", f"{one}/secret", self.rotate),
            ("GET", f"{one}/deliveries", self.deliveries),
        ]

    @requires(Scope.EDIT)
    def list_all(self) -> HTTPResponse:
        """List the webhooks, without their secrets."""
        return json_with_etag({"webhooks": [webhook_json(webhook) for webhook in self._webhooks.all()]})

    @requires(Scope.EDIT)
    def create(self) -> HTTPResponse:
        """Add a webhook; this response contains its secret."""
        body = request.json_object(frozenset({"url", "events"}))
        events = request.strings(body.get("events"), "events", most=len(WebhookEvent))
        return _with_secret(self._create(request.string(body, "url"), events), 201)

    @requires(Scope.EDIT)
    def rotate(self, public_id: str) -> HTTPResponse:
        """Replace the secret; this response contains the new one."""
        return _with_secret(self._rotate(public_id), 200)

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete a webhook."""
        self._delete(public_id)
        return HTTPResponse(status=204)

    @requires(Scope.EDIT)
    def deliveries(self, public_id: str) -> HTTPResponse:
        """List the newest deliveries."""
        found = self._webhooks.deliveries(public_id)
        return json_with_etag({"deliveries": [delivery_json(delivery) for delivery in found]})


class WebhookPages(WebhooksBase):
    """Handlers of /webhooks."""

    def __init__(self, gallery: Gallery, renderer: TemplateRenderer) -> None:
        super().__init__(gallery)
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("GET", "/webhooks", self.page),
            ("POST", "/webhooks", self.create),
            ("POST", "/webhooks/<public_id>/secret", self.rotate),
            ("POST", "/webhooks/<public_id>/delete", self.delete),
        ]

    @requires(Scope.EDIT)
    def page(self) -> str:
        """Show the webhooks and their newest deliveries."""
        return self._page()

    @requires(Scope.EDIT)
    def create(self) -> str:
        """Add the webhook of the form, or show what is wrong."""
        fields = verified_form()
        events = [event for event in WebhookEvent if event in fields]
        try:
            return self._page(made=self._create(fields.get("url", ""), list(events)))
        except ImgcoreError as error:
            set_error_status(error)
            return self._page(trouble=error.message, fields=fields)

    @requires(Scope.EDIT)
    def rotate(self, public_id: str) -> str:
        """Replace the secret, or say that it has just been replaced."""
        verified_form()
        try:
            return self._page(made=self._rotate(public_id))
        except Conflict as error:
            set_error_status(error)
            return self._page(trouble=error.message)

    @requires(Scope.EDIT)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete a webhook."""
        verified_form()
        self._delete(public_id)
        return HTTPResponse(status=303, headers={"Location": "/webhooks"})

    def _page(
        self, *, made: Webhook | None = None, trouble: str = "", fields: dict[str, str] | None = None
    ) -> str:
        response.set_header("Cache-Control", "no-store")
        webhooks = self._webhooks
        rows = [
            webhook_json(webhook)
            | {"deliveries": [_delivery_row(each) for each in webhooks.deliveries(webhook.public_id)[:10]]}
            for webhook in webhooks.all()
        ]
        return self._renderer.render(
            "webhooks",
            token=csrf_token(),
            webhooks=rows,
            made=made,
            trouble=trouble,
            fields=fields or {},
            events=list(WebhookEvent),
            longest=URL_LENGTH,
        )


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    """Return a webhook as the API shows it, without its secret."""
    return {
        "id": webhook.public_id,
        "url": webhook.url,
        "events": list(webhook.events),
        "created_at": serializers.utc(webhook.created_at),
    }


def delivery_json(delivery: Delivery) -> dict[str, Any]:
    """Return a delivery as the API shows it."""
    return {
        "id": delivery.public_id,
        "event": delivery.event,
        "status": delivery.status,
        "attempts": delivery.attempts,
        "response": delivery.response,
        "error": delivery.error,
        "created_at": serializers.utc(delivery.created_at),
        "next_at": serializers.optional_utc(delivery.next_at),
    }


def _delivery_row(delivery: Delivery) -> dict[str, Any]:
    return delivery_json(delivery) | {"created": serializers.moment(delivery.created_at)}


def _with_secret(webhook: Webhook, status: int) -> HTTPResponse:
    found = webhook_json(webhook) | {"secret": webhook.secrets[0]}
    return json_response(found, status, {"Cache-Control": "no-store"})
