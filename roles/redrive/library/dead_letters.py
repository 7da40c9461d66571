#!/usr/bin/python
"""Moves messages from one queue to another. No Ansible module does; SQS's own mover only takes the dead letters
of queues, not those of a topic's subscriptions."""

from __future__ import annotations

import time

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: dead_letters
short_description: Puts dead letters back into their queue
description:
  - Each message is sent to the destination first and deleted from the source then, so that none is lost where
    the move is interrupted; one may come twice.
  - In check mode the messages are only counted.
author: The Caption Gallery authors
options:
  source:
    description: Name of the queue of dead letters.
    type: str
    required: true
  destination:
    description: Name of the queue that they came from.
    type: str
    required: true
  limit:
    description: How many are moved at most.
    type: int
    default: 1000
"""

EXAMPLES = r"""
- name: Try again
  dead_letters:
    source: orders-dead
    destination: orders
"""

RETURN = r"""
waiting:
  description: About how many messages there were.
  type: int
  returned: always
moved:
  description: How many were moved, or would be.
  type: int
  returned: always
"""

SECONDS = 30  # that a message is ours alone
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


def move(client, source: str, destination: str, limit: int) -> int:
    """Move messages until there are no more, or enough; how many."""
    moved = 0
    while moved < limit:
        batch = client.receive_message(
            QueueUrl=source,
            MaxNumberOfMessages=min(10, limit - moved),
            VisibilityTimeout=SECONDS,
            WaitTimeSeconds=1,
            MessageAttributeNames=["All"],
        ).get("Messages", [])
        if not batch:
            break
        started = time.monotonic()
        for message in batch:
            if time.monotonic() - started > SECONDS / 2:
                break  # the rest of the batch comes again
            attributes = message.get("MessageAttributes", {})
            client.send_message(QueueUrl=destination, MessageBody=message["Body"], MessageAttributes=attributes)
            client.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def main() -> None:
    """Ansible's entry point."""
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
        module.fail_json_aws(error, msg=f"The dead letters of {module.params['source']} cannot be put back")
    module.exit_json(changed=moved > 0, waiting=waiting, moved=moved)


if __name__ == "__main__":
    main()
