#!/usr/bin/python
"""Writes a VPC's flow log to CloudWatch Logs; no module of amazon.aws or community.aws knows flow logs."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: vpc_flow_log
short_description: Writes a VPC's flow log to a log group
description:
  - Has exactly one flow log of the VPC written to the log group. A flow log cannot be modified, so one that
    differs is replaced.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  vpc_id:
    description: The VPC whose traffic is logged.
    type: str
    required: true
  log_group:
    description: Name of the log group, which must exist.
    type: str
    required: true
  role_arn:
    description: The role that writes.
    type: str
    required: true
  traffic:
    description: Which traffic is logged.
    type: str
    choices: [ACCEPT, REJECT, ALL]
    default: ALL
  interval:
    description: Seconds that are gathered into one record.
    type: int
    choices: [60, 600]
    default: 600
  tags:
    description: Tags of the flow log.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Log what goes through a VPC
  vpc_flow_log:
    vpc_id: vpc-0123456789abcdef0
    log_group: /vpc/example
    role_arn: arn:aws:iam::123456789012:role/example-flow-log
"""

RETURN = r"""
flow_log_id:
  description: The flow log, where it exists.
  type: str
  returned: always
"""


def wanted(params: dict) -> dict:
    """What a flow log must say to be the one, in the words of DescribeFlowLogs."""
    return {
        "LogGroupName": params["log_group"],
        "DeliverLogsPermissionArn": params["role_arn"],
        "TrafficType": params["traffic"],
        "MaxAggregationInterval": params["interval"],
    }


def find(client, vpc_id: str) -> list[dict]:
    """The flow logs of the VPC that go to a log group."""
    pages = client.get_paginator("describe_flow_logs").paginate(
        Filters=[{"Name": "resource-id", "Values": [vpc_id]}]
    )
    logs = [each for page in pages for each in page["FlowLogs"]]
    return [each for each in logs if each.get("LogDestinationType", "cloud-watch-logs") == "cloud-watch-logs"]


def create(client, params: dict) -> str:
    """A new flow log; its id."""
    tags = [{"Key": key, "Value": str(value)} for key, value in params["tags"].items()]
    answer = client.create_flow_logs(
        ResourceIds=[params["vpc_id"]],
        ResourceType="VPC",
        LogDestinationType="cloud-watch-logs",
        TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": tags}] if tags else [],
        **wanted(params),
    )
    if answer.get("Unsuccessful"):
        raise RuntimeError(answer["Unsuccessful"][0]["Error"]["Message"])
    return answer["FlowLogIds"][0]


def retag(client, log: dict, tags: dict, check_mode: bool) -> bool:
    """Bring the tags in line; whether they were not."""
    has = {tag["Key"]: tag["Value"] for tag in log.get("Tags", [])}
    missing = {key: str(value) for key, value in tags.items() if has.get(key) != str(value)}
    surplus = sorted(set(has) - set(tags))
    if not check_mode and missing:
        pairs = [{"Key": key, "Value": value} for key, value in missing.items()]
        client.create_tags(Resources=[log["FlowLogId"]], Tags=pairs)
    if not check_mode and surplus:
        client.delete_tags(Resources=[log["FlowLogId"]], Tags=[{"Key": key} for key in surplus])
    return bool(missing or surplus)


def apply(client, params: dict, check_mode: bool) -> tuple[bool, str | None]:
    """Bring the VPC's flow logs in line; whether they were not, and the one that stays."""
    right, wrong = [], []
    for log in find(client, params["vpc_id"]):
        same = all(log.get(key) == value for key, value in wanted(params).items())
        (right if same and not right else wrong).append(log)
    changed = bool(wrong or not right)
    if wrong and not check_mode:
        client.delete_flow_logs(FlowLogIds=[log["FlowLogId"] for log in wrong])
    if right:
        changed |= retag(client, right[0], params["tags"], check_mode)
        return changed, right[0]["FlowLogId"]
    return changed, None if check_mode else create(client, params)


def main() -> None:
    """Ansible's entry point."""
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
        module.fail_json_aws(error, msg=f"The flow log of {module.params['vpc_id']} cannot be written")
    except RuntimeError as error:
        module.fail_json(msg=f"The flow log of {module.params['vpc_id']} cannot be written: {error}")
    module.exit_json(changed=changed, flow_log_id=flow_log_id)


if __name__ == "__main__":
    main()
