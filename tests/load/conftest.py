"""A server that misbehaves on request, and imgload ready to run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.load.commands import Warm, warm
from tests.load.odd_server import OddServer, odd_server


@pytest.fixture(scope="session")
def imgload() -> Iterator[Warm]:
    """The command."""
    with warm() as command:
        yield command


@pytest.fixture(scope="session")
def odd() -> Iterator[OddServer]:
    """The server."""
    with odd_server() as server:
        yield server
