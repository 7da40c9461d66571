"""A model that is away for three days, with the many photos of the tests of shorter outages."""

from __future__ import annotations

from tests.pipeline import test_model_outages as outages
from tests.support.repositories import Repositories

clock, repositories = outages.clock, outages.repositories


def test_outage_of_three_days_loses_no_caption_of_many_photos(
    repositories: Repositories, clock: outages.VirtualClock
) -> None:
    outages.check_outage(repositories, clock, 3 * outages.DAY, outages.AWAY, outages.MANY)
