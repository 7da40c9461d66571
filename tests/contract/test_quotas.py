"""Quotas of accounts on both databases: what counts, what is refused, and that an account's is its own."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from imgcore.accounts.models import Account, Quota, Usage
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.errors import Conflict
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Image, NewImage
from tests.contract.images import event
from tests.support.repositories import Repositories

PLENTY = Quota()


def add(
    repositories: Repositories,
    owner: Account | None,
    quota: Quota | None,
    size: int = 100,
    *,
    received: bool = True,
) -> Image:
    id_ = new_public_id()
    owner_id = owner.id if owner else None
    row = NewImage(id_, f"raw/{id_}.jpg", "cat.jpg", "image/jpeg", size, 3600.0, owner_id)
    image = repositories.images.add(row, quota)
    return repositories.images.receive(event(row), row) if received else image


def test_usage_counts_what_an_account_stores_and_awaits(
    store: AccountRepository, repositories: Repositories, database: Database, ada: Account, zoe: Account
) -> None:
    """The trash counts, what has expired does not; nobody else's images do."""
    kept = [add(repositories, ada, None, 100, received=False) for _ in range(4)]
    repositories.images.delete(add(repositories, ada, None).public_id)
    add(repositories, zoe, None)
    add(repositories, None, None)
    for image, status in zip(kept, ("awaiting", "received", "rejected", "expired"), strict=True):
        change = "UPDATE images SET upload_status = :status, listed_id = NULL WHERE id = :id"
        database.run(lambda tx, c=change, s=status, i=image.id: tx.execute(c, status=s, id=i))
    size = 300 + 123_456  # the event said how large the deleted one is
    assert (Usage(4, size, 1), Usage(1, 123_456, 0)) == (store.usage(ada.id), store.usage(zoe.id))
    used = store.usages()  # of bystanders too
    assert [Usage(4, size, 1), Usage(1, 123_456, 0)] == [used[ada.id], used[zoe.id]]


@pytest.mark.parametrize(
    ("quota", "code"),
    [
        (Quota(images=2), "quota_images"),
        (Quota(bytes=299), "quota_bytes"),
        (Quota(uploads=2), "quota_uploads"),
    ],
)
def test_upload_beyond_the_quota_is_a_conflict(
    repositories: Repositories, store: AccountRepository, ada: Account, zoe: Account, quota: Quota, code: str
) -> None:
    """The upload is not stored; another account and images without an owner are not concerned."""
    for _ in range(2):
        add(repositories, ada, quota, received=False)
    with pytest.raises(Conflict) as caught:
        add(repositories, ada, quota, received=False)
    assert (code, 2) == (caught.value.code, store.usage(ada.id).images)
    add(repositories, zoe, quota, received=False)
    for _ in range(3):
        add(repositories, None, quota, received=False)


def test_awaited_upload_of_unknown_size_counts_as_the_largest(
    store: AccountRepository, repositories: Repositories, ada: Account
) -> None:
    """Forms without JavaScript do not tell it; as many as an account may have would pass the quota."""

    def upload(size: int | None) -> Image:
        id_ = new_public_id()
        row = NewImage(id_, f"raw/{id_}.jpg", "cat.jpg", "image/jpeg", size, 3600.0, ada.id)
        return repositories.images.add(row, Quota(bytes=250), largest=100)

    first, _ = upload(None), upload(None)
    assert Usage(2, 0, 2, 2) == store.usage(ada.id)
    for size in (None, 51):
        with pytest.raises(Conflict, match="take 200 bytes of 250 bytes") as caught:
            upload(size)
        assert "quota_bytes" == caught.value.code
    upload(50)
    repositories.images.receive(replace(event(first), size=10), None)
    assert Usage(3, 60, 2, 1) == store.usage(ada.id)
    upload(90)


def test_received_uploads_are_not_in_progress(repositories: Repositories, ada: Account) -> None:
    for _ in range(4):
        add(repositories, ada, Quota(uploads=1))


