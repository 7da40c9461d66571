"""Images and their owners on both databases, and a database older than accounts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgcore.db import migrations
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Transaction, open_database
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import NewImage, Viewer
from tests.contract.account_tools import add, upload
from tests.contract.images import FACTS, THUMBNAIL, arrived, claim, renditions, stored
from tests.support.repositories import Repositories


def test_an_image_knows_its_owner_and_its_batch(store: AccountRepository, repositories: Repositories) -> None:
    ada = add(store)
    id_ = new_public_id()
    batch = "7f0c3c2e-5a52-4f39-9d53-9f3d0b5a6f10"
    image = repositories.images.add(NewImage(id_, f"raw/{id_}.jpg", "cat", None, None, 60.0, ada.id, batch))
    assert (ada.id, "ada", batch) == (image.owner_id, image.owner, image.batch_id)
    assert image == repositories.images.get(id_)


def test_a_page_shows_what_its_viewer_sees(store: AccountRepository, repositories: Repositories) -> None:
    """One's own; with what others have uploaded; everything; and, for nobody, what has arrived."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    upload(repositories, ada, "ada.jpg")
    upload(repositories, zoe, "zoe.jpg")
    upload(repositories, None, "nobody.jpg")
    id_ = new_public_id()
    repositories.images.add(NewImage(id_, f"raw/{id_}.jpg", "awaited.jpg", None, None, 60.0, zoe.id))

    def names(viewer: Viewer, query: str | None = None) -> list[str]:
        page = repositories.pages.page(cursor=None, limit=10, query=query, viewer=viewer)
        return [image.name for image in page.images]

    private = {"sees_others": False, "changes_others": False}
    assert ["ada.jpg"] == names(Viewer(ada.id, **private))
    assert ["awaited.jpg", "zoe.jpg"] == names(Viewer(zoe.id, **private))
    assert ["nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(ada.id, changes_others=False))
    assert ["nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(None, changes_others=False))
    assert [] == names(Viewer(None, **private))
    assert ["awaited.jpg", "nobody.jpg", "zoe.jpg", "ada.jpg"] == names(Viewer(ada.id))
    assert [] == names(Viewer(ada.id, **private), "zoe")


def test_ones_own_pages_follow_one_another(store: AccountRepository, repositories: Repositories) -> None:
    """The cursor skips the images of others."""
    ada, zoe = add(store, "ada"), add(store, "zoe")
    mine = [upload(repositories, who).public_id for who in (ada, zoe) * 5][::2]
    viewer = Viewer(ada.id, sees_others=False, changes_others=False)
    first = repositories.pages.page(cursor=None, limit=3, query=None, viewer=viewer)
    second = repositories.pages.page(cursor=first.next, limit=3, query=None, viewer=viewer)
    assert mine[::-1] == [image.public_id for image in (*first.images, *second.images)]
    assert second.next is None


def test_where_it_was_taken_is_stored_if_it_was_read(repositories: Repositories) -> None:
    """The location is None otherwise."""
    found = []
    for location in ((48.1371, -11.5754), None):
        image = arrived(repositories)
        facts = replace(FACTS, location=location)
        assert repositories.tasks.finish_thumbnail(
            claim(repositories, image, THUMBNAIL), facts, renditions(image)
        )
        now = stored(repositories, image)
        found.append((now.latitude, now.longitude))
    assert [(48.1371, -11.5754), (None, None)] == found


# Upgrading

BEFORE = (  # as the release before accounts writes a row, which it may still do while this one is rolled out
    "INSERT INTO images (public_id, image_key, name, media_type, size, upload_status, uploaded_at,"
    " upload_expires_at, search_text, listed_id)"
    " SELECT :public_id, :key, 'old.jpg', NULL, NULL, 'received', {now}, {now}, 'old', COALESCE(MAX(id), 0) + 1"
    " FROM images"  # not by an UPDATE, to which this release would add the version that its table has not yet
)


def before(tx: Transaction, number: int) -> None:
    """A row of that release."""
    id_ = tx.insert(BEFORE, public_id=f"{number:032x}", key=f"raw/{number}.jpg")
    for kind in ("thumbnail", "caption"):
        tx.execute(
            "INSERT INTO tasks (image_id, kind, status) VALUES (:id, :kind, 'pending')", id=id_, kind=kind
        )


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_a_database_of_before_keeps_its_images(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are nobody's: an administrator sees them, and in open mode everybody; a person does not."""
    url = f"sqlite:///{tmp_path}/old.db" if kind == "sqlite" else request.getfixturevalue("mariadb_url")
    database = open_database(url)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "_STEPS", migrations._STEPS[:1])
        migrations.migrate(database)
    database.run(lambda tx: before(tx, 1))
    assert "m002_accounts" in migrations.migrate(database)
    database.run(lambda tx: before(tx, 2))

    seen = [
        len(Repositories(database).pages.page(cursor=None, limit=9, query=None, viewer=viewer).images)
        for viewer in (Viewer(), Viewer(7), Viewer(7, sees_others=False, changes_others=False))
    ]
    database.close()
    assert [2, 2, 0] == seen
