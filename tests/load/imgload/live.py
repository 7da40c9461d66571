"""One line on standard error that says how it goes, each second, where somebody watches."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from locust.env import Environment

    from imgload.options import Options

_CLEAR = "\r\x1b[K"


class Progress:
    """Requests, rate, percentiles and failures so far, from locust's statistics."""

    def __init__(self, options: Options, environment: Environment) -> None:
        self._environment = environment
        self._terminal = sys.stderr.isatty()
        self._shown = options.live or (self._terminal and not options.quiet)
        self._begun = time.monotonic()
        self._last = 0
        self._when = self._begun

    def show(self) -> None:
        """The line as it is now; in a terminal it takes the place of the last one."""
        if not self._shown:
            return
        now, total = time.monotonic(), self._environment.stats.total
        rate = (total.num_requests - self._last) / max(now - self._when, 1e-9)
        self._last, self._when = total.num_requests, now
        middle, high, highest = (total.get_response_time_percentile(share) or 0 for share in (0.5, 0.95, 0.99))
        line = (
            f"{now - self._begun:5.0f} s  {total.num_requests} requests  {rate:.0f}/s"
            f"  p50 {middle:.0f} p95 {high:.0f} p99 {highest:.0f} ms  {total.num_failures} failed"
        )
        print(
            _CLEAR + line if self._terminal else line,
            end="" if self._terminal else "\n",
            file=sys.stderr,
            flush=True,
        )

    def end(self) -> None:
        """Leaves the terminal as it was found."""
        if self._shown and self._terminal:
            print(_CLEAR, end="", file=sys.stderr, flush=True)
