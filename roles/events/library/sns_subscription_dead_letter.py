#!/usr/bin/python
"""Gives SNS subscriptions their dead-letter queues; community.aws.sns_topic sets RawMessageDelivery only."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sns_subscription_dead_letter
short_description: Keeps what an SNS topic could not deliver in SQS queues
description:
  - Sets the RedrivePolicy of the subscriptions that endpoints have to a topic.
  - In check mode nothing is written; a subscription that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  topic_arn:
    description: ARN of the topic.
    type: str
    required: true
  dead_letters:
    description: ARNs of the queues for what cannot be delivered, by the endpoints, such as a queue's ARN.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Keep what cannot be put into the orders queue
  sns_subscription_dead_letter:
    topic_arn: arn:aws:sns:eu-central-1:123456789012:orders
    dead_letters:
      arn:aws:sqs:eu-central-1:123456789012:orders: arn:aws:sqs:eu-central-1:123456789012:orders-undelivered
"""

RETURN = r"""
endpoints:
  description: The endpoints whose subscription was not so.
  type: list
  elements: str
  returned: always
"""

ATTRIBUTE = "RedrivePolicy"


def subscriptions(client, topic_arn: str) -> dict[str, str]:
    """The ARNs of a topic's subscriptions by their endpoints; none where there is no such topic."""
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic_arn)
    try:
        return {each["Endpoint"]: each["SubscriptionArn"] for page in pages for each in page["Subscriptions"]}
    except client.exceptions.NotFoundException:
        return {}


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
    module = AnsibleAWSModule(
        argument_spec={
            "topic_arn": {"type": "str", "required": True},
            "dead_letters": {"type": "dict", "required": True},
        },
        supports_check_mode=True,
    )
    topic_arn, client = module.params["topic_arn"], module.client("sns")
    changed = []
    try:
        found = subscriptions(client, topic_arn)
        for endpoint, dead_letter_arn in module.params["dead_letters"].items():
            if endpoint not in found and not module.check_mode:
                module.fail_json(msg=f"{endpoint} is not subscribed to {topic_arn}")
            if endpoint not in found or apply(client, found[endpoint], dead_letter_arn, module.check_mode):
                changed.append(endpoint)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The subscriptions of {topic_arn} cannot be given dead-letter queues")
    module.exit_json(changed=bool(changed), endpoints=changed)


if __name__ == "__main__":
    main()
