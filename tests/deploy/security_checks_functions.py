"""What is asked of the functions, and of what wakes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.deploy.security_checks_events import work_queues
from tests.deploy.security_rules import (
    ANY,
    add,
    allowing,
    check,
    condition,
    drop,
    put,
    services,
)
from tests.deploy.security_snapshot import Snapshot


def configurations(found: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each function's, by its name."""
    yield from ((name, function["configuration"]) for name, function in found.functions.items())


@check(put("functions", ANY, "configuration", "Role", value="arn:aws:iam::123456789012:role/shared"))
def functions_have_roles_of_their_own(found: Snapshot) -> list[str]:
    """Called like them."""
    return [name for name, each in configurations(found) if each["Role"] != found.roles[name]["arn"]]


@check(put("functions", ANY, "configuration", "VpcConfig", "SubnetIds", 0, value="subnet-of-others"))
def functions_are_in_the_private_subnets(found: Snapshot) -> list[str]:
    """Two of them at least."""
    private = {subnet["SubnetId"] for subnet in found.subnets if subnet["Tags"].get("Tier") == "private"}
    return [
        name
        for name, each in configurations(found)
        if len(each["VpcConfig"]["SubnetIds"]) < 2 or not private >= set(each["VpcConfig"]["SubnetIds"])
    ]


@check(add("functions", ANY, "configuration", "VpcConfig", "SecurityGroupIds", value="sg-of-others"))
def functions_have_the_functions_group(found: Snapshot) -> list[str]:
    """There is no other security group."""
    wanted = [found.groups["functions"]["GroupId"]]
    return [name for name, each in configurations(found) if each["VpcConfig"]["SecurityGroupIds"] != wanted]


@check(put("functions", ANY, "configuration", "Environment", "Variables", "DB_PASSWORD", value="x"))
def functions_know_names_of_secrets(found: Snapshot) -> list[str]:
    """It holds no secret: everybody who may describe a function sees its environment."""
    secret = re.compile("PASSWORD|API_KEY|TOKEN|_SECRET$|DATABASE_URL")
    return [
        f"{name} {variable}"
        for name, each in configurations(found)
        for variable in each["Environment"]["Variables"]
        if secret.search(variable)
    ]


@check(put("functions", ANY, "configuration", "Runtime", value="python3.9"))
def functions_run_what_is_maintained(found: Snapshot) -> list[str]:
    """A Python that gets security fixes: 3.11 until October 2027."""
    wanted = re.compile(r"python3\.1[1-9]$")
    return [name for name, each in configurations(found) if not wanted.match(each["Runtime"])]


@check(add("functions", ANY, "configuration", "Layers", value={"Arn": "arn:aws:lambda:us-east-1:1:layer:x:1"}))
def functions_run_nobody_elses_code(found: Snapshot) -> list[str]:
    """No layers."""
    return [name for name, each in configurations(found) if each.get("Layers")]


@check(put("functions", "~-caption", "configuration", "Environment", "Variables", "DB_CA", value=""))
def functions_verify_the_database(found: Snapshot) -> list[str]:
    """Against certificates that they bring along."""
    return [name for name, each in configurations(found) if not each["Environment"]["Variables"].get("DB_CA")]


@check(put("functions", ANY, "url", value="https://x.lambda-url.us-east-1.on.aws/"))
def functions_have_no_address(found: Snapshot) -> list[str]:
    """There is no public URL."""
    return [name for name, function in found.functions.items() if function["url"]]


@check(drop("functions", "~-caption", "policy", "Statement", 0, "Condition", "ArnLike"))
def functions_are_invoked_by_one_rule(found: Snapshot) -> list[str]:
    """Other permissions are in identity policies, not in the function's policy."""
    rules = {rule["Arn"] for rule in found.rules.values()}
    return [
        name
        for name, function in found.functions.items()
        for statement in allowing(function["policy"])
        if services(statement) != ["events.amazonaws.com"]
        or not rules >= set(condition(statement, "aws:sourcearn") or ["anything"])
    ]


@check(drop("functions", "~-caption", "policy", "Statement", 0, "Condition", "StringEquals"))
def functions_are_invoked_from_this_account(found: Snapshot) -> list[str]:
    """A rule of the same name elsewhere does not count."""
    return [
        name
        for name, function in found.functions.items()
        for statement in allowing(function["policy"])
        if condition(statement, "aws:sourceaccount") != [found.look.account]
    ]


@check(put("functions", "~-thumbnail", "reserved", value=None))
def functions_cannot_starve_the_account(found: Snapshot) -> list[str]:
    """Those that events wake have a limit."""
    return [name for name in work_queues(found) if not 1 <= (found.functions[name]["reserved"] or 0) <= 50]


@check(put("functions", "~-thumbnail", "mappings", 0, "FunctionResponseTypes", value=[]))
def failures_are_reported_by_message(found: Snapshot) -> list[str]:
    """A message that fails does not bring back those that did not."""
    return _mapped(found, lambda mapping: mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"])


@check(put("functions", "~-thumbnail", "mappings", 0, "EventSourceArn", value="arn:aws:sqs:us-east-1:1:x"))
def functions_read_their_own_queue(found: Snapshot) -> list[str]:
    """There is no other one."""
    own = {queue["QueueArn"] for name, queue in found.queues.items() if name in work_queues(found)}
    return _mapped(found, lambda mapping: mapping["EventSourceArn"] in own)


@check(put("functions", "~-thumbnail", "mappings", 0, "ScalingConfig", value={}))
def queues_do_not_flood_functions(found: Snapshot) -> list[str]:
    """Fewer at a time than are reserved, so that no message is received in vain."""
    return [
        name
        for name in work_queues(found)
        if any(
            not 2
            <= mapping.get("ScalingConfig", {}).get("MaximumConcurrency", 0)
            <= found.functions[name]["reserved"]
            for mapping in found.functions[name]["mappings"]
        )
    ]


def _mapped(found: Snapshot, right: Any) -> list[str]:
    mappings = {name: found.functions[name]["mappings"] for name in work_queues(found)}
    return [name for name, each in mappings.items() if len(each) != 1 or not right(each[0])]


@check(add("rules", ANY, "Targets", value={"Id": "x", "Arn": "arn:aws:lambda:us-east-1:1:function:x"}))
def the_clock_wakes_the_sweeper(found: Snapshot) -> list[str]:
    """No other access is granted."""
    wanted = [found.functions[f"{found.look.prefix}-caption"]["configuration"]["FunctionArn"]]
    return [
        name
        for name, rule in found.rules.items()
        if [target["Arn"] for target in rule["Targets"]] != wanted or rule["State"] != "ENABLED"
    ]
