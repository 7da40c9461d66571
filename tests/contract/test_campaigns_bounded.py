"""Bounds of a campaign, on both databases: the photos that a preview has counted, and the time of a step."""

from __future__ import annotations

import pytest

from imgcore.campaigns.models import ItemStatus, Selection
from imgcore.campaigns.service import Campaigns
from imgcore.db import campaigns as campaigns_module
from imgcore.db.connection import Database
from imgcore.gallery.models import Image, TaskKind
from tests.contract.images import described
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues


class SlowQueues(FakeQueues):
    """Queues that take a second of their own clock for each message."""

    now = 0.0

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        super().send(kind, image_key, delay)
        self.now += 1.0


@pytest.mark.parametrize("chunk", [2, 500])
def test_no_more_photos_than_were_counted_are_described(
    repositories: Repositories, photos: list[Image], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """The newest are left out; so it is where the photos of a search are too many for one statement."""
    monkeypatch.setattr(campaigns_module, "_CHUNK", chunk)
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: images * 0.5)
    ids = tuple(image.public_id for image in photos)
    counted = campaigns.preview(Selection(ids=ids[:3])).images
    assert 3 == campaigns.start(Selection(ids=ids), most=counted).total
    assert 2 == campaigns.preview(Selection(ids=ids)).images
    assert 2 == campaigns.preview(Selection(ids=ids[3:])).images


def test_high_rate_delays_a_request_and_a_sweep_for_its_time_at_most(
    repositories: Repositories, database: Database
) -> None:
    """Two seconds of a request; the time of a sweep is shared by the campaigns, and nothing is lost."""
    queues = SlowQueues()
    campaigns = Campaigns(repositories.campaigns, queues, lambda images: None, clock=lambda: queues.now)
    started = [
        campaigns.start(
            Selection(ids=tuple(described(repositories, f"{n}.jpg").public_id for n in range(7))), rate=6000
        ).public_id
        for _ in range(2)
    ]

    def queued() -> list[int]:
        return [campaigns.get(public_id).counts.get(ItemStatus.QUEUED, 0) for public_id in started]

    def a_minute_later() -> None:
        move = "UPDATE campaigns SET advanced_at = {ago:minute} WHERE public_id IN (:first, :second)"
        values = {"minute": 60 * 10**6, "first": started[0], "second": started[1]}
        database.run(lambda tx: tx.execute(move, **values))

    before = queued()
    assert (4.0, 4) == (queues.now, sum(before))
    a_minute_later()
    assert 4 == campaigns.advance(seconds=4.0)
    assert (8.0, [count + 2 for count in before]) == (queues.now, queued())
    a_minute_later()
    assert 6 == campaigns.advance()
    assert [7, 7] == queued()
