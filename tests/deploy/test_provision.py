"""site.yml: run, rehearsed and run again, and what the account holds each time.

In an empty account with --check, and with changed variables: tests/drills/test_site_rehearsals.py.
"""

from __future__ import annotations

import pytest

from tests.deploy.described import differences
from tests.deploy.provision_account import PREFIX, Account, History, changed, recap

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

EVERY_KIND = """
    address alarm bucket dashboard database database_parameters database_subnets endpoint firewall flow_log
    function internet_gateway load_balancer log_group mapping nat_gateway queue role route_table rule secret
    security_group subnet target_group topic vpc
"""


def test_it_makes_everything(provisioned: Account) -> None:
    """One of each kind at least; the inventory of staging has no interface endpoints and no bastion."""
    assert set() == set(EVERY_KIND.split()) - {item["kind"] for item in provisioned.resources()}


def test_the_schema_is_there(history: History) -> None:
    """Made from inside the network, by the migrator."""
    tables = {name for (name,) in history.described["database/tables"]}
    assert {"captions", "images", "migrations", "tasks"} <= tables


def test_a_rehearsal_afterwards_claims_no_change(history: History) -> None:
    """Where everything is right there is nothing to change."""
    assert [] == changed(history.rehearsal)
    assert 0 == recap(history.rehearsal)["failed"]


def test_a_rehearsal_afterwards_writes_nothing(history: History) -> None:
    """By AWS's own audit."""
    assert [] == history.rehearsed


def test_run_again_it_changes_nothing(history: History) -> None:
    """The next run finds everything right."""
    assert [] == changed(history.again)
    assert 0 == recap(history.again)["failed"]


def test_run_again_the_account_is_as_it_was(history: History) -> None:
    """Not by Ansible's word alone."""
    assert 0 == history.again.returncode
    assert [] == differences(history.described, history.described_again)


def test_resources_bear_the_names_of_project_and_env(provisioned: Account) -> None:
    """So that nothing is found by accident."""
    elsewhere = {"address", "subnet", "endpoint", "bucket", "secret", "topic", "log_group", "mapping"}
    assert [] == [
        item
        for item in provisioned.resources()
        if item["kind"] not in elsewhere and not item["name"].startswith(PREFIX)
    ]
