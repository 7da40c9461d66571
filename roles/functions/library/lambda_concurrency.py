#!/usr/bin/python
"""Set the reserved concurrency of a Lambda function and the maximum concurrency of its event source mapping.

amazon.aws.lambda (10.1 to 11.4) has no parameter for reserved concurrency, and amazon.aws.lambda_event none for
ScalingConfig.
"""

from __future__ import annotations

import time
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: lambda_concurrency
short_description: Set the concurrency limits of a Lambda function
description:
  - Sets the reserved concurrency of a function and the maximum concurrency of its SQS event source mapping.
  - In check mode nothing is written; a function or mapping that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  function_name:
    description: Name of the function.
    type: str
    required: true
  reserved:
    description: Reserved concurrency of the function; -1 removes the reservation.
    type: int
    required: true
  source_arn:
    description: ARN of the queue of the event source mapping.
    type: str
    required: true
  maximum:
    description: Maximum concurrency of the event source mapping.
    type: int
    required: true
"""

EXAMPLES = r"""
- name: Allow five concurrent invocations, four of them from the queue
  lambda_concurrency:
    function_name: orders
    reserved: 5
    source_arn: arn:aws:sqs:eu-central-1:123456789012:orders
    maximum: 4
"""

RETURN = r"""
uuid:
  description: UUID of the event source mapping, if it exists.
  type: str
  returned: always
"""


# How long Lambda may take to create or update a mapping, and between two attempts to change it.
TIMEOUT_SECONDS, PAUSE_SECONDS = 300, 5


def reserve(client: Any, function: str, wanted: int, check_mode: bool) -> bool:
    """Set the reserved concurrency and return whether it differed."""
    current = client.get_function_concurrency(FunctionName=function).get("ReservedConcurrentExecutions", -1)
    changed: bool = current != wanted
    if changed and not check_mode:
        if wanted < 0:
            client.delete_function_concurrency(FunctionName=function)
        else:
            client.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=wanted)
    return changed


def limit(
    client: Any, function: str, source_arn: str, wanted: int, check_mode: bool
) -> tuple[bool, str | None]:
    """Set the maximum concurrency of the mapping; return whether it differed, and the mapping's UUID."""
    found = client.list_event_source_mappings(FunctionName=function, EventSourceArn=source_arn)
    if not found["EventSourceMappings"]:
        return True, None
    mapping = found["EventSourceMappings"][0]
    changed = mapping.get("ScalingConfig", {}).get("MaximumConcurrency") != wanted
    if changed and not check_mode:
        update_when_ready(client, mapping["UUID"], {"MaximumConcurrency": wanted})
    return changed, mapping["UUID"]


def update_when_ready(client: Any, uuid: str, scaling: dict[str, int]) -> None:
    """Set the mapping's ScalingConfig once Lambda has created or updated the mapping.

    Until then, for up to some minutes, Lambda answers ResourceInUseException; it is raised at the timeout.
    """
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while True:
        try:
            client.update_event_source_mapping(UUID=uuid, ScalingConfig=scaling)
            return
        except client.exceptions.ResourceInUseException:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def main() -> None:
    """Run the module."""
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
            module.fail_json(msg=f"The function {function} does not exist")
        module.exit_json(changed=True, uuid=None)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to set the concurrency limits of function {function}")
    if uuid is None and not module.check_mode:
        module.fail_json(msg=f"The function {function} has no event source mapping for {source_arn}")
    module.exit_json(changed=changed or limited, uuid=uuid)


if __name__ == "__main__":
    main()
