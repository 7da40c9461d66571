"""Passkeys: the page that adds and removes them, and the challenges that browsers sign."""

from __future__ import annotations

import ipaddress
from typing import Any

from bottle import HTTPResponse
from bottle import request as current

from imgcore.accounts.passkeys import Challenge, RelyingParty
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Forbidden, ImgcoreError
from web.handlers.forms import FormPages, current_account, error_message, redirect
from web.http import request
from web.http.auth import record_event, requires
from web.http.cookies import challenge_token, clear_challenge_cookie, is_https, set_challenge_cookie
from web.http.csrf import verified_form
from web.http.errors import problem_of
from web.http.hosts import host_name
from web.http.responses import Route, json_response
from web.serializers import moment

_DONE = {
    "added": "The passkey was added. It signs in without name, password and code.",
    "removed": "The passkey was removed. Delete it on its device too.",
}


class PasskeyPages(FormPages):
    """Handlers of /account/passkeys; in open mode they answer 404."""

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("GET", "/account/passkeys", self.show),
            ("POST", "/account/passkeys/options", self.start),
            ("POST", "/account/passkeys", self.add),
            ("POST", "/account/passkeys/<public_id>/remove", self.remove),
        ]

    @requires(browser=True)
    def show(self) -> str:
        """Show the account's passkeys and the form for a new one."""
        return self._page(done=_DONE.get(request.query().get("done", "")))

    @requires(browser=True)
    def start(self) -> HTTPResponse:
        """Return the options of a new passkey as JSON, after the password was confirmed."""
        accounts = self._accounts
        fields = verified_form()
        try:
            account = self._confirm(fields)
            return challenge_response(accounts.passkeys.start_adding(account, relying_party()))
        except ImgcoreError as error:
            return refusal(error)

    @requires(browser=True)
    def add(self) -> str | HTTPResponse:
        """Add the passkey that the browser made."""
        accounts = self._accounts
        fields = verified_form()
        label, token = fields.get("label", ""), challenge_token() or ""
        try:
            account = self._confirm(fields)
            party, response = relying_party(), fields.get("credential", "")
            accounts.passkeys.add(account, party, token, label, response)
        except ImgcoreError as error:
            return self._page(error, label=label)
        record_event(SecurityEvent.PASSKEY_ADDED)
        return clear_challenge_cookie(redirect("/account/passkeys?done=added"))

    @requires(browser=True)
    def remove(self, public_id: str) -> HTTPResponse:
        """Remove a passkey."""
        accounts = self._accounts
        verified_form()
        accounts.passkeys.remove(current_account(), public_id)
        record_event(SecurityEvent.PASSKEY_REMOVED)
        return redirect("/account/passkeys?done=removed")

    def _page(self, error: ImgcoreError | None = None, **values: Any) -> str:
        rows = [
            {
                "id": passkey.public_id,
                "label": passkey.label,
                "created": moment(passkey.created_at),
                "used": moment(passkey.used_at) if passkey.used_at else None,
            }
            for passkey in self._accounts.passkeys.all(current_account())
        ]
        try:
            party, unusable = relying_party(), None
        except Forbidden as refused:
            party, unusable = None, refused.message
        return self._show("passkeys", error, rows=rows, party=party, unusable=unusable, **values)


def relying_party() -> RelyingParty:
    """Return the site of this request, to whose host name its passkeys are bound.

    Forbidden (``passkey_host``) where browsers offer no passkeys: without HTTPS, except on localhost, and at an
    IP address. The host name is one that the gallery answers to: RequestChecks has refused all others.
    """
    header = current.environ.get("HTTP_HOST", "").lower()
    name = host_name(header) or ""
    if _is_address(name):
        port = header.removeprefix(name)
        local = f", on this computer http://localhost{port}/" if name in {"127.0.0.1", "[::1]"} else ""
        raise Forbidden(
            f"Passkeys do not work at an IP address. Open the gallery by its name{local}.", code="passkey_host"
        )
    if not (is_https() or name == "localhost"):
        raise Forbidden("Passkeys need HTTPS. Open the gallery by its https:// address.", code="passkey_host")
    return RelyingParty(name, f"{'https' if is_https() else 'http'}://{header}")


def challenge_response(challenge: Challenge) -> HTTPResponse:
    """Return the options of a challenge as JSON, and set its cookie."""
    response = HTTPResponse(
        challenge.options, headers={"Content-Type": "application/json", "Cache-Control": "no-store"}
    )
    return set_challenge_cookie(response, challenge.token)


def refusal(error: ImgcoreError) -> HTTPResponse:
    """Return the error's sentence and status as JSON. A 5xx error is raised again."""
    problem = problem_of(error)
    if problem.status_code >= 500:
        raise error
    headers = {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}
    return json_response({"message": error_message(error)}, problem.status_code, headers)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
