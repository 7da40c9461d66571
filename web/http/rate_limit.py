"""Rate limits for API callers: requests a minute, counted together in all processes of this host's gallery."""

from __future__ import annotations

import fcntl
import hashlib
import math
import mmap
import struct
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

WINDOW = 60.0  # seconds
SLOTS = 16_384  # callers whose counts are kept
_PROBES = 8  # slots that one caller may have; the oldest count among them is dropped for a new caller

_SLOT = struct.Struct("16sdq")  # hash of the name, start of its window, requests since then


@dataclass(frozen=True, slots=True)
class RateLimitStatus:
    """The state of one caller's limit. reset: whole seconds until the count starts again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """The response headers of draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"api";q={self.limit};w={WINDOW:.0f}',
            "RateLimit": f'"api";r={self.remaining};t={self.reset}',
        }


class RateLimiter:
    """Fixed-window counters: ``limit`` requests a minute for each name. clock: monotonic seconds.

    The counters are in memory that forked processes share.
    """

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._table = mmap.mmap(-1, SLOTS * _SLOT.size)
        self._threads = threading.Lock()
        # A lock of this file is dropped when its process dies, which a lock in shared memory would not be.
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process

    def hit(self, name: str) -> RateLimitStatus:
        """Count one request of ``name`` if it is within the limit, and return the state after it."""
        return self._status(name, count_it=True)

    def peek(self, name: str) -> RateLimitStatus:
        """Return the state of ``name`` as ``hit`` would, without counting."""
        return self._status(name, count_it=False)

    def _status(self, name: str, *, count_it: bool) -> RateLimitStatus:
        now = self._clock()
        key = hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=16).digest()
        with self._locked():
            place, start, count = self._find(key, now)
            allowed = count < self.limit
            if count_it:
                _SLOT.pack_into(self._table, place, key, start, count + allowed)
        remaining = self.limit - count - allowed
        return RateLimitStatus(allowed, self.limit, remaining, max(1, math.ceil(start + WINDOW - now)))

    def _find(self, key: bytes, now: float) -> tuple[int, float, int]:
        """Return the place of a caller's slot, the start of its window and its count."""
        first = int.from_bytes(key[:8], "little")
        oldest = (math.inf, 0)
        for probe in range(_PROBES):
            place = (first + probe) % SLOTS * _SLOT.size
            held, start, count = _SLOT.unpack_from(self._table, place)
            if held == key and now - start < WINDOW:
                return place, start, count
            oldest = min(oldest, (start, place))
        return oldest[1], now, 0

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)