def test_quota_of_an_account_replaces_the_default_where_it_is_set(
    store: AccountRepository, ada: Account, zoe: Account
) -> None:
    default = Quota(10, 20, 30)
    store.set_quota(ada.id, images=0, bytes_=None, uploads=5)
    assert (Quota(0, 20, 5), default) == (store.quota(ada.id, default), store.quota(zoe.id, default))
    store.set_quota(ada.id, images=None, bytes_=7, uploads=None)
    assert Quota(10, 7, 30) == store.quota(ada.id, default)


def test_raised_quota_counts_for_the_next_upload(
    store: AccountRepository, repositories: Repositories, ada: Account
) -> None:
    small = Quota(images=0)
    with pytest.raises(Conflict):
        add(repositories, ada, small)
    store.set_quota(ada.id, images=1, bytes_=None, uploads=None)
    add(repositories, ada, small)
    with pytest.raises(Conflict):
        add(repositories, ada, small)


def test_uploads_at_the_same_moment_do_not_exceed_the_quota(
    store: AccountRepository, repositories: Repositories, ada: Account
) -> None:
    barrier, refused = threading.Barrier(8), []

    def upload() -> None:
        barrier.wait()
        try:
            add(repositories, ada, Quota(images=3), received=False)
        except Conflict as error:
            refused.append(error.code)

    threads = [threading.Thread(target=upload) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (3, ["quota_images"] * 5) == (store.usage(ada.id).images, refused)


def test_set_quota_brings_forward_what_waits_for_it(
    store: AccountRepository, repositories: Repositories, database: Database, ada: Account, zoe: Account
) -> None:
    """Only captions of this account that wait for its quota of spending; both amounts are stored."""
    images = [add(repositories, owner, PLENTY) for owner in (ada, ada, zoe)]
    park = (
        "UPDATE tasks SET status = 'retry', error = :error, next_at = {later:day}"
        " WHERE image_id = :id AND kind = 'caption'"
    )
    for image, error in zip(images, ("spend_quota_month", "spend_cap_day", "spend_quota_day"), strict=True):
        values = {"error": error, "day": 86_400_000_000, "id": image.id}
        database.run(lambda tx, v=values: tx.execute(park, **v))
    store.set_quota(ada.id, images=None, bytes_=None, uploads=None, spend_day=0.25, spend_month=2.5)
    late = "SELECT image_id FROM tasks WHERE next_at > {now} AND kind = 'caption' AND image_id IN (:a, :b, :c)"
    ids = dict(zip("abc", (image.id for image in images), strict=True))
    rows = database.read(lambda tx: tx.rows(late + " ORDER BY image_id", **ids))
    assert [images[1].id, images[2].id] == [row["image_id"] for row in rows]
    quotas = [store.quota(account.id, PLENTY) for account in (ada, zoe)]
    assert [(0.25, 2.5), (None, None)] == [(quota.spend_day, quota.spend_month) for quota in quotas]


def test_cancelled_upload_counts_until_its_form_has_expired(
    store: AccountRepository, repositories: Repositories, database: Database, ada: Account
) -> None:
    """A file may arrive until then. It can be taken back as long, and is not in the trash."""
    kept, cancelled, late, restored = (add(repositories, ada, None, received=False) for _ in range(4))
    for image in (cancelled, late, restored):
        repositories.images.delete(image.public_id)

    def expire(image: Image, minutes: int) -> None:
        change = "UPDATE images SET uploaded_at = {ago:hours}, upload_expires_at = {ago:age} WHERE id = :id"
        values = {"hours": 3 * 3600 * 10**6, "age": minutes * 60 * 10**6, "id": image.id}
        database.run(lambda tx: tx.execute(change, **values))

    expire(kept, 6)
    expire(cancelled, 6)
    expire(late, 4)
    assert Usage(4, 400, 4) == store.usage(ada.id)
    expired = [repositories.sweep.expire(image.public_id) for image in (cancelled, late)]
    assert [True, False] == expired
    assert (False, False, True) == tuple(
        repositories.images.restore(image.public_id) for image in (cancelled, late, restored)
    )
    assert Usage(3, 300, 3) == store.usage(ada.id)
