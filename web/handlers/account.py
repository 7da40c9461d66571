"""One's own account: password, browsers that are signed in, keys for programs, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import LABEL_LENGTH, SHORTEST_PASSWORD, Scope
from imgcore.errors import ImgcoreError, Invalid
from web import serializers
from web.handlers import notifications
from web.handlers.forms import FormPages, me, see_other
from web.http import request
from web.http.auth import caller, needs, visit
from web.http.cookies import drop_session, keep_session
from web.http.responses import Route
from web.http.security import check_form
from web.http.templates import Views

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.notifications.subscriptions import SubscriptionService

_DONE = {
    "password": "Your password has been changed, and every other browser signed out.",
    "session": "That browser is signed out.",
    "key": "The key is good for nothing any more.",
    **notifications.DONE,
}
_SCOPES = {
    Scope.READ: "see photographs",
    Scope.UPLOAD: "upload",
    Scope.EDIT: "edit, try again, delete and restore",
    Scope.ADMIN: "see and change everybody’s photographs, and make accounts",
}


class AccountPages(FormPages):
    """The handlers. In open mode the page says so, and its forms lead nowhere."""

    def __init__(
        self, accounts: Accounts | None, views: Views, subscriptions: SubscriptionService | None = None
    ) -> None:
        super().__init__(accounts, views)
        self._subscriptions = subscriptions

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
            *notifications.NoticePages(self._given, self._subscriptions, self._page).routes(),
        ]

    @needs(browser=True)
    def account(self) -> str:
        """Everything about it."""
        return self._page(done=_DONE.get(request.query().get("done", "")))

    @needs(browser=True)
    def change_password(self) -> str | HTTPResponse:
        """Every session ends, and this browser gets a new one."""
        accounts = self._accounts
        fields = check_form(request.form())
        try:
            if fields.get("new", "") != fields.get("again", ""):
                raise Invalid("The new password and its repetition are not the same.", code="password")
            old, new = fields.get("old", ""), fields.get("new", "")
            token = accounts.change_password(me(), old, new, visit())
        except ImgcoreError as error:
            return self._page(error, at="password")
        return keep_session(see_other("/account?done=password"), token)

    @needs(browser=True)
    def end_sessions(self) -> HTTPResponse:
        """Sign out everywhere, here too."""
        accounts = self._accounts
        check_form(request.form())
        accounts.end_sessions(me())
        return drop_session(see_other("/login"))

    @needs(browser=True)
    def end_session(self, public_id: str) -> HTTPResponse:
        """Sign one browser out."""
        accounts = self._accounts
        check_form(request.form())
        accounts.end_session(me(), public_id)
        return see_other("/account?done=session")

    @needs(browser=True)
    def make_key(self) -> str:
        """The new key, on this page and never again."""
        accounts = self._accounts
        fields = check_form(request.form())
        wanted = [scope for scope in Scope if fields.get(f"scope_{scope.value}")]
        try:
            secret = accounts.make_key(me(), fields.get("label", ""), wanted)
        except ImgcoreError as error:
            return self._page(error, at="keys")
        return self._page(secret=secret)

    @needs(browser=True)
    def remove_key(self, public_id: str) -> HTTPResponse:
        """Nobody can use it from now on."""
        accounts = self._accounts
        check_form(request.form())
        accounts.remove_key(me(), public_id)
        return see_other("/account?done=key")

    @needs(browser=True)
    def delete(self) -> str | HTTPResponse:
        """The account and its photographs."""
        accounts = self._accounts
        fields = check_form(request.form())
        try:
            accounts.confirm(me(), fields.get("password", ""), visit())
            accounts.delete(me())
        except ImgcoreError as error:
            return self._page(error, at="delete")
        return drop_session(see_other("/login"))

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        if self._given is not None:
            values |= self._known(self._given)
        if self._subscriptions is not None:
            values["mail"] = notifications.section(self._subscriptions, caller().account)
        return self._show("account", error, **values)

    @staticmethod
    def _known(accounts: Accounts) -> dict[str, Any]:
        mine, session = me(), caller().session
        here = session.public_id if session else None
        return {
            "account": mine,
            "since": serializers.moment(mine.password_at),
            "shortest": SHORTEST_PASSWORD,
            "label_length": LABEL_LENGTH,
            "scopes": [(scope, words) for scope, words in _SCOPES.items() if scope in mine.scopes],
            "sessions": [serializers.session(each, here) for each in accounts.sessions(mine)],
            "keys": [serializers.key(each) for each in accounts.keys(mine)],
        }
