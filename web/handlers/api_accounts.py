"""The JSON API of accounts: /api/v1/me and /api/v1/accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import HTTPResponse

from imgcore.accounts.models import Role, Scope
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Forbidden, Invalid
from web import serializers
from web.handlers.forms import require_accounts
from web.http import request
from web.http.auth import PREFIX, caller, record_event, requires
from web.http.responses import Route, json_response

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts


class AccountsApi:
    """Handlers of accounts; in open mode those of /accounts answer 404."""

    def __init__(self, accounts: Accounts | None) -> None:
        self._given = accounts

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("GET", f"{PREFIX}/me", self.me),
            ("GET", f"{PREFIX}/accounts", self.accounts),
            ("POST", f"{PREFIX}/accounts", self.add),
            ("DELETE", f"{PREFIX}/accounts/<public_id>", self.delete),
        ]

    @requires(account=True)
    def me(self) -> HTTPResponse:
        """Return the authenticated account and its scopes."""
        found = caller()
        return json_response(
            {
                "open": found.open,
                "account": serializers.account_json(found.account) if found.account else None,
                "scopes": [scope for scope in Scope if scope in found.scopes],
            }
        )

    @requires(Scope.ADMIN)
    def accounts(self) -> HTTPResponse:
        """List the accounts with their numbers of images."""
        listed = require_accounts(self._given).all()
        shown = [serializers.account_json(account) | {"photographs": count} for account, count in listed]
        return json_response({"accounts": shown})

    @requires(Scope.ADMIN)
    def add(self) -> HTTPResponse:
        """Create an account."""
        accounts = require_accounts(self._given)
        _require_key()
        body = request.json_object(frozenset({"name", "password", "role"}))
        role = request.string(body, "role") if "role" in body else Role.PERSON.value
        if role not in set(Role):
            raise Invalid("role must be person or administrator.", code="role")
        if role == Role.ADMINISTRATOR:
            raise Forbidden("An API key cannot create an administrator. Use the page /accounts.", code="role")
        made = accounts.add(request.string(body, "name"), request.string(body, "password"), Role(role))
        record_event(SecurityEvent.ACCOUNT_CREATED, made.name, role)
        return json_response(serializers.account_json(made), 201)

    @requires(Scope.ADMIN)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete an account with its images."""
        accounts = require_accounts(self._given)
        _require_key()
        account = accounts.get(public_id)
        accounts.delete(account, lambda: record_event(SecurityEvent.ACCOUNT_DELETED, account.name))
        return HTTPResponse(status=204)


def _require_key() -> None:
    """Refuse a session: a key was confirmed by a password, as each form that changes accounts is."""
    if caller().key is None:
        raise Forbidden(
            "A session does not change accounts here. Use an API key with the scope admin, or /accounts.",
            code="key_required",
        )
