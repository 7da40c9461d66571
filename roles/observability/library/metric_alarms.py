#!/usr/bin/python
"""Sets many alarms at once, with tags; amazon.aws.cloudwatch_metric_alarm sets one at a time and no tags."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: metric_alarms
short_description: Sets all CloudWatch alarms that begin with a prefix
description:
  - Each alarm is given in the words of PutMetricAlarm; what is not said keeps AWS's default.
  - Alarms that begin with the prefix and are not given are removed.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  prefix:
    description: What the names begin with.
    type: str
    required: true
  alarms:
    description: The alarms, each by the rest of its name.
    type: dict
    required: true
  actions:
    description: ARNs that are told when an alarm rings and when it stops.
    type: list
    elements: str
    default: []
  tags:
    description: Tags of every alarm.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Ring when a queue has dead letters
  metric_alarms:
    prefix: example-
    alarms:
      dead:
        Namespace: AWS/SQS
        MetricName: ApproximateNumberOfMessagesVisible
        Dimensions: {QueueName: example-dead}
        Statistic: Maximum
        ComparisonOperator: GreaterThanThreshold
        Threshold: 0
        Period: 60
        EvaluationPeriods: 1
"""

RETURN = r"""
set:
  description: Names of the alarms that were made or changed, or would be.
  type: list
  elements: str
  returned: always
removed:
  description: Names of the alarms that were removed, or would be.
  type: list
  elements: str
  returned: always
"""


def wanted(params: dict) -> dict[str, dict[str, Any]]:
    """Every alarm by its whole name, as PutMetricAlarm takes it."""
    alarms = {}
    for name, alarm in params["alarms"].items():
        dimensions = [{"Name": key, "Value": value} for key, value in sorted(alarm["Dimensions"].items())]
        alarms[params["prefix"] + name] = {
            "TreatMissingData": "missing",
            **alarm,
            "AlarmName": params["prefix"] + name,
            "Dimensions": dimensions,
            "Threshold": float(alarm["Threshold"]),
            "AlarmActions": params["actions"],
            "OKActions": params["actions"],
        }
    return alarms


def existing(client, prefix: str) -> dict[str, dict[str, Any]]:
    """Every alarm that there is, by name."""
    pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}


def differs(alarm: dict[str, Any], current: dict[str, Any]) -> bool:
    """Whether an alarm is not as it is wanted."""
    now = {**current, "Dimensions": sorted(current.get("Dimensions", []), key=lambda each: each["Name"])}
    return any(now.get(key, []) != value for key, value in alarm.items())


def retag(client, arn: str, tags: dict[str, str], check_mode: bool) -> bool:
    """Bring an alarm's tags in line; whether they were not."""
    has = {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(ResourceARN=arn)["Tags"]}
    missing = [{"Key": key, "Value": value} for key, value in tags.items() if has.get(key) != value]
    surplus = sorted(set(has) - set(tags))
    if missing and not check_mode:
        client.tag_resource(ResourceARN=arn, Tags=missing)
    if surplus and not check_mode:
        client.untag_resource(ResourceARN=arn, TagKeys=surplus)
    return bool(missing or surplus)


def put(client, params: dict, there: dict[str, dict[str, Any]], check_mode: bool) -> Iterator[str]:
    """Bring every alarm in line; yields the names of those that were not."""
    tags = {key: str(value) for key, value in params["tags"].items()}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    for name, alarm in wanted(params).items():
        current = there.get(name)
        changed = current is None or differs(alarm, current)
        if changed and not check_mode:
            client.put_metric_alarm(**alarm, **({"Tags": pairs} if current is None else {}))
        retagged = current is not None and retag(client, current["AlarmArn"], tags, check_mode)
        if changed or retagged:
            yield name


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "prefix": {"type": "str", "required": True},
            "alarms": {"type": "dict", "required": True},
            "actions": {"type": "list", "elements": "str", "default": []},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    client = module.client("cloudwatch")
    try:
        there = existing(client, module.params["prefix"])
        done = sorted(put(client, module.params, there, module.check_mode))
        removed = sorted(set(there) - set(wanted(module.params)))
        if removed and not module.check_mode:
            client.delete_alarms(AlarmNames=removed)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The alarms {module.params['prefix']}* cannot be set")
    module.exit_json(changed=bool(done or removed), set=done, removed=removed)


if __name__ == "__main__":
    main()
