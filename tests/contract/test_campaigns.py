"""Campaigns on both databases: selection, rate, pause, and each image once."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from imgcore.accounts.models import Role
from imgcore.campaigns.models import CampaignStatus, ItemStatus, Selection
from imgcore.campaigns.service import LISTED, Campaigns
from imgcore.db import campaigns as campaigns_module
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Conflict, Invalid, NotFound
from imgcore.gallery.models import EVERYBODY, Edit, Image, Source, TaskKind, TaskStatus, Viewer
from tests.contract.images import CAPTION, arrived, claim, described, description, task
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues


@pytest.fixture
def queues() -> FakeQueues:
    return FakeQueues()


@pytest.fixture
def campaigns(repositories: Repositories, queues: FakeQueues) -> Campaigns:
    return Campaigns(repositories.campaigns, queues, lambda images: images * 0.5)


def a_minute_later(database: Database) -> None:
    """Let a minute of the campaigns' rate pass."""
    minute = timedelta(minutes=1)

    def move(tx: object) -> None:
        tx.execute(  # type: ignore[attr-defined]
            "UPDATE campaigns SET advanced_at = {ago:past} WHERE public_id NOT LIKE 'bystander%'",
            past=round(minute.total_seconds() * 1e6),
        )

    database.run(move)


def describe_queued(repositories: Repositories, queues: FakeQueues) -> list[str]:
    """Do the work of the caption function; return the keys of what was described."""
    worked = []
    for _, key, _ in queues.sent:
        claimed = repositories.tasks.claim(key, TaskKind.CAPTION, lease=60.0, max_attempts=5)
        if claimed is not None:
            repositories.tasks.finish_caption(claimed, description(source=Source.GEMINI, model="new"))
            worked.append(key)
    queues.sent.clear()
    return worked


@pytest.fixture
def four(repositories: Repositories) -> list[Image]:
    """Local, Gemini's, a person's, and one that failed."""
    images = [
        described(repositories, "local.jpg", tags=("cat", "catfish")),
        described(repositories, "gemini.jpg", source=Source.GEMINI, model="old", caption="A heron."),
        described(repositories, "human.jpg", tags=("catfish",)),
        arrived(repositories, "failed.jpg"),
    ]
    repositories.images.edit(images[2].public_id, Edit(caption="Mine."))
    failed = claim(repositories, images[3], CAPTION)
    repositories.tasks.fail(failed, TaskStatus.FAILED, code="bad_answer", message="No.")
    arrived(repositories, "pending.jpg")  # it will be described anyway
    return images


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        (Selection(source=Source.LOCAL), ["local.jpg", "human.jpg"]),  # the alt text and tags of the latter
        (Selection(source=Source.HUMAN), ["human.jpg"]),
        (Selection(model="old"), ["gemini.jpg"]),
        (Selection(tag="cat"), ["local.jpg", "gemini.jpg"]),
        (Selection(query="heron"), ["gemini.jpg"]),
        (Selection(failed=True), ["failed.jpg"]),
        (Selection(missing=True), ["failed.jpg"]),
        (Selection(before=datetime(2100, 1, 1, tzinfo=UTC)), ["local.jpg", "gemini.jpg", "human.jpg"]),
        (Selection(before=datetime(2020, 1, 1, tzinfo=UTC)), []),
        (Selection(query="heron", source=Source.LOCAL), []),
    ],
)
def test_preview_counts_what_matches(
    campaigns: Campaigns, four: list[Image], selection: Selection, names: list[str]
) -> None:
    """The sample is of the images that match, and no task is queued."""
    found = campaigns.preview(selection)

    assert (len(names), sorted(names)) == (found.images, sorted(sample.name for sample in found.sample))
    assert len(names) * 0.5 == found.price_usd


def test_selection_by_ids_and_search_matches_both(campaigns: Campaigns, four: list[Image]) -> None:
    ids = tuple(image.public_id for image in four[:2])

    assert 1 == campaigns.preview(Selection(ids=ids, query="heron")).images
    assert 2 == campaigns.preview(Selection(ids=(*ids, "0" * 32))).images


