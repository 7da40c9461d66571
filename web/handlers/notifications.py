"""What a person's page says of notices: an address to have them sent to, how that stands, the newest ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.errors import ImgcoreError, NotFound
from imgcore.notifications.subscriptions import ADDRESS_LENGTH, SubscriptionState
from web import serializers
from web.handlers.forms import existing, me, see_other
from web.http import request
from web.http.auth import needs
from web.http.responses import Route
from web.http.security import check_form

if TYPE_CHECKING:
    from imgcore.accounts.models import Account
    from imgcore.accounts.service import Accounts
    from imgcore.notifications.subscriptions import SubscriptionService

DONE = {
    "address": "A mail is on its way to you. Open the link in it; no notice comes before that.",
    "stopped": "No more notices are sent to you.",
}
_SAID = {
    SubscriptionState.OFF: "No address is set: notices are shown here, and sent nowhere.",
    SubscriptionState.PENDING: "Waiting for you to open the link in the mail that was sent there."
    " It holds for two days. No mail? Look among the junk, or ask for another by giving the address again.",
    SubscriptionState.CONFIRMED: "Confirmed. Notices are sent there.",
    SubscriptionState.STOPPED: "Nothing is sent there: its link was not opened within two days,"
    " or notices were stopped by the link in one of them. Give the address again to go on.",
    SubscriptionState.UNKNOWN: "How it stands cannot be asked just now.",
}


class NoticePages:
    """The handlers. show: the account's page, with what went wrong on it."""

    def __init__(
        self, accounts: Accounts | None, subscriptions: SubscriptionService | None, show: Callable[..., str]
    ) -> None:
        self._accounts = accounts
        self._given = subscriptions
        self._show = show

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("POST", "/account/notices", self.subscribe),
            ("POST", "/account/notices/stop", self.stop),
        ]

    @property
    def _subscriptions(self) -> SubscriptionService:
        existing(self._accounts)
        if self._given is None:
            raise NotFound("This gallery sends no notices.")
        return self._given

    @needs(browser=True)
    def subscribe(self) -> str | HTTPResponse:
        """Have one's own notices sent to an address, once its owner has agreed."""
        subscriptions = self._subscriptions
        address = check_form(request.form()).get("address", "")
        try:
            subscriptions.subscribe(me(), address)
        except ImgcoreError as error:
            return self._show(error, at="notices", given=address)
        return see_other("/account?done=address")

    @needs(browser=True)
    def stop(self) -> str | HTTPResponse:
        """Have them sent nowhere."""
        subscriptions = self._subscriptions
        check_form(request.form())
        try:
            subscriptions.stop(me())
        except ImgcoreError as error:
            return self._show(error, at="notices")
        return see_other("/account?done=stopped")


def section(subscriptions: SubscriptionService, account: Account | None) -> dict[str, Any]:
    """What the page shows of it; None in open mode."""
    status = subscriptions.status(account)
    return {
        "possible": status.possible,
        "address": status.address,
        "delivery": status.delivery.value,
        "said": _SAID[status.delivery],
        "address_length": ADDRESS_LENGTH,
        "letters": [
            {
                "subject": letter.subject,
                "body": letter.body,
                "sent": serializers.moment(letter.sent_at),
                "sent_machine": serializers.utc(letter.sent_at),
            }
            for letter in status.notifications
        ],
    }
