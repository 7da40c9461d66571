#!/usr/bin/python
"""Call a function again and again until its backfill has ended.

amazon.aws.lambda_execute (10.1 to 11.4) makes one call, which ends with the function's timeout.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: function_backfill
short_description: Run a backfill in calls of a Lambda function
description:
  - Each call goes on where the one before has ended. In check mode the function is not called.
author: The Caption Gallery authors
options:
  function:
    description: Name of the function.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Make what photos of earlier releases lack
  function_backfill:
    function: gallery-thumbnail
    aws_config: {read_timeout: 70}
"""

RETURN = r"""
made:
  description: Number of photos that were completed.
  type: int
  returned: always
skipped:
  description: Number of photos that were left as they are.
  type: int
  returned: always
"""


class BackfillError(Exception):
    """The function has failed; the message is its own."""


def run(client: Any, function: str) -> dict[str, int]:
    """Call the function until its backfill has ended, and return the sums of its counts."""
    counts = {"made": 0, "skipped": 0}
    after: int | None = 0
    while after is not None:
        payload = json.dumps({"task": "backfill", "after": after}).encode()
        answer = client.invoke(FunctionName=function, Payload=payload)
        result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise BackfillError(
                f"{result.get('errorMessage')}; {counts['made']} photos are completed. Run it again."
            )
        counts = {name: count + result[name] for name, count in counts.items()}
        after = result["after"]
    return counts


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"function": {"type": "str", "required": True}}, supports_check_mode=True
    )
    counts = {"made": 0, "skipped": 0}
    try:
        if not module.check_mode:
            counts = run(module.client("lambda"), module.params["function"])
    except BackfillError as error:
        module.fail_json(msg=f"The function {module.params['function']} has failed: {error}")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to call the function {module.params['function']}")
    module.exit_json(changed=counts["made"] > 0, **counts)


if __name__ == "__main__":
    main()
