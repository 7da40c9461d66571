"""The rolling drill in small: `python -m tests.drills.rolling` is the same with a hundred restarts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.drills.rolling import MIX, roll, stage
from tests.drills.rolling_back import take_back
from tests.drills.rolling_hosts import Fleet, alarm

RATE = 400.0
SCALE = 10.0  # what the times of the health check are divided by
HASTE = 60.0  # and the alarm's minutes


@pytest.fixture(scope="module")
def hosts() -> Iterator[Fleet]:
    """Three web processes behind HAProxy."""
    with stage(SCALE, "roundrobin") as found:
        yield found


def test_the_whole_fleet_is_replaced_and_no_request_fails(hosts: Fleet) -> None:
    """Three restarts, host by host, and at least 5,000 requests over a hundred connections."""
    rolled = roll(hosts, restarts=3, requests=5_000, rate=RATE)
    assert ([], 3, True) == (rolled.faults, rolled.restarts, rolled.tally.good >= 5_000)


def test_a_release_that_answers_with_errors_is_taken_back(hosts: Fleet) -> None:
    """The alarm triggers it; until then the share of failing requests is the share of its hosts."""
    taken = take_back(hosts, alarm(HASTE), MIX, rate=RATE, scale=HASTE)
    assert ([], True) == (taken.faults, taken.errors > 0)
