"""What pages and the API cost: python -m tests.load.bench_pages [ROWS ...]

The real web process (one, open mode) over a private MariaDB; beside it a plain Flask page of 24 photos (the
peer) and Bottle with a constant of the same length (the floor), asked in turn. Prints a JSON object a line: CPU
of the web process and of the database in milliseconds a request, and whether the goals are met: at most a third
of the peer for the hot page, at most the peer for pages that were not asked for before, at most twice the
floor, and within 1.5 times from the fewest rows to the most.
"""

from __future__ import annotations

import argparse
import json
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from itertools import cycle
from typing import Any
from urllib.parse import urlsplit

import psutil

from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.db.pages import PageRepository, encode_cursor
from tests.contract.images import multiply
from tests.load.full_gallery import ROOT, environment, web
from tests.load.many_images import fill
from tests.mariadb import mariadb

ROWS = (1000, 10_000)
ROUNDS, REQUESTS = 3, 60
GZIP = {"Accept-Encoding": "gzip"}
FLAT, OF_PEER_HOT, OF_PEER_COLD, OF_FLOOR = 1.5, 1 / 3, 1.0, 2.0


@dataclass(frozen=True)
class Server:
    """A process that answers on a connection that is kept."""

    pid: int
    connection: HTTPConnection

    def get(self, path: str, headers: dict[str, str]) -> tuple[int, str | None, int]:
        """Return status, ETag and length."""
        self.connection.request("GET", path, headers=headers)
        answer = self.connection.getresponse()
        length = len(answer.read())
        if answer.status not in (200, 304):
            raise RuntimeError(f"{path} answered {answer.status}")
        return answer.status, answer.getheader("ETag"), length


def cpu(pid: int) -> float:
    """Milliseconds of processor time that a process has used."""
    used = psutil.Process(pid).cpu_times()
    return 1000 * (used.user + used.system)


