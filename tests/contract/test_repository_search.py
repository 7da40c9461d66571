"""The search index on both databases: what is in it, what a search costs, and photos of an older release."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from imgcore.accounts.models import Role
from imgcore.db import connection, search, search_sources
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import HEAVY_QUERIES, Database, Transaction
from imgcore.db.pages import PageRepository
from imgcore.errors import Busy, Invalid
from imgcore.gallery.filters import Filters
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import Edit, Viewer
from tests.contract.images import FACTS, THUMBNAIL, arrived, claim, described, event, new, renditions
from tests.support.repositories import Repositories


@pytest.fixture
def bystanders() -> None:
    """None here: their rows are written without the index, as by an older release."""


def found(repositories: Repositories, query: str, viewer: Viewer | None = None) -> list[str]:
    page = repositories.pages.page(cursor=None, limit=50, query=query, viewer=viewer or Viewer())
    return [image.name for image in page.images]


def walk(pages: PageRepository, query: str, limit: int) -> list[str]:
    names, cursor = [], None
    while True:
        page = pages.page(cursor=cursor, limit=limit, query=query)
        names += [image.name for image in page.images]
        if (cursor := page.next) is None:
            return names


def test_words_phrases_exclusions_and_facets_meet(repositories: Repositories) -> None:
    described(repositories, "one.jpg", caption="Two red flowers by the old bridge", tags=("flower", "bridge"))
    described(repositories, "two.jpg", caption="An old red bridge", tags=("bridge",))

    assert ["two.jpg", "one.jpg"] == found(repositories, "bridge red")
    assert ["one.jpg"] == found(repositories, "flower")
    assert ["one.jpg"] == found(repositories, "flow bri")
    assert ["one.jpg"] == found(repositories, '"old bridge"')
    assert ["two.jpg"] == found(repositories, "red -flowers")
    assert ["one.jpg"] == found(repositories, "tag:flower")
    assert ["two.jpg"] == found(repositories, "bridge -tag:flower")
    assert "two.jpg" in found(repositories, "-flower")
    assert [] == found(repositories, '"bridge old"')


def listed(repositories: Repositories, query: str) -> list[str]:
    """Return the photos of a query; the timeline, and its months, have the same."""
    names = found(repositories, query)
    months = repositories.timeline.months(Viewer(), Sort.UPLOADED, query)
    slices = [
        repositories.timeline.month(Viewer(), each.month, Sort.UPLOADED, offset=0, limit=50, text=query)
        for each in months.months
    ]
    assert months.exact
    assert len(names) == months.total == sum(len(each.versions) for each in slices)
    return names


def test_words_of_hyphens_and_apostrophes_are_found_as_they_are_written(repositories: Repositories) -> None:
    described(repositories, "other.jpg", caption="Valence, a dog's oiseau and a rock", tags=())
    captions = (
        "Val-d'Oise at dusk",
        "Côte-d’Or",
        "Villeneuve-d'Ascq",
        "Saint-Jean-d'Angély",
        "A jack-o'lantern",
        "More rock-n'roll",
    )
    for number, caption in enumerate(captions):
        described(repositories, f"{number}.jpg", caption=caption, tags=())

    for number, caption in enumerate(captions):
        [word] = [each for each in caption.split() if "-" in each]
        for query in (word, word.replace("'", "’"), word.replace("-", " "), word.rpartition("-")[2]):
            assert [f"{number}.jpg"] == listed(repositories, query), query
        assert {f"{number}.jpg"} == {*listed(repositories, "-okapi")} - {*listed(repositories, f"-{word}")}


def test_excluded_words_of_several_parts_leave_photos_with_one_of_them(repositories: Repositories) -> None:
    for name, caption in (
        ("shirt.jpg", "A red shirt"),
        ("t-shirt.jpg", "A red T-shirt"),
        ("IMG 05 beach.jpg", "Red beach"),
        ("2018-05-01.jpg", "Red sea"),
    ):
        described(repositories, name, caption=caption, tags=())

    for query, excluded in (
        ("red -t-shirt", "t-shirt.jpg"),
        ('-"t-shirt" red', "t-shirt.jpg"),
        ("-t-shirt", "t-shirt.jpg"),
        ('-"t-shirt"', "t-shirt.jpg"),
        ("red -2018-05-01", "2018-05-01.jpg"),
        ("-2018.05.01 red", "2018-05-01.jpg"),
        ("-img_05", "IMG 05 beach.jpg"),
    ):
        names = listed(repositories, query)
        assert 3 == len(names), query
        assert excluded not in names, query


def test_date_camera_and_owner_are_found(repositories: Repositories, database: Database) -> None:
    owner = AccountRepository(database).add("w" * 32, "amelie", Role.PERSON, "hash")
    row = replace(new("a.jpg"), owner_id=owner.id)
    repositories.images.add(row)
    image = repositories.images.receive(event(row), row)
    facts = replace(FACTS, taken_at=datetime(2026, 5, 4, 12, 0, tzinfo=UTC), camera="Contoso Phone 7")
    task = claim(repositories, image, THUMBNAIL)
    assert repositories.tasks.finish_thumbnail(task, facts, renditions(image))

    for query in ("amelie", "contoso phone", "2026", "may 2026", "2026-05-04", "taken:2026-05", "taken:2026"):
        assert ["a.jpg"] == found(repositories, query), query
    own = Viewer(account_id=owner.id, sees_others=False, changes_others=False)
    assert ["a.jpg"] == found(repositories, "contoso", own)
    assert [] == found(repositories, "contoso", replace(own, account_id=owner.id + 1))


def test_an_edit_leaves_no_old_words(repositories: Repositories, database: Database) -> None:
    image = described(repositories, "cat.jpg", caption="A dog.", alt_text="", tags=("dog",))
    repositories.images.edit(image.public_id, Edit(caption="A wolf.", tags=()))

    words = database.read(
        lambda tx: tx.rows("SELECT word FROM words WHERE image_id = :id ORDER BY word", id=image.id)
    )
    assert "dog" not in [row["word"] for row in words]
    assert ["cat.jpg"] == found(repositories, "wolf")


def test_a_purged_photo_leaves_no_words(repositories: Repositories, database: Database) -> None:
    image = arrived(repositories, "zebra.jpg")
    repositories.images.delete(image.public_id)
    assert [] == found(repositories, "zebra")
    repositories.images.restore(image.public_id)
    assert ["zebra.jpg"] == found(repositories, "zebra")
    repositories.images.delete(image.public_id)
    repositories.sweep.purge(image.public_id)

    left = database.read(lambda tx: tx.rows("SELECT word FROM words WHERE image_id = :id", id=image.id))
    assert [] == left


def test_what_an_older_release_writes_is_found_after_the_sweep(
    repositories: Repositories, database: Database
) -> None:
    """It writes search_text alone, of new photos and of old ones."""
    image = described(repositories, "cat.jpg", caption="A dog.")
    database.run(
        lambda tx: tx.execute(
            "UPDATE images SET caption = 'A wolf.', search_text = 'cat.jpg a wolf.' WHERE id = :id", id=image.id
        )
    )
    assert [] == found(repositories, "wolf")

    assert 1 == repositories.sweep.index_unindexed(limit=10)
    assert 0 == repositories.sweep.index_unindexed(limit=10)
    assert ["cat.jpg"] == found(repositories, "wolf")


@pytest.mark.parametrize(
    "query", ["photo", "ph", "numb", "photo -seven", "photo odd", "odd -x", "even seven", '"photo odd"']
)
def test_batches_and_bounds_lose_no_photo(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """Small ones here: many batches, prefixes of too many words, pages that end early."""
    for name, value in {"BATCH": 4, "MOST_COMPARED": 8}.items():
        monkeypatch.setattr(search, name, value)
    for name, value in {"VOCABULARY": 3, "RARE": 5}.items():
        monkeypatch.setattr(search_sources, name, value)
    numbers = range(24)
    for n in numbers:
        odd = "odd" if n % 5 == 1 else "even"
        arrived(repositories, f"photo {odd} numb{n}x {'seven' if n == 7 else ''}.jpg")

    wanted = [n for n in reversed(numbers) if _wanted(query, n)]
    names = walk(repositories.pages, query, 3)

    assert [f"numb{n}x" for n in wanted] == [name.split()[2].removesuffix(".jpg") for name in names]


def _wanted(query: str, n: int) -> bool:
    if query == "even seven":
        return n == 7
    return not ("seven" in query and n == 7) and not ("odd" in query and n % 5 != 1)


@pytest.mark.parametrize("limit", [3, 50])
@pytest.mark.parametrize("query", ["cat dog", "cat dog -bird", "cat dog bird", 'cat dog "dog 3x"'])
def test_words_that_most_photos_have_together_lose_no_photo(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, query: str, limit: int
) -> None:
    """More photos have all words than the database compares at once."""
    for name, value in {"BATCH": 4, "MOST_COMPARED": 30}.items():
        monkeypatch.setattr(search, name, value)
    names = [*(f"cat dog {n}x" for n in range(10)), *(f"cat bird dog {n}x" for n in range(30))]
    for name in names:
        arrived(repositories, f"{name}.jpg")

    wanted = [
        name
        for name in reversed(names)
        if ("bird" in name or query.endswith(("dog", "-bird", '"')))
        and ("bird" not in name or "-bird" not in query)
        and ("dog 3x" in name or '"' not in query)
    ]

    assert wanted == [name.removesuffix(".jpg") for name in walk(repositories.pages, query, limit)]


def test_search_for_two_words_of_no_photo_runs_few_statements(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database compares the photos of the rarer word, however many batches they would be."""
    monkeypatch.setattr(search, "BATCH", 4)
    for n in range(40):
        arrived(repositories, f"{'cat' if n % 2 else 'dog'} {n}.jpg")
    statements: list[str] = []
    run: Callable[..., Any] = Transaction._cursor
    monkeypatch.setattr(Transaction, "_cursor", lambda tx, *a: statements.append(a[0]) or run(tx, *a))

    assert [] == found(repositories, "cat dog")

    assert len(statements) <= 8


