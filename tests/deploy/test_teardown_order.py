"""The order of the role teardown: what bills by the hour first, dependants before what they need."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.cloud import ROOT
from tests.loading import module_at

TASKS = ROOT / "roles/teardown/tasks"
BILLED_BY_THE_HOUR = {"address", "database", "endpoint", "group", "host", "load_balancer", "nat_gateway"}
# Kinds, and those that use them and must be deleted before.
NEEDED_BY = {
    "address": {"nat_gateway"},
    "firewall": {"distribution"},
    "load_balancer": {"vpc_origin"},
    "vpc_origin": {"distribution"},
    "database_parameters": {"database"},
    "database_subnets": {"database"},
    "function": {"mapping", "rule"},
    "instance_profile": {"group", "host", "launch_template"},
    "launch_template": {"group"},
    "log_group": {"flow_log", "function"},
    "queue": {"mapping"},
    "role": {"function", "flow_log", "instance_profile"},
    "security_group": {"database", "endpoint", "function", "group", "host", "load_balancer", "vpc_origin"},
    "subnet": {"database", "endpoint", "function", "group", "host", "load_balancer", "nat_gateway"},
    "target_group": {"group", "load_balancer"},
    "vpc": {"internet_gateway", "route_table", "security_group", "subnet"},
}


def included(name: str) -> list[str]:
    """Return the kinds of resources that a task file deletes, in order."""
    kinds: list[str] = []
    for task in yaml.safe_load((TASKS / name).read_text()):
        nested = task.get("ansible.builtin.include_tasks")
        if nested and "{{" in nested:
            kinds += [kind for each in task["loop"] for kind in included(f"{each}.yml")]
        elif nested and nested != "verify.yml":
            kinds += included(nested)
        elif re.search(r"\| (Delete|Empty and delete|Terminate|Release)", task["name"]):
            named = task["loop"] if isinstance(task.get("loop"), list) else []
            kinds += named or re.findall(r"__teardown_all\.(\w+)", str(task))[:1]
    return kinds


@pytest.fixture(scope="module")
def order() -> list[str]:
    """The kinds in the order of their deletion."""
    return included("main.yml")


def test_every_kind_is_deleted_once(order: list[str]) -> None:
    assert sorted(set(order)) == sorted(order)
    assert BILLED_BY_THE_HOUR | set(NEEDED_BY) <= set(order)


def test_what_bills_by_the_hour_is_deleted_first(order: list[str]) -> None:
    last = max(order.index(kind) for kind in BILLED_BY_THE_HOUR)
    assert {"function", "queue", "bucket", "secret", "subnet", "role", "log_group"}.isdisjoint(order[:last])


@pytest.mark.parametrize("kind", NEEDED_BY)
def test_users_of_a_kind_are_deleted_before_it(order: list[str], kind: str) -> None:
    assert [] == [user for user in NEEDED_BY[kind] if order.index(user) > order.index(kind)]


def test_deleted_kinds_are_those_that_are_billed(order: list[str]) -> None:
    billed = set(module_at("roles/teardown/library/tagged_resources.py").BILLS)
    assert {"database_snapshot"} == billed - set(order)
