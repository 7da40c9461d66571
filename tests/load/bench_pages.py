"""What pages and the API cost: python -m tests.load.bench_pages [ROWS ...]

The real web process (one, open mode) over MariaDB and over SQLite; beside it a plain Flask page of 24 photos
(the peer) and Bottle with a constant of the same length (the floor). All are asked in turn, and so are the
sizes, because a machine that is slower for a minute would change a comparison. Prints JSON lines.
``ours``, ``database``, ``peer`` and ``floor`` are milliseconds of processor time a request, ``wall`` the median
time of an answer. A ratio is compared with its goal: of the hot page at most a third of the peer and twice the
floor, of pages that were not asked for before at most the peer's hot page; ``flat``: of web and database
together at most 1.5 times those over any fewer rows, or, where the answer is longer than there, 1.5 times the
kept list of 40 photos over as many rows if that is more. A search that must look up photos one by one, such as
one for two words that no photo has both of, finds more of them among more photos: each may cost a twelfth of
what one costs on a page that was not asked for before, and one request takes at most a tenth of a second.
Of eight searches at once for words that no photo has, none may be refused, and each has the same tenth of a
second.
"""

from __future__ import annotations

import argparse
import json
import platform
import secrets
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import psutil

from imgcore.db.connection import Database, open_database
from imgcore.db.mapping import in_list
from imgcore.db.pages import PageRepository
from tests.load.full_gallery import ROOT, environment, web
from tests.load.many_rows import bench_server, photos_in, photos_in_file
from tests.load.page_questions import COLD_PAGE, HOT_LIST, HOT_PAGE, PAGE, PAGES, Question, questions

ALWAYS = (HOT_PAGE, HOT_LIST, COLD_PAGE)  # what others are compared with
ROWS = (1000, 10_000, 100_000, 1_000_000)
ROUNDS, REQUESTS = 3, 40
WARM_UP = (
    64  # requests before the first, many at once: each thread opens its connection to the database with TLS
)
SEARCHES = 8  # for nothing, at once
LONGEST = 0.1  # seconds for each of them, and of processor time for any search
FLAT, OF_FLOOR = 1.5, 2.0
EACH = 1 / 12  # photos of a page that was not asked for before, for each that is compared
SAME_LENGTH = 0.8  # an answer that is shorter shows fewer photos


@dataclass(frozen=True)
class Server:
    """A process that answers on a connection that is kept."""

    pid: int
    connection: HTTPConnection

    def get(self, path: str, headers: dict[str, str]) -> tuple[dict[str, str], int]:
        """Return the headers for a conditional request of the same, and the length of the answer."""
        try:
            answer = self._asked(path, headers)
        except ConnectionError:  # it was idle while others were asked
            self.connection.close()
            answer = self._asked(path, headers)
        length = len(answer.read())
        if answer.status != (304 if "If-None-Match" in headers else 200):
            raise RuntimeError(f"{path} answered {answer.status}")
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        return {"If-None-Match": answer.getheader("ETag") or "", "Cookie": cookie}, length

    def _asked(self, path: str, headers: dict[str, str]) -> HTTPResponse:
        self.connection.request("GET", path, headers=headers)
        return self.connection.getresponse()

    def cost(self, path: str, requests: int) -> float:
        """Return milliseconds of processor time a request of ``path``."""
        before = cpu(self.pid)
        for _ in range(requests):
            self.get(path, {})
        return (cpu(self.pid) - before) / requests


def cpu(pid: int) -> float:
    """Return the milliseconds of processor time that a process has used."""
    if platform.system() == "Linux":  # its clock has nanoseconds, the counters of /proc hundredths of a second
        return 1000 * time.clock_gettime(~pid << 3 | 2)  # MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)
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


@dataclass
class Measured:
    """Milliseconds a request: processor time of web and database, and the median of the waits.

    of_peer, of_floor: ``ours`` as parts of theirs.
    """

    ours: float
    database: float
    wall: float
    length: int
    peer: float | None = None
    floor: float | None = None
    of_peer: float | None = None
    of_floor: float | None = None

    @classmethod
    def median(cls, rounds: Sequence[Measured]) -> Measured:
        """Return the median of each figure; the length is that of the last round.

        Peer and floor are asked in the same moment of each round: the median of the parts does not depend on
        how many rounds a slower machine has made dearer for each.
        """

        def of(figure: Callable[[Measured], float]) -> float:
            return statistics.median(map(figure, rounds))

        last = rounds[-1]
        return cls(
            of(lambda each: each.ours),
            of(lambda each: each.database),
            of(lambda each: each.wall),
            last.length,
            None if last.peer is None else of(lambda each: each.peer or 0.0),
            None if last.floor is None else of(lambda each: each.floor or 0.0),
            None if last.peer is None else of(lambda each: each.ours / (each.peer or 1.0)),
            None if last.floor is None else of(lambda each: each.ours / (each.floor or 1.0)),
        )


