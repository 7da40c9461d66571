"""The goals of bench_pages and mixed: each can be missed."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from tests.load import mixed
from tests.load.bench_pages import Bench, Measured, Server, Table, in_turn
from tests.load.full_gallery import slow_requests
from tests.load.page_questions import COLD_PAGE, HOT_LIST, HOT_PAGE, Question


def goals_of(text: str) -> dict[tuple[int, str], bool]:
    """Return whether each goal was met, by rows and what."""
    rows = map(json.loads, text.splitlines())
    return {(row["rows"], row["what"]): row["met"] for row in rows if "met" in row}


@pytest.mark.parametrize(
    ("lengths", "costs", "met"),
    [
        ((500, 500), (1.0, 1.5), True),
        ((500, 500), (1.0, 1.6), False),
        ((50, 500), (1.0, 2.9), True),  # as long as the list of 40 photos, which costs 2 ms
        ((50, 500), (1.0, 3.1), False),
        ((50, 500), (4.0, 5.9), True),
        ((50, 500), (4.0, 6.1), False),
        ((500, 50), (1.0, 2.9), False),
    ],
)
def test_each_question_over_more_rows_has_a_goal(
    capsys: pytest.CaptureFixture[str], lengths: tuple[int, int], costs: tuple[float, float], met: bool
) -> None:
    table = Table("sqlite", 1, 1)
    for rows, length, cost in zip((1000, 10_000), lengths, costs, strict=True):
        table.show(rows, Question(HOT_PAGE, ["/"]), Measured(1.0, 0.0, 1.0, 900))
        table.show(rows, Question(HOT_LIST, ["/"]), Measured(1.0, 1.0, 1.0, 500))
        table.show(rows, Question("filter", ["/"]), Measured(cost / 2, cost / 2, 1.0, length))

    found = goals_of(capsys.readouterr().out)
    assert {(10_000, f"{what}: flat") for what in (HOT_PAGE, HOT_LIST, "filter")} == found.keys()
    assert (met, not met) == (found[10_000, "filter: flat"], bool(table.missed))


def test_page_is_compared_with_the_peer_and_the_floor_of_the_same_moment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A machine that is slower for some rounds makes the page no dearer than the others."""
    rounds = [
        Measured(ours, 0.0, 1.0, 500, peer=peer, floor=floor)
        for ours, peer, floor in ((1.0, 4.0, 0.6), (2.0, 8.0, 1.2), (2.0, 4.0, 0.6))
    ]
    question = Question(HOT_PAGE, ["/"], goal_of_peer=1 / 3)
    Table("mariadb", 1, 1).show(1000, question, Measured.median(rounds))
    Table("mariadb", 1, 1).show(10_000, question, Measured.median(rounds[2:]))

    parts = {(1000, "peer"): True, (1000, "floor"): True, (10_000, "peer"): False, (10_000, "floor"): False}
    wanted = {(rows, f"page: of the {name}"): met for (rows, name), met in parts.items()}
    assert wanted == goals_of(capsys.readouterr().out)


@pytest.mark.parametrize(("cost", "met"), [(1.5, True), (1.6, False)])
def test_question_that_costs_most_over_the_fewest_rows_is_compared_with_the_others(
    capsys: pytest.CaptureFixture[str], cost: float, met: bool
) -> None:
    table = Table("sqlite", 1, 1)
    for rows, ours in ((1000, 9.0), (10_000, 1.0), (100_000, cost)):
        table.show(rows, Question("filter", ["/"]), Measured(ours, 0.0, 1.0, 500))

    assert {(10_000, "filter: flat"): True, (100_000, "filter: flat"): met} == goals_of(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("compared", "cost", "missed"),
    [
        ((10, 10), 1.5, None),
        ((10, 10), 1.6, "flat"),
        ((10, 1000), 1.5 + 1.5 * 6.6, None),  # a twelfth of 80 µs for each of 990
        ((10, 1000), 1.5 + 1.5 * 6.7, "flat"),
        ((10, 20_000), 100.0, None),
        ((10, 20_000), 100.1, "all photos compared, s"),
    ],
)
def test_more_photos_that_are_looked_up_may_cost_more(
    capsys: pytest.CaptureFixture[str], compared: tuple[int, int], cost: float, missed: str | None
) -> None:
    table = Table("sqlite", 1, 1)
    for rows, photos, ours in zip((1000, 1_000_000), compared, (1.0, cost), strict=True):
        page = Question(COLD_PAGE, ["/"], once=True)  # of 40 photos, of 80 µs each
        table.show(rows, page, Measured(2.2, 1.0, 1.0, 500))
        table.show(rows, Question("search", ["/"], compared=photos), Measured(ours, 0.0, 1.0, 500))

    found = goals_of(capsys.readouterr().out)
    wrong = [what.removeprefix("search: ") for (_, what), met in found.items() if not met]
    assert [missed] * (missed is not None) == wrong


