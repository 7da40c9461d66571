"""The application over SQLite, called without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import fake_gallery
from tests.web.peopling import Site, site
from web.app import Application, create_app


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    """An empty one."""
    gallery = fake_gallery(tmp_path)
    yield gallery
    gallery.images.database.close()


@pytest.fixture
def client(gallery: Gallery) -> Client:
    """Calls the application over that gallery."""
    return Client(create_app(gallery))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Site]:
    """A gallery with accounts."""
    found = site(tmp_path)
    yield found
    found.database.close()


@pytest.fixture
def app(home: Site) -> Application:
    """The application over that gallery."""
    return home.app()
