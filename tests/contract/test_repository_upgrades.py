"""Which local words a model replaces, and which captions wait for a quota."""

from __future__ import annotations

import pytest

from imgcore.accounts.models import Account
from imgcore.campaigns.models import CampaignStatus, Selection
from imgcore.db.connection import Database
from imgcore.gallery.models import EVERYBODY, Image, Source
from imgcore.spending.models import QUOTAS
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    arrived,
    claim,
    described,
    description,
    finish,
    stored,
    task,
)
from tests.support.repositories import Repositories


@pytest.fixture
def bystanders() -> None:
    """None here: they have words of the local describer, so they are described again too."""


def captioned_by_the_photographer(repositories: Repositories) -> Image:
    """An image whose caption is the file's own, with the local describer's alt text and tags."""
    image = arrived(repositories)
    own = description(caption="Mia's first goal", alt_text="", tags=(), source=Source.EMBEDDED)
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), description(), own)
    return stored(repositories, image)


def reopened(repositories: Repositories) -> set[str]:
    return {task.public_id for task in repositories.sweep.reopen_local(limit=50)}


def described_by(repositories: Repositories, image: Image, source: Source) -> None:
    """The answer of a model to a reopened caption."""
    answer = description(caption="A cat sleeps.", alt_text="A cat.", tags=("sleep",), source=source)
    assert repositories.tasks.finish_caption(claim(repositories, image, CAPTION), answer)


def test_local_words_in_any_field_are_described_again(repositories: Repositories) -> None:
    """A caption of the photographer stays, and does not hide the local alt text and tags."""
    local, embedded = described(repositories, "cat.jpg"), captioned_by_the_photographer(repositories)
    described(repositories, "cat.jpg", source=Source.GEMINI)
    assert (Source.EMBEDDED, Source.LOCAL) == (embedded.source, embedded.alt_text_source)

    assert {local.public_id, embedded.public_id} == reopened(repositories)

    described_by(repositories, embedded, Source.GEMINI)
    found = stored(repositories, embedded)
    assert ("Mia's first goal", "A cat.") == (found.caption, found.alt_text)
    assert set() == reopened(repositories)


def test_reopened_captions_are_as_many_as_the_limit(repositories: Repositories, database: Database) -> None:
    """A photo whose caption is not done, and the thumbnail of one, take no place of another's."""
    waits, first, second = (described(repositories, "cat.jpg") for _ in range(3))
    for image in (first, second):
        finish(repositories, image, claim(repositories, image, THUMBNAIL))
    repositories.images.reopen(waits.public_id, [CAPTION], also_done=True)

    found = repositories.sweep.reopen_local(limit=2)

    assert [first.public_id, second.public_id] == [each.public_id for each in found]


def test_campaign_over_local_words_has_the_photos_of_the_upgrade(repositories: Repositories) -> None:
    """Local words in any field count; a person who has restored them may ask for others again."""
    images = [described(repositories, "cat.jpg"), captioned_by_the_photographer(repositories)]
    described(repositories, "cat.jpg", source=Source.GEMINI)
    selection = Selection(source=Source.LOCAL)

    count, sample = repositories.campaigns.preview(selection, EVERYBODY, 5)
    assert (2, {image.public_id for image in images}) == (count, {one.public_id for one in sample})
    assert {image.public_id for image in images} == reopened(repositories)

    for image in images:
        described_by(repositories, image, Source.GEMINI)
    assert 0 == repositories.campaigns.preview(selection, EVERYBODY, 5)[0]
    repositories.images.undo(images[0].public_id)
    assert (set(), 1) == (reopened(repositories), repositories.campaigns.preview(selection, EVERYBODY, 5)[0])


@pytest.mark.parametrize("model", [source for source in Source if source.is_model])
def test_undone_words_of_a_model_are_not_written_again(repositories: Repositories, model: Source) -> None:
    """A person who restores the local words keeps them: the sweep pays for no second answer."""
    images = [described(repositories, "cat.jpg"), captioned_by_the_photographer(repositories)]
    assert {image.public_id for image in images} == reopened(repositories)
    for image in images:
        described_by(repositories, image, model)
        repositories.images.undo(image.public_id)
        assert Source.LOCAL is stored(repositories, image).alt_text_source

    assert set() == reopened(repositories)
    assert {"done"} == {str(task(repositories, image, CAPTION).status) for image in images}


@pytest.mark.parametrize("batch", [False, True], ids=["queue", "batch"])
def test_photos_of_a_campaign_are_left_to_it_by_the_sweep(repositories: Repositories, batch: bool) -> None:
    """They are described at its rate and price, also after a pause, and not twice."""
    image = described(repositories, "cat.jpg")
    rows = repositories.campaigns
    campaign = rows.add(Selection(source=Source.LOCAL), 60, EVERYBODY, batch=batch)
    assert campaign is not None
    later = described(repositories, "later.jpg")
    assert {later.public_id} == reopened(repositories)
    assert rows.set_status(campaign.id, CampaignStatus.RUNNING, CampaignStatus.PAUSED)
    assert set() == reopened(repositories)
    assert rows.set_status(campaign.id, CampaignStatus.PAUSED, CampaignStatus.CANCELLED)
    assert {image.public_id} == reopened(repositories)


def test_captions_that_wait_for_a_quota_are_released_by_owner(
    repositories: Repositories, database: Database, ada: Account, zoe: Account
) -> None:
    """What waits for another reason, belongs to another account or is due soon stays as it is."""
    waits = {
        "mine": (ada.id, "spend_quota_day", 3600.0),
        "mine too": (ada.id, "spend_quota_month", 3600.0),
        "soon": (ada.id, "spend_quota_day", 30.0),
        "other reason": (ada.id, "spend_cap_day", 3600.0),
        "theirs": (zoe.id, "spend_quota_day", 3600.0),
        "nobody's": (None, "spend_quota_day", 3600.0),
    }
    images = {name: arrived(repositories) for name in waits}
    set_owner = "UPDATE images SET owner_id = :owner WHERE id = :id"
    for name, (owner, code, delay) in waits.items():
        row = {"owner": owner, "id": images[name].id}
        database.run(lambda tx, row=row: tx.execute(set_owner, **row))
        held = claim(repositories, images[name], CAPTION)
        repositories.tasks.park(held, code=code, message="Wait.", delay=delay, refund=True)
    before = {name: task(repositories, image, CAPTION).next_at for name, image in images.items()}

    assert [ada.id, zoe.id] == repositories.sweep.waiting_owners(QUOTAS, within=60.0)
    assert 2 == repositories.sweep.release(QUOTAS, within=60.0, limit=50, owner_id=ada.id)

    after = {name: task(repositories, image, CAPTION).next_at for name, image in images.items()}
    assert {"mine", "mine too"} == {name for name in waits if before[name] != after[name]}
    assert [zoe.id] == repositories.sweep.waiting_owners(QUOTAS, within=60.0)
