"""The tests of tests/pipeline/test_deliveries.py with 200 uploads and 100 killed workers."""

from __future__ import annotations

import pytest

from tests.pipeline.deliveries import check_bad_deliveries, check_killed_workers, short_leases
from tests.pipeline.stage import Stage

pytestmark = pytest.mark.timeout(900)


stage = pytest.fixture(short_leases, scope="module")  # a pipeline with short leases


def test_events_repeated_shuffled_and_lost_give_the_same_rows(stage: Stage) -> None:
    check_bad_deliveries(stage, uploads=200)


def test_workers_killed_at_any_moment_give_the_same_rows(stage: Stage) -> None:
    check_killed_workers(stage, kills=100)
