"""The administrators' page of accounts: create, delete, change the role, reset the password, sign out."""

from __future__ import annotations

from typing import Any

from bottle import HTTPResponse

from imgcore.accounts.models import Role, Scope
from imgcore.accounts.service import generate_password
from imgcore.errors import ImgcoreError, Invalid
from web import serializers
from web.handlers.forms import FormPages, redirect
from web.http import request
from web.http.auth import caller, requires
from web.http.csrf import verified_form
from web.http.responses import Route

_DONE = {
    "role": "The role was changed.",
    "signed-out": "The account is signed out everywhere.",
    "deleted": "The account was deleted. Its photos are being removed.",
}


class AccountAdminPages(FormPages):
    """Handlers of /accounts; in open mode they answer 404."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = "/accounts/<public_id>"
        return [
            ("GET", "/accounts", self.list_accounts),
            ("POST", "/accounts", self.add),
            ("POST", f"{one}/password", self.reset_password),
            ("POST", f"{one}/role", self.set_role),
            ("POST", f"{one}/sign-out", self.sign_out),
            ("POST", f"{one}/delete", self.delete),
        ]

    @requires(Scope.ADMIN, browser=True)
    def list_accounts(self) -> str:
        """Show all accounts and the form for a new one."""
        return self._page(done=_DONE.get(request.query().get("done", "")))

    @requires(Scope.ADMIN, browser=True)
    def add(self) -> str:
        """Create an account; a generated password is shown once."""
        accounts = self._accounts
        fields = verified_form()
        name, chosen = fields.get("name", ""), fields.get("password", "")
        password = chosen or generate_password()
        try:
            role = _role(fields.get("role", Role.PERSON))
            account = accounts.add(name.strip(), password, role)
        except ImgcoreError as error:
            return self._page(error, name=name)
        return self._page(added=account, password=None if chosen else password)

    @requires(Scope.ADMIN, browser=True)
    def reset_password(self, public_id: str) -> str:
        """Set a generated password, show it once, and end all sessions of the account."""
        accounts = self._accounts
        verified_form()
        account, password = accounts.get(public_id), generate_password()
        accounts.reset_password(account, password)
        return self._page(reset=account, password=password)

    @requires(Scope.ADMIN, browser=True)
    def set_role(self, public_id: str) -> HTTPResponse:
        """Change the role of an account."""
        accounts = self._accounts
        fields = verified_form()
        accounts.set_role(accounts.get(public_id), _role(fields.get("role", "")))
        return redirect("/accounts?done=role")

    @requires(Scope.ADMIN, browser=True)
    def sign_out(self, public_id: str) -> HTTPResponse:
        """End all sessions of an account."""
        accounts = self._accounts
        verified_form()
        accounts.end_sessions(accounts.get(public_id))
        return redirect("/accounts?done=signed-out")

    @requires(Scope.ADMIN, browser=True)
    def delete(self, public_id: str) -> HTTPResponse:
        """Delete an account with its images."""
        accounts = self._accounts
        verified_form()
        accounts.delete(accounts.get(public_id))
        return redirect("/accounts?done=deleted")

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        me = caller().account
        listed = [serializers.account_row(account, count, me) for account, count in self._accounts.all()]
        return self._show("accounts", error, rows=listed, **values)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid("An account is a person or an administrator.", code="role") from None
