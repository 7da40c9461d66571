#!/usr/bin/python
"""Gives an SNS subscription its dead-letter queue; community.aws.sns_topic sets RawMessageDelivery only."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sns_subscription_dead_letter
short_description: Keeps what an SNS topic could not deliver in an SQS queue
description:
  - Sets the RedrivePolicy of the subscription that an endpoint has to a topic.
  - In check mode nothing is written; a subscription that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  topic_arn:
    description: ARN of the topic.
    type: str
    required: true
  endpoint:
    description: The subscribed endpoint, such as a queue's ARN.
    type: str
    required: true
  dead_letter_arn:
    description: ARN of the queue for what cannot be delivered.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Keep what cannot be put into the orders queue
  sns_subscription_dead_letter:
    topic_arn: arn:aws:sns:eu-central-1:123456789012:orders
    endpoint: arn:aws:sqs:eu-central-1:123456789012:orders
    dead_letter_arn: arn:aws:sqs:eu-central-1:123456789012:orders-undelivered
"""

RETURN = r"""
subscription_arn:
  description: The subscription, where it exists.
  type: str
  returned: always
"""

ATTRIBUTE = "RedrivePolicy"


def find(client, topic_arn: str, endpoint: str) -> str | None:
    """The ARN of the endpoint's subscription; None where there is no such topic or subscription."""
    try:
        for page in client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn):
            for subscription in page["Subscriptions"]:
                if subscription["Endpoint"] == endpoint:
                    return subscription["SubscriptionArn"]
    except client.exceptions.NotFoundException:
        pass
    return None


def apply(client, subscription_arn: str, dead_letter_arn: str, check_mode: bool) -> bool:
    """Bring the subscription's policy in line; whether it was not."""
    wanted = {"deadLetterTargetArn": dead_letter_arn}
    attributes = client.get_subscription_attributes(SubscriptionArn=subscription_arn)["Attributes"]
    changed = json.loads(attributes.get(ATTRIBUTE) or "{}") != wanted
    if changed and not check_mode:
        client.set_subscription_attributes(
            SubscriptionArn=subscription_arn, AttributeName=ATTRIBUTE, AttributeValue=json.dumps(wanted)
        )
    return changed


def main() -> None:
    """Ansible's entry point."""
    names = ("topic_arn", "endpoint", "dead_letter_arn")
    module = AnsibleAWSModule(
        argument_spec={name: {"type": "str", "required": True} for name in names}, supports_check_mode=True
    )
    topic_arn, endpoint, dead_letter_arn = (module.params[name] for name in names)
    client = module.client("sns")
    try:
        subscription_arn = find(client, topic_arn, endpoint)
        if subscription_arn is not None:
            changed = apply(client, subscription_arn, dead_letter_arn, module.check_mode)
        elif module.check_mode:
            changed = True
        else:
            module.fail_json(msg=f"{endpoint} is not subscribed to {topic_arn}")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The subscription of {endpoint} cannot be given its dead-letter queue")
    module.exit_json(changed=changed, subscription_arn=subscription_arn)


if __name__ == "__main__":
    main()
