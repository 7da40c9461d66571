"""Faults of the gallery in processes: each is a context manager, whose body is the time that it lasts."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pymysql

from tests.pipeline import late_results
from tests.pipeline.processes import LEASE, WORKERS, Gallery

Fault = Callable[[Gallery, Random], AbstractContextManager[None]]
HOUR = 3600
LATE_SECONDS = 15 * LEASE  # a limit, within which a worker has a result and another one takes its task over
MOST_CONNECTIONS = 10  # the fewest that MariaDB lets one set


@contextmanager
def database_killed(gallery: Gallery, dice: Random) -> Iterator[None]:
    gallery.database.kill()
    try:
        yield
    finally:
        gallery.database.start()


def _part_killed(choose: Callable[[Random], str]) -> Fault:
    @contextmanager
    def killed(gallery: Gallery, dice: Random) -> Iterator[None]:
        name = choose(dice)
        gallery.kill(name)
        try:
            yield
        finally:
            gallery.start(name)

    return killed


@contextmanager
def one_web_process_killed(gallery: Gallery, dice: Random) -> Iterator[None]:
    """The parent starts another one."""
    parent = gallery.running["web"].pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    with suppress(ProcessLookupError):
        os.kill(int(dice.choice(children)), signal.SIGKILL)
    yield


@contextmanager
def worker_stopped(gallery: Gallery, dice: Random) -> Iterator[None]:
    """It goes on after the leases of its tasks have ended."""
    name = f"worker {dice.randrange(len(WORKERS))}"
    gallery.signal(name, signal.SIGSTOP)
    time.sleep(LEASE + 1)
    try:
        yield
    finally:
        gallery.signal(name, signal.SIGCONT)


@contextmanager
def result_late(gallery: Gallery, dice: Random) -> Iterator[None]:
    """A worker is stopped after its description, and stores it when another worker has stored another one."""
    name = f"worker {dice.choice([number for number, kind in enumerate(WORKERS) if kind == 'caption'])}"
    pid, request = gallery.running[name].pid, gallery.stop_request(name)
    with late_results.stopped_before_storing(pid, request, LATE_SECONDS) as task:
        before = gallery.stored(task)
        deadline = time.monotonic() + LATE_SECONDS
        while task and gallery.stored(task) == before and time.monotonic() < deadline:
            time.sleep(0.1)
    yield


@contextmanager
def read_only(gallery: Gallery, dice: Random) -> Iterator[None]:
    gallery.database.sql("SET GLOBAL read_only = 1")
    try:
        yield
    finally:
        gallery.database.sql("SET GLOBAL read_only = 0")


@contextmanager
def no_connections(gallery: Gallery, dice: Random) -> Iterator[None]:
    """Every connection is cut, and others take all that there are."""
    with gallery.database.connected() as administrator, ExitStack() as stack:  # there is none for another later
        administrator.cursor().execute(f"SET GLOBAL max_connections = {MOST_CONNECTIONS}")
        stack.callback(administrator.cursor().execute, "SET GLOBAL max_connections = 151")
        gallery.wire.cut()
        parts = urlsplit(gallery.url)
        for _ in range(10 * MOST_CONNECTIONS):
            with suppress(pymysql.Error):
                taken = pymysql.connect(
                    host="127.0.0.1", port=parts.port or 0, user=parts.username, password=parts.password or ""
                )
                stack.callback(taken.close)
        yield


@contextmanager
def disk_full(gallery: Gallery, dice: Random) -> Iterator[None]:
    """Fill the disk of the objects to the last byte."""
    ballast = gallery.disk / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(64 * 1024))
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"0")
    try:
        yield
    finally:
        ballast.unlink()


def _clock_jumps(direction: int) -> Fault:
    @contextmanager
    def jumped(gallery: Gallery, dice: Random) -> Iterator[None]:
        """The clock stays wrong; jumps in both directions keep it within some days of the right time."""
        gallery.clock.jump(direction * dice.choice((HOUR // 60, HOUR, 24 * HOUR)))
        yield

    return jumped


@contextmanager
def database_delayed(gallery: Gallery, dice: Random) -> Iterator[None]:
    gallery.wire.delay = dice.choice((0.02, 0.1, 0.3))
    try:
        yield
    finally:
        gallery.wire.delay = 0.0


@contextmanager
def connections_cut(gallery: Gallery, dice: Random) -> Iterator[None]:
    gallery.wire.cut()
    yield


@contextmanager
def answers_lost(gallery: Gallery, dice: Random) -> Iterator[None]:
    """Three requests reach the database, and their answers nobody."""
    for _ in range(3):
        gallery.wire.lose_answer = True
        time.sleep(0.1)
    try:
        yield
    finally:
        gallery.wire.lose_answer = False


FAULTS: dict[str, Fault] = {
    "database killed": database_killed,
    "web killed": _part_killed(lambda dice: "web"),
    "one web process killed": one_web_process_killed,
    "worker killed": _part_killed(lambda dice: f"worker {dice.randrange(len(WORKERS))}"),
    "worker stopped beyond its lease": worker_stopped,
    "result of a worker late": result_late,
    "emulator killed": _part_killed(lambda dice: "emulator"),
    "database read-only": read_only,
    "database without connections": no_connections,
    "disk of the objects full": disk_full,
    "clock set forward": _clock_jumps(1),
    "clock set back": _clock_jumps(-1),
    "database delayed": database_delayed,
    "database connections cut": connections_cut,
    "answers of the database lost": answers_lost,
}
