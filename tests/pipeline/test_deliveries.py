"""Events that come twice, out of order or never, and workers that are killed: the same rows.

With 200 uploads and 100 kills: tests/drills/test_worker_kills.py.
"""

from __future__ import annotations

import pytest

from tests.pipeline.deliveries import check_bad_deliveries, check_killed_workers, short_leases
from tests.pipeline.stage import Stage

pytestmark = pytest.mark.timeout(600)


stage = pytest.fixture(short_leases, scope="module")  # a pipeline with short leases


def test_events_repeated_shuffled_and_lost_give_the_same_rows(stage: Stage) -> None:
    check_bad_deliveries(stage, uploads=40)


def test_workers_killed_at_any_moment_give_the_same_rows(stage: Stage) -> None:
    check_killed_workers(stage, kills=8)
