#!/usr/bin/python
"""Restrict which queues may use an SQS queue as their dead-letter queue.

community.aws.sqs_queue (10.0 to 11.1) has no parameter for RedriveAllowPolicy.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sqs_redrive_allow
short_description: Restrict which queues may use an SQS queue as their dead-letter queue
description:
  - Sets the RedriveAllowPolicy of each dead-letter queue to C(byQueue) with exactly the given source queues.
  - In check mode nothing is written; a queue that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  sources:
    description: For the name of each dead-letter queue, a list of the ARNs of its source queues.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Allow only the orders queue to use its dead-letter queue
  sqs_redrive_allow:
    sources:
      orders-dead: [arn:aws:sqs:eu-central-1:123456789012:orders]
"""

RETURN = r"""
queues:
  description: Names of the dead-letter queues whose policy differed.
  type: list
  elements: str
  returned: always
"""

ATTRIBUTE = "RedriveAllowPolicy"


def apply(client: Any, queue: str, source_arns: list[str], check_mode: bool) -> bool:
    """Set the policy of a dead-letter queue and return whether it differed."""
    wanted = {"redrivePermission": "byQueue", "sourceQueueArns": sorted(source_arns)}
    try:
        url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        if check_mode:
            return True
        raise
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=[ATTRIBUTE]).get("Attributes", {})
    current = json.loads(attributes.get(ATTRIBUTE, "{}"))
    current["sourceQueueArns"] = sorted(current.get("sourceQueueArns", []))
    changed: bool = current != wanted
    if changed and not check_mode:
        client.set_queue_attributes(QueueUrl=url, Attributes={ATTRIBUTE: json.dumps(wanted)})
    return changed


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"sources": {"type": "dict", "required": True}}, supports_check_mode=True
    )
    client = module.client("sqs")
    changed = []
    for queue, source_arns in module.params["sources"].items():
        try:
            if apply(client, queue, source_arns, module.check_mode):
                changed.append(queue)
        except (BotoCoreError, ClientError) as error:
            module.fail_json_aws(error, msg=f"Failed to set the RedriveAllowPolicy of queue {queue}")
    module.exit_json(changed=bool(changed), queues=changed)


if __name__ == "__main__":
    main()
