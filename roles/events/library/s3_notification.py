#!/usr/bin/python
"""Announces new objects; s3_bucket_notification takes "prefix" and "Prefix" for two, and no EventBridge."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: s3_notification
short_description: Announces a bucket's new objects to an SNS topic or to EventBridge
description:
  - Sets one notification of a bucket, known by its id, and whether the bucket tells EventBridge. Both stand in
    one document, which is put once, so that a bucket goes from one to the other in one step. All else stays.
  - A topic's policy must let the bucket publish first; S3 tries it at once.
  - In check mode nothing is written; a bucket that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  bucket:
    description: Name of the bucket.
    type: str
    required: true
  id:
    description: Name of the notification.
    type: str
    required: true
  topic_arn:
    description: ARN of the topic; without it no notification of that name stays.
    type: str
  events:
    description: What is announced to the topic, in S3's own words.
    type: list
    elements: str
    default: ["s3:ObjectCreated:*"]
  prefix:
    description: Only keys that begin with this are announced to the topic.
    type: str
    default: ""
  eventbridge:
    description: Whether the bucket tells EventBridge of all that happens in it; without it that stays as it is.
    type: bool
"""

EXAMPLES = r"""
- name: Announce every upload to a topic
  s3_notification:
    bucket: example-uploads
    id: uploads
    topic_arn: arn:aws:sns:eu-central-1:123456789012:uploads
    prefix: raw/

- name: Tell EventBridge instead
  s3_notification:
    bucket: example-uploads
    id: uploads
    eventbridge: true
"""

RETURN = r"""
configuration:
  description: All that the bucket announces now, or would announce; empty where the bucket does not exist yet.
  type: dict
  returned: always
"""

KINDS = ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations")
BRIDGE = "EventBridgeConfiguration"


def build(params: dict) -> list[dict]:
    """The wanted notification, as S3 speaks of it; none where there is no topic."""
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


def meaning(notification: dict) -> tuple:
    """What two notifications have to share to be the same: not the case nor the order of their parts."""
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = sorted((rule["Name"].lower(), rule["Value"]) for rule in rules if rule["Value"])
    return notification.get("TopicArn"), sorted(notification["Events"]), filters


def changed(current: dict, id: str, wanted: list[dict], eventbridge: bool | None) -> dict | None:
    """The bucket's document as it should be; None where it is so already."""
    mine = [each for kind in KINDS for each in current.get(kind, []) if each["Id"] == id]
    switched = eventbridge is not None and eventbridge != (BRIDGE in current)
    if [meaning(each) for each in mine] == [meaning(each) for each in wanted] and not switched:
        return None
    after = {key: value for key, value in current.items() if key not in (*KINDS, BRIDGE)}
    for kind in KINDS:
        others = [each for each in current.get(kind, []) if each["Id"] != id]
        if kept := others + (wanted if kind == "TopicConfigurations" else []):
            after[kind] = kept
    if eventbridge or (eventbridge is None and BRIDGE in current):
        after[BRIDGE] = {}
    return after


def main() -> None:
    """Ansible's entry point."""
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
            module.fail_json_aws(error, msg=f"There is no bucket {bucket}")
        current, after = {}, {}
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The uploads of {bucket} cannot be announced")
    module.exit_json(changed=after is not None, configuration=current if after is None else after)


if __name__ == "__main__":
    main()
