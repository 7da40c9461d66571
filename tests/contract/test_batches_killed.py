"""Campaigns in batches whose process is killed, or whose request has no answer: each photo once."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.campaigns.models import CampaignStatus, ItemStatus
from imgcore.captioning.gemini.batches import GeminiBatches
from imgcore.db.batches import BatchRepository
from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Image
from imgcore.spending.service import Spending
from tests.contract.batch_tools import Bench, same_bill
from tests.fake_batches import FakeBatches


class Killed(BaseException):
    """The process ends here."""


POINTS: list[tuple[type, str]] = [
    (BatchRepository, "add"),
    (BatchRepository, "lease"),
    (BatchRepository, "begin"),
    (BatchRepository, "keep"),
    (GeminiBatches, "submit"),
    (BatchRepository, "set_name"),
    (GeminiBatches, "result"),
    (Spending, "append"),
    (BatchRepository, "store"),
    (BatchRepository, "close"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "method"), POINTS, ids=[method for _, method in POINTS])
def test_batch_killed_at_any_point_describes_each_photo_once(
    bench: Bench,
    google: FakeBatches,
    photos: list[Image],
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    method: str,
    after: bool,
) -> None:
    """Every process is killed at its second passage of the point; the next one goes on."""
    campaign, passed = bench.start(), 0
    original = getattr(owner, method)

    def killed(*arguments: Any, **named: Any) -> Any:
        nonlocal passed
        passed += 1
        if passed % 2 == 0 and passed < 12 and not after:
            raise Killed
        result = original(*arguments, **named)
        if passed % 2 == 0 and passed < 12 and after:
            raise Killed
        return result

    monkeypatch.setattr(owner, method, killed)
    for _ in range(30):
        try:
            campaign = bench.step(campaign)
        except Killed:
            continue
        google.finish()
        if campaign.status is CampaignStatus.DONE:
            break

    assert (CampaignStatus.DONE, {ItemStatus.DONE: 5}) == (campaign.status, dict(campaign.counts))
    assert passed >= 2
    assert (5, []) == (len(google.billed), bench.queues.sent)
    same_bill(bench, google)


def test_batch_whose_creation_was_not_answered_is_found_again(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    google.lose = 2
    campaign = bench.start()
    with pytest.raises(ImgcoreError):
        bench.step(campaign)
    bench.step(campaign)
    google.finish()
    assert CampaignStatus.DONE is bench.step(campaign).status
    assert (3, 5) == (len(google.batches), len(google.billed))
    same_bill(bench, google)


def test_batch_whose_process_was_killed_before_it_was_sent_is_replaced(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """It is not looked for again and again: in a pause it ends, and its photos wait for another one."""
    campaign = bench.start()
    assert bench.process.rows.add(campaign, 2, 0.0) is not None
    bench.campaigns.pause(campaign.public_id)
    assert {ItemStatus.WAITING: 5} == dict(bench.step(campaign).counts)
    assert ([], {}) == (list(bench.process.rows.open(campaign)), google.batches)
    bench.campaigns.resume(campaign.public_id)
    bench.step(campaign)
    assert 5 == sum(len(batch["requests"]) for batch in google.batches.values())
