"""The notifications part of the account page: e-mail address, delivery status, newest notifications."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import ImgcoreError, NotFound
from imgcore.notifications.subscriptions import ADDRESS_LENGTH, SubscriptionState
from web import serializers
from web.handlers.forms import current_account, redirect, require_accounts
from web.http.auth import record_event, requires
from web.http.csrf import verified_form
from web.http.responses import Route

if TYPE_CHECKING:
    from imgcore.accounts.models import Account
    from imgcore.accounts.service import Accounts
    from imgcore.notifications.subscriptions import SubscriptionService

DONE = {
    "address": "A confirmation e-mail is on its way. Open the link in it to get notifications.",
    "stopped": "Notifications are no longer sent to you.",
}
_SAID = {
    SubscriptionState.OFF: "No e-mail address is set: notifications are shown here only.",
    SubscriptionState.PENDING: "Waiting for confirmation: open the link in the e-mail that was sent there."
    " It is valid for two days. No e-mail? Look in the spam folder, or enter the address again to get another.",
    SubscriptionState.CONFIRMED: "Confirmed. Notifications are sent there.",
    SubscriptionState.STOPPED: "Nothing is sent there: the link was not opened within two days,"
    " or the unsubscribe link of a notification was used. Enter the address again to resume.",
    SubscriptionState.UNKNOWN: "The status is not available at the moment.",
}


class NotificationPages:
    """Handlers of the subscription forms. show: renders the account page with an error."""

    def __init__(
        self, accounts: Accounts | None, subscriptions: SubscriptionService | None, show: Callable[..., str]
    ) -> None:
        self._accounts = accounts
        self._given = subscriptions
        self._show = show

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("POST", "/account/notices", self.subscribe),
            ("POST", "/account/notices/stop", self.stop),
        ]

    @property
    def _subscriptions(self) -> SubscriptionService:
        require_accounts(self._accounts)
        if self._given is None:
            raise NotFound("This gallery sends no notifications.")
        return self._given

    @requires(browser=True)
    def subscribe(self) -> str | HTTPResponse:
        """Subscribe an e-mail address; notifications are sent after its owner confirmed it."""
        subscriptions = self._subscriptions
        address = verified_form().get("address", "")
        try:
            subscriptions.subscribe(current_account(), address)
        except ImgcoreError as error:
            return self._show(error, at="notices", given=address)
        record_event(SecurityEvent.SETTING_CHANGED, "notifications", "e-mail address entered")
        return redirect("/account?done=address")

    @requires(browser=True)
    def stop(self) -> str | HTTPResponse:
        """Stop sending notifications."""
        subscriptions = self._subscriptions
        verified_form()
        try:
            subscriptions.stop(current_account())
        except ImgcoreError as error:
            return self._show(error, at="notices")
        record_event(SecurityEvent.SETTING_CHANGED, "notifications", "stopped")
        return redirect("/account?done=stopped")


def section(subscriptions: SubscriptionService, account: Account | None) -> dict[str, Any]:
    """Return the values of the template. account: None in open mode."""
    status = subscriptions.status(account)
    return {
        "possible": status.possible,
        "address": status.address,
        "delivery": status.delivery.value,
        "said": _SAID[status.delivery],
        "address_length": ADDRESS_LENGTH,
        "notifications": [
            {
                "subject": notification.subject,
                "body": notification.body,
                "sent": serializers.moment(notification.sent_at),
                "sent_machine": serializers.utc(notification.sent_at),
            }
            for notification in status.notifications
        ],
    }
