"""The page of the second factor: set up an authenticator app, make recovery codes, turn it off."""

from __future__ import annotations

from typing import Any

import segno
from bottle import HTTPResponse

from imgcore.accounts.second_factor import generate_secret, is_secret, provisioning_uri
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import ImgcoreError
from web import serializers
from web.handlers.forms import FormPages, current_account, redirect
from web.http.auth import current_visit, record_event, requires
from web.http.csrf import verified_form
from web.http.responses import Route


class SecondFactorPages(FormPages):
    """Handlers of /account/second-factor; in open mode they answer 404.

    A secret that is being set up is in the form alone: nothing is stored before a code has confirmed it.
    """

    def routes(self) -> list[Route]:
        """Return (method, path, handler) of the routes."""
        return [
            ("GET", "/account/second-factor", self.show),
            ("POST", "/account/second-factor", self.enable),
            ("POST", "/account/second-factor/codes", self.create_codes),
            ("POST", "/account/second-factor/remove", self.disable),
        ]

    @requires(browser=True)
    def show(self) -> str:
        """Show the second factor, or the QR code of a new secret."""
        return self._page()

    @requires(browser=True)
    def enable(self) -> str:
        """Turn the second factor on and show the recovery codes once."""
        accounts = self._accounts
        fields = verified_form()
        secret = fields.get("secret", "")
        try:
            account = self._confirm(fields)
            codes = accounts.second_factors.enable(account, secret, fields.get("code", ""))
        except ImgcoreError as error:
            return self._page(error, secret=secret)
        record_event(SecurityEvent.SECOND_FACTOR_ENABLED)
        return self._page(codes=codes)

    @requires(browser=True)
    def create_codes(self) -> str:
        """Replace the recovery codes and show the new ones once."""
        accounts = self._accounts
        fields = verified_form()
        try:
            codes = accounts.second_factors.create_recovery_codes(self._confirm(fields))
        except ImgcoreError as error:
            return self._page(error, at="codes")
        record_event(SecurityEvent.RECOVERY_CODES_CREATED)
        return self._page(codes=codes)

    @requires(browser=True)
    def disable(self) -> str | HTTPResponse:
        """Turn the second factor off, after the password and a code."""
        accounts = self._accounts
        fields = verified_form()
        try:
            account, address = self._confirm(fields), current_visit().address
            accounts.second_factors.disable(account, fields.get("code", ""), address=address)
        except ImgcoreError as error:
            return self._page(error, at="remove")
        record_event(SecurityEvent.SECOND_FACTOR_DISABLED)
        return redirect("/account?done=second-factor")

    def _page(self, error: ImgcoreError | None = None, *, secret: str = "", **values: Any) -> str:
        accounts = self._accounts
        account = current_account()
        factor = accounts.second_factors.get(account)
        if factor is None:
            secret = secret if is_secret(secret) else generate_secret()
            drawn = segno.make(provisioning_uri(secret, account.name), error="m", micro=False)
            values["qr"] = drawn.svg_inline(omitsize=True, light="#fff")
            values["secret"] = secret
        else:
            values["since"] = serializers.moment(factor.created_at)
        return self._show("second_factor", error, account=account, factor=factor, **values)
