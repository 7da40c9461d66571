"""Passwords by Argon2id, and nobody else imports its library."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from imgcore.errors import Unavailable

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. More memory would be better and is not
# to be had where the web runs: two at once already take a quarter of the 160 MB that its process has.
TIME_COST, MEMORY_KIB, LANES = 2, 19_456, 1
AT_ONCE = 2
PATIENCE = 10.0  # seconds


class Argon2Hasher:
    """imgcore.accounts.models.Hasher. At most ``AT_ONCE`` are computed at the same time, whoever asks."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._decoy = self._argon2.hash(secrets.token_hex(16))  # made now: the first try must not take longer

    def hash(self, password: str) -> str:
        """What is stored: the parameters, the salt and the digest in one text of some 100 characters."""
        with self._slot():
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether it is the password; ``None``, nobody's, costs the same work and is False."""
        with self._slot():
            try:
                return self._argon2.verify(stored or self._decoy, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Whether it was made with other parameters than today's."""
        return self._argon2.check_needs_rehash(stored)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=PATIENCE):
            raise Unavailable("Too many people sign in at this moment.", code="busy", retry_after=PATIENCE)
        try:
            yield
        finally:
            self._slots.release()
