"""The key of a gallery page: one statement, over both databases."""

from __future__ import annotations

import pytest

from imgcore.db import front
from imgcore.db.connection import Database
from imgcore.db.front import FrontPage
from imgcore.gallery.models import EVERYBODY, Edit, TaskKind, Viewer
from tests.contract.database_tools import analyze
from tests.contract.images import arrived, described, multiply, new
from tests.contract.test_repository_plans import effort
from tests.support.repositories import Repositories

BREAKER = "model"
ADA = Viewer(1, sees_others=False, changes_others=False)
SHARED = Viewer(1, sees_others=True, changes_others=False)
NOBODY = Viewer(None, sees_others=False, changes_others=False)


@pytest.fixture
def bystanders() -> None:
    """None here: each test counts what is on the page."""


def page(
    repositories: Repositories, viewer: Viewer = EVERYBODY, cursor: str | None = None, limit: int = 5
) -> FrontPage:
    return repositories.front.page(cursor=cursor, limit=limit, viewer=viewer, newest=3, breaker=BREAKER)


@pytest.mark.parametrize("viewer", [EVERYBODY, ADA, SHARED, NOBODY])
def test_front_page_has_the_versions_that_the_list_has(
    repositories: Repositories, database: Database, viewer: Viewer
) -> None:
    for number in range(14):
        image = described(repositories, f"{number}.jpg")
        owner = (None, 1, 2)[number % 3]
        database.run(
            lambda tx, id_=image.id, owner=owner: tx.execute(
                "UPDATE images SET owner_id = :owner WHERE id = :id", owner=owner, id=id_
            )
        )
        if number % 4 == 1:
            repositories.images.delete(image.public_id)
    repositories.images.add(new())  # awaited: its owner and administrators see it
    repositories.images.add(new(expires_in=-1000))
    cursor = None
    for _ in range(4):
        found = page(repositories, viewer, cursor).page()
        listed = repositories.pages.page_versions(cursor=cursor, limit=5, query=None, viewer=viewer)
        assert listed == found
        if (cursor := found.next) is None:
            break


def test_first_of_the_timeline_are_those_taken_last(repositories: Repositories, database: Database) -> None:
    images = [described(repositories, f"{number}.jpg") for number in range(6)]
    for day, image in zip((3, 6, 1, 5, 2, 4), images, strict=True):
        database.run(
            lambda tx, id_=image.id, day=day: tx.execute(
                "UPDATE images SET taken_at = :at, owner_id = :owner WHERE id = :id",
                at=f"2020-01-0{day} 00:00:00.000000",
                owner=1 if day > 4 else 2,
                id=id_,
            )
        )
    repositories.images.delete(images[1].public_id)

    def first(viewer: Viewer) -> list[int]:
        return [id_ for id_, _ in page(repositories, viewer).first_of_timeline()]

    newest = [images[number].id for number in (3, 5, 0)]
    assert (newest, newest, newest[:1], []) == tuple(map(first, (EVERYBODY, SHARED, ADA, NOBODY)))


def test_front_page_of_an_empty_gallery_with_a_full_trash_is_empty(repositories: Repositories) -> None:
    for number in range(10):
        repositories.images.delete(arrived(repositories, f"{number}.jpg").public_id)
    found = page(repositories)
    assert (((), None), ()) == ((found.page().versions, found.page().next), found.first_of_timeline())


def test_front_page_differs_after_each_change_of_what_it_shows(repositories: Repositories) -> None:
    image = described(repositories, "cat.jpg")
    known = [page(repositories)]
    assert known == [page(repositories)]
    for change in (
        lambda: repositories.images.edit(image.public_id, Edit(caption="A cat.")),
        lambda: repositories.jobs.pause(TaskKind.CAPTION, None, None),
        lambda: repositories.breakers.open(BREAKER, wait=60, reason="rate_limited", message="It is late."),
        lambda: repositories.breakers.allow_probe(BREAKER),
        lambda: repositories.images.delete(image.public_id),
    ):
        change()
        assert page(repositories) not in known
        known.append(page(repositories))


def test_conditions_are_those_of_pauses_and_of_the_breaker(repositories: Repositories) -> None:
    assert (frozenset(), None, None, True) == conditions(repositories)
    repositories.jobs.pause(TaskKind.CAPTION, None, None)
    repositories.jobs.pause(TaskKind.THUMBNAIL, "bad_answer", None)  # its retries alone, which is no notice
    repositories.breakers.open(BREAKER, wait=60, reason="rate_limited", message="It is late.")
    assert ({TaskKind.CAPTION}, "rate_limited", "It is late.", False) == conditions(repositories)
    repositories.breakers.allow_probe(BREAKER)
    assert ({TaskKind.CAPTION}, "rate_limited", "It is late.", True) == conditions(repositories)


def conditions(repositories: Repositories) -> tuple[object, ...]:
    found = page(repositories).conditions()
    assert found == repositories.front.conditions(BREAKER)
    return found.paused, found.reason, found.message, found.closed


def test_key_of_a_page_is_read_from_indexes_alone(repositories: Repositories, database: Database) -> None:
    described(repositories, "shown.jpg")
    list(multiply(database, 1000))
    statement = front._statement(SHARED, newest=8)[0]
    for name, value in (
        ("below", "900"),
        ("limit", "41"),
        ("newest", "8"),
        ("breaker", "'m'"),
        ("viewer_id", "1"),
    ):
        statement = statement.replace(f":{name}", value)
    if database.dialect.name == "sqlite":
        plan = [row["detail"] for row in database.read(lambda tx: tx.rows("EXPLAIN QUERY PLAN " + statement))]
        used = [
            "SEARCH images USING COVERING INDEX images_page",
            "SCAN images USING INDEX images_timeline_versions",
        ]
        assert used == [line.partition(" (")[0] for line in plan if " images " in line]
        assert not any("TEMP B-TREE" in line for line in plan)
        return
    analyze(database, "images")
    plan = database.read(lambda tx: tx.rows("EXPLAIN FORMAT=TRADITIONAL " + statement))
    keys = {row["key"]: row["Extra"] for row in plan if row["table"] == "images"}
    assert {"images_page", "images_timeline_versions"} == set(keys)
    assert all("Using index" in extra for extra in keys.values())
    assert effort(database, lambda: page(repositories, limit=40)) < 60
