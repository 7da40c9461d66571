"""site.yml: run, rehearsed and run again, and what the account holds each time.

In an empty account with --check, and with changed variables: tests/drills/test_site_rehearsals.py.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator

import pytest

from tests.deploy.described import differences
from tests.deploy.provision_account import PREFIX, Account, History, changed, recap
from tests.deploy.security_rules import allowing, many

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


def functions_that_feed_themselves(aws: Account) -> Iterator[str]:
    """Yield the functions whose role may send messages to a queue that invokes them."""
    iam, service = aws.client("iam"), aws.client("lambda")
    for mapping in service.list_event_source_mappings()["EventSourceMappings"]:
        name = mapping["FunctionArn"].rpartition(":")[2]
        role = service.get_function_configuration(FunctionName=name)["Role"].rpartition("/")[2]
        policies = [
            iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]
        ]
        targets = [
            resource
            for policy in policies
            for statement in allowing(policy)
            if "sqs:SendMessage" in many(statement["Action"])
            for resource in many(statement["Resource"])
        ]
        if any(fnmatch.fnmatchcase(mapping["EventSourceArn"], target) for target in targets):
            yield name


def test_functions_that_feed_themselves_are_not_stopped_by_lambda(provisioned: Account) -> None:
    """Lambda's default stops a message that has invoked the function about 16 times (Developer Guide)."""
    service = provisioned.client("lambda")
    found = {
        name: service.get_function_recursion_config(FunctionName=name)["RecursiveLoop"]
        for name in functions_that_feed_themselves(provisioned)
    }
    assert {f"{PREFIX}-caption": "Allow", f"{PREFIX}-thumbnail": "Allow"} == found
