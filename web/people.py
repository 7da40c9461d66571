"""What an administrator does with accounts: make them, end them, help those who forgot their password."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.errors import ImgcoreError, Invalid
from imgcore.people import SHORTEST_PASSWORD, Role, Scope
from web import present, reading
from web.access import caller, needs
from web.answers import Route
from web.problems import refusal_of
from web.render import Views
from web.security import check_form, form_token
from web.signing import existing, see_other, told

if TYPE_CHECKING:
    from imgcore.accounts import Accounts

_DONE = {
    "role": "That account has another role now.",
    "signed-out": "That account is signed out everywhere.",
    "deleted": "The account is gone, and its photographs are being removed.",
}


class PeoplePages:
    """The handlers; in open mode there is nothing at these addresses."""

    def __init__(self, accounts: Accounts | None, views: Views) -> None:
        self._given = accounts
        self._views = views

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

    @property
    def _accounts(self) -> Accounts:
        return existing(self._given)

    @needs(Scope.ADMIN, browser=True)
    def people(self) -> str:
        """Everybody, and the form for one more."""
        return self._page(done=_DONE.get(reading.query().get("done", "")))

    @needs(Scope.ADMIN, browser=True)
    def add(self) -> str:
        """One more; a password that nobody chose is shown once."""
        accounts = self._accounts
        fields = check_form(reading.form())
        name, chosen = fields.get("name", ""), fields.get("password", "")
        password = chosen or _made_up()
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
        check_form(reading.form())
        account, password = accounts.get(public_id), _made_up()
        accounts.reset_password(account, password)
        return self._page(reset=account, password=password)

    @needs(Scope.ADMIN, browser=True)
    def set_role(self, public_id: str) -> HTTPResponse:
        """Person or administrator."""
        accounts = self._accounts
        fields = check_form(reading.form())
        accounts.set_role(accounts.get(public_id), _role(fields.get("role", "")))
        return see_other("/accounts?done=role")

    @needs(Scope.ADMIN, browser=True)
    def sign_out(self, public_id: str) -> HTTPResponse:
        """Everywhere."""
        accounts = self._accounts
        check_form(reading.form())
        accounts.end_sessions(accounts.get(public_id))
        return see_other("/accounts?done=signed-out")

    @needs(Scope.ADMIN, browser=True)
    def delete(self, public_id: str) -> HTTPResponse:
        """With the photographs."""
        accounts = self._accounts
        check_form(reading.form())
        accounts.delete(accounts.get(public_id))
        return see_other("/accounts?done=deleted")

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        response.set_header("Cache-Control", "no-store")
        if error is not None:
            problem = refusal_of(error)
            if problem.status_code >= 500:
                raise error
            response.status = problem.status_code
        me = caller().account
        listed = [present.person(account, count, me) for account, count in self._accounts.all()]
        fixed = {"people": listed, "shortest": SHORTEST_PASSWORD, "trouble": told(error)}
        return self._views.page("people", token=form_token(), **fixed, **values)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid("An account is a person or an administrator.", code="role") from None


def _made_up() -> str:
    return secrets.token_urlsafe(15)
