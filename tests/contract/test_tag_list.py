"""The list of tags as accounts see it, on both databases."""

from __future__ import annotations

import string
from dataclasses import replace

import pytest

from imgcore.accounts.models import Account
from imgcore.db import tag_list
from imgcore.db.connection import Database
from imgcore.gallery.listing import Tags
from imgcore.gallery.models import EVERYBODY, Edit, Image, Viewer
from tests.contract.database_tools import analyze
from tests.contract.images import event, new
from tests.contract.test_repository_plans import Plans, effort, whole_tables
from tests.support.repositories import Repositories


@pytest.fixture
def bystanders() -> None:
    """None here: each test counts what it has added."""


def own(account: Account) -> Viewer:
    return Viewer(account.id, sees_others=False, changes_others=False)


def photo(repositories: Repositories, owner: Account, *tags: str) -> Image:
    row = replace(new(), owner_id=owner.id)
    repositories.images.add(row)
    image = repositories.images.receive(event(row), row)
    repositories.images.edit(image.public_id, Edit(tags=tags), owner.id)
    return image


def pages(repositories: Repositories, viewer: Viewer, limit: int, prefix: str = "") -> list[Tags]:
    found = [repositories.tag_list.page(viewer, cursor=None, limit=limit, prefix=prefix)]
    while (cursor := found[-1].next) is not None:
        found.append(repositories.tag_list.page(viewer, cursor=cursor, limit=limit, prefix=prefix))
    return found


def answers(repositories: Repositories, viewer: Viewer) -> list[list[Tags]]:
    """Return the pages of each prefix that a curious person might try, in several sizes."""
    prefixes = ["", *string.ascii_lowercase, "div", "divorce", "divorce lawyer", "holiday", "holiday 1"]
    return [pages(repositories, viewer, limit, prefix) for prefix in prefixes for limit in (1, 2, 100)]


def test_tags_of_others_change_nothing_for_who_sees_own_photos_only(
    repositories: Repositories, ada: Account, zoe: Account
) -> None:
    """The tags and their counts, the ends of pages and the cursors are the same."""
    for tags in (("d", "divorce"), ("holiday", "divorce"), ("zebra",)):
        photo(repositories, ada, *tags)
    before = answers(repositories, own(ada))

    photo(repositories, zoe, "divorce lawyer", "divorce", "di", "dz", "holiday 1", "zz")
    photo(repositories, zoe, *(f"secret{number:02d}" for number in range(12)))

    assert before == answers(repositories, own(ada))
    everything = [each.tag for page in pages(repositories, EVERYBODY, 2) for each in page.tags]
    assert 21 == len(everything)


def test_tags_of_photos_that_are_gone_change_nothing(
    repositories: Repositories, ada: Account, zoe: Account
) -> None:
    """The vocabulary keeps them."""
    for tags in (("d", "divorce"), ("holiday", "divorce"), ("zebra",)):
        photo(repositories, ada, *tags)
    shared = Viewer(ada.id, sees_others=True, changes_others=False)
    before = answers(repositories, shared)

    image = photo(repositories, zoe, "divorce lawyer", "divorce", "di", "zz")
    repositories.images.delete(image.public_id)
    edited = photo(repositories, zoe, *(f"secret{number:02d}" for number in range(12)))
    repositories.images.edit(edited.public_id, Edit(tags=()), zoe.id)

    assert before == answers(repositories, shared)


def test_pages_of_own_tags_are_full_and_in_order(
    repositories: Repositories, ada: Account, zoe: Account
) -> None:
    for number in range(7):
        photo(repositories, zoe, f"a{number}z")
        image = photo(repositories, ada, f"A{number}", "common")
    repositories.images.delete(image.public_id)

    found = pages(repositories, own(ada), 3)

    assert [3, 3, 1] == [len(page.tags) for page in found]
    assert [("A0", 1), ("A1", 1), ("A2", 1), ("A3", 1), ("A4", 1), ("A5", 1), ("common", 6)] == [
        (each.tag, each.count) for page in found for each in page.tags
    ]


def test_own_tags_are_counted_up_to_a_limit(
    repositories: Repositories, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_list, "MOST_COUNTED", 2)
    for tags in (("cat", "dog"), ("cat", "dog"), ("cat",)):
        photo(repositories, ada, *tags)
    [page] = pages(repositories, own(ada), 9)
    assert [("cat", 2, True), ("dog", 2, False)] == [(each.tag, each.count, each.more) for each in page.tags]


def test_tags_of_an_accounts_newest_photos_are_read(
    repositories: Repositories, database: Database, ada: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MOST_OWN says how many."""
    for number in range(4):
        image = photo(repositories, ada, f"t{number}")
        day = f"2026-01-0{number + 1} 00:00:00.000000"
        database.run(
            lambda tx, day=day, id_=image.id: tx.execute(
                "UPDATE images SET taken_at = :day WHERE id = :image_id", day=day, image_id=id_
            )
        )
    for most, listed in ((3, ["t1", "t2", "t3"]), (4, ["t0", "t1", "t2", "t3"]), (5, ["t0", "t1", "t2", "t3"])):
        monkeypatch.setattr(tag_list, "MOST_OWN", most)
        [page] = pages(repositories, own(ada), 9)
        assert listed == [each.tag for each in page.tags]


def test_own_tags_cost_nothing_for_the_photos_of_others(
    repositories: Repositories, database: Database, ada: Account, zoe: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some tags both accounts have, and some only the other one."""
    for number in range(10):
        photo(repositories, ada, "both", f"mine{number}")
    costs = []
    for _ in range(2):
        for number in range(60):
            photo(repositories, zoe, "both", f"a{number}")
        analyze(database, "images", "words", "vocabulary")
        costs.append(effort(database, lambda: pages(repositories, own(ada), 100)))
    assert costs[1] <= 1.2 * costs[0], costs

    plans = Plans(monkeypatch)
    pages(repositories, own(ada), 100)
    assert plans.lines
    assert [] == whole_tables(plans.lines)
