"""The photos of a month that random searches and filters find, compared with a plain loop over all photos."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from imgcore.db import search_sources, timeline_search
from imgcore.db.connection import Database, Transaction
from imgcore.db.filters import query_of
from imgcore.db.search_query import Query, Term
from imgcore.db.word_index import index_images
from imgcore.gallery.filters import NO_FILTERS, Days, Filters, Progress
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import EVERYBODY, Viewer
from tests.contract.images import arrived, new
from tests.support.repositories import Repositories

START = datetime(2025, 5, 20)  # noqa: DTZ001 - a camera knows no time zone
DAYS = [(START + timedelta(days=day)).date() for day in range(30)]
MONTHS = ("2025-04", "2025-05", "2025-06")
VIEWERS = (
    EVERYBODY,
    Viewer(1, sees_others=True, changes_others=False),
    Viewer(1, sees_others=False, changes_others=False),
    Viewer(None, sees_others=False, changes_others=False),
)
SUBJECTS = (
    "red boat",
    "red, boat",
    "boat red",
    "boats",
    "happy snow",
    "happiness",
    "red-boat snow",
    "a boating",
    "boat-r'ed",
)
TEXTS = (
    "boat", "boat red", '"red boat"', '"boat red"', "red -boat", 'boat -"red boat"', "happy", "snow boat",
    "bo", "bo -snow", "zebra", "tag:cat boat", "-tag:cat", "after:2025-05-25 boat", "before:2025-06 -red",
    "taken:2025-05", "-camera:co red", "happiness snow", '"red boat" -"boat snow"', "photo -boat -snow",
    "boat -red-boat", "-snow-boat", "r'ed",
)  # fmt: skip
FAILED = ("failed", "blocked", "skipped")
WAITING = ("pending", "retry", "processing")


@pytest.fixture
def bystanders() -> None:
    """None here: all photos are those of this test."""


def gallery(repositories: Repositories, database: Database, chance: random.Random) -> None:
    """Make photos of random words, dates, owners and states."""
    ids = []
    for number in range(48):
        image = arrived(repositories, f"photo {chance.choice(('boat', number))}.jpg")
        ids.append(image.id)
        facts: dict[str, Any] = {
            "caption": chance.choice(SUBJECTS),
            "tags": chance.choice((None, '["cat"]', '["cat", "dog"]')),
            "taken_at": chance.choice((None, *[START + timedelta(hours=12 * chance.randrange(60))] * 4)),
            "uploaded_at": START + timedelta(days=chance.randrange(30)),
            "camera": chance.choice((None, "Contoso Phone 7", "Fabrikam")),
            "owner_id": chance.choice((None, 1, 2)),
            "source": chance.choice((None, "local", "gemini")),
        }
        if facts["source"] is None:
            facts |= {"caption": None, "tags": None}
        rejected = chance.random() < 0.1
        states = [
            (kind, chance.choice(("done", "done", *FAILED, *WAITING))) for kind in ("thumbnail", "caption")
        ]
        database.run(lambda tx, facts=facts, id_=image.id: _write(tx, id_, facts))
        database.run(lambda tx, states=states, id_=image.id: _set_tasks(tx, id_, states))
        if rejected:
            database.run(
                lambda tx, id_=image.id: tx.execute(
                    "UPDATE images SET upload_status = 'rejected' WHERE id = :id", id=id_
                )
            )
        if chance.random() < 0.1:
            repositories.images.delete(image.public_id)
    repositories.images.add(new("photo of a boat.jpg"))
    database.run(lambda tx: index_images(tx, ids))
    database.run(lambda tx: _add_album(tx, chance.sample(ids, 20)))


def _write(tx: Transaction, image_id: int, facts: dict[str, Any]) -> None:
    set_ = ", ".join(f"{name} = :{name}" for name in facts)
    values = {
        name: str(value) + ".000000" if isinstance(value, datetime) else value for name, value in facts.items()
    }
    set_ += ", caption_generated_at = {now}"
    tx.execute(f"UPDATE images SET {set_} WHERE id = :image_id", image_id=image_id, **values)


def _set_tasks(tx: Transaction, image_id: int, states: Iterable[tuple[str, str]]) -> None:
    for kind, status in states:
        set_ = "status = :status"
        if status in FAILED:
            set_ += ", finished_at = {now}, error = 'decode', message = 'M.'"
        if status == "done":
            set_ += ", finished_at = {now}"
        if status == "retry":
            set_ += ", next_at = {now}, error = 'busy'"
        if status == "processing":
            set_ += ", lease_token = 'a', lease_until = {now}"
        tx.execute(
            f"UPDATE tasks SET {set_} WHERE image_id = :image_id AND kind = :kind",
            status=status,
            kind=kind,
            image_id=image_id,
        )


def _add_album(tx: Transaction, ids: Iterable[int]) -> None:
    album = tx.insert(
        "INSERT INTO albums (public_id, name, description, ordering, created_at, updated_at)"
        " VALUES ('album', 'Album', '', 'date', {now}, {now})"
    )
    for id_ in ids:
        tx.execute(
            "INSERT INTO album_images (album_id, image_id, position, added_at)"
            " VALUES (:album, :id, :id, {now})",
            album=album,
            id=id_,
        )


def question(chance: random.Random) -> tuple[str | None, Filters]:
    """Return a random search, filter, or both."""
    filters = chance.choice(
        (
            NO_FILTERS,
            NO_FILTERS,
            Filters(tag="cat"),
            Filters(source="local"),
            Filters(camera="Fabrikam"),
            Filters(album="album"),
            Filters(album="none"),
            Filters(month="2025-05"),
            Filters(owner="nobody"),
            Filters(taken=Days(*sorted(chance.sample(DAYS, 2)))),
            Filters(uploaded=Days(*sorted(chance.sample(DAYS, 2)))),
            *(Filters(status=status) for status in Progress),
        )
    )
    if filters and chance.random() < 0.1:
        filters = replace(filters, status=chance.choice(list(Progress)))
    return (chance.choice(TEXTS) if not filters or chance.random() < 0.5 else None), filters


class Reference:
    """All photos with their words, in memory."""

    def __init__(self, database: Database) -> None:
        def read(tx: Transaction) -> None:
            self.photos = tx.rows(
                "SELECT id, version, listed_id, upload_status, taken_at, uploaded_at, owner_id, source,"
                " search_text FROM images"
            )
            self.words: dict[int, set[str]] = {row["id"]: set() for row in self.photos}
            for word, id_ in tx.tuples("SELECT word, image_id FROM words"):
                self.words[id_].add(word)
            self.tasks = {row[:2]: row[2] for row in tx.tuples("SELECT image_id, kind, status FROM tasks")}
            self.album = {row[0] for row in tx.tuples("SELECT image_id FROM album_images")}

        database.read(read)

    def month(self, query: Query, viewer: Viewer, name: str, sort: Sort) -> list[tuple[int, int]]:
        """Return the ids and versions of the photos of a month that a query finds, newest first."""
        if not query:
            return []
        found = [
            (place, photo["id"], photo["version"])
            for photo in self.photos
            if (place := self._place(photo, query, sort)).startswith(name) and self._found(photo, query, viewer)
        ]
        return [(id_, version) for _, id_, version in sorted(found, reverse=True)]

    def _place(self, photo: dict[str, Any], query: Query, sort: Sort) -> str:
        received = photo["upload_status"] == "received"
        if photo["listed_id"] is None or not (received or query.status is Progress.FAILED):
            return ""
        return str((received and sort is Sort.TAKEN and photo["taken_at"]) or photo["uploaded_at"])

    def _found(self, photo: dict[str, Any], query: Query, viewer: Viewer) -> bool:
        id_, received = photo["id"], photo["upload_status"] == "received"
        own = viewer.account_id is not None and photo["owner_id"] == viewer.account_id
        states = [self.tasks[id_, kind] for kind in ("thumbnail", "caption")]
        return (
            (viewer.changes_others or own or (viewer.sees_others and received))
            and all(self._has(id_, term) for term in query.required)
            and not any(self._has(id_, term) for term in query.excluded)
            and query.follows(photo["search_text"])
            and (query.album is None or (query.album > 0 and id_ in self.album))
            and (query.status is not None or not query.words or (received and states[0] not in FAILED))
            and (query.status is not Progress.FAILED or any(each in FAILED for each in states))
            and (query.status is not Progress.WAITING or any(each in WAITING for each in states))
            and (query.status is not Progress.UNDESCRIBED or photo["source"] is None)
        )

    def _has(self, id_: int, term: Term) -> bool:
        return any(
            word in term.exact or any(first <= word < end for first, end in term.ranges)
            for word in self.words[id_]
        )


@pytest.mark.parametrize("vocabulary", [1, 32])
@pytest.mark.parametrize("least", [1, 3, 400])
def test_slices_of_a_month_hold_what_a_plain_loop_finds(
    repositories: Repositories,
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    least: int,
    vocabulary: int,
) -> None:
    """Photos are compared in steps of any size, and prefixes have few or too many words."""
    monkeypatch.setattr(timeline_search, "_LEAST_READ", least)
    monkeypatch.setattr(search_sources, "VOCABULARY", vocabulary)
    monkeypatch.setattr(search_sources, "RARE", 5)
    chance = random.Random(1000 * least + vocabulary)
    gallery(repositories, database, chance)
    known = Reference(database)
    sizes = set()
    for _ in range(200):
        (text, filters), viewer = question(chance), chance.choice(VIEWERS)
        month, sort = chance.choice(MONTHS), chance.choice(list(Sort))
        offset, limit = chance.choice(((0, 3), (0, 100), (2, 5), (5, 1)))
        query = database.read(lambda tx, asked=(text, filters, viewer): query_of(tx, *asked))
        wanted = known.month(query, viewer, month, sort)
        found = repositories.timeline.month(
            viewer, month, sort, offset=offset, limit=limit, text=text, filters=filters
        )
        asked = (text, filters, viewer, month, sort, offset, limit)
        assert tuple(wanted[offset : offset + limit]) == found.versions, asked
        assert (len(wanted) > offset + limit) == found.more, asked
        sizes.add(len(wanted))
    assert {0, 1, 2, 3} <= sizes


@pytest.mark.parametrize("most", [6, 12, 30])
def test_longer_slice_begins_with_the_shorter_one(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    """A month, a word or a range of dates may have more photos than are compared."""
    for name, bound in {
        "_LEAST_READ": 3,
        "_MOST_READ": most,
        "MOST_WALKED": most,
        "_MOST_TEXTS": most // 2,
    }.items():
        monkeypatch.setattr(timeline_search, name, bound)
    chance = random.Random(most)
    gallery(repositories, database, chance)
    known = Reference(database)
    cut = 0
    for _ in range(120):
        (text, filters), viewer = question(chance), chance.choice(VIEWERS)
        month, sort = chance.choice(MONTHS), chance.choice(list(Sort))
        query = database.read(lambda tx, asked=(text, filters, viewer): query_of(tx, *asked))
        wanted, offset = known.month(query, viewer, month, sort), chance.choice((None, 0))
        slices = [
            repositories.timeline.month(
                viewer, month, sort, offset=offset, limit=limit, text=text, filters=filters
            ).versions
            for limit in (1, 3, 5, 100)
        ]
        asked = (text, filters, viewer, month, sort)
        for shorter, longer in pairwise(slices):
            assert shorter == longer[: len(shorter)], asked
        if filters.status is not Progress.FAILED:  # of failed photos the newest are compared
            assert slices[-1] == tuple(wanted[: len(slices[-1])]), asked
        cut += len(slices[-1]) < len(wanted)
    assert cut > 0 or most > 12
