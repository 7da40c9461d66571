"""What pages with forms over the accounts share: who asks, and how a form comes back when it went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.errors import ImgcoreError, NotFound, TooManyTries
from web.http.auth import caller
from web.http.errors import refusal_of
from web.http.security import form_token
from web.http.templates import Views

if TYPE_CHECKING:
    from imgcore.accounts.models import Account
    from imgcore.accounts.service import Accounts


class FormPages:
    """Handlers over the accounts; None in open mode."""

    def __init__(self, accounts: Accounts | None, views: Views) -> None:
        self._given = accounts
        self._views = views

    @property
    def _accounts(self) -> Accounts:
        return existing(self._given)

    def _show(self, view: str, error: ImgcoreError | None = None, **values: Any) -> str:
        """A page that nobody keeps, with the error's sentence and status. Raises it where it is our fault."""
        response.set_header("Cache-Control", "no-store")
        if error is not None:
            problem = refusal_of(error)
            if problem.status_code >= 500:
                raise error
            response.status = problem.status_code
            if problem.retry_after is not None:
                response.set_header("Retry-After", str(problem.retry_after))
        return self._views.page(view, token=form_token(), trouble=told(error), **values)


def existing(accounts: Accounts | None) -> Accounts:
    """The accounts. NotFound in open mode."""
    if accounts is None:
        raise NotFound("This gallery has no accounts: it answers on this computer only.")
    return accounts


def me() -> Account:
    """Whoever asks, of a route that only an account passes."""
    account = caller().account
    assert account is not None
    return account


def told(error: ImgcoreError | None) -> str | None:
    """What went wrong, for the page that asks again."""
    if isinstance(error, TooManyTries) and error.retry_after is not None:
        seconds = max(1, round(error.retry_after))
        wait = f"{seconds} second{'s' if seconds > 1 else ''}"
        return f"That was tried too often. Wait {wait}, then try again."
    return error.message if error else None


def see_other(path: str) -> HTTPResponse:
    """303 to a path of ours."""
    return HTTPResponse(status=303, headers={"Location": path, "Cache-Control": "no-store"})
