"""Steps and photos of a sweep that fail or take long: they keep no other from its turn."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any
from unittest.mock import Mock, call

import pytest

from imgcore.errors import ImgcoreError, Unavailable
from imgcore.gallery.models import Image
from imgcore.pipeline.sweeper import CLAIMED, Sweeper
from imgcore.spending.service import Spending
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeStorage
from tests.unit.pipeline_photos import news, upload
from tests.unit.test_pipeline_sweep_steps import breakers, rows, sweeper_of

__all__ = ["rows"]

REFUSED = Unavailable("The uploads bucket refused the request: AccessDenied.", code="storage_refused")


def photos(number: int) -> list[Any]:
    return [Mock(image_key=f"raw/{each}.jpg", public_id=str(each)) for each in range(number)]


def fail_for(image: Any) -> Callable[..., None]:
    """Return a call that S3 refuses for this photo."""

    def called(*given: object, **named: object) -> None:
        if image.image_key in str(given):
            raise REFUSED

    return called


def whole(rows: Mock) -> Sweeper:
    """A sweeper with all of its parts, which find nothing."""
    parts = ("notify_owners", "advance_campaigns", "end_batches", "deliver_webhooks")
    paid = Mock(spec=Spending)
    given = {name: Mock(return_value=0) for name in parts} | {"spending": paid}
    rows.purge.return_value = True
    return sweeper_of(rows, breaker="gemini", breakers=breakers(None), **given)


STEPS: dict[str, Callable[[Sweeper], Any]] = {
    "exhausted tasks": lambda sweeper: sweeper.rows.fail_exhausted_tasks,
    "lost events": lambda sweeper: sweeper.rows.uploads_without_event,
    "limits": lambda sweeper: sweeper.spending and sweeper.spending.reached_cap,
    "campaigns": lambda sweeper: sweeper.advance_campaigns,
    "breaker": lambda sweeper: sweeper.breakers and sweeper.breakers.state,
    "due tasks": lambda sweeper: sweeper.rows.due_tasks,
    "index": lambda sweeper: sweeper.rows.index_unindexed,
    "security log": lambda sweeper: sweeper.rows.delete_old_security_events,
    "links": lambda sweeper: sweeper.rows.delete_ended_shares,
    "trash": lambda sweeper: sweeper.rows.expired_trash,
    "notifications": lambda sweeper: sweeper.notify_owners,
    "webhooks": lambda sweeper: sweeper.deliver_webhooks,
    "stored files": lambda sweeper: sweeper.rows.processed_images,
    "batches": lambda sweeper: sweeper.end_batches,
    "months": lambda sweeper: sweeper.spending and sweeper.spending.store_months,
}
LOGGED_ONLY = {"batches", "months"}  # which the next sweep does


@pytest.mark.parametrize("error", [Unavailable("Away."), KeyError("of a bug")])
@pytest.mark.parametrize("failing", STEPS)
def test_sweep_step_that_fails_keeps_no_other_from_its_turn(
    rows: Mock, failing: str, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    sweeper = whole(rows)
    STEPS[failing](sweeper).side_effect = error

    if failing in LOGGED_ONLY and isinstance(error, ImgcoreError):
        sweeper.sweep()
    else:
        with pytest.raises(type(error)):
            sweeper.sweep()

    assert [] == [name for name, step in STEPS.items() if not step(sweeper).called]
    assert (failing in LOGGED_ONLY) == rows.record_sweep.called
    assert str(error) in caplog.text


def test_sweep_ends_at_once_where_the_database_is_away(rows: Mock) -> None:
    sweeper = whole(rows)
    rows.uploads_without_event.side_effect = Unavailable("It was lost.")
    rows.ping.side_effect = Unavailable("The database cannot be reached just now.")

    with pytest.raises(Unavailable, match="cannot be reached"):
        sweeper.sweep()
    rows.due_tasks.assert_not_called()


def test_sweep_ends_at_once_where_the_database_is_away_amid_photos(rows: Mock) -> None:
    sweeper = whole(rows)
    rows.expired_trash.return_value = photos(3)
    rows.purge.side_effect = Unavailable("It was lost.")
    rows.ping.side_effect = Unavailable("The database cannot be reached just now.")

    with pytest.raises(Unavailable, match="cannot be reached"):
        sweeper.sweep()
    assert (1, 1) == (rows.purge.call_count, rows.ping.call_count)
    rows.processed_images.assert_not_called()


def test_sweep_photo_that_cannot_be_purged_is_postponed_and_the_next_ones_are_purged(
    rows: Mock, caplog: pytest.LogCaptureFixture
) -> None:
    sweeper = whole(rows)
    rows.expired_trash.return_value = images = photos(3)
    sweeper.storage.remove = Mock(side_effect=fail_for(images[0]))  # type: ignore[method-assign]

    with pytest.raises(Unavailable) as raised:
        sweeper.sweep()

    assert raised.value is REFUSED
    rows.postpone_purge.assert_called_once_with("0")
    assert [call("1"), call("2")] == rows.purge.call_args_list
    assert "photo 0 failed" in caplog.text


def test_sweep_upload_that_cannot_be_looked_for_keeps_no_other_from_its_turn(rows: Mock) -> None:
    sweeper = whole(rows)
    rows.uploads_without_event.return_value = images = photos(2)
    sweeper.storage.find = Mock(side_effect=fail_for(images[0]))  # type: ignore[method-assign]

    with pytest.raises(Unavailable):
        sweeper.sweep()
    rows.expire.assert_called_once_with("1")


def test_sweep_file_that_cannot_be_looked_for_keeps_no_other_from_its_turn(rows: Mock) -> None:
    sweeper = whole(rows)
    rows.processed_images.return_value = images = photos(2)
    sweeper.storage.find = Mock(side_effect=fail_for(images[0]))  # type: ignore[method-assign]

    with pytest.raises(Unavailable):
        sweeper.sweep()
    rows.fail_missing.assert_called_once()


def test_sweep_upload_whose_parts_cannot_be_aborted_expires_with_a_later_sweep(rows: Mock) -> None:
    [image] = rows.uploads_without_event.return_value = photos(1)
    sweeper = sweeper_of(rows, abort_parts=Mock(side_effect=[REFUSED, None]))
    sweeper.storage.find = Mock(return_value=None)  # type: ignore[method-assign]

    with pytest.raises(Unavailable):
        sweeper.sweep()
    rows.expire.assert_not_called()
    assert 1 == sweeper.sweep().expired
    rows.expire.assert_called_once_with(image.public_id)


def test_sweep_photos_whose_files_cannot_be_deleted_leave_their_places_to_younger_ones(
    sweeper: Sweeper, repositories: Repositories, storage: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit of a sweep is one photo, and the oldest is refused, until S3 deletes it after all."""
    monkeypatch.setattr("imgcore.pipeline.sweeper.LIMIT", 1)
    monkeypatch.setattr("imgcore.pipeline.sweeper.TRASH_SECONDS", 0.0)
    old, young = (deleted(repositories, storage) for _ in range(2))
    remove = storage.remove

    def refuse(upload_keys: list[str], derived_keys: list[str]) -> None:
        fail_for(old)(*upload_keys)
        remove(upload_keys, derived_keys)

    monkeypatch.setattr(storage, "remove", refuse)
    with pytest.raises(Unavailable):
        sweeper.sweep()
    assert 1 == sweeper.sweep().purged
    assert [True, False] == [repositories.images.get(each.public_id) is not None for each in (old, young)]

    assert 0 == sweeper.sweep().purged  # sweeps without an error: the alarm ends, which counts them
    monkeypatch.setattr("imgcore.pipeline.sweeper.PURGE_AGAIN_SECONDS", 0.0)
    with pytest.raises(Unavailable):
        sweeper.sweep()
    monkeypatch.setattr(storage, "remove", remove)
    assert (1, None) == (sweeper.sweep().purged, repositories.images.get(old.public_id))


