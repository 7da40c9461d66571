#!/usr/bin/python
"""Manage the flow log of a VPC.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) manages flow logs.
"""

from __future__ import annotations

from typing import Any

from ansible.module_utils.gallery_tags import update_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: vpc_flow_log
short_description: Write the flow log of a VPC to CloudWatch Logs
description:
  - Ensures that the VPC has exactly one flow log in CloudWatch Logs. A flow log cannot be modified, so one that
    differs is replaced.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  vpc_id:
    description: ID of the VPC.
    type: str
    required: true
  log_group:
    description: Name of the log group, which must exist.
    type: str
    required: true
  role_arn:
    description: ARN of the IAM role that writes the log.
    type: str
    required: true
  traffic:
    description: Which traffic is logged.
    type: str
    choices: [ACCEPT, REJECT, ALL]
    default: ALL
  interval:
    description: Maximum aggregation interval in seconds.
    type: int
    choices: [60, 600]
    default: 600
  tags:
    description: Tags of the flow log.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Log the traffic of a VPC
  vpc_flow_log:
    vpc_id: vpc-0123456789abcdef0
    log_group: /vpc/example
    role_arn: arn:aws:iam::123456789012:role/example-flow-log
"""

RETURN = r"""
flow_log_id:
  description: ID of the flow log, if it exists.
  type: str
  returned: always
"""


def wanted(params: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of the flow log, named as in CreateFlowLogs and DescribeFlowLogs."""
    return {
        "LogGroupName": params["log_group"],
        "DeliverLogsPermissionArn": params["role_arn"],
        "TrafficType": params["traffic"],
        "MaxAggregationInterval": params["interval"],
    }


def find(client: Any, vpc_id: str) -> list[dict[str, Any]]:
    """Return the flow logs of the VPC that are written to CloudWatch Logs."""
    pages = client.get_paginator("describe_flow_logs").paginate(
        Filters=[{"Name": "resource-id", "Values": [vpc_id]}]
    )
    logs = [each for page in pages for each in page["FlowLogs"]]
    return [each for each in logs if each.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"]


def create(client: Any, params: dict[str, Any]) -> str:
    """Create a flow log and return its ID. Raises RuntimeError if EC2 rejects it."""
    tags = ansible_dict_to_boto3_tag_list(params["tags"])
    answer = client.create_flow_logs(
        ResourceIds=[params["vpc_id"]],
        ResourceType="VPC",
        LogDestinationType="cloud-watch-logs",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": tags}] if tags else [],
        **wanted(params),
    )
    if answer.get("Unsuccessful"):
        raise RuntimeError(answer["Unsuccessful"][0]["Error"]["Message"])
    return str(answer["FlowLogIds"][0])


def apply(client: Any, params: dict[str, Any], check_mode: bool) -> tuple[bool, str | None]:
    """Ensure that the VPC has exactly one right flow log; return whether anything differed, and its ID."""
    right: list[dict[str, Any]] = []
    wrong: list[dict[str, Any]] = []
    for log in find(client, params["vpc_id"]):
        same = all(log.get(key) == value for key, value in wanted(params).items())
        (right if same and not right else wrong).append(log)
    changed = bool(wrong or not right)
    if wrong and not check_mode:
        client.delete_flow_logs(FlowLogIds=[log["FlowLogId"] for log in wrong])
    if not right:
        return changed, None if check_mode else create(client, params)
    flow_log_id = right[0]["FlowLogId"]
    retagged = update_tags(
        right[0].get("Tags", []),
        params["tags"],
        lambda tags: client.create_tags(Resources=[flow_log_id], Tags=tags),
        lambda keys: client.delete_tags(Resources=[flow_log_id], Tags=[{"Key": key} for key in keys]),
        check_mode,
    )
    return changed or retagged, flow_log_id


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "vpc_id": {"type": "str", "required": True},
            "log_group": {"type": "str", "required": True},
            "role_arn": {"type": "str", "required": True},
            "traffic": {"type": "str", "choices": ["ACCEPT", "REJECT", "ALL"], "default": "ALL"},
            "interval": {"type": "int", "choices": [60, 600], "default": 600},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    try:
        changed, flow_log_id = apply(module.client("ec2"), module.params, module.check_mode)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage the flow log of {module.params['vpc_id']}")
    except RuntimeError as error:
        module.fail_json(msg=f"Failed to manage the flow log of {module.params['vpc_id']}: {error}")
    module.exit_json(changed=changed, flow_log_id=flow_log_id)


if __name__ == "__main__":
    main()
