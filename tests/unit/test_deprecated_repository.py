"""imgcore.SqlRepository, the one class of version 0.1, works for one version more."""

from __future__ import annotations

from pathlib import Path

import pytest

import imgcore
from imgcore.db.connection import open_database
from imgcore.db.migrations import migrate
from imgcore.gallery.models import NewImage, TaskKind
from imgcore.pipeline.models import ObjectCreated


@pytest.fixture
def repository(tmp_path: Path) -> imgcore.SqlRepository:
    database = open_database(f"sqlite:///{tmp_path}/gallery.db")
    migrate(database)
    with pytest.warns(DeprecationWarning, match="ImageRepository"):
        return imgcore.SqlRepository(database)


def test_sql_repository_has_every_method_of_version_0_1(repository: imgcore.SqlRepository) -> None:
    names = (
        "ping add get get_many page edit reopen delete restore receive claim finish_thumbnail finish_caption"
        " park fail reject due exhaust unheard expire trash purge take_notice close_notice postpone_notice"
        " forget_notices letters gate enter_gate close_gate open_gate"
    )

    assert all(callable(getattr(repository, name)) for name in names.split())
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        repository.nothing  # noqa: B018 - the access is what is tested


def test_sql_repository_renamed_methods_do_the_same_work(repository: imgcore.SqlRepository) -> None:
    row = NewImage("a" * 32, "raw/a.jpg", "cat.jpg", "image/jpeg", 5, 3600.0)
    repository.add(row)
    unheard = repository.unheard(lost_after=0, again_after=60, limit=5)
    repository.receive(ObjectCreated("uploads", "raw/a.jpg"), row)
    repository.close_gate("model", wait=60, reason="c", message="M.")
    due = repository.due(within=0, lost_after=0, again_after=60, limit=5)

    assert ["raw/a.jpg"] == [image.image_key for image in unheard]
    assert set(TaskKind) == {task.kind for task in due}
    assert "c" == repository.gate("model").reason
    repository.open_gate("model")
    assert repository.enter_gate("model", probe=30).reason is None
