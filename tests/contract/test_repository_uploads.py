"""How the news of an upload is taken in: early, late, twice, out of order, or of a second use of the form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from imgcore.accounts.models import Account
from imgcore.db.connection import Database
from imgcore.errors import Invalid
from imgcore.gallery.keys import new_image_for_key
from imgcore.gallery.models import TRASH_SECONDS, Edit, Image, NewImage, UploadStatus
from imgcore.gallery.viewers import EVERYBODY
from imgcore.pipeline.models import ObjectCreated
from tests.contract.images import (
    CAPTION,
    THUMBNAIL,
    arrived,
    claim,
    description,
    event,
    finish,
    new,
    stored,
)
from tests.support.repositories import Repositories


def trash(repositories: Repositories, database: Database, image: Image, *, minutes: int) -> list[Image]:
    """Let the image's form expire so many minutes ago, and sweep; return the images to purge."""
    change = "UPDATE images SET uploaded_at = {ago:hours}, upload_expires_at = {ago:age} WHERE id = :id"
    values = {"hours": 3 * 3600 * 10**6, "age": minutes * 60 * 10**6, "id": image.id}
    database.run(lambda tx: tx.execute(change, **values))
    repositories.sweep.expire(image.public_id)
    found = repositories.sweep.expired_trash(older_than=TRASH_SECONDS, again_after=0.0, limit=9)
    return list(found)


def move_back(database: Database, image: Image) -> None:
    """Let the image be in the trash for a month."""
    change = "UPDATE images SET deleted_at = {ago:month} WHERE id = :id"
    database.run(lambda tx: tx.execute(change, month=int(TRASH_SECONDS * 10**6), id=image.id))


def test_the_awaited_upload_arrives(repositories: Repositories) -> None:
    """The row is received, its size is the object's."""
    row = new()
    before = repositories.images.add(row)

    image = repositories.images.receive(ObjectCreated("uploads", row.image_key, 77, "e", "v", "01"), new())

    assert (before.id, UploadStatus.RECEIVED, 77) == (image.id, image.upload_status, image.size)


def test_awaited_upload_is_found_by_the_name_of_its_file(repositories: Repositories) -> None:
    image = repositories.images.add(new("lighthouse.jpg"))
    repositories.images.add(new("harbour.jpg"))

    page = repositories.pages.page(cursor=None, limit=10, query="lighthouse")
    assert [image.public_id] == [found.public_id for found in page.images]


def test_arrived_upload_is_found_by_its_words(repositories: Repositories, database: Database) -> None:
    """They hold the date of the upload, which was not known before."""
    row, bystander = new("harbour.jpg"), new("harbour too.jpg")
    for each in (row, bystander):
        repositories.images.add(each)
    database.run(lambda tx: tx.execute("DELETE FROM words"))

    image = repositories.images.receive(event(row), row)

    page = repositories.pages.page(cursor=None, limit=10, query="harbour")
    assert [image.public_id] == [found.public_id for found in page.images]


def test_an_upload_that_nobody_asked_for_makes_its_row(repositories: Repositories) -> None:
    """Put into the bucket by hand, it is an image like others."""
    row = new("by hand.jpg", expires_in=0)

    image = repositories.images.receive(event(row), row)

    assert (row.public_id, "by hand.jpg", UploadStatus.RECEIVED) == (
        image.public_id,
        image.name,
        image.upload_status,
    )
    assert image == stored(repositories, row)


def test_an_event_of_unknown_size_keeps_the_declared_one(repositories: Repositories) -> None:
    """Some envelopes do not say."""
    row = new()
    repositories.images.add(row)

    assert row.size == repositories.images.receive(ObjectCreated("uploads", row.image_key), row).size


def test_the_same_news_twice_changes_nothing(repositories: Repositories) -> None:
    """A duplicate neither starts a task again nor moves a time."""
    image = arrived(repositories)
    finish(repositories, image, claim(repositories, image, CAPTION))
    before = stored(repositories, image)

    assert before == repositories.images.receive(event(image), new())


def test_an_expired_upload_is_received_after_all(repositories: Repositories) -> None:
    """It came late, but it came."""
    row = new(expires_in=-301)
    image = repositories.images.add(row)
    assert repositories.sweep.expire(image.public_id)

    assert "waiting" == repositories.images.receive(event(image), row).status


@pytest.mark.parametrize("again", ["e1", "e2"])
def test_a_rejected_upload_stays_rejected(repositories: Repositories, again: str) -> None:
    """The image stays deleted after its own event and after another version."""
    image = arrived(repositories)
    repositories.tasks.reject(claim(repositories, image, THUMBNAIL), code="not_an_image", message="No.")

    assert "rejected" == repositories.images.receive(event(image, etag=again, sequencer="99"), new()).status


@pytest.mark.parametrize("expired", [False, True])
def test_upload_that_arrives_in_the_trash_stays_there_and_can_be_restored(
    repositories: Repositories, database: Database, expired: bool
) -> None:
    """A person may delete a photo before the event of its file; it was uploaded all the same."""

    def listed() -> list[int]:
        return [each.id for each in repositories.pages.page(cursor=None, limit=99, query=None).images]

    before = repositories.trash.contents(EVERYBODY).count
    image = repositories.images.add(new())
    repositories.images.delete(image.public_id)
    if expired:
        assert [] == trash(repositories, database, image, minutes=6)

    received = repositories.images.receive(event(image), new())

    assert ("deleted", UploadStatus.RECEIVED) == (received.status, received.upload_status)
    assert image.id not in listed()
    assert before + 1 == repositories.trash.contents(EVERYBODY).count
    assert repositories.images.restore(image.public_id)
    restored = stored(repositories, image)
    assert ("waiting", "version-e1") == (restored.status, restored.version_id)
    assert image.id in listed()


