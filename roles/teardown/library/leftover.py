#!/usr/bin/python
"""Delete resources that upstream modules cannot delete by ID alone.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) deletes flow logs and dashboards.
amazon.aws.elb_application_lb can disable the deletion protection only together with the subnets and security
groups of the load balancer, and amazon.aws.cloudwatch_metric_alarm deletes one alarm at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: leftover
short_description: Delete flow logs, dashboards and alarms, and unprotect load balancers
description:
  - IDs that do not exist are ignored. In check mode nothing is written.
author: The Caption Gallery authors
options:
  kind:
    description: Kind of the resources; C(protection) is the deletion protection of load balancers.
    type: str
    required: true
    choices: [flow_log, dashboard, alarm, protection]
  ids:
    description: IDs of flow logs, names of dashboards and alarms, or ARNs of load balancers.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Delete a dashboard
  leftover:
    kind: dashboard
    ids: [example]
"""

RETURN = r"""
removed:
  description: The IDs that were deleted, or would be.
  type: list
  elements: str
  returned: always
"""

Find = Callable[[Any, list[str]], list[str]]
Remove = Callable[[Any, list[str]], Any]


def flow_logs(client: Any, ids: list[str]) -> list[str]:
    """Return the given ids of flow logs that exist.

    DescribeFlowLogs fails if one of its FlowLogIds does not exist, so all flow logs are listed.
    """
    pages = client.get_paginator("describe_flow_logs").paginate()
    return [log["FlowLogId"] for page in pages for log in page["FlowLogs"] if log["FlowLogId"] in ids]


def dashboards(client: Any, ids: list[str]) -> list[str]:
    """Return the given names of dashboards that exist."""
    pages = client.get_paginator("list_dashboards").paginate()
    return [
        entry["DashboardName"]
        for page in pages
        for entry in page["DashboardEntries"]
        if entry["DashboardName"] in ids
    ]


def alarms(client: Any, ids: list[str]) -> list[str]:
    """Return the given names of alarms that exist."""
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return [alarm["AlarmName"] for page in pages for alarm in page["MetricAlarms"] if alarm["AlarmName"] in ids]


def protected(client: Any, ids: list[str]) -> list[str]:
    """Return the given ARNs of load balancers whose deletion protection is enabled."""
    return [arn for arn in ids if attribute(client, arn) == "true"]


PROTECTION = "deletion_protection.enabled"


def attribute(client: Any, arn: str) -> str:
    """Return the deletion protection of a load balancer, ``true`` or ``false``."""
    attributes = client.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    return str({each["Key"]: each["Value"] for each in attributes}.get(PROTECTION, "false"))


def unprotect(client: Any, ids: list[str]) -> None:
    """Disable the deletion protection of load balancers."""
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
    """Run the module."""
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
        found = find(client, ids) if ids else []
        if found and not module.check_mode:
            remove(client, found)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to delete {module.params['kind']} {', '.join(ids)}")
    module.exit_json(changed=bool(found), removed=found)


if __name__ == "__main__":
    main()
