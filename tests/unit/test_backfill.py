"""The backfill of the timeline's pictures: of all photos that need one, once, also after an interruption."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PIL import Image as Pillow

from imgcore.db.grids import GridRepository
from imgcore.errors import Unavailable
from imgcore.gallery.models import Image, Rendition
from imgcore.imaging.perceptual import hash_of_file
from imgcore.imaging.render import grid_of_file
from imgcore.pipeline import backfill
from imgcore.pipeline.backfill import Backfill
from tests import images as samples
from tests.contract.images import THUMBNAIL, arrived, claim, finish, stored
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeStorage

Render = Callable[[bytes, str], Rendition | None]


def render(data: bytes, public_id: str) -> Rendition:
    return Rendition(f"thumbnails/{public_id}/grid.webp", b"small " + data, "image/webp", 480, 360)


@pytest.fixture
def old(repositories: Repositories, storage: FakeStorage) -> list[Image]:
    """Four photos as an older release has left them."""
    images = []
    for _ in range(4):
        image = arrived(repositories)
        finish(repositories, image, claim(repositories, image, THUMBNAIL))
        images.append(image)
    repositories.database.run(lambda tx: tx.execute("UPDATE images SET grid_key = NULL"))
    found = [stored(repositories, image) for image in images]
    storage.derived |= {image.display_key or "": image.name.encode() for image in found}
    return found


def ran(repositories: Repositories, storage: FakeStorage, make: Render = render) -> list[tuple[int, int]]:
    work = Backfill(GridRepository(repositories.database), storage, make, lambda data: len(data), threads=1)
    return [(counts["made"], counts["skipped"]) for counts in work.run()]


def test_backfill_makes_what_is_missing_once(
    repositories: Repositories, storage: FakeStorage, old: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "_WINDOW", 3)

    assert [(3, 0), (4, 0)] == ran(repositories, storage)
    for image in old:
        found = stored(repositories, image)
        assert f"thumbnails/{image.public_id}/grid.webp" == found.grid_key
        assert b"small " + image.name.encode() == storage.derived[found.grid_key]
        assert image.version + 1 == found.version
    assert [(0, 0), (0, 0)] == ran(repositories, storage)


def test_backfill_leaves_out_what_needs_none(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    """A small picture, a long one, one in the trash, and one whose display image is gone."""
    sizes = {old[0].id: (400, 300), old[1].id: (1600, 500)}
    for image_id, (width, height) in sizes.items():
        values = {"width": width, "height": height, "image_id": image_id}
        statement = "UPDATE images SET display_width = :width, display_height = :height WHERE id = :image_id"
        repositories.database.run(lambda tx, s=statement, v=values: tx.execute(s, **v))
    repositories.images.delete(old[2].public_id)
    del storage.derived[old[3].display_key or ""]

    assert [(0, 1)] == ran(repositories, storage)
    assert [None] * 4 == [stored(repositories, image).grid_key for image in old]


def test_backfill_goes_on_after_an_outage(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    calls = iter([True, True, False])

    def failing(data: bytes, public_id: str) -> Rendition:
        if not next(calls, True):
            raise Unavailable("The bucket is away.")
        return render(data, public_id)

    with pytest.raises(Unavailable):
        ran(repositories, storage, failing)
    left = [image for image in old if stored(repositories, image).grid_key is None]

    assert 1 <= len(left) <= 2
    assert [(len(left), 0)] == ran(repositories, storage)


def test_backfill_does_not_touch_what_was_rendered_meanwhile(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    [missing, *_] = GridRepository(repositories.database).missing(0, old[0].id)
    repositories.database.run(lambda tx: tx.execute("UPDATE images SET display_key = 'display/new.webp'"))

    assert not GridRepository(repositories.database).store(missing, "grid", 7)


def test_backfill_computes_missing_hashes_once(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    """Hashes are computed where the picture for the timeline exists already, or is not needed."""
    statement = "UPDATE images SET display_width = 400, display_height = 300 WHERE id = :image_id"
    repositories.database.run(lambda tx: tx.execute(statement, image_id=old[0].id))
    ran(repositories, storage)
    repositories.database.run(lambda tx: tx.execute("DELETE FROM image_hashes"))
    written = dict(storage.derived)

    assert [(4, 0)] == ran(repositories, storage)
    assert [(0, 0)] == ran(repositories, storage)
    rows = repositories.database.read(lambda tx: tx.rows("SELECT hash FROM image_hashes"))
    assert [{"hash": len(image.name)} for image in old] == rows
    assert written == storage.derived


@pytest.mark.parametrize("kept", [0, 10, 200])
@pytest.mark.parametrize("grid", [True, False])
def test_backfill_skips_a_display_image_that_cannot_be_decoded(
    repositories: Repositories,
    storage: FakeStorage,
    old: list[Image],
    caplog: pytest.LogCaptureFixture,
    kept: int,
    grid: bool,
) -> None:
    """The others get both, and the log names the damaged one."""
    display = samples.encode(Pillow.radial_gradient("L").resize((1600, 1200)).convert("RGB"), "WEBP")
    storage.derived |= {image.display_key or "": display for image in old}
    storage.derived[old[0].display_key or ""] = display[:kept]
    repositories.database.run(lambda tx: tx.execute("DELETE FROM image_hashes"))
    if not grid:
        repositories.database.run(lambda tx: tx.execute("UPDATE images SET grid_key = 'grid'"))
    work = Backfill(GridRepository(repositories.database), storage, grid_of_file, hash_of_file, threads=1)

    assert [{"made": 3, "skipped": 1}] == list(work.run())
    assert [{"made": 0, "skipped": 1}] == list(work.run())
    assert old[0].public_id in caplog.text
    rows = repositories.database.read(lambda tx: tx.rows("SELECT image_id FROM image_hashes ORDER BY image_id"))
    assert [{"image_id": image.id} for image in old[1:]] == rows


def test_backfill_of_an_empty_gallery_ends(repositories: Repositories, storage: FakeStorage) -> None:
    assert [] == ran(repositories, storage)
