"""Totals of the ledger from the stored sums of its months, on both databases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from imgcore.db import ledger_months
from imgcore.db.connection import Database, Transaction
from imgcore.db.mapping import Row, local_time
from imgcore.spending.models import LedgerEntry, Period, Quote, Usage
from tests.contract.database_tools import analyze
from tests.contract.test_repository_plans import Plans, whole_tables
from tests.support.repositories import Repositories

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
OWNERS = (None, 901, 902)


@pytest.fixture
def bystanders() -> None:
    """None here: every call of the ledger is summed."""


def call(repositories: Repositories, database: Database, call_id: str, at: datetime, **values: object) -> None:
    """Add an answered call of that time."""
    known = {
        "call_id": call_id,
        "model": "m-1",
        "input_tokens": 10,
        "output_tokens": 3,
        "outcome": "described",
        "quote": Quote(0.25, "2026-01-01", 0.25),
    }
    repositories.ledger.append(LedgerEntry(**(known | values)))  # type: ignore[arg-type]
    _move(database, call_id, at)


def _move(database: Database, call_id: str, at: datetime) -> None:
    statement = "UPDATE model_calls SET called_at = :at WHERE call_id = :call_id"
    database.run(lambda tx: tx.execute(statement, at=local_time(at), call_id=call_id))


def _entry(chance: random.Random, call_id: str) -> LedgerEntry:
    price = chance.choice([None, 0.0, 0.5, 1.25])
    return LedgerEntry(
        call_id=call_id,
        model=chance.choice(["m-1", "m-2"]),
        input_tokens=chance.randrange(100),
        output_tokens=chance.randrange(9),
        outcome="described",
        quote=Quote(price, None if price is None else "2026-01-01", price or 1.0),
        public_id=chance.choice([None, "a", "b", "c", "d"]),
        owner_id=chance.choice(OWNERS),
    )


def _summed(repositories: Repositories, owner_id: int | None) -> Usage:
    """Return the same by reading the whole ledger."""
    return next(iter(repositories.ledger.usage(Period(), owner_id=owner_id)), Usage(None))


@pytest.mark.parametrize("seed", range(4))
def test_total_after_random_calls_equals_the_sum_of_the_ledger(
    repositories: Repositories, database: Database, seed: int
) -> None:
    """Calls are answered, lost, refused, answered months later all the same, while months are stored."""
    chance, unanswered, refused = random.Random(seed), dict[str, LedgerEntry](), dict[str, LedgerEntry]()
    for number in range(60):
        call_id, now = f"call-{number}", NOW + timedelta(days=3 * number)
        match chance.choice(["answered", "open", "late", "refused", "late after all", "store"]):
            case "answered":
                repositories.ledger.append(_entry(chance, call_id))
                _move(database, call_id, now)
            case "open":
                unanswered[call_id] = _entry(chance, call_id)
                repositories.ledger.open(unanswered[call_id])
                _move(database, call_id, now)
            case "late" if unanswered:
                repositories.ledger.append(unanswered.pop(chance.choice(sorted(unanswered))))
            case "refused" if unanswered:
                chosen = chance.choice(sorted(unanswered))
                refused[chosen] = unanswered.pop(chosen)
                repositories.ledger.close(chosen, "refused")
            case "late after all" if refused:
                repositories.ledger.append(refused.pop(chance.choice(sorted(refused))))
            case "store":
                repositories.ledger.store_months(now, limit=chance.randrange(1, 9))
        for owner_id in OWNERS:
            found = repositories.ledger.total(owner_id)
            assert _summed(repositories, owner_id) == found
            assert found.unsettled == repositories.ledger.unsettled(owner_id)


def test_total_of_stored_months_reads_no_call_of_theirs(repositories: Repositories, database: Database) -> None:
    for number in range(6):
        at = NOW - timedelta(days=31 * number)
        call(repositories, database, f"call-{number}", at, owner_id=901, public_id="abc"[number % 3])

    assert 5 == repositories.ledger.store_months(NOW, limit=9)
    assert 0 == repositories.ledger.store_months(NOW, limit=9)
    before = repositories.ledger.total(901)
    october = local_time(NOW.replace(day=1, hour=0))
    database.run(lambda tx: tx.execute("DELETE FROM model_calls WHERE called_at < :october", october=october))

    assert (6, 3, 60, 1.5) == (before.calls, before.images, before.input_tokens, before.price_usd)
    assert (6, 60, 1.5) == (
        (after := repositories.ledger.total(901)).calls,
        after.input_tokens,
        after.price_usd,
    )


def test_month_that_changes_while_its_sums_are_read_is_not_stored(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    call(repositories, database, "refused", NOW - timedelta(days=40))
    database.run(lambda tx: tx.execute("UPDATE model_calls SET state = 'not_billed'"))
    call(repositories, database, "answered", NOW - timedelta(days=40))
    late = LedgerEntry("refused", "m-1", 10, 3, "described", Quote(0.25, "2026-01-01", 0.25))
    read = ledger_months._sums

    def read_then_answer(tx: Transaction, month: datetime) -> Sequence[Row]:
        rows = read(tx, month)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(repositories.ledger.append, late).result()
        return rows

    monkeypatch.setattr(ledger_months, "_sums", read_then_answer)
    repositories.ledger.store_months(NOW, limit=1)
    assert _summed(repositories, None) == repositories.ledger.total()
    monkeypatch.undo()
    assert 1 == repositories.ledger.store_months(NOW, limit=9)
    assert _summed(repositories, None) == repositories.ledger.total()


def test_months_stored_by_two_sweeps_at_once_leave_no_gap(
    repositories: Repositories, database: Database
) -> None:
    """The second one stores June again, and deletes what followed, after the first has read October."""
    for month in range(6, 11):
        call(repositories, database, f"call-{month}", datetime(2026, month, 5, tzinfo=UTC))
    late = LedgerEntry("late", "m-1", 10, 3, "described", Quote(0.25, "2026-01-01", 0.25))
    repositories.ledger.open(late)
    _move(database, "late", datetime(2026, 6, 5, tzinfo=UTC))
    assert 4 == repositories.ledger.store_months(NOW, limit=4)
    october = datetime(2026, 10, 1, tzinfo=UTC)
    sums = database.read(lambda tx: ledger_months._sums(tx, october))
    repositories.ledger.append(late)
    repositories.ledger.store_months(NOW, limit=1)
    database.run(lambda tx: ledger_months._store(tx, october, sums))

    assert _summed(repositories, None) == repositories.ledger.total()
    assert 4 == repositories.ledger.store_months(NOW, limit=9)
    assert _summed(repositories, None) == repositories.ledger.total()


def test_month_is_stored_a_day_after_its_end(repositories: Repositories, database: Database) -> None:
    call(repositories, database, "call", datetime(2026, 10, 31, 23, 59, tzinfo=UTC))

    assert 0 == repositories.ledger.store_months(datetime(2026, 11, 1, 23, tzinfo=UTC), limit=9)
    assert 1 == repositories.ledger.store_months(datetime(2026, 11, 2, tzinfo=UTC), limit=9)


def test_total_is_read_by_indexes(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(800):  # this month has a handful: of many, MariaDB reads the whole table
        at = NOW - timedelta(days=3 * number)
        call(repositories, database, f"call-{number}", at, owner_id=901 + number % 2)
    repositories.ledger.store_months(NOW, limit=99)
    analyze(database, "model_calls")
    plans = Plans(monkeypatch)

    repositories.ledger.total()
    repositories.ledger.total(901)

    assert len(plans.lines) > 8
    assert [] == [line for line in whole_tables(plans.lines) if "ledger_months" not in line]
