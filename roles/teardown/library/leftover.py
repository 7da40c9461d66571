#!/usr/bin/python
"""Removes what no Ansible module removes (flow logs, dashboards), or not without being told all of it again
(a load balancer's protection), or only one at a time (alarms)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: leftover
short_description: Removes flow logs, dashboards, alarms, and the protection of load balancers
description:
  - What is not there any more is passed over. In check mode nothing is written.
author: The Caption Gallery authors
options:
  kind:
    description: What is removed.
    type: str
    required: true
    choices: [flow_log, dashboard, alarm, protection]
  ids:
    description: The ids of flow logs, the names of dashboards and alarms, the ARNs of load balancers.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Remove a dashboard
  leftover:
    kind: dashboard
    ids: [example]
"""

RETURN = r""" # """

Find = Callable[[Any, list[str]], list[str]]
Remove = Callable[[Any, list[str]], Any]


def flow_logs(client, ids: list[str]) -> list[str]:
    """Those that are there."""
    found = client.describe_flow_logs(Filters=[{"Name": "resource-type", "Values": ["VPC"]}])["FlowLogs"]
    return [log["FlowLogId"] for log in found if log["FlowLogId"] in ids]


def dashboards(client, ids: list[str]) -> list[str]:
    """Those that are there."""
    pages = client.get_paginator("list_dashboards").paginate()
    return [
        entry["DashboardName"]
        for page in pages
        for entry in page["DashboardEntries"]
        if entry["DashboardName"] in ids
    ]


def alarms(client, ids: list[str]) -> list[str]:
    """Those that are there."""
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"] in ids]


def protected(client, ids: list[str]) -> list[str]:
    """Those that are protected."""
    return [arn for arn in ids if attribute(client, arn) == "true"]


PROTECTION = "deletion_protection.enabled"


def attribute(client, arn: str) -> str:
    """Whether a load balancer is protected."""
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return {each["Key"]: each["Value"] for each in attributes}.get(PROTECTION, "false")


def unprotect(client, ids: list[str]) -> None:
    """Let them be deleted."""
    for arn in ids:
        client.modify_load_balancer_attributes(
            LoadBalancerArn=arn, Attributes=[{"Key": PROTECTION, "Value": "false"}]
        )


KINDS: dict[str, tuple[str, Find, Remove]] = {
    "flow_log": ("ec2", flow_logs, lambda client, ids: client.delete_flow_logs(FlowLogIds=ids)),
    "dashboard": ("cloudwatch", dashboards, lambda client, ids: client.delete_dashboards(DashboardNames=ids)),
    "alarm": ("cloudwatch", alarms, lambda client, ids: client.delete_alarms(AlarmNames=ids)),
    "protection": ("elbv2", protected, unprotect),
}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "kind": {"type": "str", "required": True, "choices": sorted(KINDS)},
            "ids": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    service, find, remove = KINDS[module.params["kind"]]
    ids = module.params["ids"]
    try:
        client = module.client(service)
        there = find(client, ids) if ids else []
        if there and not module.check_mode:
            remove(client, there)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"This cannot be removed: {module.params['kind']} {', '.join(ids)}")
    module.exit_json(changed=bool(there), removed=there)


if __name__ == "__main__":
    main()
