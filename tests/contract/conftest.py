"""One database of each kind, migrated and empty; every test that asks for one runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import Image
from tests.contract.bystanders import add_bystanders, bystanders_in, empty, empty_but_bystanders
from tests.contract.images import described
from tests.mariadb import MariaDb
from tests.support.repositories import Repositories
from tests.support.sqlite import migrated

if TYPE_CHECKING:
    from imgcore.aws.s3 import S3Storage
    from tests.cloud import Cloud
    from tests.contract.batch_tools import Bench
    from tests.fake_batches import FakeBatches


@pytest.fixture(scope="session")
def migrated_mariadb(mariadb_server: MariaDb) -> Iterator[Database]:
    """A migrated database, shared: a schema takes longer to make than a test to run."""
    with mariadb_server.database() as url:
        database = open_database(url)
        migrate(database)
        yield database
        database.close()


@pytest.fixture(scope="session")
def cleared_mariadb(migrated_mariadb: Database) -> Iterator[Database]:
    """The same database with two minutes for an answer: MySQL deletes thousands of images for seconds."""
    database = migrated_mariadb.with_timeout(120)
    yield database
    database.close()


@pytest.fixture
def kept_bystanders() -> None:
    """Ask ``database`` for one that has bystanders already: inserting them takes longer than most tests."""


@pytest.fixture
def sqlite_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A migrated SQLite file."""
    database = migrated(tmp_path, add_bystanders if "kept_bystanders" in request.fixturenames else None)
    yield database
    database.close()


@pytest.fixture
def store(database: Database, bystanders: None) -> AccountRepository:
    """The accounts, with bystanders among them."""
    return AccountRepository(database)


@pytest.fixture
def ada(store: AccountRepository) -> Account:
    """An account."""
    return store.add(new_public_id(), "ada", Role.PERSON, "hash")


@pytest.fixture
def zoe(store: AccountRepository) -> Account:
    """Another one."""
    return store.add(new_public_id(), "zoe", Role.PERSON, "hash")


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database, empty but for the bystanders of a test that has them."""
    if request.param == "sqlite":
        found: Database = request.getfixturevalue("sqlite_database")
        return found
    shared: Database = request.getfixturevalue("migrated_mariadb")
    tables = (
        "campaigns",
        "pauses",
        "shares",
        "sweeps",
        "albums",
        "tasks",
        "images",
        "gates",
        "accounts",
        "throttles",
        "set_up_tokens",
        "notices",
        "addresses",
        "security_events",
        "model_calls",
        "ledger_months",
    )
    clear = empty_but_bystanders if "kept_bystanders" in request.fixturenames else empty
    cleared: Database = request.getfixturevalue("cleared_mariadb")
    cleared.run(lambda tx: clear(tx, tables))
    return shared


@pytest.fixture
def bystanders(database: Database, kept_bystanders: None) -> Iterator[None]:
    """Rows of another account in every table; the test fails if one of them is not what it was before."""
    before = bystanders_in(database)
    if not before["accounts"]:  # the first test of this kind of database
        database.run(add_bystanders)
        before = bystanders_in(database)
    yield
    after = bystanders_in(database)
    if after != before:
        database.run(lambda tx: empty(tx, before))  # the next test gets new ones
    assert before == after


@pytest.fixture
def repositories(database: Database, bystanders: None) -> Repositories:
    """The repositories over it, and bystanders in it."""
    return Repositories(database)


@pytest.fixture
def google() -> Iterator[FakeBatches]:
    """Google's batch interface."""
    from tests.fake_batches import FakeBatches

    with FakeBatches() as server:
        yield server


@pytest.fixture
def photos(repositories: Repositories) -> list[Image]:
    """Five that the local describer described."""
    return [described(repositories, f"{number}.jpg") for number in range(5)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two photos."""
    from imgcore.campaigns import batches

    monkeypatch.setattr(batches, "SIZE", 2)


@pytest.fixture
def bench(repositories: Repositories, database: Database, google: FakeBatches, small_batches: None) -> Bench:
    """Campaigns in batches of two."""
    from tests.contract.batch_tools import Bench

    return Bench(repositories, database, google)


@pytest.fixture(scope="session")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The roles' buckets and queues, without functions."""
    from tests.cloud import cloud

    with cloud(tmp_path_factory.mktemp("cloud")) as made:
        made.apply(functions=False)
        yield made


@pytest.fixture(scope="session")
def names(aws: Cloud) -> dict[str, str]:
    """The environment of the web process."""
    return aws.settings("web")


@pytest.fixture
def storage(aws: Cloud, names: dict[str, str]) -> S3Storage:
    """Return the storage as the web process uses it."""
    from imgcore.aws.s3 import S3Storage

    return S3Storage(aws.client("s3", names), names["UPLOADS_BUCKET"], names["DERIVED_BUCKET"])