def test_cancelled_upload_is_looked_for_until_it_has_expired(
    repositories: Repositories, database: Database
) -> None:
    """The event may be lost as any other. Without a file it is purged with the trash."""
    image = repositories.images.add(new())
    repositories.images.delete(image.public_id)

    def unannounced() -> list[int]:
        found = repositories.sweep.uploads_without_event(lost_after=60, again_after=0, limit=9)
        return [each.id for each in found]

    assert [] == trash(repositories, database, image, minutes=4)
    assert [image.id] == unannounced()
    assert [] == trash(repositories, database, image, minutes=6)
    assert ([], UploadStatus.EXPIRED) == (unannounced(), stored(repositories, image).upload_status)
    move_back(database, image)
    found = repositories.sweep.expired_trash(older_than=TRASH_SECONDS, again_after=0.0, limit=9)
    assert [image.id] == [each.id for each in found]


@pytest.mark.parametrize("end", ["cancelled", "deleted for good", "account deleted"])
def test_event_of_a_purged_image_adds_none(
    repositories: Repositories, database: Database, ada: Account, end: str
) -> None:
    """A file may arrive late, as may an event or the message of a task."""
    row = replace(new(), owner_id=ada.id)
    image = repositories.images.add(row)
    if end in ("deleted for good", "account deleted"):
        repositories.images.receive(event(row), None)
    if end == "account deleted":
        repositories.accounts.delete(ada.id, in_trash_for=TRASH_SECONDS)
    else:
        repositories.images.delete(image.public_id)
    if end == "deleted for good":
        assert repositories.trash.delete(EVERYBODY, image.public_id)
    if end == "cancelled":
        trash(repositories, database, image, minutes=6)
        move_back(database, image)
    for purged in trash(repositories, database, image, minutes=6):
        assert repositories.sweep.purge(purged.public_id)

    assert repositories.images.get(image.public_id) is None
    assert repositories.images.receive(event(image), new_image_for_key(image.image_key)) is None
    assert repositories.images.get(image.public_id) is None


@pytest.mark.parametrize("arrives", [False, True])
def test_awaited_upload_of_a_deleted_account_is_purged_when_its_form_has_expired(
    repositories: Repositories, database: Database, ada: Account, arrives: bool
) -> None:
    """A file that arrives until then is deleted with the row."""
    row = replace(new(), owner_id=ada.id)
    image = repositories.images.add(row)
    repositories.accounts.delete(ada.id, in_trash_for=TRASH_SECONDS)

    assert [] == trash(repositories, database, image, minutes=4)
    if arrives:
        late = repositories.images.receive(event(row), None)
        assert late is not None
        assert ("deleted", UploadStatus.RECEIVED) == (late.status, late.upload_status)
    assert [image.id] == [each.id for each in trash(repositories, database, image, minutes=6)]


@pytest.mark.parametrize("sequencer", ["0055AD", "0055AE", "0055AF", None])
@pytest.mark.parametrize("etag", ["e1", "e2"])
def test_later_version_of_a_received_upload_changes_nothing(
    repositories: Repositories, etag: str, sequencer: str | None
) -> None:
    """An upload form works once: words, thumbnails and the version that was received stay."""
    image = arrived(repositories)
    for kind in (THUMBNAIL, CAPTION):
        finish(repositories, image, claim(repositories, image, kind))
    repositories.images.edit(image.public_id, Edit("A person's words.", None, None))
    before = stored(repositories, image)

    received = repositories.images.receive(event(image, etag=etag, sequencer=sequencer), new())

    assert before == received == stored(repositories, image)
    assert "version-e1" == received.version_id


def test_later_version_does_not_disturb_the_worker_of_the_first(repositories: Repositories) -> None:
    image = arrived(repositories)
    before = claim(repositories, image, CAPTION)

    repositories.images.receive(event(image, etag="e2", sequencer="0055AF"), new())

    assert repositories.tasks.finish_caption(before, description(caption="Of the first version."))
    assert ("version-e1", "Of the first version.") == (before.version_id, stored(repositories, image).caption)


@pytest.mark.parametrize("key", ["raw/" + "k" * 765, "raw/blank ", "raw/nul\0.jpg"])
def test_a_key_that_no_index_holds_is_refused(repositories: Repositories, key: str) -> None:
    """S3 allows stranger keys than the database can tell apart."""
    with pytest.raises(Invalid):
        repositories.images.receive(ObjectCreated("uploads", key), NewImage("p", key, "n", None, None, 0))


@pytest.mark.parametrize("key", ["raw/" + "🏝" * 764, "raw/Å b+c%20.jpg", "raw/a.JPG"])
def test_other_keys_are_taken_as_they_are(repositories: Repositories, key: str) -> None:
    """The longest that fits, and any letters."""
    row = NewImage("p" * 32, key, "n", None, None, 0)

    assert key == repositories.images.receive(ObjectCreated("uploads", key), row).image_key


def test_keys_that_differ_in_case_or_accent_are_two(repositories: Repositories) -> None:
    """A key is bytes, not words."""
    keys = ["raw/a.jpg", "raw/A.jpg", "raw/á.jpg", "raw/a\u0301.jpg"]
    ids = {repositories.images.receive(ObjectCreated("u", key), NewImage(f"p{n}", key, "n", None, None, 0)).id
           for n, key in enumerate(keys)}  # fmt: skip

    assert len(keys) == len(ids)
