#!/usr/bin/python
"""Manage a rule of the default EventBridge event bus.

amazon.aws.cloudwatchevent_rule (10.1 to 11.4) has no check mode, no tags, and no dead-letter queue or retry
policy for its targets.
"""

from __future__ import annotations

import json
from typing import Any

from ansible.module_utils.gallery_tags import update_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: eventbridge_rule
short_description: Manage a rule of the default EventBridge event bus that sends events to SQS queues
description:
  - Creates a rule of the default event bus with exactly the given targets, or deletes it with its targets.
  - Events that cannot be delivered to a target are sent to the target's dead-letter queue.
  - The queues' policies must allow the rule to send; EventBridge does not check that in advance.
  - In check mode nothing is written; a rule that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  name:
    description: Name of the rule.
    type: str
    required: true
  state:
    description: Whether the rule must exist and be enabled, or not exist.
    type: str
    choices: [present, absent]
    default: present
  description:
    description: Description of the rule.
    type: str
    default: ""
  pattern:
    description: Event pattern that selects the events. Required if I(state=present).
    type: dict
  targets:
    description: Targets that receive the events. Required if I(state=present).
    type: list
    elements: dict
    suboptions:
      id:
        description: ID of the target.
        type: str
        required: true
      arn:
        description: ARN of the queue.
        type: str
        required: true
      dead_letter_arn:
        description: ARN of the dead-letter queue.
        type: str
        required: true
      retry_hours:
        description: Maximum age of an event in hours; at most 24.
        type: int
        default: 24
      retry_attempts:
        description: Maximum number of retries; at most 185.
        type: int
        default: 185
  tags:
    description: Tags of the rule; other tags are removed. If omitted, the tags are not changed.
    type: dict
"""

EXAMPLES = r"""
- name: Send new orders to a queue
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
  description: Parts of the rule that differed, of C(rule), C(targets) and C(tags).
  type: list
  elements: str
  returned: always
"""

Described = dict[str, Any]


class FailedTargets(Exception):
    """EventBridge accepted the call but rejected some of its targets."""


def wanted_rule(params: Described) -> Described:
    """Return the rule as parameters of PutRule."""
    return {
        "Name": params["name"],
        "Description": params["description"],
        "EventPattern": json.dumps(params["pattern"], sort_keys=True),
        "State": "ENABLED",
    }


def wanted_target(params: Described) -> Described:
    """Return a target as a parameter of PutTargets."""
    return {
        "Id": params["id"],
        "Arn": params["arn"],
        "DeadLetterConfig": {"Arn": params["dead_letter_arn"]},
        "RetryPolicy": {
            "MaximumEventAgeInSeconds": params["retry_hours"] * 3600,
            "MaximumRetryAttempts": params["retry_attempts"],
        },
    }


def comparable(rule: Described) -> tuple[object, ...]:
    """Return what two equal rules have in common; spaces and key order of the pattern do not count."""
    pattern = json.loads(rule.get("EventPattern") or "{}")
    return rule.get("Description", ""), pattern, rule.get("State"), rule.get("ScheduleExpression")


def differing(current: list[Described], wanted: list[Described]) -> tuple[list[str], list[Described]]:
    """Return the IDs of the targets to remove, and the targets to put."""
    ids = {target["Id"] for target in wanted}
    return (
        [target["Id"] for target in current if target["Id"] not in ids],
        [target for target in wanted if target not in current],
    )


class Rule:
    """A rule of the default event bus; ``check_mode`` prevents writes."""

    def __init__(self, client: Any, name: str, check_mode: bool) -> None:
        self.client, self.name, self.check_mode = client, name, check_mode
        self.found = self._find()

    def _find(self) -> Described | None:
        try:
            return dict(self.client.describe_rule(Name=self.name))
        except self.client.exceptions.ResourceNotFoundException:
            return None

    @property
    def targets(self) -> list[Described]:
        """The current targets; none if the rule does not exist."""
        if self.found is None:
            return []
        pages = self.client.get_paginator("list_targets_by_rule").paginate(Rule=self.name)
        return [target for page in pages for target in page["Targets"]]

    def set(self, wanted: Described, tags: dict[str, str] | None) -> list[str]:
        """Create or update the rule, a new one with its tags; return the parts that differed."""
        if self.found is not None and comparable(self.found) == comparable(wanted):
            return []
        if not self.check_mode:
            # PutRule accepts tags for a new rule only.
            tagged = self.found is None and tags
            further = {"Tags": ansible_dict_to_boto3_tag_list(tags)} if tagged else {}
            self.client.put_rule(**wanted, **further)
        return ["rule"]

    def set_targets(self, wanted: list[Described]) -> list[str]:
        """Replace the targets; return the parts that differed.

        Other targets are removed first because a rule has five at most.
        """
        gone, put = differing(self.targets, wanted)
        if not self.check_mode:
            if gone:
                _require_success(self.client.remove_targets(Rule=self.name, Ids=gone))
            if put:
                _require_success(self.client.put_targets(Rule=self.name, Targets=put))
        return ["targets"] if gone or put else []

    def set_tags(self, wanted: dict[str, str] | None) -> list[str]:
        """Update the tags of an existing rule; return the parts that differed."""
        if self.found is None or wanted is None:
            return []
        arn = self.found["Arn"]
        differed = update_tags(
            self.client.list_tags_for_resource(ResourceARN=arn)["Tags"],
            wanted,
            lambda tags: self.client.tag_resource(ResourceARN=arn, Tags=tags),
            lambda keys: self.client.untag_resource(ResourceARN=arn, TagKeys=keys),
            self.check_mode,
        )
        return ["tags"] if differed else []

    def remove(self) -> list[str]:
        """Delete the rule with all of its targets; return the parts that existed."""
        if self.found is None:
            return []
        gone = self.set_targets([])
        if not self.check_mode:
            self.client.delete_rule(Name=self.name)
        return ["rule", *gone]


def _require_success(answer: Described) -> None:
    """Raise FailedTargets if the answer of PutTargets or RemoveTargets names failed entries."""
    failed = [f"{each['TargetId']}: {each['ErrorMessage']}" for each in answer["FailedEntries"]]
    if failed:
        raise FailedTargets("; ".join(failed))


def main() -> None:
    """Run the module."""
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
        module.fail_json_aws(error, msg=f"Failed to manage the rule {params['name']}")
    except FailedTargets as error:
        module.fail_json(msg=f"Some targets of the rule {params['name']} were rejected: {error}")
    module.exit_json(changed=bool(parts), parts=parts)


if __name__ == "__main__":
    main()
