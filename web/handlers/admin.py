"""The administrators' pages of accounts: create, delete, change the role, reset the password, revoke access."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse

from imgcore.accounts.models import Account, Role, Scope, generate_password
from imgcore.accounts.security_log import PAGE, SecurityEvent
from imgcore.errors import ImgcoreError, Invalid
from imgcore.spending.models import Group, Usage
from web import serializers
from web.handlers.forms import FormPages, redirect
from web.http import request
from web.http.auth import caller, record_event, requires
from web.http.csrf import verified_form
from web.http.responses import Route

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.spending.service import Spending
    from web.http.templates import TemplateRenderer

_QUOTA = ("images", "gibibytes", "uploads")
_SPEND_QUOTA = ("spend_day", "spend_month")
_DOLLARS = re.compile(r"\d{1,7}(\.\d{1,4})?", re.ASCII)
_DONE = {
    "role": "The role was changed.",
    "signed-out": "The account is signed out everywhere, and its API keys are revoked.",
    "key": "API key revoked.",
    "quota": "The quota was changed.",
    "second-factor": "The second factor was removed. The account signs in with its password alone.",
    "deleted": "The account was deleted. Its photos are being removed.",
}


class AccountAdminPages(FormPages):
    """Handlers of /accounts and /security-log; in open mode they answer 404.

    What gives access to an account or removes it requires the administrator's own password.
    """

    def __init__(
        self, accounts: Accounts | None, renderer: TemplateRenderer, spending: Spending | None = None
    ) -> None:
        super().__init__(accounts, renderer)
        self._spending = spending

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        one = "/accounts/<public_id>"
        return [
            ("GET", "/accounts", self.list_accounts),
            ("POST", "/accounts", self.add),
            ("GET", one, self.account),
            ("POST", f"{one}/password", self.reset_password),
            ("POST", f"{one}/second-factor", self.reset_second_factor),
            ("POST", f"{one}/role", self.set_role),
            ("POST", f"{one}/quota", self.set_quota),
            ("POST", f"{one}/sign-out", self.sign_out),
            ("POST", f"{one}/keys/<key_id>/remove", self.remove_key),
            ("POST", f"{one}/delete", self.delete),
            ("GET", "/security-log", self.security_log),
        ]

    @requires(Scope.ADMIN, browser=True)
    def list_accounts(self) -> str:
        """Show all accounts and the form for a new one."""
        return self._list(done=_DONE.get(request.query().get("done", "")))

    @requires(Scope.ADMIN, browser=True)
    def add(self) -> str:
        """Create an account; a generated password is shown once."""
        accounts = self._accounts
        fields = verified_form()
        name, chosen = fields.get("name", ""), fields.get("new", "")
        password = chosen or generate_password()
        try:
            role = _role(fields.get("role", Role.PERSON))
            account = accounts.add(name.strip(), password, role, by=self._confirm(fields))
        except ImgcoreError as error:
            return self._list(error, name=name)
        record_event(SecurityEvent.ACCOUNT_CREATED, account.name, role)
        return self._list(added=account, password=None if chosen else password)

    @requires(Scope.ADMIN, browser=True)
    def account(self, public_id: str) -> str:
        """Show one account with its API keys and what can be done about it."""
        return self._one(self._accounts.get(public_id), done=_DONE.get(request.query().get("done", "")))

    @requires(Scope.ADMIN, browser=True)
    def reset_password(self, public_id: str) -> str:
        """Set a generated password, show it once, end all sessions and revoke all keys of the account."""
        accounts = self._accounts
        fields = verified_form()
        account, password = accounts.get(public_id), generate_password()
        try:
            accounts.reset_password(account, password, by=self._confirm(fields))
        except ImgcoreError as error:
            return self._one(account, error)
        record_event(SecurityEvent.PASSWORD_RESET, account.name)
        return self._one(account, password=password)

    @requires(Scope.ADMIN, browser=True)
    def reset_second_factor(self, public_id: str) -> str | HTTPResponse:
        """Remove the second factor of an account whose owner lost it."""
        accounts = self._accounts
        fields = verified_form()
        account = accounts.get(public_id)
        try:
            accounts.second_factors.reset(account, by=self._confirm(fields))
        except ImgcoreError as error:
            return self._one(account, error)
        record_event(SecurityEvent.SECOND_FACTOR_RESET, account.name)
        return redirect(f"/accounts/{account.public_id}?done=second-factor")

    @requires(Scope.ADMIN, browser=True)
    def set_role(self, public_id: str) -> str | HTTPResponse:
        """Change the role of an account."""
        accounts = self._accounts
        fields = verified_form()
        account = accounts.get(public_id)
        try:
            role = _role(fields.get("role", ""))
            accounts.set_role(account, role, by=self._confirm(fields))
        except ImgcoreError as error:
            return self._one(account, error)
        record_event(SecurityEvent.ROLE_CHANGED, account.name, role)
        return redirect(f"/accounts/{account.public_id}?done=role")

    @requires(Scope.ADMIN, browser=True)
    def set_quota(self, public_id: str) -> str | HTTPResponse:
        """Set the quota of an account; an empty field stands for the gallery's default."""
        accounts = self._accounts
        fields = verified_form()
        account = accounts.get(public_id)
        try:
            images, gibibytes, uploads = (_number(fields.get(name, "")) for name in _QUOTA)
            day, month = (_dollars(fields.get(name, "")) for name in _SPEND_QUOTA)
            size = None if gibibytes is None else gibibytes * 2**30
            numbers = {"images": images, "bytes_": size, "uploads": uploads}
            by = self._confirm(fields)
            accounts.store.set_quota(account.id, **numbers, spend_day=day, spend_month=month, by=by)
        except ImgcoreError as error:
            return self._one(account, error)
        said = ", ".join(f"{name} {fields.get(name, '') or 'default'}" for name in (*_QUOTA, *_SPEND_QUOTA))
        record_event(SecurityEvent.SETTING_CHANGED, account.name, f"quota: {said}")
        return redirect(f"/accounts/{account.public_id}?done=quota")

    @requires(Scope.ADMIN, browser=True)
    def sign_out(self, public_id: str) -> HTTPResponse:
        """End all sessions of an account and revoke its keys."""
        accounts = self._accounts
        verified_form()
        account = accounts.get(public_id)
        accounts.end_sessions(account)
        record_event(SecurityEvent.SESSIONS_ENDED, account.name, "API keys revoked")
        return redirect(f"/accounts/{account.public_id}?done=signed-out")

    @requires(Scope.ADMIN, browser=True)
    def remove_key(self, public_id: str, key_id: str) -> HTTPResponse:
        """Revoke an API key of an account."""
        accounts = self._accounts
        verified_form()
        account = accounts.get(public_id)
        accounts.revoke_key(account, key_id)
        record_event(SecurityEvent.KEY_REVOKED, account.name)
        return redirect(f"/accounts/{account.public_id}?done=key")

    @requires(Scope.ADMIN, browser=True)
    def delete(self, public_id: str) -> str | HTTPResponse:
        """Delete an account with its images."""
        accounts = self._accounts
        fields = verified_form()
        account = accounts.get(public_id)
        try:
            by = self._confirm(fields)
            begun = partial(record_event, SecurityEvent.ACCOUNT_DELETED, account.name)
            accounts.delete(account, begun, by=by)
        except ImgcoreError as error:
            return self._one(account, error)
        return redirect("/accounts?done=deleted")

    @requires(Scope.ADMIN, browser=True)
    def security_log(self) -> str:
        """Show the security log, the newest entries first."""
        asked = request.query()
        name, before = asked.get("name", "").strip().lower(), asked.get("before", "")
        entry = request.digits(before, 17)
        if before and entry is None:
            raise Invalid("before must be the number of an entry.", code="before")
        entries = self._accounts.log.page(before=entry, name=name or None)
        following = entries[-1].id if len(entries) == PAGE else None
        shown = serializers.security_entries(entries)
        return self._show("security_log", entries=shown, name=name, following=following)

    def _list(self, error: ImgcoreError | None = None, **values: Any) -> str:
        accounts, spent = self._accounts, None
        used = accounts.store.usages()
        if self._spending is not None:
            sums = self._spending.usage(self._spending.month(), Group.OWNER)
            spent = {each.group: _spent(each) for each in sums}
        rows = [
            serializers.account_row(account, count)
            | serializers.account_usage(
                used.get(account.id),
                None if spent is None else spent.get(account.name, _spent(Usage(None))),
            )
            for account, count in accounts.all()
        ]
        return self._show("accounts", error, rows=rows, me=_my_id(), **values)

    def _one(self, account: Account, error: ImgcoreError | None = None, **values: Any) -> str:
        row = serializers.account_row(account, self._accounts.count_images(account))
        accounts = self._accounts
        keys = [serializers.key(each) for each in accounts.keys(account)]
        used, spent = accounts.store.usage(account.id), None
        if self._spending is not None:
            spent = self._spending.counted(account.id)
        quota = serializers.quota_rows(used, accounts.quota(account), spent)
        values["passkeys"] = len(accounts.passkeys.all(account))
        values |= {"keys": keys, "quota": quota, "second_factor": accounts.second_factors.get(account)}
        return self._show("account_admin", error, row=row, me=_my_id(), **values)


def _my_id() -> str | None:
    me = caller().account
    return me.public_id if me else None


def _number(text: str) -> int | None:
    """Return a whole number of a field; None where it is empty. Invalid (``quota``)."""
    text = text.strip()
    if not text:
        return None
    found = request.digits(text, 9)
    if found is None:
        raise Invalid("A quota is a whole number of at most nine digits, or empty.", code="quota")
    return found


def _dollars(text: str) -> float | None:
    """Return the US dollars of a field; None where it is empty. Invalid (``quota``)."""
    text = text.strip()
    if not text:
        return None
    if not _DOLLARS.fullmatch(text):
        raise Invalid("A quota of spending is an amount in US dollars, such as 2.50, or empty.", code="quota")
    return float(text)


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise Invalid("An account is a person or an administrator.", code="role") from None


def _spent(usage: Usage) -> str:
    """Return what descriptions cost; what has no known price is counted, not left out."""
    known = f"${usage.price_usd or 0.0:.2f}"
    if usage.unpriced:
        known += f" and {usage.unpriced:,} of unknown price"
    return f"{known}, and {usage.unsettled.calls:,} without an answer" if usage.unsettled else known
