"""A Debian 13 in a folder with the role web_host applied to it twice, and what its services stand on.

These tests need root and Debian's packages. They are a drill: `make drill D=host`.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.host.debian import ROOT, Debian, debian
from tests.host.surroundings import Surroundings, surroundings
from tests.mariadb import MariaDb

RELEASE = "0f1e2d3c4b5a"


@dataclass(frozen=True)
class Applied:
    """The host, and what Ansible printed each time."""

    host: Debian
    first: str
    second: str


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The role applied twice to a bare Debian."""
    subprocess.run(["sh", "tests/host/system.sh"], cwd=ROOT, check=True)
    folder = tmp_path_factory.mktemp("host")
    with debian(folder) as host:
        host.pack()
        yield Applied(host, host.apply(RELEASE), host.apply(RELEASE))


@pytest.fixture(scope="session")
def host(applied: Applied) -> Debian:
    """Return the host."""
    return applied.host


@pytest.fixture(scope="session")
def around(tmp_path_factory: pytest.TempPathFactory, mariadb_server: MariaDb) -> Iterator[Surroundings]:
    """What an instance finds on AWS, the database with a photo in it."""
    with surroundings(tmp_path_factory.mktemp("around"), mariadb_server) as found:
        yield found
