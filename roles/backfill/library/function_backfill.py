#!/usr/bin/python
"""Call a function again and again until its backfill has ended.

amazon.aws.lambda_execute (10.1 to 11.4) makes one call, which ends with the function's timeout.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: function_backfill
short_description: Run a backfill in calls of a Lambda function
description:
  - Each call goes on where the one before has ended. In check mode the function is not called.
  - While the function has no execution left, such as during a large upload, a call is repeated for six minutes.
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


# AWSRetry repeats calls that are throttled: TooManyRequestsException of Lambda. Nine waits of 5 to 60 seconds.
RETRY = AWSRetry.exponential_backoff(retries=10, delay=5, max_delay=60)


class FunctionError(Exception):
    """The function has failed; the message is its own."""


def run(client: Any, function: str, counts: dict[str, int]) -> None:
    """Call the function until its backfill has ended, and add what each call has done to the counts."""
    after: int | None = 0
    while after is not None:
        payload = json.dumps({"task": "backfill", "after": after}).encode()
        answer = client.invoke(FunctionName=function, Payload=payload, aws_retry=True)
        result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise FunctionError(result.get("errorMessage"))
        for name in counts:
            counts[name] += result[name]
        after = result["after"]


def ended_early(counts: dict[str, int]) -> str:
    """Return how far the backfill has come, and what to do."""
    done = "Photos completed: {made}, skipped: {skipped}.".format_map(counts)
    return f"The backfill ended early. {done} Run it again."


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"function": {"type": "str", "required": True}}, supports_check_mode=True
    )
    function, counts = module.params["function"], {"made": 0, "skipped": 0}
    try:
        if not module.check_mode:
            run(module.client("lambda", retry_decorator=RETRY), function, counts)
    except FunctionError as error:
        module.fail_json(msg=f"{ended_early(counts)} The function {function} has failed: {error}", **counts)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(
            error, msg=f"{ended_early(counts)} Failed to call the function {function}", **counts
        )
    module.exit_json(changed=counts["made"] > 0, **counts)


if __name__ == "__main__":
    main()
