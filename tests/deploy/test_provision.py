"""site.yml, from nothing to an account that is left alone, and what becomes of a changed variable."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.provision_account import PREFIX, Account, account, changed, now, recap

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Done, list[str]]]:
    """A rehearsal in an empty account: what was printed, and which calls changed something."""
    with account(tmp_path_factory.mktemp("empty")) as empty:
        start = now()
        done = empty.ansible("site.yml", "--check")
        yield done, empty.writes(start)


@pytest.fixture(scope="module")
def again(provisioned: Account) -> Done:
    """The same once more."""
    return provisioned.ansible("site.yml")


@pytest.fixture(scope="module")
def checked(provisioned: Account, again: Done) -> tuple[Done, datetime]:
    """A rehearsal where everything is there already."""
    start = now()
    return provisioned.ansible("site.yml", "--check"), start


def test_a_rehearsal_in_an_empty_account_ends_well(rehearsed: tuple[Done, list[str]]) -> None:
    """Nothing fails for want of what a real run would have made."""
    assert {"failed": 0, "unreachable": 0} == {
        name: recap(rehearsed[0])[name] for name in ("failed", "unreachable")
    }


def test_a_rehearsal_in_an_empty_account_writes_nothing(rehearsed: tuple[Done, list[str]]) -> None:
    """By AWS's own audit."""
    assert [] == rehearsed[1]


@pytest.mark.parametrize("what", ["the VPC", "the load balancer", "MySQL 8.4", "the function", "the alarms"])
def test_a_rehearsal_in_an_empty_account_tells(rehearsed: tuple[Done, list[str]], what: str) -> None:
    """What a real run would create."""
    lines = [line for line in rehearsed[0].stdout.splitlines() if "would create" in line]
    assert any(what in line for line in lines), lines


def test_it_makes_everything(provisioned: Account) -> None:
    """One of each kind at least; the inventory of staging has no interface endpoints and no bastion."""
    kinds = {item["kind"] for item in provisioned.resources()}
    missing = {
        "address", "alarm", "bucket", "dashboard", "database", "database_parameters", "database_subnets", "endpoint",
        "firewall", "flow_log", "function", "internet_gateway", "load_balancer", "log_group", "mapping",
        "nat_gateway", "queue", "role", "route_table", "rule", "secret", "security_group", "subnet", "target_group",
        "topic", "vpc",
    } - kinds  # fmt: skip
    assert set() == missing


def test_run_again_it_changes_nothing(again: Done) -> None:
    """The second run finds everything right."""
    assert [] == changed(again)
    assert 0 == recap(again)["failed"]


def test_a_rehearsal_afterwards_claims_no_change(checked: tuple[Done, datetime]) -> None:
    """Where everything is right there is nothing to change."""
    assert [] == changed(checked[0])
    assert 0 == recap(checked[0])["failed"]


def test_a_rehearsal_afterwards_writes_nothing(provisioned: Account, checked: tuple[Done, datetime]) -> None:
    """By AWS's own audit."""
    assert [] == provisioned.writes(checked[1])


def test_the_schema_is_there(provisioned: Account) -> None:
    """Made from inside the network, by the migrator."""
    tables = provisioned.server.sql("SHOW TABLES", database="gallery")
    assert {"captions", "images", "migrations", "tasks"} <= {name for (name,) in tables}


@pytest.mark.parametrize(
    ("playbook", "tags", "variables", "tasks"),
    [
        ("publish", "functions", {"functions_memory": 2048}, ["Create thumbnail", "Create caption"]),
        (
            "publish",
            "functions",
            {"functions_log_retention_days": 60},
            ["Create the log of thumbnail", "Create the log of caption"],
        ),
        ("provision", "edge", {"edge_drain_seconds": 45}, ["Create the group that web hosts join"]),
        ("provision", "database", {"database_backup_days": 2}, ["Create it, or bring it in line"]),
        ("release", "observability", {"observability_wait_minutes": 30}, ["Set them"]),
    ],
)
def test_a_changed_variable_changes_exactly_its_resource(
    provisioned: Account, again: Done, playbook: str, tags: str, variables: dict[str, Any], tasks: list[str]
) -> None:
    """And nothing else; changed back, it is as it was."""
    try:
        done = provisioned.ansible(f"playbooks/{playbook}.yml", "--tags", tags, **variables)
        assert tasks == [task.rpartition("| ")[2] for task in changed(done)], done.stdout[-2000:]
    finally:
        provisioned.ansible(f"playbooks/{playbook}.yml", "--tags", tags)


def test_a_new_tag_of_the_subnets_changes_the_subnets(provisioned: Account, again: Done) -> None:
    """All six, and nothing else."""
    done = provisioned.ansible(
        "playbooks/provision.yml", "--tags", "network", network_subnet_tags={"Cost": "x"}
    )
    assert 6 == len(changed(done))
    assert {"network : subnets | Create the subnets"} == {
        task.split(" public")[0].split(" private")[0].split(" isolated")[0] for task in changed(done)
    }
    provisioned.ansible("playbooks/provision.yml", "--tags", "network")


@pytest.mark.parametrize(
    ("playbook", "variables", "sentence"),
    [
        ("provision", {"account_id": "210987654321"}, "These credentials belong to the account 123456789012"),
        ("provision", {"project": "Caption_Gallery"}, "small letters, digits and single hyphens"),
        (
            "provision",
            {"network_nat": "two"},
            "value of network_nat must be one of: none, one, per_zone, got: two",
        ),
        ("provision", {"network_nat": "none"}, "leaves private subnets no way out"),
        ("provision", {"network_zones": ["us-east-1a"]}, "at least two different zones"),
        (
            "provision",
            {"network_isolated_cidrs": ["10.20.8.0/24", "10.20.9.0/33"]},
            "These do not: 10.20.9.0/33",
        ),
    ],
)
def test_a_wrong_value_is_refused_at_the_door(
    provisioned: Account, playbook: str, variables: dict[str, Any], sentence: str
) -> None:
    """With a sentence, before anything is written."""
    start = now()
    done = provisioned.ansible(f"playbooks/{playbook}.yml", "--tags", "network", **variables)
    assert 0 != done.returncode
    assert sentence in done.stdout + done.stderr
    assert [] == provisioned.writes(start)


def test_resources_bear_the_names_of_project_and_env(provisioned: Account) -> None:
    """So that nothing is found by accident."""
    steady = {"address", "subnet", "endpoint", "bucket", "secret", "topic", "log_group", "mapping"}
    odd = [
        item
        for item in provisioned.resources()
        if item["kind"] not in steady and not item["name"].startswith(PREFIX)
    ]
    assert [] == odd


def test_documents_exist_beside_every_role() -> None:
    """README, defaults, argument specs."""
    root = Path(__file__).parents[2]
    mine = "account bastion database edge estimate network observability redrive secrets smoke teardown zips".split()
    parts = ("README.md", "defaults/main.yml", "meta/argument_specs.yml", "meta/main.yml", "tasks/main.yml")
    assert [] == [
        f"{role}/{part}" for role in mine for part in parts if not (root / "roles" / role / part).is_file()
    ]
