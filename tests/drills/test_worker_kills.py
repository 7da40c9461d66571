"""The tests of tests/pipeline/test_deliveries.py with 200 uploads and 100 killed workers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pipeline.deliveries import check_bad_deliveries, check_killed_workers, short_leases
from tests.pipeline.stage import Stage

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A pipeline with short leases."""
    with (
        pytest.MonkeyPatch.context() as environ,
        short_leases(tmp_path_factory.mktemp("deliveries"), environ) as made,
    ):
        yield made


def test_events_repeated_shuffled_and_lost_give_the_same_rows(stage: Stage) -> None:
    check_bad_deliveries(stage, uploads=200)


def test_workers_killed_at_any_moment_give_the_same_rows(stage: Stage) -> None:
    check_killed_workers(stage, kills=100)
