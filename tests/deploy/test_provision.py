"""site.yml: run, rehearsed and run again, and what the account holds each time.

In an empty account with --check, and with changed variables: tests/drills/test_site_rehearsals.py.
"""

from __future__ import annotations

import pytest

from tests.deploy.described import differences
from tests.deploy.provision_account import PREFIX, Account, History, changed, recap

pytestmark = pytest.mark.timeout(1800)  # Ansible on a busy machine

EVERY_KIND = """
    address alarm bucket dashboard database database_parameters database_subnets distribution endpoint firewall
    flow_log function internet_gateway load_balancer log_group mapping nat_gateway queue role route_table rule
    secret security_group subnet target_group topic vpc vpc_origin
"""


def test_site_creates_every_kind_of_resource(provisioned: Account) -> None:
    assert set() == set(EVERY_KIND.split()) - {item["kind"] for item in provisioned.resources()}


def test_site_creates_the_schema(history: History) -> None:
    tables = {name for (name,) in history.described["database/tables"]}
    assert {"captions", "images", "migrations", "tasks"} <= tables


def test_check_mode_after_site_reports_no_change(history: History) -> None:
    assert [] == changed(history.rehearsal)
    assert 0 == recap(history.rehearsal)["failed"]


def test_check_mode_after_site_writes_nothing(history: History) -> None:
    assert [] == history.rehearsed


def test_second_site_run_reports_no_change(history: History) -> None:
    assert [] == changed(history.again)
    assert 0 == recap(history.again)["failed"]


def test_second_site_run_leaves_the_account_unchanged(history: History) -> None:
    assert 0 == history.again.returncode
    assert [] == differences(history.described, history.described_again)


def test_resource_names_have_the_prefix(provisioned: Account) -> None:
    elsewhere = {"address", "subnet", "endpoint", "bucket", "secret", "topic", "log_group", "mapping"}
    assert [] == [
        item
        for item in provisioned.resources()
        if item["kind"] not in elsewhere and not item["name"].startswith(PREFIX)
    ]
