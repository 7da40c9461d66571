"""Fixtures and hooks for every kind of test."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.mariadb import MariaDb, mariadb
from tests.mysql import mysql
from tests.support.certificates import shared_contexts
from tests.support.report import pytest_configure
from tests.support.schedule import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.support.service_models import shared_models
from tests.support.shared import memory_folder

__all__ = ["pytest_collection_modifyitems", "pytest_configure", "pytest_xdist_make_scheduler"]

# By default an example that takes 0.2 s of wall-clock time is a failure, and so is slow generation of examples:
# on a busy machine both happen to any test. pytest-timeout ends a test that hangs.
# Tests draw the same examples in each run of a commit, drills new and more ones (--hypothesis-profile).
SLOW = [HealthCheck.too_slow]
settings.register_profile("drill", deadline=None, max_examples=300)
settings.register_profile("thorough", deadline=None, max_examples=5_000, suppress_health_check=SLOW)
settings.register_profile("tests", deadline=None, derandomize=True, suppress_health_check=SLOW)
settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def read_once() -> Iterator[None]:
    """Certificates and the models of AWS's services are read once, for all clients."""
    with shared_contexts(), shared_models():
        yield


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDb]:
    """One private MariaDB for the whole run, or for each worker of a run that has several.

    A real MySQL where the variable MYSQL is set, as in tests.drills.mysql.
    """
    # A change of a schema waits several times for the disk, whatever the settings of the server.
    with (mysql if os.environ.get("MYSQL") else mariadb)(parent=memory_folder()) as server:
        yield server


@pytest.fixture
def mariadb_url(mariadb_server: MariaDb) -> Iterator[str]:
    """The URL of a new, empty database."""
    with mariadb_server.database() as url:
        yield url
