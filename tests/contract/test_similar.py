"""Similar photos on both databases: by the distance of their hashes, of one owner, whatever else there is."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.grids import GridRepository
from imgcore.db.similar import DISTANCE, MOST_OF_A_BAND, similar, store_hash
from imgcore.gallery.filters import Filters
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.listing import Sort
from imgcore.gallery.models import EVERYBODY, Edit, Image, Viewer
from tests.contract.database_tools import analyze
from tests.contract.images import FACTS, HASH, THUMBNAIL, claim, event, new, renditions, stored
from tests.contract.test_repository_plans import Plans, whole_tables
from tests.support.repositories import Repositories


def flipped(value: int, bits: int, seed: int = 20) -> int:
    for bit in random.Random(seed).sample(range(64), bits):
        value ^= 1 << bit
    return value


def hashed(repositories: Repositories, value: int | None, owner: int | None = None) -> Image:
    """A received image of an owner with that hash."""
    row = replace(new(), owner_id=owner)
    repositories.images.add(row)
    image = repositories.images.receive(event(row), row)
    made = replace(renditions(image), perceptual_hash=value)
    assert repositories.tasks.finish_thumbnail(claim(repositories, image, THUMBNAIL), FACTS, made)
    return stored(repositories, image)


def found(repositories: Repositories, image: Image, viewer: Viewer = EVERYBODY, **more: str) -> list[str]:
    filters = Filters(similar=image.public_id, **more)  # type: ignore[arg-type] - those of text
    page = repositories.pages.page(cursor=None, limit=50, query=None, viewer=viewer, filters=filters)
    return [each.public_id for each in page.images]


@pytest.mark.parametrize("seed", range(8))
def test_similar_photos_differ_in_at_most_seven_bits(repositories: Repositories, seed: int) -> None:
    """The highest bit is the sign of the integer that the database stores."""
    near = [hashed(repositories, flipped(HASH, bits, seed)) for bits in (DISTANCE, 1)]
    hashed(repositories, flipped(HASH, DISTANCE + 1, seed))
    image = hashed(repositories, HASH)
    hashed(repositories, None)

    assert [each.public_id for each in (image, near[1], near[0])] == found(repositories, image)
    assert image.public_id in found(repositories, near[0])


def test_hashes_of_few_bits_differ_in_fewer(repositories: Repositories) -> None:
    """Those of simple pictures, which would all be alike."""
    image, one, other = (hashed(repositories, value) for value in (0b11 << 20, 0b111 << 20, 0b11 << 40))
    assert [one.public_id, image.public_id] == found(repositories, image)
    assert [other.public_id] == found(repositories, other)


def test_similar_photos_are_those_of_the_same_owner(database: Database, repositories: Repositories) -> None:
    accounts = AccountRepository(database)
    mine, other = (accounts.add(new_public_id(), name, Role.PERSON, "hash").id for name in ("ada", "zoe"))
    first, second = hashed(repositories, HASH, mine), hashed(repositories, HASH, mine)
    foreign = hashed(repositories, HASH, other)
    nobodys = hashed(repositories, HASH)
    own = Viewer(mine, sees_others=False, changes_others=False)

    assert [second.public_id, first.public_id] == found(repositories, first) == found(repositories, first, own)
    assert [foreign.public_id] == found(repositories, foreign)
    assert [nobodys.public_id] == found(repositories, nobodys)
    assert [] == found(repositories, foreign, own)  # as if it did not exist


def test_photos_of_others_and_in_the_trash_take_no_places_among_the_newest(
    database: Database, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("imgcore.db.similar.MOST_OF_A_BAND", 2)
    accounts = AccountRepository(database)
    mine, other = (accounts.add(new_public_id(), name, Role.PERSON, "hash").id for name in ("ada", "zoe"))
    first, second = hashed(repositories, HASH, mine), hashed(repositories, HASH, mine)
    for owner in (other, None):
        for _ in range(3):
            hashed(repositories, HASH, owner)
    for _ in range(3):
        repositories.images.delete(hashed(repositories, HASH, mine).public_id)

    assert [second.public_id, first.public_id] == found(repositories, first)


def test_hash_without_an_owner_is_that_of_an_earlier_release(
    database: Database, repositories: Repositories
) -> None:
    """It is compared with no other until the backfill has made it anew."""
    image, other = hashed(repositories, HASH), hashed(repositories, HASH)
    database.run(
        lambda tx: tx.execute("UPDATE image_hashes SET owner = NULL WHERE image_id = :id", id=image.id)
    )
    grids = GridRepository(database)
    [missing] = [each for each in grids.missing(0, other.id) if each.needs_hash and each.id == image.id]

    assert [[each.public_id] for each in (image, other)] == [
        found(repositories, each) for each in (image, other)
    ]
    assert grids.store(missing, None, HASH)
    assert [other.public_id, image.public_id] == found(repositories, image)


def test_photo_without_shapes_or_hash_is_similar_to_itself_only(repositories: Repositories) -> None:
    for value in (0, None):
        images = [hashed(repositories, value) for _ in range(2)]
        assert [[each.public_id] for each in images] == [found(repositories, each) for each in images]


def test_similar_combines_with_search_filters_and_the_timeline(repositories: Repositories) -> None:
    image, other = hashed(repositories, HASH), hashed(repositories, flipped(HASH, 3))
    repositories.images.edit(other.public_id, Edit(tags=["harbour"]))
    filters = Filters(similar=image.public_id)

    assert [other.public_id] == found(repositories, image, tag="harbour")
    page = repositories.pages.page(cursor=None, limit=9, query="-harbour", filters=filters)
    assert [image.public_id] == [each.public_id for each in page.images]
    assert 2 == repositories.timeline.months(EVERYBODY, Sort.TAKEN, None, filters).total


def test_deleted_photo_is_not_similar_but_finds_others_until_it_is_purged(repositories: Repositories) -> None:
    """An action on all that are like a photo, itself among them, must go on when it is in the trash."""
    image, other = hashed(repositories, HASH), hashed(repositories, HASH)
    repositories.images.delete(other.public_id)
    reader = Viewer(None, sees_others=True, changes_others=False)

    assert [image.public_id] == found(repositories, image)
    assert [image.public_id] == found(repositories, other)
    assert [] == found(repositories, other, reader)  # who does not see its trash
    repositories.sweep.purge(other.public_id)
    rows = repositories.database.read(lambda tx: tx.rows("SELECT image_id FROM image_hashes"))
    left = {row["image_id"] for row in rows}
    assert image.id in left
    assert other.id not in left


def test_thumbnails_made_again_replace_the_hash(repositories: Repositories) -> None:
    image, other = hashed(repositories, HASH), hashed(repositories, HASH)
    repositories.database.run(lambda tx: store_hash(tx, other.id, flipped(HASH, 20)))
    assert [image.public_id] == found(repositories, image)


def test_look_up_reads_indexes_alone_and_a_bounded_number_of_photos(
    repositories: Repositories, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest of the photos with a frequent pattern are compared."""
    images = [hashed(repositories, HASH) for _ in range(4)]
    analyze(database, "images", "image_hashes")
    monkeypatch.setattr("imgcore.db.similar.MOST_OF_A_BAND", 2)
    plans = Plans(monkeypatch)
    assert MOST_OF_A_BAND > 2
    ids = database.read(lambda tx: similar(tx, images[0].public_id, EVERYBODY))

    assert ids == (images[3].id, images[2].id, images[0].id)
    steps = [line for line in whole_tables(plans.lines) if not line.startswith("SCAN w")]
    assert [] == steps
    assert any("image_hashes_owner_band_3" in line for line in plans.lines)
