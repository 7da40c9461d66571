"""A steady load that counts every failure: a hundred connections that stay open, each asking in its turn.

Requests leave at a fixed rate, whatever comes back (an open loop), spread over the connections. An answer
counts only when it is whole and says 200; everything else is a failure with a name. Which release answered is
kept by the half second.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

RESPONSE_TIMEOUT = 60.0  # seconds for one answer: slow is not failed
SLICE = 0.5  # seconds
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_RELEASE = re.compile(rb"\r\nx-release: *([\w.-]+)\r\n", re.IGNORECASE)


@dataclass
class Tally:
    """What came back. by_slice: (slice, release, status) → answers; slices count from the start."""

    started: float = field(default_factory=time.monotonic)
    good: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    by_slice: Counter[tuple[int, str, int]] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)  # seconds, of one request in ten
    first: list[str] = field(default_factory=list)  # the first failures, in words

    @property
    def asked(self) -> int:
        """All requests that have ended, well or not."""
        return self.good + self.failures.total()

    def answered(self, status: int, release: str, seconds: float) -> None:
        """One whole answer."""
        self.by_slice[int((time.monotonic() - self.started) / SLICE), release, status] += 1
        if status == 200:
            self.good += 1
        else:
            self.failed(f"status {status}")
        if self.asked % 10 == 0:
            self.times.append(seconds)

    def failed(self, name: str) -> None:
        """One that was none."""
        self.failures[name] += 1
        if len(self.first) < 20:
            self.first.append(f"{name} after {time.monotonic() - self.started:.2f} s")

    def answers_by_slice(self) -> Counter[int]:
        """How many answers came in each slice."""
        counted: Counter[int] = Counter()
        for (at, _, _), n in self.by_slice.copy().items():
            counted[at] += n
        return counted

    def answers_between(self, moment: float, until: float, *, least: int = 0) -> int:
        """Answers between two moments of time.monotonic(), those with at least that status."""
        first, last = ((at - self.started) / SLICE for at in (moment, until))
        counted = self.by_slice.copy().items()
        return sum(n for (at, _, status), n in counted if first <= at < last and status >= least)

    def errors_between(self, moment: float, until: float) -> int:
        """Those of them that are 5xx."""
        return self.answers_between(moment, until, least=500)

    def releases_since(self, moment: float) -> set[str]:
        """Return the hosts that have answered since ``moment`` (time.monotonic())."""
        first = (moment - self.started) / SLICE
        return {release for at, release, _ in self.by_slice.copy() if at >= first}


class Load:
    """The load, in a thread of its own, from ``with`` to its end. mix: path → how many of all requests."""

    def __init__(self, port: int, mix: dict[str, int], *, connections: int = 100, rate: float = 500.0) -> None:
        self.tally = Tally()
        self._port, self._connections, self._rate = port, connections, rate
        self._paths = itertools.cycle(_shuffled(mix))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="load")

    def __enter__(self) -> Load:
        self.tally = Tally()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    async def _run(self) -> None:
        pause = self._connections / self._rate
        async with asyncio.TaskGroup() as group:
            for number in range(self._connections):
                group.create_task(self._ask_on_and_on(number * pause / self._connections, pause))

    async def _ask_on_and_on(self, first: float, pause: float) -> None:
        connection = Connection(self._port)
        due = time.monotonic() + first
        while not self._stop.is_set():
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due = max(due + pause, time.monotonic() - pause)  # what is late is made up for, a little
            began = time.monotonic()
            try:
                async with asyncio.timeout(RESPONSE_TIMEOUT):
                    status, release = await connection.get(next(self._paths))
            except (OSError, EOFError, ValueError, TimeoutError) as error:
                self.tally.failed(type(error).__name__)
                connection.close()
            else:
                self.tally.answered(status, release, time.monotonic() - began)
        connection.close()


class Connection:
    """One connection that stays open; opened at its first request and after it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def get(self, path: str) -> tuple[int, str]:
        """Status and release of a whole answer. OSError, EOFError or ValueError where it is none."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length, release = _LENGTH.search(head), _RELEASE.search(head)
        await reader.readexactly(int(length[1]) if length else 0)
        if b"\r\nconnection: close\r\n" in head.lower():
            self.close()
        return int(head[9:12]), release[1].decode() if release else "-"

    def close(self) -> None:
        """Forget it."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


def _shuffled(mix: dict[str, int]) -> Sequence[str]:
    paths = [path for path, count in mix.items() for _ in range(count)]
    random.Random(1).shuffle(paths)
    return paths
