"""An open loop: requests are due at a steady rate whether or not the server keeps up.

A closed loop asks less of a slow server: what it could not send in the meantime is missing from its percentiles
("coordinated omission"). Here every request is timed from when it was due, and those that were due and could
not be sent, or got no answer, count as failed with the time that they have waited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gevent

from imgload.job import Job, clock

if TYPE_CHECKING:
    from imgload.connection import Connection

__all__ = ["OpenLoop"]


class OpenLoop(Job):
    """``options.rate`` requests a second; ``options.concurrency`` connections at most.

    After the last one was due the answers are waited for as long as ``options.timeout``.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        rate, requests = self.options.rate, self.options.requests
        assert rate is not None
        self._gap = 1 / rate
        self._due_for = requests / rate  # seconds
        self.unsent = self.unanswered = 0

    def begin(self) -> None:
        """The clock starts; so does the time in which all has to be over."""
        super().begin()
        self.stop_at = float("inf")
        gevent.spawn_later(self._due_for + self.options.timeout, self.stop)

    def take(self) -> float | None:
        """Return when the next request is due."""
        number = self.started
        if super().take() is None:
            return None
        return self.begun + number * self._gap

    def expire(self) -> None:
        """Silence is what is being measured; it ends nothing."""

    def close(self) -> None:
        """Count what got no answer and what was never sent, with the time that it has waited."""
        now = clock()
        for connection in self.connections:
            self._lose(connection, now)
        for number in range(self.started, self.options.requests):
            due = self.begun + number * self._gap
            if due > now:
                break
            self.unsent += 1
            self._missed(due, now, now - due)

    def _lose(self, connection: Connection, now: float) -> None:
        since = connection.asking_since
        if since is not None and since <= now:
            self.unanswered += 1
            self._missed(since, now, 0.0)

    def _missed(self, due: float, now: float, unsent_for: float) -> None:
        self.bad += 1
        self.exceptions += 1
        self.last = now
        self.samples.add(due, unsent_for, now - due, 0.0, True)

    def epilogue(self) -> list[str]:
        """What an open loop says after ab's report."""
        return [
            "",
            "Open loop, each request timed from when it was due",
            f"Requests due:           {self.done} at {self.options.rate:.2f} [#/sec]",
            f"Due but not sent:       {self.unsent}",
            f"Sent but not answered:  {self.unanswered}",
            f"Longest wait to send:   {max(self.samples.column('connect'), default=0) * 1000:.3f} [ms]",
        ]
