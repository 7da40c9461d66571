"""Rate limits for API callers: requests a minute, counted in this process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 60.0  # seconds
MAX_CALLERS = 10_000  # names whose counts are kept


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
    """Fixed-window counters: ``limit`` requests a minute for each name. clock: monotonic seconds."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}  # name → start of its window, requests since then

    def hit(self, name: str) -> RateLimitStatus:
        """Count one request of ``name`` if it is within the limit, and return the state after it."""
        return self._status(name, count_it=True)

    def peek(self, name: str) -> RateLimitStatus:
        """Return the state of ``name`` as ``hit`` would, without counting."""
        return self._status(name, count_it=False)

    def _status(self, name: str, *, count_it: bool) -> RateLimitStatus:
        now = self._clock()
        with self._lock:
            start, count = self._counts.get(name, (now, 0))
            if now - start >= WINDOW:
                start, count = now, 0
            allowed = count < self.limit
            if count_it:
                if len(self._counts) >= MAX_CALLERS and name not in self._counts:
                    self._evict(now)
                self._counts[name] = (start, count + allowed)
        remaining = self.limit - count - allowed
        return RateLimitStatus(allowed, self.limit, remaining, max(1, math.ceil(start + WINDOW - now)))

    def _evict(self, now: float) -> None:
        self._counts = {name: kept for name, kept in self._counts.items() if now - kept[0] < WINDOW}
        if len(self._counts) >= MAX_CALLERS:  # too many callers within one window: bounded memory comes first
            self._counts.clear()
