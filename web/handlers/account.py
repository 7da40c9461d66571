"""The account page: password, sessions, API keys, e-mail notifications, deletion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import KEY_DAYS, KEY_DAYS_CHOICES, LABEL_LENGTH, Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import ImgcoreError, Invalid
from web import serializers
from web.handlers import notifications
from web.handlers import spending as spending_pages
from web.handlers.forms import FormPages, current_account, redirect
from web.http import request
from web.http.auth import caller, current_visit, record_event, requires
from web.http.cookies import clear_session_cookie, set_session_cookie
from web.http.csrf import verified_form
from web.http.responses import Route
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.notifications.subscriptions import SubscriptionService
    from imgcore.spending.service import Spending

_DONE = {
    "password": "Your password was changed. All other browsers are signed out.",
    "session": "That browser is signed out.",
    "second-factor": "The second factor is off.",
    "key": "API key revoked.",
    **notifications.DONE,
}
_EVENTS = 10  # of the security log on the account page
_DAYS = {str(days) for days in KEY_DAYS_CHOICES}
_SCOPES = {
    Scope.READ: "see photos",
    Scope.UPLOAD: "upload",
    Scope.EDIT: "edit, retry, delete and restore",
    Scope.ADMIN: "see and change the photos of all accounts, and manage accounts",
}


class AccountPages(FormPages):
    """Handlers of /account. In open mode the page only says so, and its forms are answered with 404."""

    def __init__(
        self,
        accounts: Accounts | None,
        renderer: TemplateRenderer,
        subscriptions: SubscriptionService | None = None,
        spending: Spending | None = None,
    ) -> None:
        super().__init__(accounts, renderer)
        self._subscriptions = subscriptions
        self._spending = spending

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/account", self.account),
            ("POST", "/account/password", self.change_password),
            ("POST", "/account/sessions/end", self.end_sessions),
            ("POST", "/account/sessions/<public_id>/end", self.end_session),
            ("POST", "/account/keys", self.make_key),
            ("POST", "/account/keys/<public_id>/remove", self.remove_key),
            ("POST", "/account/delete", self.delete),
            *notifications.NotificationPages(self._given, self._subscriptions, self._page).routes(),
        ]

    @requires(browser=True)
    def account(self) -> str:
        """Show the account page."""
        return self._page(done=_DONE.get(request.query().get("done", "")))

    @requires(browser=True)
    def change_password(self) -> str | HTTPResponse:
        """Change the password; all sessions end, this browser gets a new one, keys are revoked unless kept."""
        accounts = self._accounts
        fields = verified_form()
        try:
            if fields.get("new", "") != fields.get("again", ""):
                raise Invalid("The two new passwords are not the same.", code="password")
            old, new = fields.get("old", ""), fields.get("new", "")
            keep = "keep_keys" in fields
            token = accounts.change_password(current_account(), old, new, current_visit(), keep_keys=keep)
        except ImgcoreError as error:
            return self._page(error, at="password")
        record_event(SecurityEvent.PASSWORD_CHANGED, detail="API keys kept" if keep else "API keys revoked")
        return set_session_cookie(redirect("/account?done=password"), token)

    @requires(browser=True)
    def end_sessions(self) -> HTTPResponse:
        """End all sessions of the account, this one included, and revoke its keys unless kept."""
        accounts = self._accounts
        fields = verified_form()
        keep = "keep_keys" in fields
        accounts.end_sessions(current_account(), keep_keys=keep)
        record_event(SecurityEvent.SESSIONS_ENDED, detail="API keys kept" if keep else "API keys revoked")
        return clear_session_cookie(redirect("/login"))

    @requires(browser=True)
    def end_session(self, public_id: str) -> HTTPResponse:
        """End one session."""
        accounts = self._accounts
        verified_form()
        accounts.end_session(current_account(), public_id)
        record_event(SecurityEvent.SESSION_ENDED)
        return redirect("/account?done=session")

    @requires(browser=True)
    def make_key(self) -> str:
        """Create an API key, after the password was confirmed, and show it once."""
        accounts = self._accounts
        fields = verified_form()
        wanted = [scope for scope in Scope if fields.get(f"scope_{scope.value}")]
        days = fields.get("days", str(KEY_DAYS))
        try:
            account = self._confirm(fields)
            secret = accounts.create_key(
                account, fields.get("label", ""), wanted, days=int(days) if days in _DAYS else 0
            )
        except ImgcoreError as error:
            return self._page(error, at="keys")
        record_event(SecurityEvent.KEY_CREATED, detail=f"{' '.join(wanted)}, {days} days")
        return self._page(secret=secret)

    @requires(browser=True)
    def remove_key(self, public_id: str) -> HTTPResponse:
        """Revoke an API key."""
        accounts = self._accounts
        verified_form()
        accounts.revoke_key(current_account(), public_id)
        record_event(SecurityEvent.KEY_REVOKED)
        return redirect("/account?done=key")

    @requires(browser=True)
    def delete(self) -> str | HTTPResponse:
        """Delete the account with its images, after the password was confirmed."""
        accounts = self._accounts
        fields = verified_form()
        try:
            account = self._confirm(fields)
            accounts.delete(account, lambda: record_event(SecurityEvent.ACCOUNT_DELETED), by=account)
        except ImgcoreError as error:
            return self._page(error, at="delete")
        return clear_session_cookie(redirect("/login"))

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        if self._given is not None:
            values |= self._known(self._given)
            mine, spending = current_account(), self._spending
            values["quota"] = serializers.quota_rows(
                self._given.store.usage(mine.id),
                self._given.quota(mine),
                spending.counted(mine.id) if spending else None,
            )
        if self._subscriptions is not None:
            values["mail"] = notifications.section(self._subscriptions, caller().account)
        if self._spending is not None and (account := caller().account) is not None:
            values["spending"] = spending_pages.totals(self._spending, owner_id=account.id)
            values["unsettled"] = spending_pages.unsettled(self._spending, owner_id=account.id)
        return self._show("account", error, **values)

    @staticmethod
    def _known(accounts: Accounts) -> dict[str, Any]:
        mine, session = current_account(), caller().session
        here = session.public_id if session else None
        return {
            "account": mine,
            "since": serializers.moment(mine.password_at),
            "label_length": LABEL_LENGTH,
            "passkeys": accounts.passkeys.all(mine),
            "second_factor": accounts.second_factors.get(mine),
            "key_days": KEY_DAYS,
            "key_days_choices": KEY_DAYS_CHOICES,
            "scopes": [(scope, words) for scope, words in _SCOPES.items() if scope in mine.scopes],
            "sessions": [serializers.session(each, here) for each in accounts.sessions(mine)],
            "events": serializers.security_entries(accounts.log.of_account(mine, _EVENTS)),
            "keys": [serializers.key(each) for each in accounts.keys(mine)],
        }
