"""A test as locust runs it: an environment, a runner, users, statistics that fill while it goes."""

from __future__ import annotations

import gc
import logging
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

import gevent
from locust import User, task
from locust.env import Environment
from locust.exception import StopUser
from locust.stats import RequestStats, StatsEntry, bucket_response_time

from imgload.connection import Connection
from imgload.job import clock
from imgload.live import Progress

if TYPE_CHECKING:
    from imgload.job import Job
    from imgload.options import Options

WATCH = 0.2  # seconds between two looks of the watchdog


class Caller(User):
    """A locust user that is one of the test's connections."""

    abstract = True
    job: ClassVar[Job]

    @task
    def call(self) -> None:
        """Every request of this connection."""
        self.job.ready.wait()
        connection = Connection(self.job)
        self.job.connections.append(connection)
        connection.run()
        raise StopUser


class Ledger:
    """Hands what has ended to locust's statistics, once a second: the way in which its own workers report.

    One event for each request would cost more than the request.
    """

    def __init__(self, job: Job, stats: RequestStats) -> None:
        self._job = job
        self._stats = stats
        self._reported = 0

    def tell(self) -> None:
        """Everything that is new."""
        job, first = self._job, self._reported
        last = self._reported = len(job.samples)
        if first == last:
            return
        total, start = job.samples.column("total", first), job.samples.column("start", first)
        offset = job.wall - job.begun
        ends = [int(offset + begun + took) for begun, took in zip(start, total, strict=True)]
        failed = [end for end, bad in zip(ends, job.samples.failed[first:last], strict=True) if bad]
        batch = StatsEntry(self._stats, job.options.target.path, job.options.method)
        batch.num_requests, batch.num_failures = len(ends), len(failed)
        batch.num_reqs_per_sec, batch.num_fail_per_sec = Counter(ends), Counter(failed)
        batch.last_request_timestamp = offset + job.last
        batch.total_response_time = sum(total) * 1000
        batch.min_response_time, batch.max_response_time = min(total) * 1000, max(total) * 1000
        for milliseconds, count in Counter(map(int, (took * 1000 for took in total))).items():
            batch.response_times[bucket_response_time(milliseconds)] += count
        self._stats.get(batch.name, batch.method).extend(batch)
        self._stats.total.extend(batch)


def run(job: Job) -> None:
    """Run ``job`` to its end, however it ends. Ctrl-C ends it like -t."""
    logging.getLogger("locust").setLevel(logging.ERROR)
    options = job.options
    user_class = type("Caller", (Caller,), {"job": job})
    environment = Environment(user_classes=[user_class], host=options.target.origin)
    runner = environment.create_local_runner()
    ledger = Ledger(job, environment.stats)
    runner.start(options.concurrency, spawn_rate=options.concurrency)
    runner.spawning_greenlet.join()
    helpers = [gevent.spawn(_watch, job)]
    progress = Progress(options, environment)
    with interrupted(job.interrupt), _without_collections():
        job.begin()
        helpers.append(gevent.spawn(each_second, ledger.tell, progress.show))
        job.over.wait()
        gevent.killall(helpers)
    job.close()
    runner.quit()
    ledger.tell()
    progress.end()


def each_second(*acts: Callable[[], None]) -> None:
    """Call each of ``acts`` once a second, for ever."""
    while True:
        gevent.sleep(1)
        for act in acts:
            act()


def _watch(job: Job) -> None:
    """End the test when nothing has come for as long as -s allows."""
    last = clock()
    while True:
        gevent.sleep(min(WATCH, job.options.timeout / 4))
        now = clock()
        if job.stirred:
            job.stirred, last = False, now
        elif now - last > job.options.timeout:
            job.expire()


@contextmanager
def interrupted(act: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls ``act`` in here."""
    handler = gevent.signal_handler(signal.SIGINT, act)
    try:
        yield
    finally:
        handler.cancel()


@contextmanager
def _without_collections() -> Iterator[None]:
    """No garbage collection: it would stop every connection at once and be taken for the server's slowness."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def resolve(options: Options) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """The addresses of the target's host. Raises socket.gaierror."""
    target = options.target
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]
