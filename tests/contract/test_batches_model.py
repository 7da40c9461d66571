"""What a campaign in batches learns of its model before the first batch: refused options, quotas, its price."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.campaigns.models import ItemStatus
from imgcore.db.connection import Database
from imgcore.errors import ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.spending.models import Group, Period
from tests.contract.batch_tools import Bench, billed, same_bill
from tests.contract.captioning_tools import MODEL
from tests.fake_batches import FakeBatches
from tests.support.repositories import Repositories

STRICT = "gemini-3.8-flash"  # refuses the thinking level MINIMAL

pytestmark = pytest.mark.usefixtures("photos", "small_batches")


def configurations(google: FakeBatches) -> list[dict[str, Any]]:
    """The generation configs of all requests in batches."""
    return [
        one["request"]["generationConfig"] for batch in google.batches.values() for one in batch["requests"]
    ]


def test_option_that_the_model_refuses_is_left_out_of_each_request(
    repositories: Repositories, database: Database, google: FakeBatches
) -> None:
    """The small image of the probe was refused with the option, and answered without it."""
    bench = Bench(repositories, database, google, (STRICT,))
    campaign = bench.step(bench.start())
    google.finish()
    campaign = bench.step(campaign)

    assert {ItemStatus.DONE: 5} == dict(campaign.counts)
    assert (2, []) == (len(google.probed), bench.queues.sent)
    assert 5 == len(configurations(google))
    assert not any("thinkingConfig" in configuration for configuration in configurations(google))


def test_request_with_a_refused_option_fails_at_the_stand_in(
    bench: Bench, google: FakeBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No photo would be described in a batch of such a model if it were not probed."""
    campaign = bench.step(bench.start())
    for batch in google.batches.values():
        batch["metadata"]["model"] = f"models/{STRICT}"
    google.finish()
    assert {ItemStatus.QUEUED: 5} == dict(bench.step(campaign).counts)


def test_model_is_probed_once_by_each_process_that_sends(bench: Bench, google: FakeBatches) -> None:
    """The probes are in the ledger, at the full price and for no photo."""
    campaign = bench.start()
    bench.step(campaign)
    assert (3, 1) == (len(google.batches), len(google.probed))
    bench.batches().step(bench.campaigns.get(campaign.public_id))  # finds nothing to send
    assert 1 == len(google.probed)
    google.finish()
    bench.step(campaign)
    same_bill(bench, google)
    assert [(None, 1)] == [
        (one.group, one.calls)
        for one in bench.repositories.ledger.usage(Period(), Group.OWNER, batch=False)
        if one.input_tokens == billed([(700, 90)], 1.0)[1]
    ]


def test_fallback_model_describes_where_the_first_one_is_missing(
    repositories: Repositories, database: Database
) -> None:
    with FakeBatches(models={MODEL}) as google:
        bench = Bench(repositories, database, google, ("gemini-gone", MODEL))
        campaign = bench.step(bench.start())
        google.finish()
        campaign = bench.step(campaign)
    assert {ItemStatus.DONE: 5} == dict(campaign.counts)
    assert {f"models/{MODEL}"} == {batch["metadata"]["model"] for batch in google.batches.values()}


@pytest.mark.parametrize(
    ("probe", "kind", "code"),
    [
        ("404", Misconfigured, "model_retired"),
        ("429zero", Misconfigured, "quota_zero"),
        ("429day", RateLimited, "quota_exhausted"),
        ("429credits", Misconfigured, "credits_exhausted"),
        ("400key", Misconfigured, "key_refused"),
        ("503", Unavailable, "unavailable"),
    ],
)
def test_model_that_cannot_be_used_stops_the_batches_and_no_photo_is_lost(
    repositories: Repositories, database: Database, probe: str, kind: type[ImgcoreError], code: str
) -> None:
    """The next step tries again, and sends once the model answers."""
    with FakeBatches(probes=(probe, "ok")) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.start()
        with pytest.raises(kind) as raised:
            bench.step(campaign)
        assert (code, True) == (raised.value.code, bool(raised.value.message))
        assert ({}, 0) == (google.batches, len(bench.process.rows.open(campaign)))
        assert {ItemStatus.WAITING: 5} == dict(bench.campaigns.get(campaign.public_id).counts)

        bench.step(campaign)
        google.finish()
        assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)


def test_fallback_model_describes_where_the_quota_of_the_first_one_is_used_up(
    repositories: Repositories, database: Database
) -> None:
    with FakeBatches(probes=("429day", "ok")) as google:
        bench = Bench(repositories, database, google, (STRICT, MODEL))
        bench.step(bench.start())
    assert {f"models/{MODEL}"} == {batch["metadata"]["model"] for batch in google.batches.values()}


def test_cap_that_the_probe_reaches_stops_the_batches(
    repositories: Repositories, database: Database, google: FakeBatches
) -> None:
    """The model is not probed again before the cap ends."""
    bench = Bench(repositories, database, google, day=0.0004)  # the probe costs 0.000435
    campaign = bench.start()
    for _ in range(2):
        with pytest.raises(RateLimited) as raised:
            bench.step(campaign)
        assert ("spend_cap_day", 1, {}) == (raised.value.code, len(google.probed), google.batches)
    same_bill(bench, google)
