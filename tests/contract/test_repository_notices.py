"""The rules for finished batches and their notifications, on both databases."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.subscriptions import SubscriptionRepository
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import Conflict, NotFound
from imgcore.gallery.models import Image, TaskStatus
from imgcore.notifications.models import FinishedBatch, NotificationMessage
from imgcore.webhooks.models import WebhookEvent
from tests.contract.images import CAPTION, THUMBNAIL, abandoned, claim, event, finish, new
from tests.support.repositories import Repositories

BATCH = "11111111-2222-3333-4444-555555555555"
MANY = 500
WORKERS = 4


@pytest.fixture
def anna(database: Database) -> Account:
    """Return an account."""
    return AccountRepository(database).add(secrets.token_hex(16), "anna", Role.PERSON, "hash")


@pytest.fixture
def ben(database: Database) -> Account:
    """Return another account."""
    return AccountRepository(database).add(secrets.token_hex(16), "ben", Role.PERSON, "hash")


def announced(
    repositories: Repositories, owner: Account | None = None, batch: str | None = BATCH, **more: float
) -> Image:
    """An image of that batch whose file has not come yet."""
    return repositories.images.add(replace(new(**more), owner_id=owner.id if owner else None, batch_id=batch))  # type: ignore[arg-type]


def received(repositories: Repositories, owner: Account | None = None, batch: str | None = BATCH) -> Image:
    """One whose file has come."""
    return repositories.images.receive(event(image := announced(repositories, owner, batch)), new()) and image


def complete(repositories: Repositories, image: Image) -> None:
    """Both tasks done."""
    for kind in (THUMBNAIL, CAPTION):
        assert finish(repositories, image, claim(repositories, image, kind))


def taken(repositories: Repositories, *, quiet: float = 0.0, lease: float = 60.0) -> list[FinishedBatch]:
    """Claim all finished batches for a minute."""
    found: list[FinishedBatch] = []
    last = 0
    while (
        ended := repositories.notifications.claim_finished_batch(after=last, quiet=quiet, lease=lease)
    ) is not None:
        found.append(ended)
        last = ended.number
    return found


def notified(repositories: Repositories, *, quiet: float = 0.0) -> list[tuple[str | None, int, int]]:
    """Owner, images and failures of all batches that are claimed now."""
    found = taken(repositories, quiet=quiet)
    assert all(repositories.notifications.complete_notification(each, letter(each)) for each in found)
    return [(each.owner, each.total, each.failed) for each in found]


def letter(ended: FinishedBatch) -> NotificationMessage:
    return NotificationMessage(ended.number, ended.owner, ended.owner_name, f"About {ended.number}", "Body")


def test_finished_batch_is_one_delivery_however_its_message_fares(
    repositories: Repositories, database: Database, anna: Account
) -> None:
    WebhookRepository(database).create(
        anna.id, "https://example.org/", [WebhookEvent.BATCH_FINISHED], "made-up"
    )
    complete(repositories, received(repositories, anna))
    for _ in range(2):
        [ended] = taken(repositories)
        assert repositories.notifications.postpone_notification(ended, 0.0)
    sent = database.read(lambda tx: tx.rows("SELECT batch_id FROM webhook_deliveries"))
    assert [BATCH] == [row["batch_id"] for row in sent]


def test_nothing_is_claimed_before_the_end(repositories: Repositories, anna: Account) -> None:
    """Announced, arrived, in work, parked for later: none of it is the end."""
    image = announced(repositories, anna)
    seen = [notified(repositories)]
    repositories.images.receive(event(image), new())
    seen.append(notified(repositories))
    assert finish(repositories, image, claim(repositories, image, THUMBNAIL))
    seen.append(notified(repositories))
    held = claim(repositories, image, CAPTION)
    seen.append(notified(repositories))
    repositories.tasks.park(held, code="rate_limited", message="Wait.", delay=0.0, refund=True)
    seen.append(notified(repositories))
    assert finish(repositories, image, claim(repositories, image, CAPTION))
    assert [[]] * 5 == seen
    assert [(anna.public_id, 1, 0)] == notified(repositories)


def test_batch_is_notified_once(repositories: Repositories, anna: Account) -> None:
    """Even if the image is worked on again, or another comes late under the same batch."""
    complete(repositories, image := received(repositories, anna))
    first = notified(repositories)
    repositories.images.reopen(image.public_id, also_done=True)
    complete(repositories, image)
    complete(repositories, received(repositories, anna))
    assert ([(anna.public_id, 1, 0)], []) == (first, notified(repositories))


def test_every_way_of_ending_counts(repositories: Repositories, anna: Account) -> None:
    """Done, failed, blocked, rejected, crashed, never come: each is an end, and all but the first a failure."""
    complete(repositories, received(repositories, anna))
    for status in (TaskStatus.FAILED, TaskStatus.BLOCKED):
        image = received(repositories, anna)
        assert finish(repositories, image, claim(repositories, image, THUMBNAIL))
        assert repositories.tasks.fail(claim(repositories, image, CAPTION), status, code="c", message="Why.")
    assert repositories.tasks.reject(
        claim(repositories, received(repositories, anna), CAPTION), code="c", message="Why."
    )
    crashed = received(repositories, anna)
    assert finish(repositories, crashed, claim(repositories, crashed, THUMBNAIL))
    abandoned(repositories, crashed, CAPTION)
    assert 1 == repositories.sweep.fail_exhausted_tasks(max_attempts=1)
    never = announced(repositories, anna, expires_in=-1000.0)
    before = notified(repositories)
    assert repositories.sweep.expire(never.public_id)
    assert ([], [(anna.public_id, 6, 5)]) == (before, notified(repositories))


def test_failures_come_with_their_reasons(repositories: Repositories, anna: Account) -> None:
    """The codes are the stored ones."""
    assert repositories.tasks.reject(
        claim(repositories, received(repositories, anna), CAPTION), code="c", message="Why."
    )
    [ended] = taken(repositories)
    assert ["Why.", "Why."] == [task.message for image in ended.failures for task in image.tasks]


def test_the_trash_is_neither_waited_for_nor_counted(repositories: Repositories, anna: Account) -> None:
    """Deleted images are not reported to their owner."""
    complete(repositories, received(repositories, anna))
    repositories.images.delete(received(repositories, anna).public_id)
    repositories.images.delete(announced(repositories, anna).public_id)
    assert [(anna.public_id, 1, 0)] == notified(repositories)


def test_a_batch_that_was_deleted_as_a_whole_ends_too(repositories: Repositories, anna: Account) -> None:
    """The batch has no image left."""
    repositories.images.delete(received(repositories, anna).public_id)
    assert [(anna.public_id, 0, 0)] == notified(repositories)


def test_image_without_a_batch_causes_no_notification(repositories: Repositories, anna: Account) -> None:
    """Copied into the bucket, or sent by a program that says nothing of one."""
    complete(repositories, received(repositories, anna, batch=None))
    assert [] == notified(repositories)


def test_image_without_an_owner_notifies_no_account(repositories: Repositories) -> None:
    """There are no accounts then."""
    complete(repositories, received(repositories))
    assert [(None, 1, 0)] == notified(repositories)


def test_two_owners_may_choose_one_id(repositories: Repositories, anna: Account, ben: Account) -> None:
    """Each owner is notified of their own images, when these are finished."""
    complete(repositories, received(repositories, anna))
    slow = received(repositories, ben)
    complete(repositories, received(repositories, ben))
    first = notified(repositories)
    complete(repositories, slow)
    assert ([(anna.public_id, 1, 0)], [(ben.public_id, 2, 0)]) == (first, notified(repositories))


def test_a_pause_is_waited_for(repositories: Repositories, anna: Account) -> None:
    """Between two images of one batch, of which the first is done before the next is announced."""
    complete(repositories, received(repositories, anna))
    before = notified(repositories, quiet=60.0)
    complete(repositories, received(repositories, anna))
    assert ([], [(anna.public_id, 2, 0)]) == (before, notified(repositories, quiet=0.0))


def test_a_deleted_account_is_not_notified(
    repositories: Repositories, database: Database, anna: Account, ben: Account
) -> None:
    """No other account is notified either."""
    complete(repositories, received(repositories, anna))
    AccountRepository(database).delete(anna.id, in_trash_for=0.0)
    assert [] == notified(repositories)


def end_waits(database: Database) -> None:
    """Let the lease or the delay of every notice be over, without waiting for it."""
    database.run(
        lambda tx: tx.execute(
            "UPDATE notices SET lease_until = {ago:age}"
            " WHERE lease_until > {now} AND name NOT LIKE 'bystander%'",
            age=1,
        )
    )


def test_a_notice_is_held_by_one(repositories: Repositories, database: Database, anna: Account) -> None:
    """The claim holds until the lease ends; a later completion by the first claimant has no effect."""
    complete(repositories, received(repositories, anna))
    [slow] = taken(repositories)
    held = taken(repositories)
    end_waits(database)
    [second] = taken(repositories)
    assert ([], False, True) == (
        held,
        repositories.notifications.complete_notification(slow, letter(slow)),
        repositories.notifications.complete_notification(second, letter(second)),
    )
    assert (2, []) == (second.tries, taken(repositories))


def test_what_could_not_be_sent_is_taken_again_later(
    repositories: Repositories, database: Database, anna: Account
) -> None:
    """It is not claimed before its time."""
    complete(repositories, received(repositories, anna))
    [ended] = taken(repositories)
    postponed = (
        repositories.notifications.postpone_notification(ended, 60),
        repositories.notifications.postpone_notification(ended, 60),
    )
    before = taken(repositories)
    end_waits(database)
    assert ((True, False), [], 1) == (postponed, before, len(taken(repositories)))


def test_letters_are_kept_for_their_owner(repositories: Repositories, anna: Account, ben: Account) -> None:
    """The newest first, and for so long."""
    for number in range(3):
        complete(repositories, received(repositories, anna, f"{number}{BATCH[1:]}"))
        notified(repositories)
    kept = [each.subject for each in repositories.notifications.delivered(anna.id, 2)]
    numbers = [int(subject.rpartition(" ")[2]) for subject in kept]
    assert (2, True, []) == (
        len(kept),
        numbers[0] == numbers[1] + 1,
        repositories.notifications.delivered(ben.id, 5),
    )
    assert (0, 3) == (
        repositories.notifications.delete_old_notifications(older_than=60.0),
        repositories.notifications.delete_old_notifications(older_than=0.0),
    )


def in_threads(work: Sequence[object]) -> None:
    """All at once."""
    threads = [threading.Thread(target=each) for each in work]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.timeout(600)
def test_many_in_one_batch_are_one_letter(repositories: Repositories, anna: Account, ben: Account) -> None:
    """500 images, four workers, and two sweepers that look all the time; another owner's among them."""
    images = [received(repositories, anna) for _ in range(MANY)]
    other = received(repositories, ben)
    left, sent, over = list(images), Counter[tuple[str | None, int]](), threading.Event()

    def worker() -> None:
        while True:
            try:
                image = left.pop()
            except IndexError:
                return
            complete(repositories, image)

    def sweeper() -> None:
        while not over.is_set():
            for owner, total, _ in notified(repositories):
                sent[owner, total] += 1
            over.wait(0.05)

    sweepers = [threading.Thread(target=sweeper) for _ in range(2)]
    for each in sweepers:
        each.start()
    in_threads([worker] * WORKERS)
    complete(repositories, other)
    deadline = time.monotonic() + 60
    while len(sent) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    over.set()
    for each in sweepers:
        each.join()
    assert {(anna.public_id, MANY): 1, (ben.public_id, 1): 1} == dict(sent)


