"""docs/security.md and docs/deploy.md against what they speak of, and how the table of findings is read."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from tests.cloud import ROOT
from tests.deploy import test_security_checklist, test_security_identities
from tests.deploy.security_faults import FAULTS
from tests.deploy.security_operator import policies
from tests.deploy.security_rules import CHECKS
from tests.drills.security_operator import REPAIRS
from tests.drills.security_prowler import Accepted, Finding, accepted, judge

SECURITY, DEPLOY = ROOT / "docs/security.md", ROOT / "docs/deploy.md"
FOUND = Finding("s3_bucket_object_lock", "arn:aws:s3:::caption-gallery-production-uploads-1", "It is off.")


def test_security_page_states_the_number_of_checks() -> None:
    identities, text = test_security_identities, SECURITY.read_text()
    local = identities.local.THUMBNAIL_FORBIDDEN + identities.local.CAPTION_FORBIDDEN
    (denied,) = re.findall(r"; (\d+) other calls are denied", text)
    assert int(denied) <= 2 * len(identities.FORBIDDEN) + len(local)
    assert test_security_checklist.PARTS
    assert f"| {len(CHECKS)} assertions" in text
    assert f"| {len(FAULTS)} faults" in text


def test_guide_states_the_number_of_unobserved_actions() -> None:
    assert f"they hold {len(REPAIRS)} actions" in DEPLOY.read_text()


def test_repair_actions_are_granted() -> None:
    granted = {
        action for policy in policies().values() for each in policy["Statement"] for action in each["Action"]
    }
    assert set() == REPAIRS - granted


@pytest.mark.parametrize("page", [SECURITY, DEPLOY], ids=lambda page: page.name)
def test_links_point_to_existing_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [] == [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", [SECURITY, DEPLOY], ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    text = page.read_text()
    files = re.findall(r"`((?:tests|playbooks|inventory)/[\w/]+\.(?:py|yml))`", text)
    files += [f"{module.replace('.', '/')}.py" for module in re.findall(r"python -m (tests\.[\w.]+)", text)]
    assert [] == [file for file in files if not (ROOT / file).is_file()]


def test_accepted_findings_have_one_reason_each() -> None:
    rows = accepted()
    twice = [row for row, count in Counter((row.check, row.where) for row in rows).items() if count > 1]
    assert len(rows) > 30
    assert [] == twice
    assert [] == [row.check for row in rows if not row.why.endswith(".")]


@pytest.mark.parametrize(
    ("rows", "unknown", "idle"),
    [
        ([Accepted("s3_bucket_object_lock", "*-uploads-*", "So.")], 0, 0),
        ([Accepted("s3_bucket_object_lock", "*-derived-*", "So.")], 1, 1),
        ([], 1, 0),
        ([Accepted("s3_bucket_object_lock", "*", "So."), Accepted("s3_bucket_acl", "*", "So.")], 0, 1),
    ],
)
def test_finding_is_accepted_by_check_and_resource(rows: list[Accepted], unknown: int, idle: int) -> None:
    found = judge([FOUND], rows)
    assert (unknown, idle) == (len(found[0]), len(found[1]))
