#!/usr/bin/python
"""Says which queues may use dead-letter queues; community.aws.sqs_queue has no such parameter."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: sqs_redrive_allow
short_description: Lets only the named queues use SQS queues for their dead letters
description:
  - Sets the RedriveAllowPolicy of each SQS queue to C(byQueue) with exactly these sources.
  - In check mode nothing is written; a queue that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  sources:
    description: Lists of ARNs of the queues that may use a dead-letter queue, by the name of that.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Let only the orders queue use its dead-letter queue
  sqs_redrive_allow:
    sources:
      orders-dead: [arn:aws:sqs:eu-central-1:123456789012:orders]
"""

RETURN = r"""
queues:
  description: The dead-letter queues whose policy was not so, by name.
  type: list
  elements: str
  returned: always
"""

ATTRIBUTE = "RedriveAllowPolicy"


def apply(client, queue: str, source_arns: list[str], check_mode: bool) -> bool:
    """Bring the queue's policy in line; whether it was not."""
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
    changed = current != wanted
    if changed and not check_mode:
        client.set_queue_attributes(QueueUrl=url, Attributes={ATTRIBUTE: json.dumps(wanted)})
    return changed


def main() -> None:
    """Ansible's entry point."""
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
            module.fail_json_aws(error, msg=f"The dead-letter queue {queue} cannot be guarded")
    module.exit_json(changed=bool(changed), queues=changed)


if __name__ == "__main__":
    main()