def test_campaign_is_extended_while_it_runs(campaigns: Campaigns, four: list[Image]) -> None:
    """An image that it has already is not added again."""
    ids = tuple(image.public_id for image in four)
    campaign = campaigns.start(Selection(ids=ids[:2]), 6)
    extended = campaigns.extend(campaign.public_id, Selection(ids=ids[1:3]))
    assert (campaign.public_id, 3, 3) == (extended.public_id, extended.total, sum(extended.counts.values()))
    with pytest.raises(Conflict):
        campaigns.extend(campaign.public_id, Selection(ids=ids[:3]))

    campaigns.cancel(campaign.public_id)
    another = campaigns.extend(campaign.public_id, Selection(ids=ids[3:]))
    assert (1, 6) == (another.total, another.rate)
    assert 3 == campaigns.get(campaign.public_id).total


def test_selection_without_a_condition_is_invalid(campaigns: Campaigns) -> None:
    """A forgotten condition does not select everything."""
    with pytest.raises(Invalid):
        campaigns.preview(Selection())
    with pytest.raises(Conflict):
        campaigns.start(Selection(tag="nothing has this"))


def test_campaign_describes_each_image_once_at_its_rate(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    """Two a minute; however often it is advanced within it."""
    images = [described(repositories, f"{number}.jpg") for number in range(5)]
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=2)
    worked: Counter[str] = Counter()
    batches = []
    while campaigns.get(campaign.public_id).status is CampaignStatus.RUNNING:
        campaigns.advance()
        done = describe_queued(repositories, queues)
        worked.update(done)
        batches.append(len(done))
        campaigns.advance()
        a_minute_later(database)

    assert {image.image_key: 1 for image in images} == worked
    assert [2, 2, 1] == [size for size in batches if size]
    ended = campaigns.get(campaign.public_id)
    assert (5, {ItemStatus.DONE: 5}) == (ended.finished, ended.counts)
    assert ended.finished_at is not None


