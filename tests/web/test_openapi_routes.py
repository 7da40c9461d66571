"""The description of the API names each of its routes."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from tests.web.fakes import fake_gallery
from web.handlers.api import DESCRIPTION, Api
from web.http.auth import PREFIX


def test_every_route_is_described_and_nothing_else(tmp_path: Path) -> None:
    gallery = fake_gallery(tmp_path)
    described = yaml.safe_load(DESCRIPTION.read_text("utf-8"))["paths"]
    described_routes = {
        (method.upper(), path)
        for path, methods in described.items()
        for method in methods
        if method in {"get", "post", "put", "patch", "delete"}
    }
    routes = {
        (method, re.sub("<(\\w+)>", r"{\1}", path.removeprefix(PREFIX).replace("<public_id>", "{id}")))
        for method, path, _ in Api(gallery).routes()
    }
    assert routes == described_routes, "web/openapi.yaml describes each route of the API"
