"""How many requests each caller has of the API in a minute, counted in this process."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

WINDOW = 60.0  # seconds
_MOST = 10_000  # callers that are remembered


@dataclass(frozen=True, slots=True)
class Spent:
    """What is left after a request: ``reset`` in whole seconds until the count begins anew."""

    allowed: bool
    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        """draft-ietf-httpapi-ratelimit-headers-10."""
        return {
            "RateLimit-Policy": f'"api";q={self.limit};w={WINDOW:.0f}',
            "RateLimit": f'"api";r={self.remaining};t={self.reset}',
        }


class Rates:
    """``limit`` requests a minute for each name. clock: in seconds, never going back."""

    def __init__(self, limit: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[str, tuple[float, int]] = {}  # name → when its minute began, and requests since

    def take(self, name: str) -> Spent:
        """Count one request."""
        now = self._clock()
        with self._lock:
            began, count = self._counts.get(name, (now, 0))
            if now - began >= WINDOW:
                began, count = now, 0
            allowed = count < self.limit
            if len(self._counts) >= _MOST and name not in self._counts:
                self._tidy(now)
            self._counts[name] = (began, count + allowed)
        left = self.limit - count - allowed
        return Spent(allowed, self.limit, left, max(1, math.ceil(began + WINDOW - now)))

    def _tidy(self, now: float) -> None:
        self._counts = {name: kept for name, kept in self._counts.items() if now - kept[0] < WINDOW}
        if len(self._counts) >= _MOST:  # a crowd within one minute: begin anew rather than grow
            self._counts.clear()
