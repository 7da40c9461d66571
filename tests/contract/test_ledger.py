"""The ledger on both databases."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.spending.models import Group, LedgerEntry, Period, Quote
from tests.support.repositories import Repositories

PRICED = Quote(0.25, "2026-11-28", 0.25)
RECENT = Period(since=datetime(2020, 1, 1, tzinfo=UTC))


def add(repositories: Repositories, **values: object) -> None:
    known = {
        "call_id": secrets.token_hex(16),
        "model": "m-1",
        "input_tokens": 10,
        "output_tokens": 3,
        "outcome": "described",
        "quote": PRICED,
    }
    repositories.ledger.append(LedgerEntry(**(known | values)))  # type: ignore[arg-type]


def test_usage_sums_by_model(repositories: Repositories) -> None:
    """An entry without a price is counted apart; the sum of prices has the known ones."""
    add(repositories, public_id="a")
    add(repositories, public_id="a")
    add(repositories, public_id="b", quote=Quote(counted_usd=9.0))
    add(repositories, public_id="b", model="m-2", quote=Quote())

    first, second = repositories.ledger.usage(RECENT, Group.MODEL)

    assert ("m-1", 3, 2, 30, 9, 0.5, 1) == (
        first.group,
        first.calls,
        first.images,
        first.input_tokens,
        first.output_tokens,
        first.price_usd,
        first.unpriced,
    )
    assert ("m-2", None, 1) == (second.group, second.price_usd, second.unpriced)


def test_entry_that_is_stored_twice_counts_once(repositories: Repositories) -> None:
    """The answer to a commit may be lost; the entry is then stored again."""
    add(repositories, call_id="the-same")
    add(repositories, call_id="the-same")

    assert [1] == [usage.calls for usage in repositories.ledger.usage(RECENT)]


def test_usage_by_owner_has_names_and_only_an_owners_entries(
    repositories: Repositories, database: Database
) -> None:
    ben = AccountRepository(database).add("b" * 32, "ben", Role.PERSON, "hash")
    add(repositories, owner_id=ben.id)
    add(repositories)

    by_owner = {usage.group: usage.calls for usage in repositories.ledger.usage(RECENT, Group.OWNER)}
    own = repositories.ledger.usage(RECENT, owner_id=ben.id)

    assert {"ben": 1, None: 1} == by_owner
    assert [1] == [usage.calls for usage in own]


def test_usage_by_day_is_the_day_of_utc(repositories: Repositories) -> None:
    add(repositories)

    (usage,) = repositories.ledger.usage(RECENT, Group.DAY)

    assert usage.group in {str((datetime.now(UTC) - timedelta(days=late)).date()) for late in (0, 1)}


def test_described_counts_descriptions_and_sums_all_answers_to_images(repositories: Repositories) -> None:
    """A probe, an answer without a price, and one of a batch are left out."""
    since = datetime(2020, 1, 1, tzinfo=UTC)
    for outcome in ("described", "described", "bad_answer"):
        add(repositories, public_id="a", outcome=outcome)
    add(repositories)
    add(repositories, public_id="a", quote=Quote())
    add(repositories, public_id="a", batch=True)

    assert [("m-1", 2, 0.75)] == list(repositories.ledger.described(since))
    assert [] == list(repositories.ledger.described(datetime(2900, 1, 1, tzinfo=UTC)))


def test_usage_of_an_empty_period_is_empty(repositories: Repositories) -> None:
    add(repositories)

    assert [] == list(repositories.ledger.usage(Period(until=datetime(1990, 1, 1, tzinfo=UTC))))


def test_counted_sums_what_caps_count(repositories: Repositories) -> None:
    """The bystanders' entry of long ago, which counts a billion, is before the period."""
    add(repositories)
    add(repositories, quote=Quote(counted_usd=2.0))

    assert 2.25 == pytest.approx(repositories.ledger.counted(datetime(2020, 1, 1, tzinfo=UTC)))
    assert 0.0 == repositories.ledger.counted(datetime(2900, 1, 1, tzinfo=UTC))
