"""Campaigns in batches, through the real SDK and the real database: each photo once, at half the price."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest

from imgcore.accounts.models import Role
from imgcore.campaigns import batches as module
from imgcore.campaigns.models import CampaignStatus, ItemStatus, Selection
from imgcore.captioning.gemini.batches import GeminiBatches
from imgcore.captioning.prices import price
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, Transaction
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import BadAnswer, ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Edit, Image, Source, TaskKind
from imgcore.spending.models import Caps, LedgerEntry
from imgcore.spending.service import Spending
from imgcore.webhooks.events import WebhookEvent
from tests.contract.batch_tools import Bench, same_bill
from tests.contract.captioning_tools import MODEL, Photo
from tests.contract.database_tools import analyze
from tests.contract.test_repository_plans import effort
from tests.fake_batches import FakeBatches
from tests.gemini_replies import description
from tests.support.repositories import Repositories


def test_batch_describes_each_photo_once_at_half_the_price(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """Answers in another order than the requests reach their photos by key."""
    campaign = bench.step(bench.start())
    assert (CampaignStatus.RUNNING, 3, True) == (campaign.status, len(google.batches), campaign.batch)
    assert [] == bench.queues.sent
    google.finish()
    campaign = bench.step(campaign)

    assert (CampaignStatus.DONE, {ItemStatus.DONE: 5}) == (campaign.status, dict(campaign.counts))
    assert ["Photo 1.", "Photo 0.", "Photo 3.", "Photo 2.", "Photo 4."] == bench.captions(photos)
    found = bench.repositories.images.get(photos[0].public_id)
    assert found is not None
    assert (Source.GEMINI, MODEL, price(MODEL, 701, 91)) == (
        found.source,
        found.model,
        2 * (found.price_usd or 0),
    )
    same_bill(bench, google)


def test_batch_notifies_webhooks_of_each_description(
    bench: Bench, google: FakeBatches, photos: list[Image], database: Database
) -> None:
    WebhookRepository(database).create(None, "https://example.org/hook", list(WebhookEvent), "made-up")
    campaign = bench.step(bench.start())
    google.finish()
    bench.step(campaign)

    rows = database.read(lambda tx: tx.rows("SELECT event, image_id FROM webhook_deliveries ORDER BY image_id"))
    described = [(WebhookEvent.PHOTO_DESCRIBED, photo.id) for photo in photos]
    assert described == [(row["event"], row["image_id"]) for row in rows]


def test_batch_leaves_words_of_people_and_photos_that_are_described_otherwise(
    bench: Bench, google: FakeBatches, photos: list[Image], repositories: Repositories
) -> None:
    campaign = bench.step(bench.start())
    repositories.images.edit(photos[0].public_id, Edit(caption="Mine."))
    repositories.images.reopen(photos[1].public_id, [TaskKind.CAPTION], also_done=True)
    repositories.images.delete(photos[2].public_id)
    google.finish()
    campaign = bench.step(campaign)

    assert {ItemStatus.DONE: 3, ItemStatus.SKIPPED: 2} == dict(campaign.counts)
    assert ["Mine.", photos[1].caption, photos[2].caption] == bench.captions(photos[:3])
    same_bill(bench, google)


@pytest.mark.parametrize(
    "text", [None, "Sure! A red barn.", json.dumps(description(caption="N/A", alt_text="N/A"))]
)
def test_photo_without_a_usable_answer_is_queued(
    repositories: Repositories, database: Database, photos: list[Image], text: str | None
) -> None:
    with FakeBatches(lambda number: text) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.step(bench.start())
        google.finish()
        campaign = bench.step(campaign)
    assert {ItemStatus.QUEUED: 5} == dict(campaign.counts)
    assert sorted(photo.image_key for photo in photos) == sorted(key for _, key, _ in bench.queues.sent)


@pytest.mark.parametrize("usable", [True, False])
def test_answer_that_cannot_be_recorded_now_is_read_again(
    repositories: Repositories,
    database: Database,
    photos: list[Image],
    monkeypatch: pytest.MonkeyPatch,
    usable: bool,
) -> None:
    """It is paid for: neither its words nor its price may be lost."""
    with FakeBatches(None if usable else lambda number: "Sure!") as google:
        bench = Bench(repositories, database, google)
        campaign = bench.step(bench.start())
        google.finish()
        append, refused = bench.spending.append, []

        def append_later(entry: LedgerEntry) -> None:
            if refused:
                append(entry)
                return
            refused.append(entry)
            raise Unavailable("The database does not answer in time.")

        monkeypatch.setattr(bench.spending, "append", append_later)
        with pytest.raises(Unavailable):
            bench.step(campaign)
        campaign = bench.step(campaign)
    assert {ItemStatus.DONE if usable else ItemStatus.QUEUED: len(photos)} == dict(campaign.counts)
    same_bill(bench, google)


@pytest.mark.parametrize("state", ["FAILED", "EXPIRED", "CANCELLED"])
def test_batch_that_failed_is_sent_again(
    bench: Bench, google: FakeBatches, photos: list[Image], state: str
) -> None:
    campaign = bench.step(bench.start())
    google.finish(state)
    for _ in range(3):
        with pytest.raises(BadAnswer, match=state.lower()):
            bench.step(campaign)
    bench.step(campaign)
    google.finish()
    assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)
    same_bill(bench, google)


def test_answers_of_a_batch_that_expired_are_stored_and_its_other_photos_sent_again(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    campaign = bench.step(bench.start())
    google.run(1)
    google.finish("EXPIRED")
    for _ in range(3):
        with pytest.raises(BadAnswer, match="expired"):
            bench.step(campaign)
    campaign = bench.step(campaign)
    assert {ItemStatus.DONE: 3, ItemStatus.WAITING: 2} == dict(campaign.counts)
    google.finish()
    assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)
    assert (5, []) == (len(google.billed), bench.queues.sent)
    same_bill(bench, google)


def test_paused_batch_sends_nothing_and_stores_what_was_sent(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    campaign = bench.start()
    bench.campaigns.pause(campaign.public_id)
    assert 0 == len(bench.step(campaign).counts.keys() - {ItemStatus.WAITING})
    assert {} == google.batches
    bench.campaigns.resume(campaign.public_id)
    bench.step(campaign)
    bench.campaigns.pause(campaign.public_id)
    google.finish()
    assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)


def test_batches_wait_while_captions_are_paused(
    bench: Bench, repositories: Repositories, google: FakeBatches, photos: list[Image]
) -> None:
    """Check that what was sent before is stored, without a probe or a new batch."""
    campaign = bench.start()
    repositories.jobs.pause(TaskKind.CAPTION, None, "boss")
    for _ in range(2):
        with pytest.raises(Unavailable, match="paused captions"):
            bench.step(campaign)
    assert (0, 0) == (len(google.batches), len(google.probed))
    repositories.jobs.resume(TaskKind.CAPTION, None)
    repositories.jobs.pause(TaskKind.CAPTION, "busy", "boss")  # the retries alone
    bench.step(campaign)
    repositories.jobs.pause(TaskKind.CAPTION, None, "boss")
    google.finish()
    assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)


def test_batch_stops_at_a_cap(
    repositories: Repositories, database: Database, google: FakeBatches, photos: list[Image]
) -> None:
    bench = Bench(repositories, database, google, day=0.0)
    campaign = bench.start()
    with pytest.raises(RateLimited):
        bench.step(campaign)
    assert {} == google.batches


def test_batches_whose_answers_are_not_there_count_against_a_cap(
    repositories: Repositories,
    database: Database,
    google: FakeBatches,
    photos: list[Image],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One batch reaches the cap; its answers are stored all the same."""
    monkeypatch.setattr(module, "SIZE", 2)
    bench = Bench(repositories, database, google, day=0.0005)  # the probe costs 0.000435
    campaign = bench.start()
    for _ in range(2):
        with pytest.raises(RateLimited):
            bench.step(campaign)
        assert 1 == len(google.batches)
    google.finish()
    with pytest.raises(RateLimited):
        bench.step(campaign)
    counts = bench.campaigns.get(campaign.public_id).counts
    assert {ItemStatus.DONE: 2, ItemStatus.WAITING: 3} == dict(counts)


