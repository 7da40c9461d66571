#!/usr/bin/python
"""Says which queues may use a dead-letter queue; community.aws.sqs_queue has no such parameter."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sqs_redrive_allow
short_description: Lets only the named queues use an SQS queue for their dead letters
description:
  - Sets the RedriveAllowPolicy of an SQS queue to C(byQueue) with exactly these sources.
  - In check mode nothing is written; a queue that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  queue:
    description: Name of the dead-letter queue.
    type: str
    required: true
  source_arns:
    description: ARNs of the queues that may use it.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Let only the orders queue use its dead-letter queue
  sqs_redrive_allow:
    queue: orders-dead
    source_arns: [arn:aws:sqs:eu-central-1:123456789012:orders]
"""

RETURN = r"""
redrive_allow_policy:
  description: The policy that the queue has now, or would have.
  type: dict
  returned: always
"""

ATTRIBUTE = "RedriveAllowPolicy"


def apply(client, queue: str, source_arns: list[str], check_mode: bool) -> dict:
    """Bring the queue's policy in line; ``changed`` says whether it was not."""
    wanted = {"redrivePermission": "byQueue", "sourceQueueArns": sorted(source_arns)}
    try:
        url = client.get_queue_url(QueueName=queue)["QueueUrl"]
    except client.exceptions.QueueDoesNotExist:
        if check_mode:
            return {"changed": True, "redrive_allow_policy": wanted}
        raise
    attributes = client.get_queue_attributes(QueueUrl=url, AttributeNames=[ATTRIBUTE]).get("Attributes", {})
    current = json.loads(attributes.get(ATTRIBUTE, "{}"))
    current["sourceQueueArns"] = sorted(current.get("sourceQueueArns", []))
    changed = current != wanted
    if changed and not check_mode:
        client.set_queue_attributes(QueueUrl=url, Attributes={ATTRIBUTE: json.dumps(wanted)})
    return {"changed": changed, "redrive_allow_policy": wanted}


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "queue": {"type": "str", "required": True},
            "source_arns": {"type": "list", "elements": "str", "required": True},
        },
        supports_check_mode=True,
    )
    try:
        answer = apply(
            module.client("sqs"), module.params["queue"], module.params["source_arns"], module.check_mode
        )
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The dead-letter queue {module.params['queue']} cannot be guarded")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
