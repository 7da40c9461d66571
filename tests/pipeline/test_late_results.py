"""A worker is stopped between its description and storing it, until another one has stored its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from imgcore.db.connection import open_database
from imgcore.db.migrations import migrate
from tests.contract.images import CAPTION, arrived, description
from tests.pipeline.late_results import stopped_before_storing
from tests.support import guarded
from tests.support.repositories import Repositories

ROOT = Path(__file__).parents[2]


@pytest.fixture(params=["sqlite", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A migrated database."""
    own = f"sqlite:///{tmp_path}/gallery.db"
    address = own if request.param == "sqlite" else request.getfixturevalue("mariadb_url")
    with closing(open_database(address)) as database:
        migrate(database)
    return str(address)


@pytest.mark.parametrize(
    ("bug", "stored", "words"), [("", "False", "In time."), ("fence removed", "True", "Late.")]
)
def test_result_of_a_worker_that_was_stopped_is_dropped_by_the_fence_alone(
    bug: str, stored: str, words: str, url: str, tmp_path: Path
) -> None:
    request = tmp_path / "stop"
    with closing(open_database(url)) as database:
        repositories = Repositories(database)
        image = arrived(repositories)
        seeded = ["tests.pipeline.seeded_bugs", bug] if bug else []
        command = [
            sys.executable,
            "-m",
            *seeded,
            "tests.pipeline.late_results",
            url,
            image.image_key,
            str(request),
        ]
        with guarded.started(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as worker:
            with stopped_before_storing(worker.pid, request, 60) as task:
                assert task == f"{image.public_id} caption"
                claim = repositories.tasks.claim(image.image_key, CAPTION, lease=60, max_attempts=2)
                assert claim is not None
                assert repositories.tasks.finish_caption(claim, description(caption="In time."))
            assert worker.communicate(timeout=60)[0].strip() == stored

        found = repositories.images.get(image.public_id)
        assert found is not None
        assert found.caption == words
