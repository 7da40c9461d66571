"""Helpers of pages with forms: the authenticated account, and showing a form again with its error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.errors import ImgcoreError, NotFound, TooManyTries
from web.http.auth import caller, current_visit
from web.http.csrf import csrf_token
from web.http.errors import problem_of
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.accounts.models import Account
    from imgcore.accounts.service import Accounts


_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,2000}", re.ASCII)


class FormPages:
    """Base class of pages that use the accounts. accounts: None in open mode."""

    def __init__(self, accounts: Accounts | None, renderer: TemplateRenderer) -> None:
        self._given = accounts
        self._renderer = renderer

    @property
    def _accounts(self) -> Accounts:
        return require_accounts(self._given)

    def _confirm(self, fields: Mapping[str, str]) -> Account:
        """Check the password of the signed-in account in a form that changes credentials or accounts.

        Return the account as its session was read with: what is written checks that it has not changed since.
        Forbidden (``password``), TooManyTries.
        """
        account = current_account()
        self._accounts.confirm(account, fields.get("password", ""), current_visit())
        return account

    def _show(self, view: str, error: ImgcoreError | None = None, **values: Any) -> str:
        """Return an uncacheable page with the error's sentence and status. A 5xx error is raised again."""
        response.set_header("Cache-Control", "no-store")
        set_error_status(error)
        return self._renderer.render(view, token=csrf_token(), trouble=error_message(error), **values)


def local_path(path: str) -> str:
    """Return ``path`` if it is a path on this host, otherwise the gallery's."""
    return path if _PATH.fullmatch(path) else "/"


def require_accounts(accounts: Accounts | None) -> Accounts:
    """Return the accounts. Raises NotFound in open mode."""
    if accounts is None:
        raise NotFound("This gallery has no accounts: it is in open mode.")
    return accounts


def current_account() -> Account:
    """Return the authenticated account, in handlers whose requirement guarantees one."""
    account = caller().account
    assert account is not None
    return account


def set_error_status(error: ImgcoreError | None) -> None:
    """Give the response the error's status and Retry-After. A 5xx error is raised again."""
    if error is None:
        return
    problem = problem_of(error)
    if problem.status_code >= 500:
        raise error
    response.status = problem.status_code
    if problem.retry_after is not None:
        response.set_header("Retry-After", str(problem.retry_after))


def error_message(error: ImgcoreError | None) -> str | None:
    """Return the error's sentence for the page that shows the form again."""
    if isinstance(error, TooManyTries) and error.retry_after is not None:
        seconds = max(1, round(error.retry_after))
        wait = f"{seconds} second{'s' if seconds > 1 else ''}"
        return f"Too many attempts. Wait {wait}, then try again."
    return error.message if error else None


def redirect(path: str) -> HTTPResponse:
    """Return 303 See Other to one of our own paths."""
    return HTTPResponse(status=303, headers={"Location": path, "Cache-Control": "no-store"})
