"""Sign-in attempts counted on both databases: free ones, then a wait that doubles."""

from __future__ import annotations

import pytest

from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.statements import sql
from tests.contract.account_tools import together


def test_tries_are_free_then_they_are_waited_for(store: AccountRepository) -> None:
    """What is refused is not counted; another name is not concerned."""
    waits = [store.hit([("ada", 3, 900.0)]) for _ in range(5)]
    assert [0, 0, 0] == waits[:3]
    assert all(10 < wait <= 15 for wait in waits[3:])
    assert 0 == store.hit([("zoe", 3, 900.0)])


def test_all_or_none_is_counted(store: AccountRepository) -> None:
    """A blocked address does not use up the tries of a name."""
    store.hit([("address", 1, 900.0)])
    for _ in range(3):
        assert store.hit([("name", 2, 900.0), ("address", 1, 900.0)]) > 0
    assert 0 == store.hit([("name", 2, 900.0)])


def test_the_wait_doubles_up_to_the_longest(store: AccountRepository, database: Database) -> None:
    """15, 30, 60, … seconds."""
    waits = []
    for _ in range(5):
        store.hit([("ada", 1, 100.0)])
        waits.append(round(store.hit([("ada", 1, 100.0)])))
        database.run(
            lambda tx: tx.execute("UPDATE throttles SET blocked_until = {now} WHERE name NOT LIKE 'bystander%'")
        )
    assert [15, 30, 60, 100, 100] == waits


def test_success_forgets_the_name_and_pays_the_address_back(store: AccountRepository) -> None:
    """A household with many sign-ins is not treated as an attack."""
    for _ in range(10):
        assert 0 == store.hit([("name", 2, 900.0), ("address", 2, 900.0)])
        store.reset(["name"], ["address"])


def test_an_hour_without_a_try_forgets_them(store: AccountRepository, database: Database) -> None:
    """A waiting entry is kept."""
    for _ in range(2):
        store.hit([("ada", 2, 900.0)])
    long_ago = "UPDATE throttles SET updated_at = {ago:age}{more} WHERE name NOT LIKE 'bystander%'"
    database.run(lambda tx: tx.execute(sql(long_ago, more=""), age=3_600_500_000))
    assert store.hit([("ada", 2, 900.0)]) > 0
    database.run(lambda tx: tx.execute(sql(long_ago, more=", blocked_until = NULL"), age=3_600_500_000))
    assert [0, 0] == [store.hit([("ada", 2, 900.0)]) for _ in range(2)]


def test_many_tries_at_once_are_all_counted(store: AccountRepository) -> None:
    """Eight threads: not one more than the free ones passes."""
    waits: list[float] = []
    together([lambda: waits.append(store.hit([("ada", 3, 900.0), ("here", 99, 900.0)]))] * 8)
    assert (3, 8) == (waits.count(0), len(waits))


def test_attempt_that_has_to_wait_only_reads(store: AccountRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of them locks no rows, whichever of the names has to wait."""
    tries = [("short", 1, 15.0), ("long", 1, 15.0), ("free", 99, 15.0)]
    assert 0 == store.hit(tries[:1]) == store.hit(tries[1:])
    monkeypatch.setattr(Database, "run", lambda *_: pytest.fail("A transaction that writes was begun."))
    assert 0 < store.hit(tries) <= 15.0
    assert 0 < store.hit([tries[2], tries[0]]) <= 15.0
