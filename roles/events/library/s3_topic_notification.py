#!/usr/bin/python
"""Announces new objects to a topic; s3_bucket_notification takes "prefix" and "Prefix" for two."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: s3_topic_notification
short_description: Announces a bucket's new objects to an SNS topic
description:
  - Sets one notification of a bucket, known by its id, and leaves all others as they are.
  - The topic's policy must let the bucket publish first; S3 tries it at once.
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
    description: ARN of the topic.
    type: str
    required: true
  events:
    description: What is announced, in S3's own words.
    type: list
    elements: str
    required: true
  prefix:
    description: Only keys that begin with this are announced.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Announce every upload
  s3_topic_notification:
    bucket: example-uploads
    id: uploads
    topic_arn: arn:aws:sns:eu-central-1:123456789012:uploads
    events: ["s3:ObjectCreated:*"]
    prefix: raw/
"""

RETURN = r"""
notification:
  description: The notification that the bucket has now, or would have.
  type: dict
  returned: always
"""

KINDS = ("TopicConfigurations", "QueueConfigurations", "LambdaFunctionConfigurations")


def build(params: dict) -> dict:
    """The wanted notification, as S3 speaks of it."""
    rules = [{"Name": "prefix", "Value": params["prefix"]}] if params["prefix"] else []
    return {
        "Id": params["id"],
        "TopicArn": params["topic_arn"],
        "Events": sorted(params["events"]),
        **({"Filter": {"Key": {"FilterRules": rules}}} if rules else {}),
    }


def meaning(notification: dict) -> tuple:
    """What two notifications have to share to be the same: not the case nor the order of their parts."""
    rules = notification.get("Filter", {}).get("Key", {}).get("FilterRules", [])
    filters = sorted((rule["Name"].lower(), rule["Value"]) for rule in rules if rule["Value"])
    return notification.get("TopicArn"), sorted(notification["Events"]), filters


def apply(client, bucket: str, wanted: dict, check_mode: bool) -> bool:
    """Bring the bucket's notifications in line; whether they were not."""
    try:
        current = client.get_bucket_notification_configuration(Bucket=bucket)
    except client.exceptions.NoSuchBucket:
        if check_mode:
            return True
        raise
    mine = [each for kind in KINDS for each in current.get(kind, []) if each["Id"] == wanted["Id"]]
    if [meaning(each) for each in mine] == [meaning(wanted)]:
        return False
    kept = {key: value for key, value in current.items() if key != "ResponseMetadata"}
    for kind in KINDS:
        kept[kind] = [each for each in current.get(kind, []) if each["Id"] != wanted["Id"]]
    kept["TopicConfigurations"].append(wanted)
    if not check_mode:
        client.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=kept)
    return True


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "bucket": {"type": "str", "required": True},
            "id": {"type": "str", "required": True},
            "topic_arn": {"type": "str", "required": True},
            "events": {"type": "list", "elements": "str", "required": True},
            "prefix": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    wanted = build(module.params)
    try:
        changed = apply(module.client("s3"), module.params["bucket"], wanted, module.check_mode)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The uploads of {module.params['bucket']} cannot be announced")
    module.exit_json(changed=changed, notification=wanted)


if __name__ == "__main__":
    main()
