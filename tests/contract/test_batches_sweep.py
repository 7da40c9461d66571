"""Batches without a command that runs: the sweep cancels those of cancelled campaigns; one limit for all."""

from __future__ import annotations

from itertools import count
from typing import NoReturn

import pytest

from imgcore.campaigns.batches import SWEEP_SECONDS
from imgcore.campaigns.models import CampaignStatus, ItemStatus, Selection
from imgcore.errors import Unavailable
from imgcore.gallery.models import Image
from tests.contract.batch_tools import Bench, same_bill
from tests.fake_batches import FakeBatches


def sweep(bench: Bench) -> None:
    """Do what each sweep does, in a function that was just started."""
    bench.batches().end_cancelled()


def test_sweep_cancels_the_batches_of_a_cancelled_campaign_and_stores_their_answers(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """One photo of each of the three has an answer by then. The command that sent them runs no more."""
    campaign = bench.step(bench.start())
    google.run(1)
    bench.campaigns.cancel(campaign.public_id)

    sweep(bench)
    assert set(google.batches) == set(google.cancelled)
    google.finish()
    sweep(bench)

    campaign = bench.campaigns.get(campaign.public_id)
    assert (CampaignStatus.CANCELLED, []) == (campaign.status, list(bench.process.rows.open(campaign)))
    assert {ItemStatus.DONE: 3, ItemStatus.WAITING: 2} == dict(campaign.counts)
    same_bill(bench, google)


@pytest.mark.parametrize("change", ["run", "pause"])
def test_sweep_leaves_the_batches_of_other_campaigns(
    bench: Bench, google: FakeBatches, photos: list[Image], change: str
) -> None:
    campaign = bench.step(bench.start())
    if change == "pause":
        bench.campaigns.pause(campaign.public_id)
    sweep(bench)
    assert [] == google.cancelled
    assert 3 == len(bench.process.rows.open(campaign))


def test_sweep_leaves_batches_to_the_next_one_after_its_time(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    campaign = bench.step(bench.start())
    bench.campaigns.cancel(campaign.public_id)
    clock = count(0.0, SWEEP_SECONDS * 0.7)  # of one batch: there is time for another one, and for no third

    bench.batches(clock=lambda: next(clock)).end_cancelled()
    assert 1 == len(google.cancelled)
    bench.batches().end_cancelled()
    assert 3 == len(set(google.cancelled))


def test_limit_of_open_batches_counts_those_of_all_campaigns(
    bench: Bench,
    google: FakeBatches,
    photos: list[Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("imgcore.campaigns.batches.OPEN", bench.process.rows.count_open() + 2)
    ids = [photo.public_id for photo in photos]
    first, second = (
        bench.campaigns.start(Selection(ids=tuple(some)), batch=True) for some in (ids[:2], ids[2:])
    )
    for _ in range(2):
        bench.step(first)
        bench.step(second)
    assert 2 == len(google.batches)  # of two photos each: one of either campaign
    google.finish()
    bench.step(first)
    bench.step(second)
    assert 3 == len(google.batches)


def test_batch_that_fails_in_the_sweep_does_not_keep_the_others_open(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one in the order of the sweep cannot be asked for; its failure is raised at the end."""
    campaign = bench.step(bench.start())
    google.finish()
    bench.campaigns.cancel(campaign.public_id)
    batches = bench.batches()
    result, first = batches.interface.result, batches.rows.open(campaign)[0].name
    monkeypatch.setattr(batches.interface, "result", lambda name: away() if name == first else result(name))

    with pytest.raises(Unavailable):
        batches.end_cancelled()

    assert [first] == [batch.name for batch in batches.rows.open(campaign)]


def test_limit_of_open_batches_leaves_out_those_that_have_ended_by_now(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """The command of a campaign was killed, and nobody has started it again for two days."""
    bench.step(bench.start())
    rows = bench.process.rows
    assert 3 == rows.count_open()
    later = "UPDATE batches SET sent_at = {ago:seconds}"
    bench.repositories.database.run(lambda tx: tx.execute(later, seconds=49 * 3600 * 1_000_000))
    assert 0 == rows.count_open()


def away() -> NoReturn:
    raise Unavailable("Google is not available.")
