#!/usr/bin/python
"""Manage all CloudWatch metric alarms whose names have a prefix.

amazon.aws.cloudwatch_metric_alarm (10.1 to 11.4) has no tags. It manages one alarm at a time, so it cannot
delete the alarms that are no longer wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible.module_utils.gallery_tags import update_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: metric_alarms
short_description: Manage all CloudWatch metric alarms whose names have a prefix
description:
  - Each alarm is given as parameters of PutMetricAlarm; omitted parameters keep AWS's default.
  - Other alarms with the prefix are deleted.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  prefix:
    description: Prefix of the alarms' names.
    type: str
    required: true
  alarms:
    description: The alarms, by their names without the prefix.
    type: dict
    required: true
  actions:
    description: ARNs of the actions for the states ALARM and OK.
    type: list
    elements: str
    default: []
  tags:
    description: Tags of every alarm.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Create an alarm for dead letters
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
  description: Names of the alarms that were created or changed, or would be.
  type: list
  elements: str
  returned: always
removed:
  description: Names of the alarms that were deleted, or would be.
  type: list
  elements: str
  returned: always
"""


def wanted(params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the parameters of PutMetricAlarm for every alarm, by its full name."""
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


def existing(client: Any, prefix: str) -> dict[str, dict[str, Any]]:
    """Return the existing alarms with the prefix, by name."""
    pages = client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=prefix, AlarmTypes=["MetricAlarm"])
    return {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}


def differs(alarm: dict[str, Any], current: dict[str, Any]) -> bool:
    """Return whether an existing alarm differs from the wanted one."""
    now = {**current, "Dimensions": sorted(current.get("Dimensions", []), key=lambda each: each["Name"])}
    return any(now.get(key, []) != value for key, value in alarm.items())


def retag(client: Any, arn: str, tags: dict[str, Any], check_mode: bool) -> bool:
    """Update the tags of an existing alarm and return whether they differed."""
    changed: bool = update_tags(
        client.list_tags_for_resource(ResourceARN=arn)["Tags"],
        tags,
        lambda pairs: client.tag_resource(ResourceARN=arn, Tags=pairs),
        lambda keys: client.untag_resource(ResourceARN=arn, TagKeys=keys),
        check_mode,
    )
    return changed


def put(
    client: Any, params: dict[str, Any], current: dict[str, dict[str, Any]], check_mode: bool
) -> Iterator[str]:
    """Create or update every alarm and yield the names of those that differed."""
    for name, alarm in wanted(params).items():
        found = current.get(name)
        changed = found is None or differs(alarm, found)
        if changed and not check_mode:
            # PutMetricAlarm ignores tags for an existing alarm.
            tags = {} if found else {"Tags": ansible_dict_to_boto3_tag_list(params["tags"])}
            client.put_metric_alarm(**alarm, **tags)
        retagged = found is not None and retag(client, found["AlarmArn"], params["tags"], check_mode)
        if changed or retagged:
            yield name


def main() -> None:
    """Run the module."""
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
        current = existing(client, module.params["prefix"])
        done = sorted(put(client, module.params, current, module.check_mode))
        removed = sorted(set(current) - set(wanted(module.params)))
        if removed and not module.check_mode:
            client.delete_alarms(AlarmNames=removed)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage the alarms {module.params['prefix']}*")
    module.exit_json(changed=bool(done or removed), set=done, removed=removed)


if __name__ == "__main__":
    main()