def test_batch_has_as_many_photos_of_an_account_as_its_quota_allows(
    bench: Bench, google: FakeBatches, photos: list[Image], database: Database
) -> None:
    ben = AccountRepository(database).add("b" * 32, "ben", Role.PERSON, "hash")
    statement = "UPDATE images SET owner_id = :owner WHERE id BETWEEN :first AND :last"
    first, *_, last = sorted(photo.id for photo in photos)
    database.run(lambda tx: tx.execute(statement, owner=ben.id, first=first, last=last))
    one = bench.spending.estimate(MODEL, 1) or 0.0
    bench.spending.quota = Caps(day=1.3 * one)  # 2.6 photos at half the price
    bench.step(bench.start())
    assert 3 == sum(len(batch["requests"]) for batch in google.batches.values())
    assert (2, 1.5) == (len(bench.queues.sent), pytest.approx(bench.spending.counted(ben.id)[0] / one))


def test_images_of_open_batches_are_counted_without_those_of_others(
    bench: Bench, google: FakeBatches, photos: list[Image], database: Database
) -> None:
    """A cap asks for them with each photo."""
    bench.step(bench.start())
    ledger = bench.repositories.ledger
    few = effort(database, ledger.in_batches)
    row = "INSERT INTO batch_images (batch_id, image_id, public_id) VALUES (:batch, :image, 'ended')"

    def end_another(tx: Transaction) -> None:
        batch = tx.insert(
            "INSERT INTO batches (campaign_id, label, lease_until, sent_at, closed_at)"
            " SELECT campaign_id, 'ended', {now}, {now}, {now} FROM batches ORDER BY id LIMIT 1"
        )
        for image in range(1000):
            tx.execute(row, batch=batch, image=10**6 + image)

    database.run(end_another)
    analyze(database, "batches", "batch_images", "campaign_items")
    assert len(photos) == ledger.in_batches()
    assert effort(database, ledger.in_batches) <= few + 50


