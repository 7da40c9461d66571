"""The steps of a sweep: each is done, with its limits, and what it finds goes to the queues."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock, call

import pytest

from imgcore.db.circuit_breaker import CircuitBreakers
from imgcore.db.sweep import SweepRepository
from imgcore.errors import Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.models import BREAKER_CODES
from imgcore.pipeline.sweeper import Sweeper
from imgcore.spending.models import CAPS, QUOTAS
from imgcore.spending.service import Spending

DAY = 86_400.0
KINDS = list(TaskKind)


@pytest.fixture
def rows() -> Mock:
    """A repository in which a sweep finds nothing."""
    found = Mock(spec=SweepRepository)
    for name in ("uploads_without_event", "due_tasks", "processed_images", "expired_trash", "waiting_owners"):
        getattr(found, name).return_value = []
    found.repair_clock.return_value = found.fail_exhausted_tasks.return_value = 0
    found.reopen_local.return_value, found.is_paused.return_value = [], False
    return found


def sweeper_of(rows: Mock, **given: Any) -> Sweeper:
    """A sweeper over it; its other parts are mocks too."""
    parts: dict[str, Any] = {name: Mock() for name in ("images", "storage", "queues")}
    return Sweeper(**{**parts, "rows": rows, "notify_owners": Mock(return_value=3), **given})


def breakers(reason: str | None) -> Mock:
    """Circuit breakers, all in one state; of one that is open the probe is due in 90 seconds."""
    found = Mock(spec=CircuitBreakers)
    found.state.return_value = SimpleNamespace(reason=reason, wait=90.0 if reason else 0.0)
    return found


def test_sweep_deletes_what_is_old_and_indexes_what_is_new(rows: Mock) -> None:
    report = sweeper_of(rows).sweep()

    rows.index_unindexed.assert_called_once_with(limit=500)
    rows.delete_old_security_events.assert_called_once_with(older_than=90 * DAY)
    rows.delete_ended_shares.assert_called_once_with(older_than=90 * DAY, limit=500)
    rows.expired_trash.assert_called_once_with(older_than=30 * DAY, again_after=3600.0, limit=500)
    rows.record_sweep.assert_called_once_with()
    assert 3 == report.notified


def test_sweep_calls_campaigns_webhooks_and_batches_once(rows: Mock) -> None:
    parts = {name: Mock() for name in ("advance_campaigns", "deliver_webhooks", "end_batches")}

    sweeper_of(rows, **parts).sweep()

    assert [1, 1, 1] == [part.call_count for part in parts.values()]


def test_sweep_without_a_model_for_batches_ends_normally(rows: Mock, caplog: pytest.LogCaptureFixture) -> None:
    sweeper_of(rows, end_batches=Mock(side_effect=Unavailable("Not now.", code="model"))).sweep()

    rows.record_sweep.assert_called_once_with()
    assert "Not now. (model)" in caplog.text


def test_sweep_that_cannot_store_sums_of_the_ledger_ends_normally(
    rows: Mock, caplog: pytest.LogCaptureFixture
) -> None:
    """They save time only, so they come last."""
    spending = Mock(spec=Spending)
    spending.store_months.side_effect = Unavailable("Not now.", code="busy")

    sweeper_of(rows, spending=spending).sweep()

    rows.record_sweep.assert_called_once_with()
    assert "Not now. (busy)" in caplog.text


def test_sweep_whose_storage_is_away_is_not_recorded(rows: Mock) -> None:
    sweeper = sweeper_of(rows)
    rows.processed_images.return_value = [Mock()]
    sweeper.storage.find.side_effect = Unavailable("Not now.")

    with pytest.raises(Unavailable):
        sweeper.sweep()

    rows.record_sweep.assert_not_called()


@pytest.mark.parametrize("deleted_at", [None, datetime(2026, 1, 1, tzinfo=UTC)])
def test_sweep_upload_without_event_is_received_and_queued_for_each_kind(
    rows: Mock, deleted_at: datetime | None
) -> None:
    """One in the trash is received too; its tasks are queued when it is restored."""
    sweeper = sweeper_of(rows)
    rows.uploads_without_event.return_value = [Mock(image_key="raw/a.jpg", deleted_at=deleted_at)]
    found = sweeper.storage.find.return_value = Mock(key="raw/a.jpg")

    assert (1, 0) == (sweeper.sweep().recovered, rows.expire.call_count)
    assert found is sweeper.images.receive.call_args[0][0]
    queued = [] if deleted_at else [call(kind, "raw/a.jpg") for kind in KINDS]
    assert queued == sweeper.queues.send.call_args_list


@pytest.mark.parametrize("expired", [True, False])
def test_sweep_unused_form_that_expires_has_its_parts_aborted(rows: Mock, expired: bool) -> None:
    image, abort = Mock(), Mock()
    sweeper = sweeper_of(rows, abort_parts=abort)
    rows.uploads_without_event.return_value, rows.has_expired.return_value = [image], expired
    sweeper.storage.find.return_value = None

    assert expired == sweeper.sweep().expired
    assert [call(image)] * expired == abort.call_args_list
    assert expired == rows.expire.call_count


@pytest.mark.parametrize(
    ("breaker", "state", "held"),
    [("gemini", "rate_limited", BREAKER_CODES), ("gemini", None, ()), (None, "rate_limited", ())],
)
def test_sweep_holds_captions_while_the_model_is_away(
    rows: Mock, breaker: str | None, state: str | None, held: object
) -> None:
    sweeper_of(rows, breaker=breaker, breakers=breakers(state)).sweep()

    asked = rows.due_tasks.call_args[1]
    assert (held, 90.0 if held else 0.0) == (asked["held"], asked["held_for"])
    released = [] if held else [call(BREAKER_CODES, within=60.0, limit=500)]
    assert released == rows.release.call_args_list


def test_sweep_with_a_breaker_but_no_store_of_breakers_holds_nothing(rows: Mock) -> None:
    sweeper_of(rows, breaker="gemini").sweep()
    assert () == rows.due_tasks.call_args[1]["held"]


def upgrading(rows: Mock, **given: Any) -> Sweeper:
    """A sweeper that describes again what the local describer has described: one photo."""
    rows.reopen_local.return_value = [Mock(kind=TaskKind.CAPTION, image_key="raw/a.jpg")]
    return sweeper_of(rows, upgrade=True, **given)


def spending(cap: str | None = None, quota: str | None = None) -> Mock:
    """What says which limits are reached."""
    found = Mock(spec=Spending)
    found.reached_cap.return_value, found.reached_quota.return_value = cap, quota
    return found


def test_sweep_describes_again_what_a_model_can(rows: Mock) -> None:
    sweeper = upgrading(rows, spending=spending())

    assert 1 == sweeper.sweep().upgraded
    rows.reopen_local.assert_called_once_with(limit=100)
    sweeper.queues.send.assert_called_once_with(TaskKind.CAPTION, "raw/a.jpg")


def test_sweep_describes_nothing_again_while_a_cap_is_reached_captions_pause_or_the_model_is_away(
    rows: Mock,
) -> None:
    assert 0 == upgrading(rows, spending=spending(cap="day")).sweep().upgraded
    assert 0 == upgrading(rows, breaker="gemini", breakers=breakers("rate_limited")).sweep().upgraded
    rows.is_paused.return_value = True
    assert 0 == upgrading(rows).sweep().upgraded
    rows.reopen_local.assert_not_called()


@pytest.mark.parametrize("cap", ["day", None])
@pytest.mark.parametrize("quota", ["month", None])
def test_sweep_releases_what_waits_for_limits_that_are_not_reached(
    rows: Mock, cap: str | None, quota: str | None
) -> None:
    rows.waiting_owners.return_value = [7]

    sweeper_of(rows, spending=spending(cap, quota), breaker="gemini", breakers=breakers("open")).sweep()

    released = [] if cap else [call(CAPS, within=60.0, limit=500)]
    released += [] if quota else [call(QUOTAS, within=60.0, limit=500, owner_id=7)]
    assert released == rows.release.call_args_list


def test_sweep_due_task_is_queued_with_its_delay(rows: Mock) -> None:
    sweeper = sweeper_of(rows)
    rows.due_tasks.return_value = [Mock(kind=TaskKind.THUMBNAIL, image_key="raw/a.jpg", delay=7.5)]

    assert 1 == sweeper.sweep().redelivered
    sweeper.queues.send.assert_called_once_with(TaskKind.THUMBNAIL, "raw/a.jpg", 7.5)
    lost = sweeper.timing.lost_after
    asked = rows.due_tasks.call_args[1]
    assert (60.0, lost, lost, 500) == tuple(
        asked[name] for name in ("within", "lost_after", "again_after", "limit")
    )


def test_sweep_checks_ten_photos_by_the_minute(rows: Mock) -> None:
    sweeper_of(rows, clock=lambda: 125.0).sweep()
    rows.processed_images.assert_called_once_with(turn=2, limit=10)


def test_sweep_purges_the_objects_before_the_row(rows: Mock) -> None:
    image, order = Mock(image_key="raw/a.jpg", public_id="a" * 32), Mock()
    sweeper = sweeper_of(rows, storage=order.storage)
    rows.expired_trash.return_value = [image]
    rows.purge.side_effect = lambda public_id: order.purge(public_id) and True

    assert 1 == sweeper.sweep().purged
    names = [name for name, _, _ in order.mock_calls]
    assert names.index("storage.remove") < names.index("purge")