def deleted(repositories: Repositories, storage: FakeStorage) -> Image:
    image = upload(repositories, storage)
    repositories.images.receive(news(image), None)
    repositories.images.delete(image.public_id)
    return image


def test_sweep_stops_purging_when_its_time_for_the_storage_is_over(rows: Mock) -> None:
    """Each photo takes ten seconds; five are kept for the stored files. The next sweep begins anew."""
    sweeper = sweeper_of(rows, clock=count(0.0, 10.0).__next__)
    rows.expired_trash.return_value = photos(10)
    rows.purge.return_value = True

    assert [3, 3] == [sweeper.sweep().purged for _ in range(2)]
    assert 2 == rows.record_sweep.call_count


def test_sweep_keeps_half_of_its_time_for_the_storage_from_lost_uploads(rows: Mock) -> None:
    """What has no turn is not claimed: the next sweep finds it at once."""
    clock = count(0.0, 1.0)
    sweeper = sweeper_of(rows, clock=clock.__next__)
    sweeper.storage.find = Mock(return_value=None)  # type: ignore[method-assign]
    rows.uploads_without_event.side_effect = lambda limit, **given: photos(limit)
    rows.expired_trash.return_value = photos(30)
    rows.purge.return_value = True

    report = sweeper.sweep()

    assert (15, 10) == (report.expired, report.purged)
    assert [CLAIMED] * 2 == [each[1]["limit"] for each in rows.uploads_without_event.call_args_list]


def test_sweep_looks_for_no_more_lost_uploads_than_its_limit(rows: Mock) -> None:
    sweeper = sweeper_of(rows, clock=lambda: 0.0)
    sweeper.storage.find = Mock(return_value=Mock(key="raw/a.jpg"))  # type: ignore[method-assign]
    rows.uploads_without_event.side_effect = lambda limit, **given: photos(limit)

    assert 500 == sweeper.sweep().recovered
