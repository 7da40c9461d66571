"""Signing in and out, and the page that makes the first administrator."""

from __future__ import annotations

import re

from bottle import HTTPResponse

from imgcore.errors import ImgcoreError
from web.handlers.forms import FormPages, see_other
from web.http import request
from web.http.auth import caller, needs, visit
from web.http.cookies import check_private, drop_session, keep_session, session_token
from web.http.responses import Route
from web.http.security import check_form

_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]{0,2000}", re.ASCII)


class Signing(FormPages):
    """The handlers, over the accounts; in open mode there is nothing at these addresses."""

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [
            ("GET", "/login", self.login),
            ("POST", "/login", self.sign_in),
            ("POST", "/logout", self.sign_out),
            ("GET", "/setup", self.set_up),
            ("POST", "/setup", self.set_up_done),
        ]

    @needs()
    def login(self) -> str | HTTPResponse:
        """The form; whoever is signed in already goes on."""
        onward = _local(request.query().get("next", ""))
        if self._accounts.nobody():
            return see_other("/setup")
        if caller().account is not None:
            return see_other(onward)
        check_private()
        return self._show("login", onward=onward)

    @needs()
    def sign_in(self) -> str | HTTPResponse:
        """A new session, and an end to the one that this browser had."""
        check_private()
        fields = check_form(request.form())
        onward, name = _local(fields.get("next", "")), fields.get("name", "")
        try:
            _, token = self._accounts.sign_in(name, fields.get("password", ""), visit())
        except ImgcoreError as error:
            return self._show("login", error, onward=onward, name=name)
        if (before := session_token()) is not None:
            self._accounts.sign_out(before)
        return keep_session(see_other(onward), token)

    @needs()
    def sign_out(self) -> HTTPResponse:
        """This browser's session is no more."""
        check_form(request.form())
        if (token := session_token()) is not None:
            self._accounts.sign_out(token)
        return drop_session(see_other("/login"))

    @needs()
    def set_up(self) -> str | HTTPResponse:
        """The form for the first administrator, as long as there is none."""
        if not self._accounts.needs_set_up():
            return see_other("/login")
        check_private()
        return self._show("setup")

    @needs()
    def set_up_done(self) -> str | HTTPResponse:
        """The first administrator, signed in."""
        check_private()
        fields = check_form(request.form())
        name, token = fields.get("name", ""), fields.get("setup_token", "")
        try:
            account = self._accounts.set_up(token, name.strip(), fields.get("password", ""))
        except ImgcoreError as error:
            return self._show("setup", error, name=name, setup_token=token)
        return keep_session(see_other("/"), self._accounts.start_session(account, visit()))


def _local(path: str) -> str:
    """Where to go on: a path of ours, or the gallery."""
    return path if _PATH.fullmatch(path) else "/"
