"""The rows of the security log on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from imgcore.db.connection import Database
from imgcore.db.security_log import SecurityLogRepository
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