@dataclass
class Bench:
    """What is asked, over one size. database: the process of the database; None for SQLite.

    origin: of our gallery. change: increases the version of so many of the newest photos.
    """

    ours: Server
    database: int | None
    rounds: int  # but of pages that are asked for once
    requests: int  # of a round
    others: tuple[Server, Server] | None = None  # peer and floor
    change: Callable[[int], None] = lambda photos: None
    origin: str = ""

    def rounds_of(self, question: Question) -> Iterator[Measured]:
        """Ask one question in rounds; yield each. About the page, the others are asked in turn with it."""
        rounds = min(self.rounds, PAGES // 2) if question.once else self.rounds
        paths, headers = iter(question.paths_for(rounds * self.requests)), dict(question.headers)
        length = 0
        if not question.once:
            known, length = self.ours.get(question.paths[0], headers)
            headers |= known if question.conditional else {}
        for asked in question.rounds(rounds, paths):
            ours, database, waited = 0.0, 0.0, []
            for group in [[path] for path in asked] if question.changed else [asked]:
                self.change(question.changed)
                before, of_database = cpu(self.ours.pid), self._database_cpu()
                for path in group:
                    start = time.perf_counter()
                    _, answered = self.ours.get(path, headers)
                    waited.append(1000 * (time.perf_counter() - start))
                ours += cpu(self.ours.pid) - before
                database += self._database_cpu() - of_database
            length = length if question.conditional else answered
            others = self.others if question.of_page else None
            yield Measured(
                ours / len(asked),
                database / len(asked),
                statistics.median(waited),
                0 if question.conditional else length,
                others and others[0].cost("/", len(asked)),
                others and others[1].cost(f"/{length}", len(asked)),
            )

    def _database_cpu(self) -> float:
        return cpu(self.database) if self.database is not None else 0.0

    def at_once(self) -> tuple[float, int]:
        """Search for nothing many times at once; return the longest wait in seconds, and how many were refused.

        A gallery that is busy with six searches refuses others at once, but answers these without a place.
        """

        def wait(number: int) -> tuple[float, bool]:
            connection = HTTPConnection(urlsplit(self.origin).netloc, timeout=60)
            start = time.perf_counter()
            connection.request("GET", f"/api/v1/images?q=zebra{number}")
            answer = connection.getresponse()
            answer.read()
            if answer.status not in (200, 429):
                raise RuntimeError(f"a search answered {answer.status}")
            return time.perf_counter() - start, answer.status == 429

        with ThreadPoolExecutor(SEARCHES) as pool:
            waits, refused = zip(*pool.map(wait, range(SEARCHES)), strict=True)
            return max(waits), sum(refused)


@dataclass
class Table:
    """Prints the rows, and compares each with those over fewer rows."""

    kind: str  # of the database
    rounds: int
    requests: int  # of a round
    only: str = ""  # part of the names of questions; those that others are compared with are always asked
    missed: int = 0
    # Of each question over fewer rows: the cost, the length of the answer and the photos compared
    fewer: dict[str, list[tuple[float, int, int]]] = field(default_factory=dict)
    known: dict[tuple[int, str], float] = field(default_factory=dict)  # the cost of ALWAYS, by rows

    def show(self, rows: int, question: Question, found: Measured) -> None:
        """Print the lines of one question: what it costs, and each goal."""
        self._print(rows, question.what, **vars(found))
        if found.of_peer is not None and question.goal_of_peer is not None:
            self._goal(rows, question.what, "of the peer", found.of_peer, 1, question.goal_of_peer)
        if found.of_floor is not None and not question.once:
            self._goal(rows, question.what, "of the floor", found.of_floor, 1, OF_FLOOR)
        cost = found.ours + found.database
        if question.what in ALWAYS:
            self.known[rows, question.what] = cost
        fewer = self.fewer.setdefault(question.what, [])
        if fewer:
            expected = min(self._expected(rows, question, found.length, each) for each in fewer)
            self._goal(rows, question.what, "flat", cost, expected, FLAT)
            if question.compared > fewer[0][2]:
                self._goal(rows, question.what, "all photos compared, s", cost / 1000, 1, LONGEST)
        fewer.append((cost, found.length, question.compared))

    def _expected(self, rows: int, question: Question, length: int, fewer: tuple[float, int, int]) -> float:
        """Return what a question should cost, by what it costs over fewer rows."""
        cost, shorter, compared = fewer
        if shorter < SAME_LENGTH * length:
            cost = max(cost, self.known.get((rows, HOT_LIST), 0.0))
        if more := max(question.compared - compared, 0):
            cost += more * EACH * self.known[rows, COLD_PAGE] / PAGE
        return cost

    def show_wait(self, rows: int, longest: float, refused: int) -> None:
        """Print the longest wait of searches for nothing, and how many were refused."""
        what = f"{SEARCHES} searches for nothing at once"
        self._goal(rows, what, "refused", refused, 1, 0)
        self._goal(rows, f"{what}, s", "longest", longest, 1, LONGEST)

    def _goal(self, rows: int, what: str, name: str, ours: float, other: float, goal: float) -> None:
        met = ours / other <= goal
        self.missed += not met
        self._print(rows, f"{what}: {name}", ours=ours, ratio=ours / other, goal=goal, met=met)

    def _print(self, rows: int, what: str, **values: Any) -> None:
        shown = {
            name: round(value, 3) if isinstance(value, float) else value
            for name, value in values.items()
            if value is not None
        }
        print(json.dumps({"on": self.kind, "rows": rows, "what": what} | shown), flush=True)


def change(database: Database, photos: int) -> None:
    """Increase the version of the newest photos: no page or card that is kept shows them any more."""
    if photos:
        newest = "SELECT id FROM images ORDER BY listed_id DESC LIMIT :photos"
        ids = [row[0] for row in database.read(lambda tx: tx.tuples(newest, photos=photos))]
        names, values = in_list("id", ids)  # of a subquery, MariaDB would look at each photo
        database.run(lambda tx: tx.execute(f"UPDATE images SET name = name WHERE id IN ({names})", **values))


def warm_up(origin: str) -> None:
    """Ask for the page many times at once."""

    def ask(_: int) -> None:
        Server(0, HTTPConnection(urlsplit(origin).netloc, timeout=60)).get("/", {})

    with ThreadPoolExecutor(2 * SEARCHES) as pool:
        list(pool.map(ask, range(WARM_UP)))


def compare(databases: dict[int, str], table: Table, server: int | None) -> None:
    """Ask each question over all sizes in turn, round by round, and print its lines.

    databases: their URLs, by the number of photos. server: the process of MariaDB; its pages are compared with
    those of peer and floor.
    """
    with ExitStack() as stack:
        benches = {rows: stack.enter_context(over(url, table, server)) for rows, url in databases.items()}
        asked = []
        for rows, url in databases.items():
            with closing(open_database(url)) as known:
                asked.append(questions(PageRepository(known), rows))
        for same in zip(*asked, strict=True):  # one question, for each size
            if table.only not in same[0].what and same[0].what not in ALWAYS:
                continue
            for rows, question, found in zip(benches, same, in_turn([*benches.values()], same), strict=True):
                table.show(rows, question, found)
        for rows, bench in benches.items():
            table.show_wait(rows, *bench.at_once())


def in_turn(benches: Sequence[Bench], asked: Sequence[Question]) -> list[Measured]:
    """Ask each bench its question, one round of each at a time; return the medians of each."""
    rounds = zip(*map(Bench.rounds_of, benches, asked), strict=True)
    return [Measured.median(found) for found in zip(*rounds, strict=True)]


@contextmanager
def over(url: str, table: Table, server: int | None) -> Iterator[Bench]:
    """Start the web process over a database, and peer and floor beside it over MariaDB."""
    with ExitStack() as stack:
        database = stack.enter_context(closing(open_database(url)))
        running = stack.enter_context(web(url, "http://127.0.0.1:9", processes=1))
        ours = Server(running.pid, HTTPConnection(urlsplit(running.origin).netloc, timeout=60))
        others = None
        if server is not None:
            environ = environment(url, "http://127.0.0.1:9") | {"AWS_SECRET_ACCESS_KEY": secrets.token_hex(20)}
            peer, floor = (stack.enter_context(started(module, environ)) for module in ("peer", "floor"))
            others = (peer, floor)
        warm_up(running.origin)
        yield Bench(
            ours, server, table.rounds, table.requests, others, partial(change, database), running.origin
        )


def on_mariadb(sizes: Sequence[int], rounds: int, requests: int, only: str) -> int:
    """Measure over MariaDB; return the number of goals that are missed."""
    table = Table("mariadb", rounds, requests, only)
    with bench_server() as server:
        compare({rows: photos_in(server, rows) for rows in sizes}, table, server.pid)
    return table.missed


def on_sqlite(sizes: Sequence[int], rounds: int, requests: int, only: str) -> int:
    """Measure over SQLite, whose time is that of the web process."""
    table = Table("sqlite", rounds, requests, only)
    compare({rows: photos_in_file(rows) for rows in sizes}, table, None)
    return table.missed


def main() -> int:
    """Measure and print; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=ROWS, help="in ascending order")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="more where others use the machine")
    parser.add_argument("--requests", type=int, default=REQUESTS, help="of each round")
    parser.add_argument("--on", choices=("mariadb", "sqlite", "both"), default="both")
    parser.add_argument("--only", default="", help="part of the names of questions, such as timeline")
    options = parser.parse_args()
    print(json.dumps({"machine": platform.machine(), "python": platform.python_version()}), flush=True)
    asked = options.rows, options.rounds, options.requests, options.only
    missed = on_mariadb(*asked) if options.on != "sqlite" else 0
    missed += on_sqlite(*asked) if options.on != "mariadb" else 0
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