REPORT = """Complete requests:      400
Percentage of the requests served within a certain time (ms)
  50%   {median:>4}
  66%   {median:>4}
  99%   {slowest:>4}
 100%   {slowest:>4} (longest request)
"""


@pytest.mark.parametrize(
    ("report", "sentences"),
    [
        (REPORT.format(median=20, slowest=100), []),
        (
            REPORT.format(median=20, slowest=101),
            ["99 % were answered within 101 ms, more than 5 times the median, 20 ms"],
        ),
        (REPORT.format(median=300, slowest=1000), []),
        (REPORT.format(median=300, slowest=1001), ["99 % were answered within 1001 ms, more than 1000"]),
        ("Complete requests: 0", ["the report has no percentiles"]),
    ],
)
def test_slowest_hundredth_of_a_report_has_a_goal(report: str, sentences: list[str]) -> None:
    assert sentences == slow_requests(report)


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server whose every answer has that status."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # which keeps connections

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(("status", "missed"), [(200, 0), (429, 1)])
def test_searches_at_once_may_not_be_refused(status: int, missed: int) -> None:
    table = Table("sqlite", 1, 1)
    with answering(status) as origin:
        bench = Bench(Server(0, None), None, 1, 1, origin=origin)  # type: ignore[arg-type] - not asked
        _, refused = bench.at_once()
    table.show_wait(1000, 0.0, refused)

    assert missed == table.missed


def test_sizes_are_asked_in_turn() -> None:
    asked = []

    @dataclass(frozen=True)
    class Noting(Server):
        name: str = ""

        def get(self, path: str, headers: dict[str, str]) -> tuple[dict[str, str], int]:
            asked.append(self.name + path)
            return {}, len(asked)

    benches = [Bench(Noting(os.getpid(), None, name), None, 2, 1) for name in "ab"]  # type: ignore[arg-type]
    found = in_turn(benches, [Question("page", ["/1"]), Question("page", ["/2"])])

    assert ["a/1", "a/1", "b/2", "b/2", "a/1", "b/2"] == asked  # of the first round, each is asked once before
    assert [5, 6] == [each.length for each in found]


def test_connection_that_was_closed_meanwhile_is_opened_again() -> None:
    with answering(200) as origin:
        server = Server(0, HTTPConnection(urlsplit(origin).netloc))
        server.get("/", {})
        server.connection.sock.shutdown(socket.SHUT_RDWR)
        assert 2 == server.get("/", {})[1]
        server.connection.close()


FAST, SLOW, SLOWER = ([(200, median, 1)] * 980 for median in (10.0, 100.0, 1000.0))


@pytest.mark.parametrize(
    ("found", "health", "after", "missed"),
    [
        (FAST + [(200, 250.0, 1)] * 20, [50.0] * 9, {1: 20, 2: 160}, None),
        (FAST + [(200, 251.0, 2)] * 20, [50.0] * 9, {1: 20, 2: 160}, "page: p99, ms"),
        (SLOW + [(200, 500.0, 1)] * 20, [50.0] * 9, {1: 20, 2: 160}, None),
        (SLOW + [(200, 501.0, 1)] * 20, [50.0] * 9, {1: 20, 2: 160}, "page: p99, ms"),
        (SLOWER + [(200, 3000.0, 1)] * 20, [50.0] * 9, {1: 20, 2: 160}, None),
        (SLOWER + [(200, 3001.0, 1)] * 20, [50.0] * 9, {1: 20, 2: 160}, "page: p99, ms"),
        ([*FAST, (429, 10.0, 3)], [50.0] * 9, {1: 20, 2: 160}, "failed requests"),
        ([*FAST, (0, 10.0, 1)], [50.0] * 9, {1: 20, 2: 160}, "failed requests"),
        (FAST, [51.0] * 9, {1: 20, 2: 160}, "p99 of /healthz, ms"),
        (FAST, [50.0] * 9, {1: 20, 2: 161}, "largest process, MB"),
        (FAST, [50.0] * 9, {1: 20, 3: 90}, "processes that ended"),
    ],
)
def test_each_goal_of_many_different_requests_can_be_missed(
    found: list[tuple[int, float, int]], health: list[float], after: dict[int, int], missed: str | None
) -> None:
    goals = mixed.goals({"page": found}, health, {1: 20, 2: 90}, after)

    assert [missed] * (missed is not None) == [what for what, ours, goal in goals if ours > goal]
