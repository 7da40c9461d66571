"""openapi.yaml against the application with accounts: keys of several kinds, a wrong one, and none."""

from __future__ import annotations

import itertools
import re
import tempfile
from pathlib import Path

import pytest
import schemathesis
import yaml
from schemathesis.openapi import from_wsgi

from tests.contract.schema_cases import (
    THOROUGH,
    check_operation,
    expect_limit_of_bodies,
    known_query,
    operations,
)
from tests.web.client import PLAIN
from tests.web.peopling import PASSWORD, site
from web.handlers.api import DESCRIPTION
from web.http.auth import PREFIX

FOLDER = tempfile.TemporaryDirectory(prefix="gallery-openapi-")  # removed when the process ends
SITE = site(Path(FOLDER.name))
SCHEMA = from_wsgi(f"{PREFIX}/openapi.yaml", SITE.app())
expect_limit_of_bodies(SCHEMA)
# test_openapi.py has the systematic variants of every request, half of the time; here they are in the drill.
SCHEMA.config.phases.coverage.enabled = THOROUGH
IMAGES = [SITE.upload(name).public_id for name in ("owner", "owner", "other", None)]
STRANGERS = [SITE.accounts.add(f"stranger{number}", PASSWORD).public_id for number in range(3)]
EVERYTHING = ("read", "upload", "edit", "admin")
KEYS = itertools.cycle(
    [
        SITE.accounts.create_key(SITE.people["boss"], "tests", EVERYTHING),
        SITE.accounts.create_key(SITE.people["owner"], "tests", EVERYTHING[:3]),
        SITE.accounts.create_key(SITE.people["owner"], "tests", EVERYTHING[:1]),
        "gallery_" + "x" * 43,
        None,
    ]
)


@pytest.mark.parametrize("operation", operations(SCHEMA))
def test_every_answer_is_the_one_described(operation: str) -> None:
    check_operation(SCHEMA, operation, check_answer)


def check_answer(case: schemathesis.Case) -> None:
    """Check for every caller statuses, headers, media types and bodies, for good and for bad requests."""
    known_id(case)
    known_query(case)
    acceptable_password(case)
    key = next(KEYS)
    case.headers = {name: value for name, value in (case.headers or {}).items() if name != "Authorization"}
    case.cookies = {}
    case.call_and_validate(headers=PLAIN | ({"Authorization": f"Bearer {key}"} if key else {}))


def known_id(case: schemathesis.Case) -> None:
    """A photo's or a stranger's, most of the time; an account that is deleted stays away."""
    asked = str((case.path_parameters or {}).get("id", ""))
    if re.fullmatch("[0-9a-f]{32}", asked) and int(asked, 16) % 4:
        known = STRANGERS if case.path.startswith("/accounts") else IMAGES
        case.path_parameters["id"] = known[int(asked, 16) % len(known)]


def acceptable_password(case: schemathesis.Case) -> None:
    """No schema can tell one that is too easy to guess."""
    body = case.body
    asked = body.get("password") if isinstance(body, dict) else None
    if isinstance(asked, str) and 12 <= len(asked) <= 256 and "\0" not in asked:
        body["password"] = PASSWORD


def test_every_authenticated_route_describes_its_refusals() -> None:
    """Every operation but the description itself says 401, 403 or its own account, and 429."""
    described = yaml.safe_load(DESCRIPTION.read_text("utf-8"))["paths"]
    described_routes = {
        (path, method): set(operation["responses"])
        for path, operations in described.items()
        for method, operation in operations.items()
        if method != "parameters" and path != "/openapi.yaml"
    }
    assert [] == [where for where, statuses in described_routes.items() if not {"401", "429"} <= statuses]
    assert [] == [
        where for where, statuses in described_routes.items() if "403" not in statuses and where[0] != "/me"
    ]
