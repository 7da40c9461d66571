"""Batches of a cancelled or paused campaign: what was answered is stored, and nothing else is paid for."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.campaigns.models import CampaignStatus, ItemStatus
from imgcore.captioning.gemini.batches import GeminiBatches
from imgcore.db.connection import Database
from imgcore.errors import Conflict, Unavailable
from imgcore.gallery.models import Image
from tests.contract.batch_tools import KEY, Bench, same_bill
from tests.fake_batches import FakeBatches
from tests.support.repositories import Repositories


def test_batches_of_a_cancelled_campaign_are_cancelled_and_their_answers_stored(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """One photo of each of the three has an answer by then. A cancellation may be asked for again."""
    campaign = bench.step(bench.start())
    google.run(1)
    bench.campaigns.cancel(campaign.public_id)
    for _ in range(2):
        assert 3 == bench.process.step(bench.campaigns.get(campaign.public_id))
    assert set(google.batches) == set(google.cancelled)
    google.finish()
    campaign = bench.step(campaign)

    assert (CampaignStatus.CANCELLED, 3, []) == (campaign.status, len(google.billed), bench.queues.sent)
    assert {ItemStatus.DONE: 3, ItemStatus.WAITING: 2} == dict(campaign.counts)
    assert 0 == bench.process.step(campaign)
    same_bill(bench, google)


def test_cancelled_batches_whose_answers_are_not_handed_out_end(
    repositories: Repositories, database: Database, small_batches: None, photos: list[Image]
) -> None:
    with FakeBatches(keeps_answers=False) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.step(bench.start())
        google.run(1)
        bench.campaigns.cancel(campaign.public_id)
        bench.step(campaign)
        google.finish()
        campaign = bench.step(campaign)
        assert 0 == bench.process.step(campaign)
    assert ({ItemStatus.WAITING: 5}, []) == (dict(campaign.counts), bench.queues.sent)


def test_cancelling_a_batch_that_has_ended_or_is_unknown_is_harmless(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    bench.step(bench.start())
    google.finish()
    interface = GeminiBatches(KEY.reveal(), google.url)
    for name in (*google.batches, "batches/unknown"):
        interface.cancel(name)
    assert [] == google.cancelled
    google.stop()
    with pytest.raises(Unavailable):
        GeminiBatches(KEY.reveal(), google.url).cancel("batches/1")


def test_cancelled_batches_are_stored_and_no_other_is_sent(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is cancelled between the batches of one step; what was paid is stored."""
    campaign, submit = bench.start(), GeminiBatches.submit

    def cancelled(*arguments: Any) -> str:
        name = submit(*arguments)
        google.run(2)
        bench.campaigns.cancel(campaign.public_id)
        return name

    monkeypatch.setattr(GeminiBatches, "submit", cancelled)
    assert (CampaignStatus.CANCELLED, 1) == (bench.step(campaign).status, len(google.batches))
    google.finish()
    campaign = bench.step(campaign)

    assert (CampaignStatus.CANCELLED, 2) == (campaign.status, len(google.billed))
    assert {ItemStatus.DONE: 2, ItemStatus.WAITING: 3} == dict(campaign.counts)
    assert 0 == bench.process.step(campaign)
    same_bill(bench, google)


def test_photos_in_sent_batches_of_a_cancelled_campaign_are_in_no_other_one(
    bench: Bench, google: FakeBatches, photos: list[Image], repositories: Repositories
) -> None:
    """It was cancelled on the page, and no command runs that stores the answers: they are paid for once."""
    campaign = bench.step(bench.start())
    bench.campaigns.cancel(campaign.public_id)
    with pytest.raises(Conflict):
        bench.start()
    assert [] == [task for task in repositories.sweep.reopen_local(limit=10) if task.public_id in _ids(photos)]
    google.run(1)
    bench.step(campaign)
    google.finish()
    bench.step(campaign)
    assert 2 == bench.start().total


def _ids(photos: list[Image]) -> set[str]:
    return {photo.public_id for photo in photos}


def test_batch_that_was_not_sent_ends_with_a_cancelled_campaign(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    campaign = bench.start()
    assert bench.process.rows.add(campaign, 2, 0.0) is not None
    bench.campaigns.cancel(campaign.public_id)
    assert 0 == bench.process.step(bench.campaigns.get(campaign.public_id))
    assert {} == google.batches


def test_photo_without_an_answer_of_a_cancelled_batch_is_not_queued(
    repositories: Repositories, database: Database, photos: list[Image]
) -> None:
    with FakeBatches(lambda number: None) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.step(bench.start())
        bench.campaigns.cancel(campaign.public_id)
        google.finish()
        campaign = bench.step(campaign)
    assert ({ItemStatus.WAITING: 5}, []) == (dict(campaign.counts), bench.queues.sent)


def test_photo_without_an_answer_of_a_paused_campaign_is_in_another_batch_after_it(
    repositories: Repositories, database: Database, small_batches: None, photos: list[Image]
) -> None:
    """It is not described by the queue, at the full price, while the campaign is paused."""
    with FakeBatches(lambda number: "Sure!" if number % 2 else None) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.step(bench.start())
        bench.campaigns.pause(campaign.public_id)
        google.finish()
        assert 0 == bench.process.step(bench.campaigns.get(campaign.public_id))
        paused = bench.campaigns.get(campaign.public_id)
        bench.campaigns.resume(campaign.public_id)
        bench.step(campaign)
        assert ({ItemStatus.WAITING: 5}, 6, []) == (dict(paused.counts), len(google.batches), bench.queues.sent)
