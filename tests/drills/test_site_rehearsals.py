"""site.yml with --check in an empty account, and with some variables changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.deploy.described import Described, differences
from tests.deploy.provision_account import PREFIX, account, now

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

KINDS = ("thumbnail", "caption")
ZONES = ("us-east-1a", "us-east-1b")
# Variables of several roles, each with another value than the inventory's.
CHANGED = {
    "network_subnet_tags": {"Cost": "made-up"},
    "edge_drain_seconds": 45,
    "database_backup_days": 2,
    "functions_memory": 2048,
    "functions_log_retention_days": 60,
    "observability_wait_minutes": 30,
}
# What each of the changed variables is about.
RESOURCES = {
    "network_subnet_tags": [
        f"ec2/Subnets/{PREFIX}-network-{tier}-{zone}"
        for tier in ("isolated", "private", "public")
        for zone in ZONES
    ],
    "edge_drain_seconds": [f"elbv2/group/{PREFIX}-web"],
    "database_backup_days": [f"rds/{PREFIX}-database"],
    "functions_memory": [f"lambda/{PREFIX}-{kind}" for kind in KINDS],
    "functions_log_retention_days": [f"logs//aws/lambda/{PREFIX}-{kind}" for kind in KINDS],
    "observability_wait_minutes": [f"cloudwatch/alarm/{PREFIX}-{kind}-waiting" for kind in KINDS],
}


@dataclass(frozen=True)
class History:
    """What became of an account, in this order."""

    rehearsal: subprocess.CompletedProcess[str]  # site.yml --check
    rehearsed: list[str]  # what that wrote
    before: Described  # after site.yml with CHANGED
    after: Described  # after site.yml with the inventory's values


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """An AWS account where site.yml was rehearsed, run with some variables changed, and run as it is."""
    with account(tmp_path_factory.mktemp("rehearsals")) as aws:
        start = now()
        rehearsal = aws.ansible("site.yml", "--check")
        rehearsed = aws.writes(start)
        first = aws.ansible("site.yml", **CHANGED)
        assert first.returncode == 0, first.stdout[-4000:] + first.stderr[-2000:]
        before = aws.described()
        second = aws.ansible("site.yml")
        assert second.returncode == 0, second.stdout[-4000:] + second.stderr[-2000:]
        yield History(rehearsal, rehearsed, before, aws.described())


def test_a_rehearsal_in_an_empty_account_ends_well(history: History) -> None:
    """Check mode does not fail because resources of a real run are missing."""
    assert 0 == history.rehearsal.returncode, history.rehearsal.stdout[-3000:]


def test_a_rehearsal_in_an_empty_account_writes_nothing(history: History) -> None:
    """The recorder saw no call that writes."""
    assert [] == history.rehearsed


@pytest.mark.parametrize(
    "what",
    [
        "the VPC",
        "the internal load balancer",
        "MySQL 8.4",
        "the bucket",
        "the topic",
        "the function",
        "the alarms",
    ],
)
def test_a_rehearsal_in_an_empty_account_tells(history: History, what: str) -> None:
    """What a real run would create."""
    lines = [line for line in history.rehearsal.stdout.splitlines() if "would create" in line.lower()]
    assert any(what in line for line in lines), lines


@pytest.mark.parametrize("variable", CHANGED)
def test_a_changed_variable_changes_its_resources(history: History, variable: str) -> None:
    """Each of them."""
    found = [key for key in RESOURCES[variable] if history.before[key] != history.after[key]]
    assert RESOURCES[variable] == found


def test_changed_variables_change_nothing_else(history: History) -> None:
    """All else that the account holds is as it was."""
    known = {key for keys in RESOURCES.values() for key in keys}
    found = differences(history.before, history.after)
    assert [] == [line for line in found if line.split(": ")[0] not in known]
