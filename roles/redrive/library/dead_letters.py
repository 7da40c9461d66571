#!/usr/bin/python
"""Move messages from a dead-letter queue back to their queue.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) moves messages. SQS's own
StartMessageMoveTask accepts only dead-letter queues of queues, not those of SNS subscriptions and rules.
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: dead_letters
short_description: Move dead letters back to their queue
description:
  - Each message is sent to the destination before it is deleted from the source, so an interrupted run loses no
    message; one may be delivered twice.
  - In check mode the messages are only counted.
author: The Caption Gallery authors
options:
  source:
    description: Name of the dead-letter queue.
    type: str
    required: true
  destination:
    description: Name of the queue to move them to.
    type: str
    required: true
  limit:
    description: Maximum number of messages to move.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: Process the orders again
  dead_letters:
    source: orders-dead
    destination: orders
"""

RETURN = r"""
waiting:
  description: Approximate number of messages in the dead-letter queue before.
  type: int
  returned: always
moved:
  description: Number of messages that were moved, or would be.
  type: int
  returned: always
"""

VISIBILITY_SECONDS = 30  # until a received message becomes visible to others
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def move(client: Any, source: str, destination: str, limit: int) -> int:
    """Move up to ``limit`` messages between two queues, given by URL, and return their number."""
    moved = 0
    while moved < limit:
        batch = client.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=min(10, limit - moved),
            VisibilityTimeout=VISIBILITY_SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not batch:
            break
        started = time.monotonic()
        for message in batch:
            if time.monotonic() - started > VISIBILITY_SECONDS / 2:
                break  # the rest of the batch becomes visible again
            attributes = message.get("MessageAttributes", {})
            client.send_message(QueueUrl=destination, MessageBody=message["Body"], MessageAttributes=attributes)
            client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "destination": {"type": "str", "required": True},
            "limit": {"type": "int", "default": 1000},
        },
        supports_check_mode=True,
    )
    client, limit = module.client("sqs"), module.params["limit"]
    try:
        source, destination = (
            client.get_queue_url(QueueName=module.params[name])["QueueUrl"]
            for name in ("source", "destination")
        )
        counts = client.get_queue_attributes(QueueUrl=source, AttributeNames=COUNTS)["Attributes"]
        waiting = sum(int(counts[name]) for name in COUNTS)
        moved = min(waiting, limit) if module.check_mode else move(client, source, destination, limit)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to move the dead letters of {module.params['source']}")
    module.exit_json(changed=moved > 0, waiting=waiting, moved=moved)


if __name__ == "__main__":
    main()
