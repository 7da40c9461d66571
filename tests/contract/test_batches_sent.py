"""What is known of a batch after it was sent: how, whether at all, for which photos, and how it ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imgcore.campaigns.models import BatchImage, CampaignStatus, ItemStatus
from imgcore.captioning import deadline
from imgcore.captioning.gemini import batches as module
from imgcore.captioning.gemini import client
from imgcore.captioning.gemini.batches import GeminiBatches
from imgcore.db.batches import BatchRepository
from imgcore.db.connection import Database
from imgcore.errors import BadAnswer, Unavailable
from imgcore.gallery.models import Image, Source, TaskKind
from tests.contract.batch_tools import Bench, same_bill
from tests.contract.captioning_tools import MODEL
from tests.contract.images import claim, description, stored
from tests.fake_batches import FakeBatches
from tests.gemini_replies import Reply, error
from tests.gemini_replies import description as answer
from tests.support.repositories import Repositories

OLD = datetime.now(UTC) - timedelta(days=1)


class SlowUpload(FakeBatches):
    """The first creation takes until ``arrived`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived, self._first = threading.Event(), True

    def create(self, path: str, body: bytes) -> Reply | None:
        first, self._first = self._first, False
        if first:
            assert self.arrived.wait(60)
        return super().create(path, body)


def late_threads() -> None:
    """Wait for the calls that were left behind."""
    for thread in threading.enumerate():
        if thread.name == deadline.THREAD_NAME:
            thread.join(60)


def add_others(google: FakeBatches, count: int, created: datetime, **metadata: Any) -> None:
    """Batches of another application of the project."""
    for number in range(count):
        name = f"batches/other-{number}"
        known = {"name": name, "displayName": "x", "state": "BATCH_STATE_SUCCEEDED"}
        known |= {"createTime": created.isoformat(), **metadata}
        google.batches[name] = {"name": name, "metadata": known, "requests": [], "responses": [], "done": True}


def test_batch_that_is_on_its_way_after_the_time_limit_is_not_sent_again(
    repositories: Repositories,
    database: Database,
    photos: list[Image],
    small_batches: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No other process takes it for lost before its name is stored."""
    with SlowUpload() as google:
        bench = Bench(repositories, database, google)
        bench.process = bench.batches(lost_after=3600.0)
        campaign = bench.start()
        with monkeypatch.context() as patch:
            patch.setattr(module, "UPLOAD_SECONDS", 0.5 - module.SECONDS)
            with pytest.raises(Unavailable):
                bench.step(campaign)
        bench.step(campaign)
        bench.batches(lost_after=3600.0).step(bench.campaigns.get(campaign.public_id))
        assert (2, 3) == (len(google.batches), len(bench.process.rows.open(campaign)))
        google.arrived.set()
        late_threads()
        monkeypatch.setattr(GeminiBatches, "find", lambda *_: pytest.fail("Its name is stored."))
        google.finish()
        campaign = bench.step(campaign)
        assert (CampaignStatus.DONE, {ItemStatus.DONE: 5}) == (campaign.status, dict(campaign.counts))
        assert (3, 5) == (len(google.batches), len(google.billed))
        same_bill(bench, google)


def test_upload_that_takes_too_long_ends(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not arrive after its photos were sent again."""
    monkeypatch.setattr(client, "UPLOAD_SECONDS", -1.0)
    with pytest.raises(Unavailable):
        GeminiBatches("key", google.url).submit("label", MODEL, [])
    assert {} == google.batches


def test_batch_that_was_not_sent_is_not_looked_for(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was killed before it began to send it."""
    campaign = bench.start()
    assert bench.process.rows.add(campaign, 2, 0.0) is not None
    monkeypatch.setattr(GeminiBatches, "find", lambda *_: pytest.fail("It was not sent."))
    bench.step(campaign)
    assert 5 == sum(len(batch["requests"]) for batch in google.batches.values())


def test_batch_is_not_sent_after_its_lease_has_ended_or_its_campaign_was_cancelled(
    bench: Bench, photos: list[Image]
) -> None:
    campaign, rows = bench.start(), bench.process.rows
    taken, other = rows.add(campaign, 2, 0.0), rows.add(campaign, 2, 0.0)
    assert taken is not None
    assert other is not None
    rows.close(taken)  # as another process does that finds it not sent
    used = bench.captioner().prompt_used
    assert not rows.begin(taken, used, 60.0)
    bench.campaigns.cancel(campaign.public_id)
    assert not rows.begin(other, used, 60.0)


def test_search_for_a_batch_ends_at_older_ones_and_has_a_time_limit_for_each_page(
    google: FakeBatches, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The project may have had many batches, and Google may list the oldest first."""
    add_others(google, 50, OLD)
    interface, within = GeminiBatches("key", google.url), GeminiBatches._within
    calls: list[float] = []

    def counted(self: GeminiBatches, seconds: float, *arguments: Any) -> Any:
        calls.append(seconds)
        return within(self, seconds, *arguments)

    monkeypatch.setattr(GeminiBatches, "_within", counted)
    name = {"displayName": "mine", "createTime": datetime.now(UTC).isoformat()}
    google.batches["mine"] = {
        "name": "mine",
        "metadata": {**google.batches["batches/other-1"]["metadata"], **name},
    }
    assert ("mine", 1) == (interface.find("mine", datetime.now(UTC)), len(calls))
    assert None is interface.find("another", datetime.now(UTC))
    assert 3 == len(calls)
    google.batches = dict(reversed(google.batches.items()))  # the oldest first
    assert "mine" == interface.find("mine", datetime.now(UTC))
    assert (54, {module.SECONDS}) == (len(calls), set(calls))


def test_batch_is_found_among_long_ones_and_may_be_long_itself(
    repositories: Repositories, database: Database, photos: list[Image]
) -> None:
    """A description is read from a response of at most 1 MiB; a batch has many, and others have longer ones."""
    text = json.dumps(answer(visible_text="y" * 300_000))
    with FakeBatches(lambda number: text, lose=1) as google:
        bench = Bench(repositories, database, google)
        campaign = bench.start()
        with pytest.raises(Unavailable):
            bench.step(campaign)
        add_others(google, 1, datetime.now(UTC), output={"x": "y" * 1_100_000})
        bench.step(campaign)
        google.finish()
        campaign = bench.step(campaign)
        assert ({ItemStatus.DONE: 5}, 5) == (dict(campaign.counts), len(google.billed))


def test_batch_that_google_does_not_have_any_more_ends(
    bench: Bench, google: FakeBatches, photos: list[Image]
) -> None:
    """It was deleted, or belongs to the project of another key: its photos leave the caps."""
    campaign = bench.step(bench.start())
    google.batches.clear()
    for _ in range(3):
        with pytest.raises(BadAnswer, match="no such batch") as raised:
            bench.step(campaign)
        assert "batch_failed" == raised.value.code
    assert ([], 0) == (list(bench.process.rows.open(campaign)), bench.repositories.ledger.in_batches())

    bench.step(campaign)
    google.batches.clear()
    bench.campaigns.cancel(campaign.public_id)
    assert 0 == bench.process.step(bench.campaigns.get(campaign.public_id))


@pytest.mark.parametrize("status", [400, 413])
def test_batch_that_google_refuses_is_not_a_photo_that_cannot_be_read(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """It was not created, so its photos are in the next one."""
    with monkeypatch.context() as patch:
        refusal = error(status, "INVALID_ARGUMENT", "The batch has too many bananas.")
        patch.setattr(google, "create", lambda path, body: refusal)
        campaign = bench.start()
        with pytest.raises(BadAnswer, match="refused a batch") as raised:
            bench.step(campaign)
    assert ("batch_refused", []) == (raised.value.code, list(bench.process.rows.open(campaign)))
    bench.step(campaign)
    assert 5 == sum(len(batch["requests"]) for batch in google.batches.values())


def test_response_about_a_batch_that_cannot_be_read_is_no_refusal(
    bench: Bench, google: FakeBatches, photos: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been created all the same."""
    campaign = bench.start()
    with monkeypatch.context() as patch:
        patch.setattr(google, "create", lambda path, body: Reply(body={"name": ["x"]}))
        with pytest.raises(Unavailable, match="about a batch"):
            bench.step(campaign)
    assert 1 == len(bench.process.rows.open(campaign))


def purge(repositories: Repositories, public_id: str) -> None:
    repositories.images.delete(public_id)
    assert repositories.sweep.purge(public_id)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_answer_for_a_photo_that_was_deleted_for_good_is_in_the_ledger(
    bench: Bench,
    google: FakeBatches,
    photos: list[Image],
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
) -> None:
    """It is paid for. The purge may come while the answers are stored."""
    campaign = bench.step(bench.start())
    google.finish()
    _purged_after(monkeypatch, repositories, photos[0].public_id) if when == "meanwhile" else purge(
        repositories, photos[0].public_id
    )
    campaign = bench.step(campaign)
    assert (CampaignStatus.DONE, {ItemStatus.DONE: 4}) == (campaign.status, dict(campaign.counts))
    assert (5, 0) == (len(google.billed), repositories.ledger.in_batches())
    same_bill(bench, google)


def test_photo_that_is_deleted_for_good_before_it_is_sent_is_left_out(
    bench: Bench,
    google: FakeBatches,
    photos: list[Image],
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _purged_after(monkeypatch, repositories, photos[0].public_id)
    bench.step(bench.start())
    assert 4 == sum(len(batch["requests"]) for batch in google.batches.values())


def _purged_after(monkeypatch: pytest.MonkeyPatch, repositories: Repositories, public_id: str) -> None:
    """Purge a photo right after the images of its batch were read."""
    unanswered, left = BatchRepository.unanswered, [public_id]

    def purged(*arguments: Any) -> Sequence[BatchImage]:
        found = unanswered(*arguments)
        if left and left[0] in {image.public_id for image in found}:
            purge(repositories, left.pop())
        return found

    monkeypatch.setattr(BatchRepository, "unanswered", purged)


def test_answers_are_stored_with_the_language_and_prompt_they_were_asked_in(
    bench: Bench, google: FakeBatches, photos: list[Image], repositories: Repositories
) -> None:
    """The settings have changed between the process that sent them and the one that stores them."""
    campaign = bench.step(bench.start())
    google.finish()
    changed = bench.captioner(language="de,fr", own_instructions="Write about colours.")
    used = bench.captioner().prompt_used
    assert used.prompt_version != changed.prompt_used.prompt_version
    bench.batches(model=changed).step(bench.campaigns.get(campaign.public_id))
    found = stored(repositories, photos[0])
    assert used.prompt_version == found.prompt_version
    assert {"en": None} == json.loads(found.languages or "{}")["caption"]


def test_batch_leaves_out_what_a_model_has_described_since_the_campaign_began(
    bench: Bench, google: FakeBatches, photos: list[Image], repositories: Repositories
) -> None:
    """The words of that model stay: three photos are not sent, and the answer for a fourth is not stored."""
    campaign = bench.start()
    bench.campaigns.pause(campaign.public_id)
    _described_by_the_queue(repositories, photos[:3])
    bench.campaigns.resume(campaign.public_id)
    campaign = bench.step(campaign)
    assert 2 == sum(len(batch["requests"]) for batch in google.batches.values())
    _described_by_the_queue(repositories, photos[3:4])
    google.finish()
    campaign = bench.step(campaign)
    assert {ItemStatus.DONE: 1, ItemStatus.SKIPPED: 4} == dict(campaign.counts)
    assert ["By the queue."] * 4 == bench.captions(photos[:4])
    same_bill(bench, google)


def _described_by_the_queue(repositories: Repositories, photos: list[Image]) -> None:
    for photo in photos:
        repositories.images.reopen(photo.public_id, [TaskKind.CAPTION], also_done=True)
        words = description(caption="By the queue.", source=Source.GEMINI)
        assert repositories.tasks.finish_caption(claim(repositories, photo, TaskKind.CAPTION), words)
