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


def test_the_page_tells_how_much_is_checked() -> None:
    """In figures that are counted here; calls that are denied may have become more."""
    identities, told = test_security_identities, SECURITY.read_text()
    local = identities.local.THUMBNAIL_FORBIDDEN + identities.local.CAPTION_FORBIDDEN
    (denied,) = re.findall(r"; (\d+) other calls are denied", told)
    assert int(denied) <= 2 * len(identities.FORBIDDEN) + len(local)
    assert test_security_checklist.PARTS
    assert f"| {len(CHECKS)} assertions" in told
    assert f"| {len(FAULTS)} faults" in told


def test_the_guide_tells_how_many_actions_nobody_was_seen_to_ask_for() -> None:
    """The stand-in asks for fewer than AWS."""
    assert f"they hold {len(REPAIRS)} actions" in DEPLOY.read_text()


def test_every_action_that_repairs_is_granted() -> None:
    """Otherwise it would be told of in vain."""
    granted = {
        action for policy in policies().values() for each in policy["Statement"] for action in each["Action"]
    }
    assert set() == REPAIRS - granted


@pytest.mark.parametrize("page", [SECURITY, DEPLOY], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file beside the page."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())
    assert [] == [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", [SECURITY, DEPLOY], ids=lambda page: page.name)
def test_files_that_are_named_are_there(page: Path) -> None:
    """Tests, drills and playbooks."""
    text = page.read_text()
    files = re.findall(r"`((?:tests|playbooks|inventory)/[\w/]+\.(?:py|yml))`", text)
    files += [f"{module.replace('.', '/')}.py" for module in re.findall(r"python -m (tests\.[\w.]+)", text)]
    assert [] == [file for file in files if not (ROOT / file).is_file()]


def test_the_table_gives_each_finding_one_reason() -> None:
    """And a whole sentence."""
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
def test_a_finding_is_accepted_by_its_check_and_its_place(
    rows: list[Accepted], unknown: int, idle: int
) -> None:
    """What no row covers is unknown, and a row that covers nothing is idle."""
    found = judge([FOUND], rows)
    assert (unknown, idle) == (len(found[0]), len(found[1]))
