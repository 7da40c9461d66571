"""openapi.yaml against the running application, by schemathesis: nothing undocumented, no 5xx."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pytest
import schemathesis
from schemathesis.openapi import from_wsgi

from imgcore.gallery.service import Gallery
from tests.contract.schema_cases import check_operation, expect_limit_of_bodies, known_query, operations
from tests.web.client import PLAIN
from tests.web.fakes import add_done, add_failed, add_image, fake_gallery
from web.app import create_app
from web.http.auth import PREFIX

FOLDER = tempfile.TemporaryDirectory(prefix="gallery-openapi-")  # removed when the process ends


def prepared() -> Gallery:
    """A gallery with something of each kind in it."""
    gallery = fake_gallery(Path(FOLDER.name))
    for add in (add_done, add_failed, add_image):
        for _ in range(3):
            add(gallery)
    return gallery


GALLERY = prepared()
IDS = list(GALLERY.images.rows)
ALBUMS = [GALLERY.albums.create(f"Album {number}").public_id for number in range(3)]
SCHEMA = from_wsgi(f"{PREFIX}/openapi.yaml", create_app(GALLERY))
expect_limit_of_bodies(SCHEMA)


@pytest.mark.parametrize("operation", operations(SCHEMA))
def test_every_answer_is_the_one_described(operation: str) -> None:
    check_operation(SCHEMA, operation, check_answer)


def check_answer(case: schemathesis.Case) -> None:
    """Statuses, headers, media types and bodies, for good and for bad requests."""
    known_id(case)
    known_query(case)
    case.call_and_validate(headers=PLAIN)


def known_id(case: schemathesis.Case) -> None:
    """One that exists, most of the time."""
    asked = str((case.path_parameters or {}).get("id", ""))
    if re.fullmatch("[0-9a-f]{32}", asked) and int(asked, 16) % 4:
        known = ALBUMS if case.path.startswith("/albums") else IDS
        case.path_parameters["id"] = known[int(asked, 16) % len(known)]