def test_paused_campaign_queues_nothing_until_it_is_resumed(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    """The time of the pause is not made up for."""
    for number in range(4):
        described(repositories, f"{number}.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=1)
    paused = campaigns.pause(campaign.public_id)
    a_minute_later(database)
    queues.sent.clear()
    assert (CampaignStatus.PAUSED, 0) == (paused.status, campaigns.advance())

    campaigns.resume(campaign.public_id)

    assert 0 == campaigns.advance()
    a_minute_later(database)
    assert 1 == campaigns.advance()
    with pytest.raises(Conflict):
        campaigns.resume(campaign.public_id)


def test_campaign_that_is_paused_in_its_turn_queues_no_more(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    for number in range(6):
        described(repositories, f"{number}.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=3)
    a_minute_later(database)

    with patch.object(queues, "send", side_effect=lambda *_: campaigns.pause(campaign.public_id)):
        assert 1 == campaigns.advance()

    assert {ItemStatus.QUEUED: 4, ItemStatus.WAITING: 2} == campaigns.get(campaign.public_id).counts


def test_cancelled_campaign_ends(campaigns: Campaigns, repositories: Repositories) -> None:
    described(repositories, "a.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL))

    assert CampaignStatus.CANCELLED is campaigns.cancel(campaign.public_id).status
    for change in (campaigns.cancel, campaigns.pause, campaigns.resume):
        with pytest.raises(Conflict):
            change(campaign.public_id)


def test_campaign_leaves_out_photos_that_wait_in_another_one(
    campaigns: Campaigns, repositories: Repositories, queues: FakeQueues
) -> None:
    """Running or paused, the other one describes them; a cancelled one does not."""
    for number in range(3):
        described(repositories, f"{number}.jpg")
    everything = Selection(source=Source.LOCAL)
    first = campaigns.start(everything, rate=1)

    with pytest.raises(Conflict):
        campaigns.start(everything, rate=1)
    campaigns.pause(first.public_id)
    assert 0 == campaigns.preview(everything).images
    campaigns.cancel(first.public_id)
    assert 2 == campaigns.start(everything, rate=1).total  # one was queued by the first


@pytest.mark.parametrize("change", ["pause", "cancel"])
def test_queued_photos_of_a_campaign_that_does_not_run_are_settled(
    campaigns: Campaigns, repositories: Repositories, queues: FakeQueues, change: str
) -> None:
    for number in range(3):
        described(repositories, f"{number}.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=2)
    getattr(campaigns, change)(campaign.public_id)
    describe_queued(repositories, queues)
    campaigns.advance()

    ended = campaigns.get(campaign.public_id)
    assert {ItemStatus.DONE: 2, ItemStatus.WAITING: 1} == dict(ended.counts)


def test_campaign_skips_what_is_deleted_or_in_work(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    deleted, working, kept = (described(repositories, f"{name}.jpg") for name in "abc")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=1)
    queues.sent.clear()
    repositories.images.delete(working.public_id)
    repositories.images.reopen(kept.public_id, [CAPTION], also_done=True)
    for _ in range(2):
        a_minute_later(database)
        campaigns.advance()
    claimed = repositories.tasks.claim(deleted.image_key, CAPTION, lease=60.0, max_attempts=5)
    assert claimed is not None
    repositories.tasks.fail(claimed, TaskStatus.BLOCKED, code="blocked", message="No.")
    campaigns.advance()

    counts = campaigns.get(campaign.public_id).counts
    assert {ItemStatus.FAILED: 1, ItemStatus.SKIPPED: 2} == counts


def test_queued_photo_in_the_trash_does_not_keep_its_campaign_open(
    campaigns: Campaigns, repositories: Repositories, queues: FakeQueues
) -> None:
    """It is skipped. Restored, it is described by its task all the same."""
    deleted, _ = described(repositories, "a.jpg"), described(repositories, "b.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=60)
    for image in repositories.images.get_many([deleted.public_id]):
        repositories.campaigns.queue(campaign.id, image.id)
    repositories.images.delete(deleted.public_id)
    describe_queued(repositories, queues)
    campaigns.advance()
    ended = campaigns.get(campaign.public_id)
    assert CampaignStatus.DONE is ended.status
    assert {ItemStatus.DONE: 1, ItemStatus.SKIPPED: 1} == dict(ended.counts)


def test_campaign_skips_what_a_model_has_described_since_it_began(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    """One person asked for it on the page; provisional words of the local describer do not count."""
    again, waits = described(repositories, "a.jpg"), described(repositories, "b.jpg")
    campaign = campaigns.start(Selection(source=Source.LOCAL), rate=1)
    repositories.campaigns.settle(campaign.id)
    queues.sent.clear()
    for image, source in ((again, Source.GEMINI), (waits, Source.LOCAL)):
        repositories.images.reopen(image.public_id, [CAPTION], also_done=True)
        held = claim(repositories, image, CAPTION)
        repositories.tasks.finish_caption(held, description(caption=f"By {source}.", source=source))
    statement = "UPDATE campaign_items SET status = 'waiting' WHERE campaign_id = :id"
    database.run(lambda tx: tx.execute(statement, id=campaign.id))  # as if it had been paused

    keys = [repositories.campaigns.queue(campaign.id, image.id) for image in (again, waits)]

    assert [None, waits.image_key] == keys
    counts = campaigns.get(campaign.public_id).counts
    assert {ItemStatus.QUEUED: 1, ItemStatus.SKIPPED: 1} == dict(counts)


def test_killed_advance_loses_nothing_and_repeats_nothing(
    campaigns: Campaigns, repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    """The process dies after each transaction in turn: the sweep finds what was not sent."""

    class Killed(Exception):
        pass

    class KilledQueues(FakeQueues):
        def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
            raise Killed

    images = [described(repositories, f"{number}.jpg") for number in range(3)]
    killed = Campaigns(repositories.campaigns, KilledQueues(), lambda count: None)
    with pytest.raises(Killed):
        killed.start(Selection(source=Source.LOCAL), rate=60)
    for _ in images:
        a_minute_later(database)
        with pytest.raises(Killed):
            killed.advance()
        if task(repositories, images[-1], CAPTION).status is TaskStatus.PENDING:
            break

    found = repositories.sweep.due_tasks(within=60, lost_after=-1.0, again_after=0.0, limit=10)
    due = [each for each in found if each.kind is CAPTION]

    assert sorted(image.image_key for image in images) == sorted(each.image_key for each in due)
    queues.sent = [(each.kind, each.image_key, 0.0) for each in due] * 2  # messages may come twice
    assert 3 == len(describe_queued(repositories, queues))
    campaigns.advance()
    assert [CampaignStatus.DONE] == [found.status for found in campaigns.all() if found.total == 3]


def test_campaigns_of_others_are_not_seen_and_contain_own_images_only(
    repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    ben = AccountRepository(database).add("b" * 32, "ben", Role.PERSON, "hash")
    image, _ = described(repositories, "own.jpg"), described(repositories, "other.jpg")
    own = "UPDATE images SET owner_id = :owner WHERE id = :id"
    database.run(lambda tx: tx.execute(own, owner=ben.id, id=image.id))

    def of(viewer: Viewer) -> Campaigns:
        return Campaigns(repositories.campaigns, queues, lambda images: None, viewer)

    bens = of(Viewer(ben.id, sees_others=True, changes_others=False))
    campaign = bens.start(Selection(source=Source.LOCAL))

    assert (1, "ben") == (campaign.total, campaign.account)
    assert [campaign.public_id] == [found.public_id for found in bens.all()]
    stranger = of(Viewer(ben.id + 1, sees_others=True, changes_others=False))
    assert [] == stranger.all()
    with pytest.raises(NotFound):
        stranger.cancel(campaign.public_id)


def test_campaign_is_listed_however_many_others_have_started_since(
    repositories: Repositories, database: Database, queues: FakeQueues
) -> None:
    ada, ben = (
        AccountRepository(database).add(name[0] * 32, name, Role.PERSON, "hash").id for name in ("ada", "ben")
    )
    image = described(repositories, "own.jpg")

    def start(owner: int) -> str:
        own = "UPDATE images SET owner_id = :owner WHERE id = :id"
        database.run(lambda tx: tx.execute(own, owner=owner, id=image.id))
        viewer = Viewer(owner, sees_others=True, changes_others=False)
        campaign = repositories.campaigns.add(Selection(ids=(image.public_id,)), 1, viewer)
        assert campaign is not None
        assert repositories.campaigns.set_status(campaign.id, campaign.status, CampaignStatus.CANCELLED)
        return campaign.public_id

    def listed(viewer: Viewer) -> list[str]:
        found = Campaigns(repositories.campaigns, queues, lambda images: None, viewer)
        return [each.public_id for each in found.all()]

    mine = start(ada)
    theirs = [start(ben) for _ in range(LISTED)]

    assert [mine] == listed(Viewer(ada, sees_others=True, changes_others=False))
    assert theirs[::-1] == listed(Viewer(ben, sees_others=False, changes_others=False))
    assert theirs[::-1] == listed(EVERYBODY)
    assert [] == listed(Viewer(None, sees_others=False, changes_others=False))


def test_search_of_a_campaign_is_done_before_the_transaction_that_writes(
    repositories: Repositories, campaigns: Campaigns, four: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite lets one transaction write at a time; only ids are read of what a search finds."""
    writing, run = [False], Database.run

    def watched(database: Database, work: Any) -> Any:
        writing[0] = True
        try:
            return run(database, work)
        finally:
            writing[0] = False

    def found(*arguments: Any) -> Any:
        assert not writing[0]
        return read_versions(*arguments)

    read_versions = campaigns_module.read_versions
    monkeypatch.setattr(Database, "run", watched)
    monkeypatch.setattr(campaigns_module, "read_versions", found)
    campaign = campaigns.start(Selection(query="heron"), rate=60)
    assert 1 == campaign.total
