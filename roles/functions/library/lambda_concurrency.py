#!/usr/bin/python
"""Limits a function and its queue's mapping; amazon.aws.lambda and lambda_event have no such parameter."""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: lambda_concurrency
short_description: Limits how often a function runs at the same time
description:
  - Sets the reserved concurrency of a function and the maximum concurrency of its SQS event source mapping.
  - In check mode nothing is written; a function or a mapping that does not exist yet is reported as a change.
author: The Caption Gallery authors
options:
  function_name:
    description: Name of the function.
    type: str
    required: true
  reserved:
    description: Invocations at the same time, whoever invokes; -1 removes the reservation.
    type: int
    required: true
  source_arn:
    description: ARN of the queue that feeds the function.
    type: str
    required: true
  maximum:
    description: Invocations at the same time through that queue.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Limit a function to five, four of them through its queue
  lambda_concurrency:
    function_name: orders
    reserved: 5
    source_arn: arn:aws:sqs:eu-central-1:123456789012:orders
    maximum: 4
"""

RETURN = r"""
uuid:
  description: The event source mapping, where it exists.
  type: str
  returned: always
"""


def reserve(client, function: str, wanted: int, check_mode: bool) -> bool:
    """Bring the reservation in line; whether it was not."""
    current = client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", -1)
    changed = current != wanted
    if changed and not check_mode:
        if wanted < 0:
            client.delete_function_concurrency(FunctionName=function)
        else:
            client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=wanted)
    return changed


def limit(client, function: str, source_arn: str, wanted: int, check_mode: bool) -> tuple[bool, str | None]:
    """Bring the mapping's limit in line; whether it was not, and the mapping's id."""
    found = client.list_event_source_mappings(FunctionName=function, EventSourceArn=source_arn)
    if not found["EventSourceMappings"]:
        return True, None
    mapping = found["EventSourceMappings"][0]
    changed = mapping.get("ScalingConfig", {}).get("MaximumConcurrency") != wanted
    if changed and not check_mode:
        client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": wanted})
    return changed, mapping["UUID"]


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "function_name": {"type": "str", "required": True},
            "reserved": {"type": "int", "required": True},
            "source_arn": {"type": "str", "required": True},
            "maximum": {"type": "int", "required": True},
        },
        supports_check_mode=True,
    )
    function, source_arn = module.params["function_name"], module.params["source_arn"]
    client = module.client("lambda")
    try:
        changed = reserve(client, function, module.params["reserved"], module.check_mode)
        limited, uuid = limit(client, function, source_arn, module.params["maximum"], module.check_mode)
    except client.exceptions.ResourceNotFoundException:
        if not module.check_mode:
            module.fail_json(msg=f"There is no function {function}")
        module.exit_json(changed=True, uuid=None)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"{function} cannot be limited")
    if uuid is None and not module.check_mode:
        module.fail_json(msg=f"{function} is not fed by {source_arn}")
    module.exit_json(changed=changed or limited, uuid=uuid)


if __name__ == "__main__":
    main()
