#!/usr/bin/python
"""Set attributes of an SNS topic that no upstream module sets.

community.aws.sns_topic (10.0 to 11.1) has no parameter for KmsMasterKeyId, and of the attributes of a
subscription it sets RawMessageDelivery only, not RedrivePolicy.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sns_topic_attributes
short_description: Set the encryption key and the dead-letter queues of an SNS topic
description:
  - Sets the KMS key of a topic, and the dead-letter queue of each subscription.
  - In check mode nothing is written; a topic or subscription that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  topic_arn:
    description: ARN of the topic.
    type: str
    required: true
  kms_key:
    description: Alias, ID or ARN of the KMS key; C(alias/aws/sns) is the AWS managed key for SNS.
    type: str
  dead_letters:
    description: For each endpoint that is subscribed to the topic, the ARN of its dead-letter queue.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Encrypt the topic
  sns_topic_attributes:
    topic_arn: arn:aws:sns:eu-central-1:123456789012:orders
    kms_key: alias/aws/sns

- name: Set the dead-letter queue of the subscribed queue
  sns_topic_attributes:
    topic_arn: arn:aws:sns:eu-central-1:123456789012:orders
    dead_letters:
      arn:aws:sqs:eu-central-1:123456789012:orders: arn:aws:sqs:eu-central-1:123456789012:orders-undelivered
"""

RETURN = r"""
differences:
  description: What differed; C(KmsMasterKeyId), and the endpoints whose dead-letter queue was not set.
  type: list
  elements: str
  returned: always
"""

KEY = "KmsMasterKeyId"
REDRIVE = "RedrivePolicy"


class MissingSubscription(Exception):
    """An endpoint is not subscribed to the topic."""


class Topic:
    """An SNS topic; ``check_mode`` prevents writes."""

    def __init__(self, client: Any, arn: str, check_mode: bool) -> None:
        self.client, self.arn, self.check_mode = client, arn, check_mode

    def set_key(self, key: str) -> list[str]:
        """Set the KMS key; return the attribute's name if it differed."""
        try:
            attributes = self.client.get_topic_attributes(TopicArn=self.arn)["Attributes"]
        except self.client.exceptions.NotFoundException:
            if not self.check_mode:
                raise
            attributes = {}
        if attributes.get(KEY, "") == key:
            return []
        if not self.check_mode:
            self.client.set_topic_attributes(TopicArn=self.arn, AttributeName=KEY, AttributeValue=key)
        return [KEY]

    def set_dead_letters(self, dead_letters: dict[str, str]) -> list[str]:
        """Set the dead-letter queue of each endpoint's subscription; return the endpoints that differed.

        Raises MissingSubscription outside check mode if an endpoint is not subscribed.
        """
        subscriptions = self._subscriptions()
        return [
            endpoint
            for endpoint, queue_arn in dead_letters.items()
            if self._set_dead_letter(endpoint, subscriptions.get(endpoint), queue_arn)
        ]

    def _subscriptions(self) -> dict[str, str]:
        """Return the ARNs of the subscriptions by endpoint; none if the topic does not exist."""
        pages = self.client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=self.arn)
        try:
            return {
                each["Endpoint"]: each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]
            }
        except self.client.exceptions.NotFoundException:
            return {}

    def _set_dead_letter(self, endpoint: str, subscription_arn: str | None, queue_arn: str) -> bool:
        if subscription_arn is None:
            if self.check_mode:
                return True
            raise MissingSubscription(f"{endpoint} is not subscribed to {self.arn}")
        wanted = {"deadLetterTargetArn": queue_arn}
        attributes = self.client.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"]
        if json.loads(attributes.get(REDRIVE) or "{}") == wanted:
            return False
        if not self.check_mode:
            self.client.set_subscription_attributes(
                SubscriptionArn=subscription_arn, AttributeName=REDRIVE, AttributeValue=json.dumps(wanted)
            )
        return True


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "topic_arn": {"type": "str", "required": True},
            "kms_key": {"type": "str", "no_log": False},
            "dead_letters": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    params = module.params
    topic = Topic(module.client("sns"), params["topic_arn"], module.check_mode)
    differences: list[str] = []
    try:
        if params["kms_key"] is not None:
            differences += topic.set_key(params["kms_key"])
        if params["dead_letters"]:
            differences += topic.set_dead_letters(params["dead_letters"])
    except MissingSubscription as error:
        module.fail_json(msg=str(error))
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to set the attributes of topic {params['topic_arn']}")
    module.exit_json(changed=bool(differences), differences=differences)


if __name__ == "__main__":
    main()