@pytest.mark.parametrize("query", ["zebra", "cat", "cat wall", "c'at", "cat -dog", "-a-dog", '"cat wall"'])
def test_a_search_runs_few_statements(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    for _ in range(5):
        described(repositories, "cat.jpg")
    statements: list[str] = []
    run: Callable[..., Any] = Transaction._cursor
    monkeypatch.setattr(Transaction, "_cursor", lambda tx, *a: statements.append(a[0]) or run(tx, *a))

    found(repositories, query)

    assert len(statements) <= 8


def test_search_for_an_unknown_word_does_not_wait_for_other_searches(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All other searches take a place, also where a word is known by its beginning or its stem alone."""
    described(repositories, "one.jpg", caption="Two red flowers", tags=("flower",))
    monkeypatch.setattr(connection, "HEAVY_WAIT", 0.0)
    refused = []
    with ExitStack() as places:
        for _ in range(HEAVY_QUERIES):
            places.enter_context(connection._place(repositories.database._heavy, 0))
        for query in (
            "okapi",
            "red okapi",
            'red "okapi two"',
            "red",
            "flo",
            "flowering",
            "tag:flower",
            "-okapi",
        ):
            try:
                assert [] == found(repositories, query), query
            except Busy:
                refused.append(query)
        with pytest.raises(Busy):
            repositories.pages.page(cursor=None, limit=1, query=None, filters=Filters(tag="flower"))

    assert ["red", "flo", "flowering", "tag:flower", "-okapi"] == refused
    assert ["one.jpg"] == found(repositories, "flowering")


def test_timeline_of_an_unknown_word_does_not_wait_for_other_searches(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "HEAVY_WAIT", 0.0)
    timeline = repositories.timeline
    with ExitStack() as places:
        for _ in range(HEAVY_QUERIES):
            places.enter_context(connection._place(repositories.database._heavy, 0))

        assert () == timeline.months(Viewer(), Sort.TAKEN, "okapi").months
        assert () == timeline.month(Viewer(), "2026-05", Sort.TAKEN, offset=0, limit=9, text="okapi").versions


@pytest.mark.parametrize(
    "query", ["placed", "plac", "ta", "taken", "tag", "source", "sou", "camera", "owner", "type", "orientation"]
)
def test_typed_word_does_not_find_the_words_of_filters(repositories: Repositories, query: str) -> None:
    described(repositories, "one.jpg", caption="A boat", tags=("boat",))
    described(repositories, "two.jpg", caption=f"A {query}s by the sea", tags=())

    assert ["two.jpg"] == found(repositories, query)
    assert ["one.jpg"] == found(repositories, f"boat -{query}")
    assert ["one.jpg"] == found(repositories, "tag:boat")


def test_whole_words_beside_a_prefix_of_many_words_are_all_found(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stem of happy, happi, does not begin with happy."""
    monkeypatch.setattr(search_sources, "VOCABULARY", 2)
    for number in range(3):
        described(repositories, f"many{number}.jpg", caption=f"happy{number}", tags=())
    for number in range(6):
        described(repositories, f"whole{number}.jpg", caption="happiness" + " sad" * (number > 1), tags=())
    monkeypatch.setattr(search_sources, "RARE", 4)

    wanted = ["whole1.jpg", "whole0.jpg", "many2.jpg", "many1.jpg", "many0.jpg"]
    assert wanted == found(repositories, "happy -sad")
    assert wanted == walk(repositories.pages, "happy -sad", 2)


def test_search_for_an_unknown_word_tells_nothing_of_the_photos_of_others(
    repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All words are refused alike to who sees their own photos only, and a wrong cursor is always one."""
    described(repositories, "one.jpg", caption="A boat", tags=())
    monkeypatch.setattr(connection, "HEAVY_WAIT", 0.0)
    nobody = Viewer(account_id=7, sees_others=False, changes_others=False)
    with ExitStack() as places:
        for _ in range(HEAVY_QUERIES):
            places.enter_context(connection._place(repositories.database._heavy, 0))
        for query in ("boat", "okapi"):
            with pytest.raises(Busy):
                found(repositories, query, nobody)
            with pytest.raises(Busy):
                repositories.timeline.months(nobody, Sort.TAKEN, query)
        for read in (repositories.pages.page, repositories.pages.page_versions):
            with pytest.raises(Invalid):
                read(cursor="xx", limit=1, query="okapi")