@contextmanager
def started(module: str, environ: dict[str, str]) -> Iterator[Server]:
    """A module of this folder that prints its port."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.load.{module}"],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield Server(process.pid, HTTPConnection("127.0.0.1", int(process.stdout.readline()), timeout=60))
    finally:
        process.kill()
        process.wait()


@dataclass(frozen=True)
class Question:
    """What is asked. paths: in turn. conditional: with the ETag of the first answer."""

    what: str
    paths: list[str]
    headers: dict[str, str]
    conditional: bool = False


def questions(database: Database, rows: int) -> list[Question]:
    """Return the rows of the table."""
    pages = PageRepository(database)
    newest = pages.page_versions(cursor=None, limit=1, query=None).versions[0][0]
    known = pages.page(cursor=encode_cursor(400), limit=1, query=None).images[0].public_id
    month = f"{time.gmtime().tm_year}-{time.gmtime().tm_mon:02d}"
    step = max(1, (newest - 50) // (ROUNDS * REQUESTS + 1))
    scrolled = [f"/?cursor={encode_cursor(newest - step * n)}" for n in range(1, ROUNDS * REQUESTS + 1)]
    status = f"/api/v1/images/{known}/status"
    asked = [
        ("page", ["/"], {}),
        ("page, gzip", ["/"], GZIP),
        ("page, not asked for before", scrolled, {}),
        ("list", ["/api/v1/images"], {}),
        ("list, from the middle", [f"/api/v1/images?cursor={encode_cursor(newest // 2)}"], {}),
        ("status", [status], {}),
        ("months", ["/api/v1/timeline"], {}),
        ("month of 100 rows", [f"/api/v1/timeline/{month}?limit=100"], {}),
        ("search, a word of none", ["/api/v1/images?q=zebra"], {}),
        ("search, a frequent word", ["/api/v1/images?q=boat"], {}),
        ("search, two words", ["/api/v1/images?q=boat+snow"], {}),
        ("search, a prefix", ["/api/v1/images?q=harb"], {}),
        ("filter by tag", ["/api/v1/images?tag=dog"], {}),
    ]
    unchanged = {"page": "/", "list": "/api/v1/images", "status": status, "months": "/api/v1/timeline"}
    return [Question(what, paths, headers) for what, paths, headers in asked] + [
        Question(f"{what}, 304", [path], {}, conditional=True) for what, path in unchanged.items()
    ]


def measured(server: Server, question: Question, others: list[Callable[[int], None]]) -> tuple[float, int]:
    """Return CPU a request, the median of the rounds, and the length. others: asked after each round."""
    paths, headers = cycle(question.paths), dict(question.headers)
    _, etag, length = server.get(next(paths) if len(question.paths) == 1 else "/", headers)
    if question.conditional:
        headers["If-None-Match"] = str(etag)
    taken = []
    for _ in range(ROUNDS):
        before = cpu(server.pid)
        for _ in range(REQUESTS):
            _, _, answered = server.get(next(paths), headers)
        taken.append((cpu(server.pid) - before) / REQUESTS)
        for other in others:
            other(length)
        length = length if question.conditional else answered
    return statistics.median(taken), length


class Bench:
    """The three servers and the database's process."""

    def __init__(self, ours: Server, peer: Server, floor: Server, database: int) -> None:
        self.ours, self.peer, self.floor, self.database = ours, peer, floor, database

    def row(self, question: Question, fewest: dict[str, float]) -> dict[str, Any]:
        """Measure one question. fewest: our CPU and the database's over the fewest rows, by question."""
        peer, floor = [], []

        def other(server: Server, taken: list[float], path: str) -> None:
            before = cpu(server.pid)
            for _ in range(REQUESTS):
                server.get(path, {})
            taken.append((cpu(server.pid) - before) / REQUESTS)

        of_page = question.what.startswith("page") and not question.conditional
        others: list[Callable[[int], None]] = [
            lambda length: other(self.peer, peer, "/"),
            lambda length: other(self.floor, floor, f"/{length}"),
        ]
        before = cpu(self.database)
        ours, length = measured(self.ours, question, others if of_page else [])
        used = (cpu(self.database) - before) / (ROUNDS * REQUESTS * (2 if of_page else 1))
        row: dict[str, Any] = {"what": question.what, "ours": ours, "database": used, "bytes": length}
        goals = {}
        if of_page:
            row |= {"peer": statistics.median(peer), "floor": statistics.median(floor)}
            cold = len(question.paths) > 1
            goals["of the peer"] = (ours / row["peer"], OF_PEER_COLD if cold else OF_PEER_HOT)
            if not cold:
                goals["of the floor"] = (ours / row["floor"], OF_FLOOR)
        if question.what in fewest and len(question.paths) == 1:  # few rows are soon asked for again
            goals["of the fewest rows"] = ((ours + used) / fewest[question.what], FLAT)
        fewest.setdefault(question.what, ours + used)
        row |= {f"ratio {name}": round(ratio, 2) for name, (ratio, _) in goals.items()}
        row["met"] = all(ratio <= goal for ratio, goal in goals.values())
        return {name: round(value, 2) if isinstance(value, float) else value for name, value in row.items()}

    def at_once(self, origin: str, searches: int = 8) -> dict[str, Any]:
        """Ask for nothing many times at once; return the longest wait."""

        def wait(number: int) -> float:
            connection = HTTPConnection(urlsplit(origin).netloc, timeout=60)
            start = time.perf_counter()
            Server(0, connection).get(f"/api/v1/images?q=zebra{number}", {})
            return time.perf_counter() - start

        with ThreadPoolExecutor(searches) as pool:
            longest = max(pool.map(wait, range(searches)))
        return {
            "what": f"{searches} searches for nothing at once, s",
            "ours": round(longest, 3),
            "met": longest < 0.1,
        }


def grow(database: Database, rows: int) -> None:
    """Add photos until there are ``rows``."""
    unlimited = database.with_timeout(600)
    if not PageRepository(database).page_versions(cursor=None, limit=1, query=None).versions:
        for _ in fill(unlimited, {}, min(rows, 1000)):
            pass
    for _ in multiply(unlimited, rows):
        pass


def _missed(rows: int, row: dict[str, Any]) -> bool:
    """Print a row of the table; return whether a goal is missed."""
    print(json.dumps({"rows": rows} | row), flush=True)
    return not row["met"]


def main(sizes: list[int]) -> int:
    """Measure and print; 1 where a goal is missed."""
    missed, fewest = 0, dict[str, float]()
    with ExitStack() as stack:
        server = stack.enter_context(mariadb())
        url = stack.enter_context(server.database())
        database = open_database(url)
        migrate(database)
        stack.callback(database.close)
        environ = environment(url, "http://127.0.0.1:9") | {"AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
        peer = stack.enter_context(started("peer", environ))
        floor = stack.enter_context(started("floor", environ))
        for rows in sizes:
            grow(database, rows)
            with web(url, "http://127.0.0.1:9", processes=1) as running:
                ours = Server(running.pid, HTTPConnection(urlsplit(running.origin).netloc, timeout=60))
                bench = Bench(ours, peer, floor, server.pid)
                for question in questions(database, rows):
                    missed += _missed(rows, bench.row(question, fewest))
                missed += _missed(rows, bench.at_once(running.origin))
    return int(missed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=ROWS, help="in ascending order")
    sys.exit(main(parser.parse_args().rows))
