"""Password hashing with Argon2id. The only importer of argon2."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from imgcore.errors import Busy

# OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane. More memory would be better, but two
# computations at once already take a quarter of the 160 MiB of the web process.
TIME_COST, MEMORY_KIB, LANES = 2, 19_456, 1
AT_ONCE = 2  # computations
WAITING = 2  # sign-ins of unknown browsers that wait for one
TIMEOUT = 10.0  # seconds


class Argon2Hasher:
    """Hashes and verifies passwords, at most ``AT_ONCE`` at the same time (imgcore.accounts.models.Hasher)."""

    def __init__(self) -> None:
        self._argon2 = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=LANES)
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._unknown = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._decoy = self._argon2.hash(secrets.token_hex(16))  # now, or the first attempt takes longer

    def hash(self, password: str) -> str:
        """Return parameters, salt and digest in one text of about 100 characters. Busy."""
        with self._slot():
            return self._argon2.hash(password)

    def verify(self, stored: str | None, password: str) -> bool:
        """Return whether ``password`` matches; for ``stored`` None do the same work and return False."""
        with self._slot():
            try:
                return self._argon2.verify(stored or self._decoy, password) and stored is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, stored: str) -> bool:
        """Return whether ``stored`` was computed with other parameters than the current ones."""
        return self._argon2.check_needs_rehash(stored)

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Admit a sign-in of an unknown browser, or raise Busy where too many wait already.

        Otherwise a flood of sign-ins would keep every thread of the server waiting for a computation.
        """
        if not self._unknown.acquire(blocking=False):
            raise _busy()
        try:
            yield
        finally:
            self._unknown.release()

    @contextmanager
    def _slot(self) -> Iterator[None]:
        if not self._slots.acquire(timeout=TIMEOUT):
            raise _busy()
        try:
            yield
        finally:
            self._slots.release()


def _busy() -> Busy:
    said = "Too many sign-ins at the moment. Try again in a few seconds."
    return Busy(said, retry_after=TIMEOUT)
