"""What an administrator does with accounts: make them, end them, help those who forgot their password."""

from __future__ import annotations

from typing import Any

from bottle import HTTPResponse

from imgcore.accounts.models import SHORTEST_PASSWORD, Role, Scope
from imgcore.accounts.service import made_up_password
from imgcore.errors import ImgcoreError, Invalid
from web import serializers
from web.handlers.forms import FormPages, see_other
from web.http import request
from web.http.auth import caller, needs
from web.http.responses import Route
from web.http.security import check_form

_DONE = {
    "role": "That account has another role now.",
    "signed-out": "That account is signed out everywhere.",
    "deleted": "The account is gone, and its photographs are being removed.",
}


class PeoplePages(FormPages):
    """The handlers; in open mode there is nothing at these addresses."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = "/accounts/<public_id>"
        return [
            ("GET", "/accounts", self.people),
            ("POST", "/accounts", self.add),
            ("POST", f"{one}/password", self.reset_password),
            ("POST", f"{one}/role", self.set_role),
            ("POST", f"{one}/sign-out", self.sign_out),
            ("POST", f"{one}/delete", self.delete),
        ]

    @needs(Scope.ADMIN, browser=True)
    def people(self) -> str:
        """Everybody, and the form for one more."""
        return self._page(done=_DONE.get(request.query().get("done", "")))

    @needs(Scope.ADMIN, browser=True)
    def add(self) -> str:
        """One more; a password that nobody chose is shown once."""
        accounts = self._accounts
        fields = check_form(request.form())
        name, chosen = fields.get("name", ""), fields.get("password", "")
        password = chosen or made_up_password()
        try:
            role = _role(fields.get("role", Role.PERSON))
            account = accounts.add(name.strip(), password, role)
        except ImgcoreError as error:
            return self._page(error, name=name)
        return self._page(added=account, password=None if chosen else password)

    @needs(Scope.ADMIN, browser=True)
    def reset_password(self, public_id: str) -> str:
        """Another password, made up here and shown once; the account is signed out everywhere."""
        accounts = self._accounts
        check_form(request.form())
        account, password = accounts.get(public_id), made_up_password()
        accounts.reset_password(account, password)
        return self._page(reset=account, password=password)

    @needs(Scope.ADMIN, browser=True)
    def set_role(self, public_id: str) -> HTTPResponse:
        """Person or administrator."""
        accounts = self._accounts
        fields = check_form(request.form())
        accounts.set_role(accounts.get(public_id), _role(fields.get("role", "")))
        return see_other("/accounts?done=role")

    @needs(Scope.ADMIN, browser=True)
    def sign_out(self, public_id: str) -> HTTPResponse:
        """Everywhere."""
        accounts = self._accounts
        check_form(request.form())
        accounts.end_sessions(accounts.get(public_id))
        return see_other("/accounts?done=signed-out")

    @needs(Scope.ADMIN, browser=True)
    def delete(self, public_id: str) -> HTTPResponse:
        """With the photographs."""
        accounts = self._accounts
        check_form(request.form())
        accounts.delete(accounts.get(public_id))
        return see_other("/accounts?done=deleted")

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        who = caller().account
        listed = [serializers.person(account, count, who) for account, count in self._accounts.all()]
        return self._show("people", error, people=listed, shortest=SHORTEST_PASSWORD, **values)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid("An account is a person or an administrator.", code="role") from None
