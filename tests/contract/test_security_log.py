"""The rows of the security log on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.accounts.security_log import ABOUT_ACCOUNTS
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, Transaction
from imgcore.db.security_log import SecurityLogRepository
from imgcore.gallery.keys import new_public_id
from tests.contract.database_tools import analyze
from tests.contract.test_repository_plans import Plans
from tests.support.repositories import Repositories


@pytest.fixture
def log(database: Database, bystanders: None) -> SecurityLogRepository:
    return SecurityLogRepository(database)


def add(log: SecurityLogRepository, actor: str | None, subject: str | None = None, detail: str = "") -> None:
    log.add_event("signed_in", address="192.0.2.1", actor=actor, subject=subject, detail=detail)


def test_event_is_read_as_it_was_written(log: SecurityLogRepository) -> None:
    add(log, "ada", "zoe", "Größe")
    [entry] = log.events(before=None, name="ada", limit=9)
    found = (entry.event, entry.actor, entry.subject, entry.address, entry.detail)
    assert ("signed_in", "ada", "zoe", "192.0.2.1", "Größe") == found
    assert abs(datetime.now(UTC) - entry.at) < timedelta(minutes=10)


def test_events_of_a_name_are_those_of_actor_and_subject(log: SecurityLogRepository) -> None:
    """Events of others, and of nobody, are left out."""
    for actor, subject in (("ada", None), ("zoe", "ada"), ("zoe", None), (None, None), (None, "ada")):
        add(log, actor, subject)
    found = [(entry.actor, entry.subject) for entry in log.events(before=None, name="ada", limit=9)]
    assert [(None, "ada"), ("zoe", "ada"), ("ada", None)] == found


def test_pages_follow_one_another(log: SecurityLogRepository) -> None:
    """Each event is on one page; the bystander's is the oldest."""
    for number in range(5):
        add(log, f"a{number}")
    first = log.events(before=None, name=None, limit=3)
    second = log.events(before=first[-1].id, name=None, limit=9)
    assert ["a4", "a3", "a2"] == [entry.actor for entry in first]
    assert ["a1", "a0", "bystander"] == [entry.actor for entry in second]
    assert [] == log.events(before=second[-1].id, name=None, limit=9)


def at(database: Database, address: str, minutes: int) -> None:
    """Move the event from this address into the past."""
    statement = "UPDATE security_events SET at = {ago:age} WHERE address = :address"
    database.run(lambda tx: tx.execute(statement, age=minutes * 60_000_000, address=address))


def test_events_of_an_account_are_its_acts_and_those_about_it(
    log: SecurityLogRepository, store: AccountRepository
) -> None:
    """What others did to a setting or a task of the same name is not among them."""
    ada = store.add(new_public_id(), "caption", Role.PERSON, "hash")
    for number, (event, actor, subject, detail) in enumerate(
        [
            ("signed_in", "caption", None, ""),
            ("image_deleted", "caption", "f" * 32, ""),
            ("setting_changed", "caption", "notifications", "stopped"),
            ("password_reset", "boss", "caption", ""),
            ("sign_in_failed", None, "caption", ""),
            ("setting_changed", "boss", "caption", "quota: 5 photos"),
            ("tasks_paused", "boss", "caption", ""),
            ("setting_changed", "zoe", "caption", "stopped"),
            ("signed_in", "zoe", None, ""),
        ]
    ):
        log.add_event(event, address=f"number-{number}", actor=actor, subject=subject, detail=detail)

    found = log.of_account(ada, ABOUT_ACCOUNTS, 9)

    assert [f"number-{number}" for number in (5, 4, 3, 2, 1, 0)] == [entry.address for entry in found]
    assert ["number-5", "number-4"] == [entry.address for entry in log.of_account(ada, ABOUT_ACCOUNTS, 2)]


def test_events_of_a_deleted_account_are_not_those_of_the_next_with_its_name(
    log: SecurityLogRepository, store: AccountRepository, database: Database
) -> None:
    for number, (event, actor, subject) in enumerate(
        [("signed_in", "ada", None), ("password_reset", "boss", "ada"), ("account_deleted", "ada", "ada")]
    ):
        log.add_event(event, address=f"before-{number}", actor=actor, subject=subject, detail="")
        at(database, f"before-{number}", 60)
    ada = store.add(new_public_id(), "ada", Role.PERSON, "hash")
    log.add_event("account_created", address="boss's", actor="boss", subject="ada", detail="")
    log.add_event("signed_in", address="ada's", actor="ada", subject=None, detail="")

    assert ["ada's", "boss's"] == [entry.address for entry in log.of_account(ada, ABOUT_ACCOUNTS, 9)]


def test_events_of_a_name_are_read_by_indexes(
    log: SecurityLogRepository, database: Database, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(tx: Transaction) -> None:
        for number in range(500):
            tx.execute(
                "INSERT INTO security_events (at, event, actor, subject, address, detail)"
                " VALUES ({now}, 'signed_in', :actor, :subject, '', '')",
                actor=f"actor-{number}",
                subject=f"subject-{number}",
            )

    database.run(fill)
    analyze(database, "security_events")
    plans = Plans(monkeypatch)

    log.of_account(ada, ABOUT_ACCOUNTS, 10)
    log.events(before=None, name="ada", limit=100)

    for index in ("security_events_actor", "security_events_subject"):
        assert 2 == len([line for line in plans.lines if index in line]), plans.lines
    assert not [
        line for line in plans.lines if line.startswith(("SCAN security_events", "ALL security_events"))
    ]


def test_long_values_are_cut(log: SecurityLogRepository) -> None:
    log.add_event("x", address="1" * 999, actor="a" * 999, subject="s" * 999, detail="d" * 9999)
    entry = log.events(before=None, name=None, limit=1)[0]
    lengths = (len(entry.address), len(entry.actor or ""), len(entry.subject or ""), len(entry.detail))
    assert (64, 64, 512, 512) == lengths


def test_sweep_deletes_events_after_90_days(
    log: SecurityLogRepository, repositories: Repositories, database: Database
) -> None:
    age = "UPDATE security_events SET at = {ago:age} WHERE actor = :actor"
    for actor, days in (("old", 91), ("young", 89)):
        add(log, actor)
        database.run(lambda tx, a=actor, d=days: tx.execute(age, age=d * 86_400_000_000, actor=a))
    assert 1 == repositories.sweep.delete_old_security_events(older_than=90 * 86_400.0)
    assert ["young", "bystander"] == [entry.actor for entry in log.events(before=None, name=None, limit=9)]
