"""Encryption of secrets in the database, by a key that it does not hold. The only importer of cryptography."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cached_property

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from imgcore.errors import Misconfigured

MIN_KEY_LENGTH = 32  # characters
_PURPOSE = b"caption gallery: secrets of accounts"


class FernetCipher:
    """Encrypts by Fernet: AES-128-CBC with HMAC-SHA256 (imgcore.accounts.models.Cipher).

    read_keys: returns the keys, separated by commas; called once, when the first is needed. The first one
    encrypts, all of them decrypt, so that a key can be replaced.
    """

    def __init__(self, read_keys: Callable[[], str]) -> None:
        self._read_keys = read_keys

    def encrypt(self, secret: str, context: str) -> str:
        """Return a token that ``decrypt`` accepts with the same context. Misconfigured, Unavailable."""
        return self._fernet.encrypt(f"{context} {secret}".encode()).decode()

    def decrypt(self, token: str, context: str) -> str | None:
        """Return the secret; None where no key made the token, or for another context."""
        try:
            found, _, secret = self._fernet.decrypt(token.encode()).decode().rpartition(" ")
        except InvalidToken:
            return None
        return secret if found == context else None

    def is_current(self, token: str) -> bool:
        """Return whether the first key made the token."""
        try:
            self._keys[0].decrypt(token.encode())
        except InvalidToken:
            return False
        return True

    @cached_property
    def _fernet(self) -> MultiFernet:
        return MultiFernet(self._keys)

    @cached_property
    def _keys(self) -> list[Fernet]:
        keys = [key.strip() for key in self._read_keys().split(",")]
        if any(len(key) < MIN_KEY_LENGTH for key in keys):
            raise Misconfigured(f"SECRET_KEY is too short: {MIN_KEY_LENGTH} random characters are needed.")
        return [Fernet(base64.urlsafe_b64encode(_derived(key))) for key in keys]


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
