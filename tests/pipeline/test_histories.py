"""Short random histories in one process: nothing that was acknowledged is lost, and seeded bugs are seen."""

from __future__ import annotations

import pytest

from tests.drills.histories import histories, shown
from tests.pipeline.seeded_bugs import BUGS


def test_history_under_faults_loses_nothing_that_was_acknowledged() -> None:
    counts, found = histories(200, seed=1, faults=10)
    assert found == []
    assert counts["faults"] >= 10


@pytest.mark.parametrize("name", BUGS)
def test_one_of_some_histories_with_a_seeded_bug_shows_it(name: str) -> None:
    assert shown(name, seed=1)[1]