# Addresses


def test_an_account_wants_one_address(database: Database, anna: Account) -> None:
    """The newest; the one before is to be taken off the topic."""
    store = SubscriptionRepository(database)
    store.keep(anna.id, "anna@old.example", "arn:1")
    store.keep(anna.id, "anna@new.example", "arn:2")
    current = store.current(anna.id)
    assert ("anna@new.example", ["arn:1"]) == (
        current and current.address,
        [each.arn for each in store.unwanted(9)],
    )


def test_an_address_that_is_given_again_is_wanted_again(database: Database, anna: Account) -> None:
    """The topic still knows it, by the same name."""
    store = SubscriptionRepository(database)
    store.keep(anna.id, "anna@old.example", "arn:1")
    store.end(anna.id)
    ended = store.current(anna.id)
    store.keep(anna.id, "anna@old.example", "arn:1")
    assert (None, []) == (ended, list(store.unwanted(9)))


def test_addresses_of_accounts_that_are_no_more_are_not_wanted(
    database: Database, anna: Account, ben: Account
) -> None:
    """The way of the deletion does not matter."""
    store = SubscriptionRepository(database)
    store.keep(anna.id, "anna@example.org", "arn:1")
    store.keep(ben.id, "ben@example.org", "arn:2")
    AccountRepository(database).delete(anna.id, in_trash_for=0.0)
    [left] = store.unwanted(9)
    store.drop(left.id)
    assert ("arn:1", []) == (left.arn, list(store.unwanted(9)))


def test_each_unwanted_address_has_its_turn(database: Database, anna: Account) -> None:
    """One that cannot be removed yet does not keep the others waiting."""
    store = SubscriptionRepository(database)
    set_time = "UPDATE addresses SET asked_at = {ago:age} WHERE arn = :arn"
    for number in range(3):
        arn, age = f"arn:{number}", (3 - number) * 60_000_000
        store.keep(anna.id, f"{number}@example.org", arn)
        database.run(lambda tx, arn=arn, age=age: tx.execute(set_time, arn=arn, age=age))
    store.end(anna.id)
    asked = []
    for _ in range(3):
        asked += [each.arn for each in store.unwanted(1)]
    assert ["arn:0", "arn:1", "arn:2"] == asked


def test_an_address_is_of_one_account(database: Database, anna: Account, ben: Account) -> None:
    """The address of an existing account stays."""
    store = SubscriptionRepository(database)
    store.keep(anna.id, "both@example.org", "arn:1")
    with pytest.raises(Conflict):
        store.keep(ben.id, "both@example.org", "arn:1")
    with pytest.raises(NotFound):
        store.keep(ben.id + 1000, "nobody@example.org", "arn:2")
