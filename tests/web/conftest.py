"""The application over fakes, called without a server."""

from __future__ import annotations

import pytest

from imgcore.gallery.service import Gallery
from tests.web.client import Client
from tests.web.fakes import fake_gallery
from web.app import create_app


@pytest.fixture
def gallery() -> Gallery:
    """An empty one."""
    return fake_gallery()


@pytest.fixture
def client(gallery: Gallery) -> Client:
    """Calls the application over that gallery."""
    return Client(create_app(gallery))