def test_photos_beyond_the_size_of_a_batch_are_sent_in_another_one(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not described at the full price, and do not count as sent."""
    monkeypatch.setattr(module, "BYTES", 1)
    campaign = bench.step(bench.start())
    assert [1] * 5 == [len(batch["requests"]) for batch in google.batches.values()]
    assert 5 == bench.repositories.ledger.in_batches()
    google.finish()
    assert {ItemStatus.DONE: 5} == dict(bench.step(campaign).counts)
    assert [] == bench.queues.sent
    same_bill(bench, google)


@pytest.mark.parametrize(
    ("error", "queued"), [(Unavailable("The storage is away.", code="storage"), 0), (BadAnswer("Broken."), 1)]
)
def test_photo_that_cannot_be_read_is_queued_unless_the_storage_is_away(
    bench: Bench, google: FakeBatches, photos: list[Image], error: ImgcoreError, queued: int
) -> None:
    campaign, broken = bench.start(), [error]

    def load(image: Image) -> tuple[Photo, str]:
        if broken:
            raise broken.pop()
        return Photo(), ""

    process = bench.batches(load=load)
    with pytest.raises(Unavailable) if not queued else nullcontext():
        process.step(campaign)
    process.step(campaign)
    assert queued == len(bench.queues.sent)
    assert 5 - queued == sum(len(batch["requests"]) for batch in google.batches.values())


def test_batch_that_is_refused_is_not_looked_for(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google limits how many tokens may wait in batches; a new batch is tried later."""
    campaign, submit = bench.start(), GeminiBatches.submit
    refusals = [RateLimited("Too many.")] * 2

    def refused(*arguments: Any) -> str:
        if refusals:
            raise refusals.pop()
        return submit(*arguments)

    monkeypatch.setattr(GeminiBatches, "submit", refused)
    monkeypatch.setattr(GeminiBatches, "find", lambda *_: pytest.fail("It cannot have been created."))
    for _ in range(2):
        with pytest.raises(RateLimited):
            bench.step(campaign)
    bench.step(campaign)
    assert 5 == sum(len(batch["requests"]) for batch in google.batches.values())


def test_batch_sends_no_photo_of_the_trash(
    bench: Bench, google: FakeBatches, photos: list[Image], repositories: Repositories
) -> None:
    campaign = bench.start()
    for photo in photos[:3]:
        repositories.images.delete(photo.public_id)
    campaign = bench.step(campaign)
    google.finish()
    campaign = bench.step(campaign)
    assert (2, []) == (len(google.billed), bench.queues.sent)
    assert {ItemStatus.DONE: 2, ItemStatus.SKIPPED: 3} == dict(campaign.counts)


def test_batch_leaves_photos_of_accounts_at_their_quota_to_the_queue(
    bench: Bench, google: FakeBatches, photos: list[Image], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task waits there with the reason."""
    ben = AccountRepository(database).add("b" * 32, "ben", Role.PERSON, "hash")
    statement = "UPDATE images SET owner_id = :owner WHERE id = :id"
    database.run(lambda tx: tx.execute(statement, owner=ben.id, id=photos[0].id))
    reached = RateLimited("The quota is used up.")
    monkeypatch.setattr(
        Spending, "reached_quota", lambda self, owner, more: reached if owner == ben.id else None
    )
    campaign = bench.step(bench.start())
    google.finish()
    campaign = bench.step(campaign)
    assert (4, {ItemStatus.DONE: 4, ItemStatus.QUEUED: 1}) == (len(google.billed), dict(campaign.counts))
    assert [photos[0].image_key] == [key for _, key, _ in bench.queues.sent]


def test_batch_with_a_wrong_key_says_so(google: FakeBatches) -> None:
    with pytest.raises(Misconfigured):
        GeminiBatches("two words", google.url)


def test_sweep_does_not_queue_photos_of_a_batch(bench: Bench, photos: list[Image]) -> None:
    bench.start()
    assert (0, []) == (bench.campaigns.advance(), bench.queues.sent)


def test_preview_of_a_batch_halves_the_price(bench: Bench, photos: list[Image]) -> None:
    selection = Selection(source=Source.LOCAL)
    assert [5.0, 2.5] == [bench.campaigns.preview(selection, batch=batch).price_usd for batch in (False, True)]


@pytest.mark.parametrize(
    "change",
    [
        lambda batch: batch.pop("displayName"),
        lambda batch: batch["inputConfig"]["requests"]["requests"][0].pop("metadata"),
        lambda batch: batch["inputConfig"]["requests"]["requests"][0]["request"].update(config={}),
        lambda batch: batch["inputConfig"]["requests"]["requests"].append(
            batch["inputConfig"]["requests"]["requests"][0]
        ),
    ],
)
def test_stand_in_refuses_what_the_documents_do_not_have(
    google: FakeBatches, change: Callable[[dict[str, Any]], Any]
) -> None:
    request = {"request": {"contents": [], "generationConfig": {}}, "metadata": {"key": "a"}}
    batch: dict[str, Any] = {"displayName": "x", "inputConfig": {"requests": {"requests": [request]}}}
    path = "/v1beta/models/m:batchGenerateContent"
    accepted = google.create(path, json.dumps({"batch": batch}).encode())
    change(batch)
    refused = google.create(path, json.dumps({"batch": batch}).encode())
    assert (200, 400) == (accepted and accepted.status, refused and refused.status)
