"""The figures and limits of accounts, and what a caller may."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from imgcore.accounts import service, throttle
from imgcore.accounts.models import (
    KEY_DAYS_CHOICES,
    SECURITY_LOG_SECONDS,
    Account,
    Caller,
    Quota,
    Role,
    Scope,
    SecondFactor,
    Visibility,
    check_new_password,
    count_attempt,
)
from imgcore.accounts.second_factor import SecondFactors
from imgcore.accounts.security_log import SecurityEvent
from imgcore.errors import Conflict, Invalid, TooManyTries
from imgcore.gallery.models import Viewer

DAY = 86_400.0
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def account(role: Role) -> Account:
    return Account(7, "x", "ada", role, NOW, NOW)


def test_periods_and_quotas_are_those_of_the_documentation() -> None:
    """docs/accounts.md names them; people and operators rely on them."""
    assert (180 * DAY, 7 * DAY, 90 * DAY) == (
        service.DEVICE_SECONDS,
        service.SET_UP_SECONDS,
        SECURITY_LOG_SECONDS,
    )
    assert (7, 30, 90, 365) == KEY_DAYS_CHOICES
    assert Quota(images=100_000, bytes=1024**4, uploads=1000, spend_day=None, spend_month=None) == Quota()


def test_limits_of_attempts_are_those_of_the_documentation() -> None:
    """Free attempts, and the longest wait: docs/accounts.md says what they allow somebody who guesses."""
    assert ((5, 900), (20, 300), (50, 300), (300, 10), 3600) == (
        throttle.PAIR,
        throttle.NETWORK,
        throttle.NAME,
        throttle.TOTAL,
        throttle.HOUR,
    )


def test_attempts_of_one_hour_count_together_whenever_they_come() -> None:
    """A name, all names, and a share link from everywhere."""
    first, later, next_hour = (
        [
            {name for name, *_ in throttle.sign_in("ada", "192.0.2.1", clock).counted},
            {name for name, *_ in throttle.share_password("x", "192.0.2.1", clock).counted},
        ]
        for clock in (36_000.0, 39_599.9, 39_600.0)
    )
    assert first == later
    assert [2, 1] == [len(one & two) for one, two in zip(first, next_hour, strict=True)]


@pytest.mark.parametrize("wait", [0.5, 20.0])
def test_attempt_that_has_to_wait_is_refused_with_the_wait(wait: float) -> None:
    with pytest.raises(TooManyTries) as caught:
        count_attempt(SimpleNamespace(hit=lambda tries: wait), ("ada", 1, 900.0))
    assert wait == caught.value.retry_after


def test_attempt_without_a_wait_goes_on() -> None:
    count_attempt(SimpleNamespace(hit=lambda tries: 0.0), ("ada", 1, 900.0))


@pytest.mark.parametrize("password", ["abcdeabcdeab", "a-b_c!d%" * 32])
def test_check_new_password_at_a_limit_is_accepted(password: str) -> None:
    """12 and 256 characters, five different ones."""
    assert password == check_new_password(password, "ada")


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("abcdeabcdea", "12 to 256"),
        ("a-b_c!d%" * 32 + "x", "12 to 256"),
        ("abcdabcdabcd", "too easy"),
        ("Ada-Ada-Byron Ada-Ada-Byron", "too easy"),
        ("words and half \ud83d", "cannot be stored"),
    ],
)
def test_check_new_password_beyond_a_limit_is_invalid(password: str, sentence: str) -> None:
    with pytest.raises(Invalid, match=sentence) as caught:
        check_new_password(password, "ada-ada-byron")
    assert "password" == caught.value.code


def test_secret_of_a_second_factor_is_not_in_its_text() -> None:
    """Logs and tracebacks show the text."""
    found = SecondFactor("JBSWY3DPEHPK3PXP", 1, NOW, 10)
    assert "JBSWY3DPEHPK3PXP" not in repr(found)
    assert not found.encrypted


@pytest.mark.parametrize("visibility", list(Visibility))
@pytest.mark.parametrize("scopes", [{Scope.READ}, {Scope.READ, Scope.EDIT}, set(Scope)])
def test_caller_with_an_account_changes_images_of_others_with_the_scope_admin_only(
    visibility: Visibility, scopes: set[Scope]
) -> None:
    """An administrator's key without that scope has no more rights than a person."""
    viewer = Caller(frozenset(scopes), account(Role.ADMINISTRATOR)).viewer(visibility)
    administers = Scope.ADMIN in scopes
    sees_others = administers or visibility is not Visibility.PRIVATE
    assert Viewer(7, sees_others=sees_others, changes_others=administers) == viewer


