"""Requests a minute of each caller, counted together by all processes."""

from __future__ import annotations

import fcntl
import os
import threading

import pytest

from web.http.rate_limit import RateLimiter


def test_rate_limit_minute_starts_with_the_first_request() -> None:
    """Each name has its own."""
    now = [0.0]
    rates = RateLimiter(2, clock=lambda: now[0])
    first = [rates.hit("a") for _ in range(3)]
    assert [(True, 1, 60), (True, 0, 60), (False, 0, 60)] == [(s.allowed, s.remaining, s.reset) for s in first]
    assert rates.hit("b").allowed
    now[0] = 59.5
    assert (False, 1) == ((spent := rates.hit("a")).allowed, spent.reset)
    now[0] = 60.0
    assert rates.hit("a").allowed


def test_rate_limit_table_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counts of new callers replace the oldest ones of a full table."""
    monkeypatch.setattr("web.http.rate_limit.SLOTS", 10)
    now = [1000.0]
    rates = RateLimiter(2, clock=lambda: now[0])
    for number in range(100):
        now[0] += 0.1
        assert rates.hit(str(number)).remaining == 1
    assert [0, 1] == [rates.hit("99").remaining, rates.hit("0").remaining]


def test_rate_limit_is_counted_together_in_forked_processes() -> None:
    rates = RateLimiter(10, clock=lambda: 1000.0)
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            rates.hit("a")
            os._exit(0)
        os.waitpid(pid, 0)

    assert 6 == rates.hit("a").remaining


def test_rate_limit_peek_counts_nothing() -> None:
    rates = RateLimiter(2, clock=lambda: 1000.0)
    rates.hit("a")
    assert [(True, 0)] * 3 == [(seen.allowed, seen.remaining) for seen in (rates.peek("a") for _ in range(3))]
    assert rates.hit("a").allowed
    assert [(False, 0)] * 2 == [(seen.allowed, seen.remaining) for seen in (rates.peek("a"), rates.hit("a"))]


def test_rate_limit_headers_state_limit_rest_and_seconds() -> None:
    now = [1000.0]
    rates = RateLimiter(5, clock=lambda: now[0])
    rates.hit("a")
    now[0] += 20.5
    expected = {"RateLimit-Policy": '"api";q=5;w=60', "RateLimit": '"api";r=3;t=40'}
    assert expected == rates.hit("a").headers


def test_rate_limit_counts_many_callers_apart() -> None:
    """No two of them share a place of the table."""
    now = [1000.0]
    rates = RateLimiter(9, clock=lambda: now[0])
    for _ in range(3):
        for number in range(1000):
            rates.hit(str(number))
    assert {5} == {rates.hit(str(number)).remaining for number in range(1000)}


def test_rate_limit_drops_the_oldest_count_of_a_full_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those whose minute is over first; then the one whose minute began first."""
    monkeypatch.setattr("web.http.rate_limit.SLOTS", 8)
    now = [1000.0]
    rates = RateLimiter(9, clock=lambda: now[0])
    for number in range(8):
        rates.hit(f"first {number}")
        now[0] += 1
    rates.hit("new")
    assert [9 - 1] == [rates.hit("first 0").remaining]  # replaced by "new", and replaces "first 1"
    assert [9 - 2] * 2 == [rates.hit(name).remaining for name in ("new", "first 7")]
    now[0] += 52.5  # "first 2" to "first 4" are over
    assert 9 - 1 == rates.hit("another").remaining
    assert 9 - 3 == rates.hit("first 7").remaining


def test_rate_limit_waits_for_the_count_of_another_process() -> None:
    """A lock is dropped after each count, also when its process dies."""
    rates = RateLimiter(9)
    held, go_on = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go_on[1])  # else it would wait for ever where the test fails
        fcntl.lockf(rates._file, fcntl.LOCK_EX)
        os.write(held[1], b"x")
        os.read(go_on[0], 1)
        os._exit(0)
    os.read(held[0], 1)
    hit = threading.Thread(target=rates.hit, args=("a",))
    hit.start()
    hit.join(0.2)
    assert hit.is_alive()
    os.write(go_on[1], b"x")
    os.waitpid(pid, 0)
    hit.join(20)
    assert not hit.is_alive()
    pid = os.fork()
    if pid == 0:
        try:
            fcntl.lockf(rates._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os._exit(1)
        os._exit(0)
    assert 0 == os.waitpid(pid, 0)[1]
