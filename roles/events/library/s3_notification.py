#!/usr/bin/python
"""Manage one event notification of an S3 bucket, and the bucket's EventBridge setting.

community.aws.s3_bucket_notification (10.0 to 11.1) cannot turn EventBridge on or off. It treats the filter rule
names "prefix" and "Prefix" as different, although S3 does not, and then reports a change at every run.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: s3_notification
short_description: Send a bucket's events to an SNS topic or to EventBridge
description:
  - Sets one notification of a bucket, identified by its ID, and whether the bucket sends events to EventBridge.
    Both are in one document that is written once, so a bucket switches from one to the other in one step. Other
    notifications are kept.
  - The topic's policy must allow the bucket to publish; S3 checks that at once.
  - In check mode nothing is written; a bucket that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  id:
    description: ID of the notification.
    type: str
    required: true
  topic_arn:
    description: ARN of the topic; if omitted, a notification with this ID is removed.
    type: str
  events:
    description: S3 event types to send to the topic.
    type: list
    elements: str
    default: ["s3:ObjectCreated:*"]
  prefix:
    description: Key prefix of the objects whose events are sent to the topic.
    type: str
    default: ""
  eventbridge:
    description: Whether the bucket sends its events to EventBridge; if omitted, the setting is not changed.
    type: bool
"""

EXAMPLES = r"""
- name: Send an event for every upload to a topic
  s3_notification:
    bucket: example-uploads
    id: uploads
    topic_arn: arn:aws:sns:eu-central-1:123456789012:uploads
    prefix: raw/

- name: Send all events to EventBridge instead
  s3_notification:
    bucket: example-uploads
    id: uploads
    eventbridge: true
"""

RETURN = r"""
configuration:
  description: The bucket's notification configuration after the run; empty if the bucket does not exist.
  type: dict
  returned: always
"""

KINDS = ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations")
EVENTBRIDGE = "EventBridgeConfiguration"

Configuration = dict[str, Any]


def build(params: dict[str, Any]) -> list[Configuration]:
    """Return the notification in S3's format; empty if there is no topic."""
    if not params["topic_arn"]:
        return []
    rules = [{"Name": "prefix", "Value": params["prefix"]}] if params["prefix"] else []
    return [
        {
            "Id": params["id"],
            "TopicArn": params["topic_arn"],
            "Events": sorted(params["events"]),
            **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
        }
    ]


def comparable(notification: Configuration) -> tuple[object, ...]:
    """Return what two equal notifications have in common; S3 may change case and order of their parts."""
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = sorted((rule["Name"].lower(), rule["Value"]) for rule in rules if rule["Value"])
    return notification.get("TopicArn"), sorted(notification["Events"]), filters


def changed(
    current: Configuration, id: str, wanted: list[Configuration], eventbridge: bool | None
) -> Configuration | None:
    """Return the bucket's new notification configuration, or None if the current one is right."""
    mine = [each for kind in KINDS for each in current.get(kind, []) if each["Id"] == id]
    switched = eventbridge is not None and eventbridge != (EVENTBRIDGE in current)
    if [comparable(each) for each in mine] == [comparable(each) for each in wanted] and not switched:
        return None
    after = {key: value for key, value in current.items() if key not in (*KINDS, EVENTBRIDGE)}
    for kind in KINDS:
        others = [each for each in current.get(kind, []) if each["Id"] != id]
        if kept := others + (wanted if kind == "TopicConfigurations" else []):
            after[kind] = kept
    if eventbridge or (eventbridge is None and EVENTBRIDGE in current):
        after[EVENTBRIDGE] = {}
    return after


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "bucket": {"type": "str", "required": True},
            "id": {"type": "str", "required": True},
            "topic_arn": {"type": "str"},
            "events": {"type": "list", "elements": "str", "default": ["s3:ObjectCreated:*"]},
            "prefix": {"type": "str", "default": ""},
            "eventbridge": {"type": "bool"},
        },
        supports_check_mode=True,
    )
    bucket, client = module.params["bucket"], module.client("s3")
    try:
        current = client.get_bucket_notification_configuration(Bucket=bucket)
        current.pop("ResponseMetadata", None)
        after = changed(current, module.params["id"], build(module.params), module.params["eventbridge"])
        if after is not None and not module.check_mode:
            client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=after)
    except client.exceptions.NoSuchBucket as error:
        if not module.check_mode:
            module.fail_json_aws(error, msg=f"The bucket {bucket} does not exist")
        current, after = {}, {}
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to set the notifications of bucket {bucket}")
    module.exit_json(changed=after is not None, configuration=current if after is None else after)


if __name__ == "__main__":
    main()
