#!/usr/bin/python
"""Encrypts an SNS topic; community.aws.sns_topic has no parameter for that."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sns_topic_encryption
short_description: Has an SNS topic encrypt its messages at rest
description:
  - Sets the KmsMasterKeyId of a topic.
  - In check mode nothing is written; a topic that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  topic_arn:
    description: ARN of the topic.
    type: str
    required: true
  key:
    description: Alias, ID or ARN of a KMS key; C(alias/aws/sns) is the one that AWS keeps for SNS.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Encrypt the orders
  sns_topic_encryption:
    topic_arn: arn:aws:sns:eu-central-1:123456789012:orders
    key: alias/aws/sns
"""

RETURN = r"""
before:
  description: The key of before, empty where there was none.
  type: str
  returned: always
"""

ATTRIBUTE = "KmsMasterKeyId"


def key_of(client, topic_arn: str) -> str:
    """The topic's key; empty where it has none, or is not there."""
    try:
        attributes = client.get_topic_attributes(TopicArn=topic_arn)["Attributes"]
    except client.exceptions.NotFoundException:
        return ""
    return attributes.get(ATTRIBUTE, "")


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "topic_arn": {"type": "str", "required": True},
            "key": {"type": "str", "required": True, "no_log": False},
        },
        supports_check_mode=True,
    )
    topic_arn, key, client = module.params["topic_arn"], module.params["key"], module.client("sns")
    try:
        before = key_of(client, topic_arn)
        if before != key and not module.check_mode:
            client.set_topic_attributes(TopicArn=topic_arn, AttributeName=ATTRIBUTE, AttributeValue=key)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"{topic_arn} cannot be encrypted")
    module.exit_json(changed=before != key, before=before)


if __name__ == "__main__":
    main()
