"""The backfill of the timeline's pictures: of all photos that need one, once, also after an interruption."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from PIL import Image as Pillow

from imgcore import bootstrap
from imgcore.db.grids import GridRepository
from imgcore.errors import Unavailable
from imgcore.gallery.models import Image, Rendition
from imgcore.imaging.perceptual import hash_of_file
from imgcore.imaging.render import grid_of_file
from imgcore.pipeline.backfill import Backfill
from imgcore.pipeline.maintenance_models import BackfillProgress
from lambda_build.handlers import logs
from tests import images as samples
from tests.contract.images import THUMBNAIL, arrived, claim, finish, stored
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeStorage

Render = Callable[[bytes, str], Rendition | None]


def render(data: bytes, public_id: str) -> Rendition:
    return Rendition(f"thumbnails/{public_id}/grid.webp", b"small " + data, "image/webp", 480, 360)


def gradient() -> bytes:
    """Return a display image."""
    return samples.encode(Pillow.radial_gradient("L").resize((1600, 1200)).convert("RGB"), "WEBP")


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


def ran(
    repositories: Repositories, storage: FakeStorage, make: Render = render, **further: int
) -> list[tuple[int, int]]:
    work = Backfill(GridRepository(repositories.database), storage, make, len, threads=1, **further)
    return [(progress.made, progress.skipped) for progress in work.run()]


def test_backfill_makes_what_is_missing_once(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    assert [(3, 0), (4, 0)] == ran(repositories, storage, window=3)
    for image in old:
        found = stored(repositories, image)
        assert f"thumbnails/{image.public_id}/grid.webp" == found.grid_key
        assert b"small " + image.name.encode() == storage.derived[found.grid_key]
        assert image.version + 1 == found.version
    assert [(0, 0), (0, 0)] == ran(repositories, storage, window=3)


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
    display = gradient()
    storage.derived |= {image.display_key or "": display for image in old}
    storage.derived[old[0].display_key or ""] = display[:kept]
    repositories.database.run(lambda tx: tx.execute("DELETE FROM image_hashes"))
    if not grid:
        repositories.database.run(lambda tx: tx.execute("UPDATE images SET grid_key = 'grid'"))
    work = Backfill(GridRepository(repositories.database), storage, grid_of_file, hash_of_file, threads=1)

    assert [BackfillProgress(made=3, skipped=1)] == list(work.run())
    assert [BackfillProgress(made=0, skipped=1)] == list(work.run())
    assert old[0].public_id in caplog.text
    rows = repositories.database.read(lambda tx: tx.rows("SELECT image_id FROM image_hashes ORDER BY image_id"))
    assert [{"image_id": image.id} for image in old[1:]] == rows


def test_backfill_of_an_empty_gallery_ends(repositories: Repositories, storage: FakeStorage) -> None:
    assert [] == ran(repositories, storage)


def test_backfill_in_slices_makes_each_once_and_passes_what_it_skips(
    repositories: Repositories, storage: FakeStorage, old: list[Image]
) -> None:
    """The first photo is skipped. A slice ends with the window in which its time is over."""
    del storage.derived[old[0].display_key or ""]
    work = Backfill(GridRepository(repositories.database), storage, render, len, threads=1, window=2)

    first = work.run_until(time.monotonic())
    assert BackfillProgress(made=1, skipped=1, after=old[1].id) == first
    assert BackfillProgress(made=2) == work.run_until(time.monotonic(), first.after or 0)
    assert BackfillProgress(skipped=1) == work.run_until(time.monotonic() + 60)
    assert BackfillProgress() == work.run_until(time.monotonic() + 60, old[-1].id)


def test_thumbnail_function_backfills_in_calls_that_go_on(
    repositories: Repositories, storage: FakeStorage, old: list[Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No time is left, so that each call ends after one window."""
    storage.derived |= {image.display_key or "": gradient() for image in old}
    monkeypatch.setattr(logs, "configure", lambda: None)
    monkeypatch.setattr(bootstrap, "database", lambda config: repositories.database)
    monkeypatch.setattr(bootstrap, "storage", lambda config: storage)
    monkeypatch.delitem(sys.modules, "lambda_build.handlers.thumbnail", raising=False)
    function = importlib.import_module("lambda_build.handlers.thumbnail")
    monkeypatch.setattr(function, "BACKFILL_WINDOW", 3)
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 0)

    first = function.handler({"task": "backfill"}, context)
    assert {"made": 3, "skipped": 0, "after": old[2].id} == first
    second = function.handler({"task": "backfill", "after": first["after"]}, context)
    assert {"made": 1, "skipped": 0, "after": None} == second
    assert all(stored(repositories, image).grid_key for image in old)
