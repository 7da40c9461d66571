"""site.yml: rehearsed, run, run with other variables, run again, and what the account holds each time."""

from __future__ import annotations

import subprocess
from datetime import datetime

import pytest

from tests.deploy.described import differences
from tests.deploy.provision_account import CHANGED, PREFIX, Account, History, changed, now, recap

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

Done = subprocess.CompletedProcess[str]
ZONES = ("us-east-1a", "us-east-1b")
KINDS = ("thumbnail", "caption")
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
EVERY_KIND = """
    address alarm bucket dashboard database database_parameters database_subnets endpoint firewall flow_log
    function internet_gateway load_balancer log_group mapping nat_gateway queue role route_table rule secret
    security_group subnet target_group topic vpc
"""


@pytest.fixture(scope="module")
def checked(provisioned: Account) -> tuple[Done, datetime]:
    """A rehearsal where everything is there already, and when it began."""
    start = now()
    return provisioned.ansible("site.yml", "--check"), start


@pytest.fixture(scope="module")
def again(provisioned: Account, checked: tuple[Done, datetime]) -> Done:
    """The same once more."""
    return provisioned.ansible("site.yml")


def test_a_rehearsal_in_an_empty_account_ends_well(history: History) -> None:
    """Nothing fails for want of what a real run would have made."""
    assert 0 == history.rehearsal.returncode, history.rehearsal.stdout[-3000:]


def test_a_rehearsal_in_an_empty_account_writes_nothing(history: History) -> None:
    """By AWS's own audit."""
    assert [] == history.rehearsed


@pytest.mark.parametrize(
    "what",
    ["the VPC", "the load balancer", "MySQL 8.4", "the bucket", "the topic", "the function", "the alarms"],
)
def test_a_rehearsal_in_an_empty_account_tells(history: History, what: str) -> None:
    """What a real run would create."""
    lines = [line for line in history.rehearsal.stdout.splitlines() if "would create" in line.lower()]
    assert any(what in line for line in lines), lines


def test_it_makes_everything(provisioned: Account) -> None:
    """One of each kind at least; the inventory of staging has no interface endpoints and no bastion."""
    assert set() == set(EVERY_KIND.split()) - {item["kind"] for item in provisioned.resources()}


def test_the_schema_is_there(history: History) -> None:
    """Made from inside the network, by the migrator."""
    tables = {name for (name,) in history.after["database/tables"]}
    assert {"captions", "images", "migrations", "tasks"} <= tables


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


def test_a_rehearsal_afterwards_claims_no_change(checked: tuple[Done, datetime]) -> None:
    """Where everything is right there is nothing to change."""
    assert [] == changed(checked[0])
    assert 0 == recap(checked[0])["failed"]


def test_a_rehearsal_afterwards_writes_nothing(provisioned: Account, checked: tuple[Done, datetime]) -> None:
    """By AWS's own audit."""
    assert [] == provisioned.writes(checked[1])


def test_run_again_it_changes_nothing(again: Done) -> None:
    """The next run finds everything right."""
    assert [] == changed(again)
    assert 0 == recap(again)["failed"]


def test_run_again_the_account_is_as_it_was(history: History, again: Done) -> None:
    """Not by Ansible's word alone."""
    assert 0 == again.returncode
    assert [] == differences(history.after, history.aws.described())


def test_resources_bear_the_names_of_project_and_env(provisioned: Account) -> None:
    """So that nothing is found by accident."""
    elsewhere = {"address", "subnet", "endpoint", "bucket", "secret", "topic", "log_group", "mapping"}
    assert [] == [
        item
        for item in provisioned.resources()
        if item["kind"] not in elsewhere and not item["name"].startswith(PREFIX)
    ]
