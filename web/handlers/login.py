"""Signing in, signing out, and setting up the first administrator."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from bottle import HTTPResponse

from imgcore.accounts.security_log import SecurityEvent
from imgcore.accounts.service import SignIn
from imgcore.errors import Forbidden, ImgcoreError, Unauthorized
from web.handlers.forms import FormPages, local_path, redirect
from web.handlers.passkeys import challenge_response, refusal, relying_party
from web.http import request
from web.http.auth import caller, current_visit, record_event, requires
from web.http.cookies import (
    challenge_token,
    clear_challenge_cookie,
    clear_session_cookie,
    clear_sign_in_cookie,
    require_https,
    session_token,
    set_device_cookie,
    set_session_cookie,
    set_sign_in_cookie,
    sign_in_token,
)
from web.http.csrf import verified_form
from web.http.responses import Route


class LoginPages(FormPages):
    """Handlers of /login, /logout and /setup; in open mode they answer 404."""

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("GET", "/login", self.login),
            ("POST", "/login", self.sign_in),
            ("GET", "/login/code", self.code),
            ("POST", "/login/code", self.enter_code),
            ("POST", "/login/passkey/options", self.start_passkey),
            ("POST", "/login/passkey", self.use_passkey),
            ("POST", "/logout", self.sign_out),
            ("GET", "/setup", self.set_up),
            ("POST", "/setup", self.set_up_done),
        ]

    @requires()
    def login(self) -> str | HTTPResponse:
        """Show the sign-in form; redirect if the browser is signed in already or no account exists yet."""
        onward = local_path(request.query().get("next", ""))
        if self._accounts.is_empty():
            return redirect("/setup")
        if caller().account is not None:
            return redirect(onward)
        require_https()
        return self._login(onward=onward)

    @requires()
    def sign_in(self) -> str | HTTPResponse:
        """Check name and password; then start a session, or ask for a code of the second factor."""
        require_https()
        fields = verified_form()
        onward, name = local_path(fields.get("next", "")), fields.get("name", "")
        try:
            found = self._accounts.sign_in(name, fields.get("password", ""), current_visit())
        except ImgcoreError as error:
            return self._login(error, onward=onward, name=name)
        if found.needs_code:
            return set_sign_in_cookie(redirect(f"/login/code?next={quote(onward, safe='')}"), found.token)
        return self._signed_in(found, onward)

    @requires()
    def code(self) -> str | HTTPResponse:
        """Show the form for the code, if this browser has entered name and password."""
        if sign_in_token() is None:
            return redirect("/login")
        require_https()
        return self._show("login_code", onward=local_path(request.query().get("next", "")))

    @requires()
    def enter_code(self) -> str | HTTPResponse:
        """Check the code of the second factor and start a session."""
        require_https()
        fields = verified_form()
        onward, token = local_path(fields.get("next", "")), sign_in_token()
        if token is None:
            return redirect("/login")
        try:
            found = self._accounts.finish_sign_in(token, fields.get("code", ""), current_visit())
        except Unauthorized as error:
            return self._login(error, onward=onward)
        except ImgcoreError as error:
            return self._show("login_code", error, onward=onward)
        return clear_sign_in_cookie(self._signed_in(found, onward))

    @requires()
    def start_passkey(self) -> HTTPResponse:
        """Return the options of a sign-in with a passkey as JSON."""
        verified_form()
        try:
            found = self._accounts.passkeys.start_sign_in(relying_party(), address=current_visit().address)
        except ImgcoreError as error:
            return refusal(error)
        return challenge_response(found)

    @requires()
    def use_passkey(self) -> str | HTTPResponse:
        """Check what the passkey signed and start a session."""
        fields = verified_form()
        onward, token = local_path(fields.get("next", "")), challenge_token()
        if token is None:
            return redirect("/login")
        try:
            response = fields.get("credential", "")
            found = self._accounts.sign_in_by_passkey(relying_party(), token, response, current_visit())
        except ImgcoreError as error:
            return self._login(error, onward=onward)
        return clear_challenge_cookie(self._signed_in(found, onward))

    def _login(self, error: ImgcoreError | None = None, **values: Any) -> str:
        """Return the page with both ways to sign in; without passkeys where browsers offer none."""
        try:
            relying_party()
        except Forbidden:
            return self._show("login", error, passkeys=False, **values)
        return self._show("login", error, passkeys=True, **values)

    def _signed_in(self, found: SignIn, onward: str) -> HTTPResponse:
        """End the session that this browser had, and set the cookies of its new one."""
        if (before := session_token()) is not None:
            self._accounts.sign_out(before)
        device = self._accounts.remember_device(found.account, current_visit())
        return set_device_cookie(set_session_cookie(redirect(onward), found.token), device)

    @requires()
    def sign_out(self) -> HTTPResponse:
        """End this browser's session."""
        verified_form()
        if (token := session_token()) is not None:
            self._accounts.sign_out(token)
        if caller().account is not None:  # anybody can send a cookie without a session
            record_event(SecurityEvent.SIGNED_OUT)
        return clear_session_cookie(redirect("/login"))

    @requires()
    def set_up(self) -> str | HTTPResponse:
        """Show the form for the first administrator, as long as there is none."""
        if not self._accounts.needs_set_up():
            return redirect("/login")
        require_https()
        return self._show("setup")

    @requires()
    def set_up_done(self) -> str | HTTPResponse:
        """Create the first administrator and sign in."""
        require_https()
        fields = verified_form()
        name, token = fields.get("name", ""), fields.get("setup_token", "")
        try:
            account = self._accounts.set_up(token, name.strip(), fields.get("password", ""), current_visit())
        except ImgcoreError as error:
            return self._show("setup", error, name=name, setup_token=token)
        return set_session_cookie(redirect("/"), self._accounts.start_session(account, current_visit()))
