"""Many different requests at once: python -m tests.load.mixed [--rows 1000000] [--requests 40000]

The web process (a child for each processor, open mode) over MariaDB answers pages, lists, searches and filters,
hot ones and such that were not asked for before, over a hundred connections; /healthz is asked all the while.
A search that a busy gallery puts off is sent again, as the gallery's page does it, at most twice; its time
counts from the first request. Prints a JSON object a line for each kind, and ends with 1 where a request
failed, the slowest hundredth of a kind took more than five times its median and than a quarter of a second, or
more than three seconds, a process of the gallery ended or grew beyond 160 MB, or the slowest hundredth of the
answers of /healthz took more than 50 ms.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import statistics
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from imgcore.db.connection import open_database
from imgcore.db.pages import PageRepository, encode_cursor
from tests.load.full_gallery import MOST_MEMORY, web
from tests.load.many_rows import bench_server, photos_in
from tests.load.page_questions import FILTERS, OF_TIMELINE, SEARCHES

OF_MEDIAN = 5.0  # the 99th percentile of each kind
AT_ONCE_MS = 250.0  # or this: searches wait beside pages, whose median is that of an idle gallery
AT_MOST_MS = 3000.0  # whatever the median
HEALTH_MS, HEALTH_EVERY = 50.0, 0.02  # the 99th percentile, and seconds between two questions
CLIENTS = 2  # processes that send
TRIES, LONGEST = 3, 3.0  # of a request that is put off, and seconds between two: web/static/js/core/api.js
_TIMEOUT = 60  # seconds

Asked = tuple[str, str]  # kind and path
Answers = dict[
    str, list[tuple[int, float, int]]
]  # by kind: status, 0 without an answer; milliseconds; requests


def requests_for(pages: PageRepository, count: int) -> list[Asked]:
    """Return ``count`` requests in a random order that is the same in each run."""
    chance = random.Random(count)
    newest = pages.page_versions(cursor=None, limit=1, query=None).versions[0][0]
    some = pages.page(cursor=None, limit=40, query=None).images
    now = time.gmtime()
    known = {"photo": some[-1].public_id, "month": f"{now.tm_year - 5}-01", "year": str(now.tm_year - 5)}
    searches = [f"q={words.replace(' ', '+')}" for words in SEARCHES.values()]
    filters = [query.format_map(known) for query in FILTERS.values()]
    in_timeline = [query.format_map(known) for query in OF_TIMELINE.values()]

    def draw(number: int) -> Asked:
        cursor = encode_cursor(chance.randrange(41, newest))
        return chance.choices(
            [
                ("page", "/"),
                ("page, any", f"/?cursor={cursor}"),
                ("list", "/api/v1/images"),
                ("list, any", f"/api/v1/images?cursor={cursor}"),
                ("status", f"/api/v1/images/{chance.choice(some).public_id}/status"),
                ("months", "/api/v1/timeline"),
                ("search", f"/api/v1/images?{chance.choice(searches)}"),
                ("search, a word of none", f"/api/v1/images?q=zebra{number}"),
                ("filter", f"/api/v1/images?{chance.choice(filters)}"),
                ("timeline, months of a search", f"/api/v1/timeline?{chance.choice(in_timeline)}"),
                (
                    "timeline, month of a search",
                    f"/api/v1/timeline/{known['month']}?{chance.choice(in_timeline)}&limit=100",
                ),
            ],
            [30, 10, 15, 5, 17, 4, 6, 2, 5, 3, 3],
        )[0]

    return [draw(number) for number in range(count)]


def send(origin: str, asked: Sequence[Asked], connections: int) -> Answers:
    """Send the requests over so many connections, each of which sends its next one after an answer."""
    todo, lock, answers = iter(asked), threading.Lock(), defaultdict(list)

    def client() -> None:
        connection = HTTPConnection(urlsplit(origin).netloc, timeout=_TIMEOUT)
        while True:
            with lock:
                kind, path = next(todo, ("", ""))
            if not kind:
                return
            start = time.perf_counter()
            tries = 1
            status, wait = _ask(connection, path)
            while 0 < wait <= LONGEST and tries < TRIES:
                time.sleep(wait)
                tries += 1
                status, wait = _ask(connection, path)
            answers[kind].append((status, 1000 * (time.perf_counter() - start), tries))

    with ThreadPoolExecutor(connections) as pool:
        for done in [pool.submit(client) for _ in range(connections)]:
            done.result()
    return dict(answers)


def _ask(connection: HTTPConnection, path: str) -> tuple[int, float]:
    """Return the status, 0 without an answer, and the seconds for which a busy gallery puts the request off."""
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, HTTPException):
        connection.close()
        return 0, 0.0
    busy = answer.status == 429 and json.loads(body)["code"] == "busy"
    return answer.status, float(answer.headers.get("Retry-After", "0")) if busy else 0.0


def watch(origin: str, sent: Sequence[Future[Answers]]) -> list[float]:
    """Ask for /healthz until all requests are sent; return the milliseconds of each answer."""
    found = []
    while not all(each.done() for each in sent):
        connection = HTTPConnection(urlsplit(origin).netloc, timeout=_TIMEOUT)
        start = time.perf_counter()
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        found.append(1000 * (time.perf_counter() - start) if status == 200 else 1000.0 * _TIMEOUT)
        connection.close()
        time.sleep(HEALTH_EVERY)
    return found


def memory(pid: int) -> dict[int, int]:
    """Return the megabytes of each process of the gallery, at most until now where the system tells that."""
    parent = psutil.Process(pid)
    return {each.pid: _peak(each) >> 20 for each in (parent, *parent.children(recursive=True))}


def _peak(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return int(process.memory_info().rss)
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) << 10


def run(origin: str, pid: int, asked: Sequence[Asked], connections: int) -> list[str]:
    """Send the requests, print what came of them, and return what is wrong, in sentences."""
    context, before = multiprocessing.get_context("spawn"), memory(pid)
    start = time.perf_counter()
    with ProcessPoolExecutor(CLIENTS, mp_context=context) as pool:
        shares = [asked[number::CLIENTS] for number in range(CLIENTS)]
        sent = [pool.submit(send, origin, share, connections // CLIENTS) for share in shares]
        health = watch(origin, sent)
        answers = [each.result() for each in sent]
    seconds = time.perf_counter() - start
    kinds = sorted({kind for each in answers for kind in each})
    found = {kind: [one for each in answers for one in each.get(kind, [])] for kind in kinds}
    print(json.dumps({"what": "requests a second", "ours": round(len(asked) / seconds, 1)}))
    for kind, each in found.items():
        _print(kind, each)
    missed = []
    for what, ours, goal in goals(found, health, before, memory(pid)):
        print(json.dumps({"what": what, "ours": ours, "goal": goal, "met": ours <= goal}), flush=True)
        missed += [f"{what}: {ours}, at most {goal}"] if ours > goal else []
    return missed


def goals(
    found: Answers, health: list[float], before: dict[int, int], after: dict[int, int]
) -> list[tuple[str, float, float]]:
    """Return (what, value, at most). before, after: megabytes of the processes of the gallery by their ids."""
    failed = sum(status != 200 for each in found.values() for status, _, _ in each)
    return [
        ("failed requests", failed, 0),
        ("p99 of /healthz, ms", round(_percentile(health, 99), 1), HEALTH_MS),
        ("processes that ended", len(before.keys() - after.keys()), 0),
        ("largest process, MB", max(after.values()), MOST_MEMORY),
        *((f"{kind}: p99, ms", *_slowest(each)) for kind, each in found.items()),
    ]


def _slowest(found: list[tuple[int, float, int]]) -> tuple[float, float]:
    """Return the milliseconds of the 99th percentile and its goal."""
    waits = [wait for _, wait, _ in found]
    most = min(max(OF_MEDIAN * _percentile(waits, 50), AT_ONCE_MS), AT_MOST_MS)
    return round(_percentile(waits, 99), 1), round(most, 1)


def _print(kind: str, found: list[tuple[int, float, int]]) -> None:
    waits = [wait for _, wait, _ in found]
    values = {
        "requests": len(found),
        "failed": sum(status != 200 for status, _, _ in found),
        "sent again": sum(sent - 1 for _, _, sent in found),
        **{f"p{part}_ms": round(_percentile(waits, part), 1) for part in (50, 99)},
    }
    print(json.dumps({"what": kind} | values), flush=True)


def _percentile(values: list[float], part: int) -> float:
    if len(values) < 2:
        return max(values, default=0.0)
    return statistics.quantiles(values, n=100, method="inclusive")[part - 1]


def main() -> int:
    """Measure over the kept database of so many rows; 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--connections", type=int, default=100)
    options = parser.parse_args()
    with bench_server() as server:
        url = photos_in(server, options.rows)
        database = open_database(url)
        asked = requests_for(PageRepository(database), options.requests)
        database.close()
        with web(url, "http://127.0.0.1:9") as running:
            faults = run(running.origin, running.pid, asked, options.connections)
    print(*(faults or ["Every request was answered well."]), sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
