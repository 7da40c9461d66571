#!/usr/bin/python
"""Makes a rule of EventBridge; cloudwatchevent_rule knows no dead letters, no tags and no check mode."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
    compare_aws_tags,
)
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: eventbridge_rule
short_description: Passes events of EventBridge's default bus on to SQS queues
description:
  - Makes a rule of the default bus with exactly these targets, or removes it with all of them.
  - What cannot be delivered to a target goes to the target's dead-letter queue.
  - The queues' policies must let the rule send to them; EventBridge does not try that before.
  - In check mode nothing is written; a rule that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  name:
    description: Name of the rule.
    type: str
    required: true
  state:
    description: Whether it is there, and on.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: What it is for.
    type: str
    default: ""
  pattern:
    description: Which events it passes on, as EventBridge's event pattern. A rule cannot be without.
    type: dict
  targets:
    description: Where it passes them on to. A rule cannot be without.
    type: list
    elements: dict
    suboptions:
      id:
        description: Name of the target.
        type: str
        required: true
      arn:
        description: ARN of the queue.
        type: str
        required: true
      dead_letter_arn:
        description: ARN of the queue for what cannot be delivered.
        type: str
        required: true
      retry_hours:
        description: How old an event may get before it is given up; EventBridge takes no more than 24.
        type: int
        default: 24
      retry_attempts:
        description: How often it is tried anew at most; EventBridge takes no more than 185.
        type: int
        default: 185
  tags:
    description: The tags of the rule; others on it are removed. Without it they stay as they are.
    type: dict
"""

EXAMPLES = r"""
- name: Pass new orders on
  eventbridge_rule:
    name: orders
    pattern:
      source: [aws.s3]
      detail-type: [Object Created]
      detail: {bucket: {name: [example-orders]}}
    targets:
      - id: book
        arn: arn:aws:sqs:eu-central-1:123456789012:book
        dead_letter_arn: arn:aws:sqs:eu-central-1:123456789012:book-undelivered
"""

RETURN = r"""
parts:
  description: What was not as it should be, of C(rule), C(targets) and C(tags).
  type: list
  elements: str
  returned: always
"""

Described = dict[str, Any]


class Refused(Exception):
    """EventBridge took the call, and not all of the targets in it."""


def wanted_rule(params: Described) -> Described:
    """The rule, as EventBridge speaks of it."""
    return {
        "Name": params["name"],
        "Description": params["description"],
        "EventPattern": json.dumps(params["pattern"], sort_keys=True),
        "State": "ENABLED",
    }


def wanted_target(params: Described) -> Described:
    """A target, as EventBridge speaks of it."""
    return {
        "Id": params["id"],
        "Arn": params["arn"],
        "DeadLetterConfig": {"Arn": params["dead_letter_arn"]},
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": params["retry_hours"] * 3600,
            "MaximumRetryAttempts": params["retry_attempts"],
        },
    }


def meaning(rule: Described) -> tuple:
    """What two rules have to share to be the same: not the order nor the spaces of their patterns."""
    pattern = json.loads(rule.get("EventPattern") or "{}")
    return rule.get("Description", ""), pattern, rule.get("State"), rule.get("ScheduleExpression")


def differing(current: list[Described], wanted: list[Described]) -> tuple[list[str], list[Described]]:
    """The ids of the targets that have to go, and the targets that have to be put."""
    ids = {target["Id"] for target in wanted}
    return (
        [target["Id"] for target in current if target["Id"] not in ids],
        [target for target in wanted if target not in current],
    )


class Rule:
    """A rule of the default bus, and whether it may be written."""

    def __init__(self, client: Any, name: str, check_mode: bool) -> None:
        self.client, self.name, self.check_mode = client, name, check_mode
        self.found = self._find()

    def _find(self) -> Described | None:
        try:
            return self.client.describe_rule(Name=self.name)
        except self.client.exceptions.ResourceNotFoundException:
            return None

    @property
    def targets(self) -> list[Described]:
        """Those that it has; none where it does not exist."""
        if self.found is None:
            return []
        pages = self.client.get_paginator("list_targets_by_rule").paginate(Rule=self.name)
        return [target for page in pages for target in page["Targets"]]

    def set(self, wanted: Described, tags: dict[str, str] | None) -> list[str]:
        """Bring the rule itself in line, a new one with its tags; what was not."""
        if self.found is not None and meaning(self.found) == meaning(wanted):
            return []
        if not self.check_mode:
            # AWS takes tags with a new rule only.
            tagged = self.found is None and tags
            further = {"Tags": ansible_dict_to_boto3_tag_list(tags)} if tagged else {}
            self.client.put_rule(**wanted, **further)
        return ["rule"]

    def set_targets(self, wanted: list[Described]) -> list[str]:
        """Bring the targets in line; what was not. Strangers go first, as a rule takes five at most."""
        gone, put = differing(self.targets, wanted)
        if not self.check_mode:
            if gone:
                _all_taken(self.client.remove_targets(Rule=self.name, Ids=gone))
            if put:
                _all_taken(self.client.put_targets(Rule=self.name, Targets=put))
        return ["targets"] if gone or put else []

    def set_tags(self, wanted: dict[str, str] | None) -> list[str]:
        """Bring the tags of a rule that was there in line; what was not."""
        if self.found is None or wanted is None:
            return []
        arn = self.found["Arn"]
        current = boto3_tag_list_to_ansible_dict(self.client.list_tags_for_resource(ResourceARN=arn)["Tags"])
        put, gone = compare_aws_tags(current, wanted, purge_tags=True)
        if not self.check_mode:
            if gone:
                self.client.untag_resource(ResourceARN=arn, TagKeys=gone)
            if put:
                self.client.tag_resource(ResourceARN=arn, Tags=ansible_dict_to_boto3_tag_list(put))
        return ["tags"] if gone or put else []

    def remove(self) -> list[str]:
        """Remove it with all its targets; what was there."""
        if self.found is None:
            return []
        gone = self.set_targets([])
        if not self.check_mode:
            self.client.delete_rule(Name=self.name)
        return ["rule", *gone]


def _all_taken(answer: Described) -> None:
    """Refused where EventBridge left something out."""
    left_out = [f"{each['TargetId']}: {each['ErrorMessage']}" for each in answer["FailedEntries"]]
    if left_out:
        raise Refused("; ".join(left_out))


def main() -> None:
    """Ansible's entry point."""
    target = {
        "id": {"type": "str", "required": True},
        "arn": {"type": "str", "required": True},
        "dead_letter_arn": {"type": "str", "required": True},
        "retry_hours": {"type": "int", "default": 24},
        "retry_attempts": {"type": "int", "default": 185},
    }
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "description": {"type": "str", "default": ""},
            "pattern": {"type": "dict"},
            "targets": {"type": "list", "elements": "dict", "options": target},
            "tags": {"type": "dict"},
        },
        required_if=[("state", "present", ("pattern", "targets"))],
        supports_check_mode=True,
    )
    params = module.params
    try:
        rule = Rule(module.client("events"), params["name"], module.check_mode)
        if params["state"] == "absent":
            parts = rule.remove()
        else:
            parts = rule.set(wanted_rule(params), params["tags"])
            parts += rule.set_targets([wanted_target(each) for each in params["targets"]])
            parts += rule.set_tags(params["tags"])
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The rule {params['name']} cannot be set")
    except Refused as error:
        module.fail_json(msg=f"Not all targets of the rule {params['name']} can be set: {error}")
    module.exit_json(changed=bool(parts), parts=parts)


if __name__ == "__main__":
    main()