def test_key_has_no_scope_that_its_account_has_not() -> None:
    """The account was demoted after the key was made, and the key was not revoked."""
    person, key = account(Role.PERSON), SimpleNamespace(scopes=frozenset({Scope.READ, Scope.ADMIN}))
    store = SimpleNamespace(key=lambda token, address: (person, key))
    found = service.Accounts.authenticate_key(SimpleNamespace(store=store), "gallery_x", "192.0.2.1")
    assert (frozenset({Scope.READ}), person, key) == (found.scopes, found.account, found.key)


def test_key_may_have_every_scope_of_its_account() -> None:
    """The secret is 32 random bytes, of which only the beginning is kept; a day has 86,400 seconds."""
    stored = []
    store = SimpleNamespace(add_key=lambda *args, **values: stored.append((args, values)))
    accounts = SimpleNamespace(store=store)
    secret = service.Accounts.create_key(
        accounts, account(Role.PERSON), "script", ["read", "upload", "edit"], days=7
    )
    [(args, values)] = stored
    assert re.fullmatch(r"gallery_[A-Za-z0-9_-]{43}", secret)
    assert (secret[:12], 7 * DAY) == (values["hint"], values["seconds"])
    assert {Scope.READ, Scope.UPLOAD, Scope.EDIT} == values["scopes"]
    assert secret not in (*args, *values.values())


@pytest.mark.parametrize("keep", [{}, {"keep_keys": False}, {"keep_keys": True}])
def test_changed_password_revokes_keys_unless_they_are_kept(keep: dict[str, bool]) -> None:
    revoked = []
    accounts = SimpleNamespace(
        confirm=lambda *args: None,
        hasher=SimpleNamespace(hash=lambda password: "hash"),
        store=SimpleNamespace(set_password=lambda *args, by, keep_keys: revoked.append(not keep_keys)),
        start_session=lambda *args: "token",
    )
    owner, client = account(Role.PERSON), service.ClientInfo("192.0.2.1", "agent", None)
    service.Accounts.change_password(accounts, owner, "old", "four quiet herons fishing", client, **keep)
    assert [not keep.get("keep_keys", False)] == revoked


def test_second_factor_that_is_not_there_cannot_be_removed() -> None:
    """No code is asked for, and no attempt is counted."""
    factors = SimpleNamespace(store=SimpleNamespace(second_factor=lambda account_id: None))
    with pytest.raises(Conflict, match="no second factor"):
        SecondFactors.disable(factors, account(Role.PERSON), "000000", address="192.0.2.1")


def test_codes_that_have_to_wait_are_logged_with_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    logged = []
    log = SimpleNamespace(record=lambda event, *, address: logged.append((event, address)))
    monkeypatch.setattr("imgcore.accounts.second_factor.SecurityLog", lambda store: log)
    factors = SimpleNamespace(store=SimpleNamespace(hit=lambda tries: 15.0))
    with pytest.raises(TooManyTries):
        SecondFactors.check(factors, account(Role.PERSON), "000000", address="192.0.2.1")
    assert [(SecurityEvent.SIGN_IN_DELAYED, "192.0.2.1")] == logged
