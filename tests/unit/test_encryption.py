"""Secrets that the database holds encrypted, and the settings of their key."""

from __future__ import annotations

import json

import pytest

from imgcore import bootstrap_accounts
from imgcore.accounts.encryption import FernetCipher
from imgcore.config import Config
from imgcore.errors import Misconfigured

FIRST, SECOND = "a first key of 32 random letters", "another key of 32 random letters"


def cipher(keys: str) -> FernetCipher:
    return FernetCipher(lambda: keys)


def test_encrypted_secret_is_decrypted_by_the_same_key() -> None:
    token = cipher(FIRST).encrypt("SECRET", "account 1")
    assert "SECRET" not in token
    assert "SECRET" == cipher(FIRST).decrypt(token, "account 1")


def test_each_token_is_another_one() -> None:
    """Equal secrets of two accounts do not show."""
    made = cipher(FIRST)
    assert made.encrypt("SECRET", "1") != made.encrypt("SECRET", "1")


@pytest.mark.parametrize(
    ("keys", "context"), [(SECOND, "account 1"), (FIRST, "account 2"), (FIRST, "account"), (FIRST, "")]
)
def test_token_of_another_key_or_context_is_none(keys: str, context: str) -> None:
    assert cipher(keys).decrypt(cipher(FIRST).encrypt("SECRET", "account 1"), context) is None


@pytest.mark.parametrize("token", ["", "SECRET", "gAAAAA=="])
def test_what_is_no_token_is_none(token: str) -> None:
    assert cipher(FIRST).decrypt(token, "account 1") is None


def test_replaced_key_still_decrypts_and_the_first_one_encrypts() -> None:
    old = cipher(FIRST).encrypt("SECRET", "1")
    both = cipher(f"{SECOND}, {FIRST}")
    assert "SECRET" == both.decrypt(old, "1")
    assert "SECRET" == cipher(SECOND).decrypt(both.encrypt("SECRET", "1"), "1")


def test_token_is_current_while_its_key_is_the_first() -> None:
    """A token of an older key is encrypted again when it is used."""
    token = cipher(FIRST).encrypt("SECRET", "1")
    current = [cipher(keys).is_current(token) for keys in (FIRST, f"{FIRST},{SECOND}", f"{SECOND},{FIRST}")]
    assert [True, True, False] == current


@pytest.mark.parametrize("keys", ["", "x" * 31, f"{FIRST},short", f"{FIRST},"])
def test_short_key_is_misconfigured(keys: str) -> None:
    with pytest.raises(Misconfigured, match="SECRET_KEY"):
        cipher(keys).encrypt("SECRET", "1")


def test_cipher_without_a_key_is_none() -> None:
    assert bootstrap_accounts.cipher(Config.read({})) is None


@pytest.mark.parametrize("text", [FIRST, json.dumps({"username": "web", "password": FIRST})])
def test_cipher_takes_the_key_of_secrets_manager(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """The secret is fetched once, when a key is first needed."""
    asked: list[str] = []
    monkeypatch.setattr("imgcore.aws.clients.get_secret", lambda name: asked.append(name) or text)
    made = bootstrap_accounts.cipher(Config.read({"SECRET_KEY_ID": "gallery/web"}))
    assert made is not None
    assert [] == asked
    assert "SECRET" == cipher(FIRST).decrypt(made.encrypt("SECRET", "1"), "1")
    made.encrypt("SECRET", "1")
    assert ["gallery/web"] == asked


def test_cipher_takes_the_key_of_the_settings_first() -> None:
    made = bootstrap_accounts.cipher(Config.read({"SECRET_KEY": FIRST, "SECRET_KEY_ID": "gallery/web"}))
    assert made is not None
    assert "SECRET" == cipher(FIRST).decrypt(made.encrypt("SECRET", "1"), "1")
