"""/api/v1/me and /api/v1/accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bottle import HTTPResponse

from imgcore.accounts.models import Role, Scope
from imgcore.errors import Invalid
from web import serializers
from web.handlers.forms import existing
from web.http import request
from web.http.auth import PREFIX, caller, needs
from web.http.responses import Route, answer

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts


class AccountsApi:
    """The handlers; in open mode there is nobody."""

    def __init__(self, accounts: Accounts | None) -> None:
        self._given = accounts

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", f"{PREFIX}/me", self.me),
            ("GET", f"{PREFIX}/accounts", self.accounts),
            ("POST", f"{PREFIX}/accounts", self.add),
            ("DELETE", f"{PREFIX}/accounts/<public_id>", self.delete),
        ]

    @needs(account=True)
    def me(self) -> HTTPResponse:
        """Who asks, and what they may do."""
        found = caller()
        return answer(
            {
                "open": found.open,
                "account": serializers.account_json(found.account) if found.account else None,
                "scopes": [scope for scope in Scope if scope in found.scopes],
            }
        )

    @needs(Scope.ADMIN)
    def accounts(self) -> HTTPResponse:
        """Everybody, with the number of their photographs."""
        listed = existing(self._given).all()
        shown = [serializers.account_json(account) | {"photographs": count} for account, count in listed]
        return answer({"accounts": shown})

    @needs(Scope.ADMIN)
    def add(self) -> HTTPResponse:
        """One more."""
        accounts = existing(self._given)
        body = request.json_object(frozenset({"name", "password", "role"}))
        role = request.string(body, "role") if "role" in body else Role.PERSON.value
        if role not in set(Role):
            raise Invalid("role must be person or administrator.", code="role")
        made = accounts.add(request.string(body, "name"), request.string(body, "password"), Role(role))
        return answer(serializers.account_json(made), 201)

    @needs(Scope.ADMIN)
    def delete(self, public_id: str) -> HTTPResponse:
        """With the photographs."""
        accounts = existing(self._given)
        accounts.delete(accounts.get(public_id))
        return HTTPResponse(status=204)
