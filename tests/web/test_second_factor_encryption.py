"""The stored secret of a second factor: encrypted, and what happens without the key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.accounts.encryption import FernetCipher
from imgcore.db.connection import Transaction
from tests.web.peopling import Site
from tests.web.second_factor_tools import KEY, enable, enter_code, enter_password, signed_in, site_at_noon


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site of its own, because limits add up."""
    found = site_at_noon(tmp_path, monkeypatch)
    yield found
    found.database.close()


def encrypt(home: Site, keys: str | None) -> None:
    """Set the key of the gallery."""
    cipher = FernetCipher(lambda: keys) if keys is not None else None
    object.__setattr__(home.accounts, "cipher", cipher)


def stored(home: Site, name: str) -> tuple[str, str | None]:
    """The columns of the secret of an account."""
    query = "SELECT secret, encrypted FROM second_factors WHERE account_id = :id"
    row = home.database.read(lambda tx: tx.row(query, id=home.people[name].id))
    assert row is not None
    return row["secret"], row["encrypted"]


def test_secret_is_stored_encrypted_and_its_codes_are_accepted(home: Site) -> None:
    encrypt(home, KEY)
    app, _ = enable(home, "owner")
    secret, token = stored(home, "owner")
    assert ("", False) == (secret, app.secret in (token or app.secret))
    browser = enter_password(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)


def test_unencrypted_secret_is_encrypted_when_its_code_is_used(home: Site) -> None:
    """A wrong code changes nothing, and the secret of another account stays."""
    app, _ = enable(home, "owner")
    enable(home, "other")
    encrypt(home, KEY)
    browser = enter_password(home, "owner")
    enter_code(browser, "000000")
    assert (app.secret, None) == stored(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)
    secret, token = stored(home, "owner")
    assert ("", app.secret) == (secret, FernetCipher(lambda: KEY).decrypt(token or "", context(home)))
    assert stored(home, "other")[1] is None


def context(home: Site) -> str:
    return f"second factor of {home.people['owner'].id}"


def test_secret_is_encrypted_anew_by_a_key_in_front(home: Site) -> None:
    """The earlier key can be left out then."""
    encrypt(home, KEY)
    app, _ = enable(home, "owner")
    encrypt(home, f"{'n' * 32},{KEY}")
    enter_code(enter_password(home, "owner"), app.code())
    token = stored(home, "owner")[1]
    assert app.secret == FernetCipher(lambda: "n" * 32).decrypt(token or "", context(home))


@pytest.mark.parametrize("keys", ["too short", f"too short,{KEY}"])
def test_unencrypted_secret_is_accepted_where_the_key_cannot_be_used(home: Site, keys: str) -> None:
    app, _ = enable(home, "owner")
    encrypt(home, keys)
    browser = enter_password(home, "owner")
    enter_code(browser, app.code())
    assert signed_in(browser)
    assert (app.secret, None) == stored(home, "owner")


@pytest.mark.parametrize("keys", [None, "x" * 32, "too short"])
def test_without_the_key_only_recovery_codes_are_accepted(home: Site, keys: str | None) -> None:
    encrypt(home, KEY)
    app, codes = enable(home, "owner")
    encrypt(home, keys)
    browser = enter_password(home, "owner")
    answer = enter_code(browser, app.code())
    assert (503, True) == (answer.status, "Enter a recovery code" in answer.text)
    assert not signed_in(browser)
    enter_code(browser, codes[0])
    assert signed_in(browser)


def test_secret_of_another_account_is_not_accepted(home: Site) -> None:
    """A row that is copied to another account gives no sign-in there."""
    encrypt(home, KEY)
    app, _ = enable(home, "other")
    enable(home, "owner")
    with home.database.transaction() as tx:
        statement = "UPDATE second_factors SET encrypted = :token WHERE account_id = :id"
        tx.execute(statement, token=stored_token(home, tx), id=home.people["owner"].id)
    browser = enter_password(home, "owner")
    assert 503 == enter_code(browser, app.code()).status
    assert not signed_in(browser)


def stored_token(home: Site, tx: Transaction) -> str:
    query = "SELECT encrypted FROM second_factors WHERE account_id = :id"
    row = tx.row(query, id=home.people["other"].id)
    assert row is not None
    return str(row["encrypted"])
