#!/usr/bin/python
"""Set whether Lambda stops a function that is invoked in a recursive loop.

amazon.aws.lambda (10.1 to 11.4) has no parameter for it.
"""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: lambda_recursion
short_description: Set the recursive loop detection of a Lambda function
description:
  - Sets whether Lambda stops the invocations of a function whose own messages invoke it again and again.
  - In check mode nothing is written; a function that does not exist is reported as a change.
author: The Caption Gallery authors
options:
  function_name:
    description: Name of the function.
    type: str
    required: true
  recursive_loop:
    description: C(Terminate), the default of Lambda, stops an event after about 16 invocations; C(Allow) never.
    type: str
    choices: [Allow, Terminate]
    required: true
"""

EXAMPLES = r"""
- name: Allow the function to send a message to its own queue again
  lambda_recursion:
    function_name: orders
    recursive_loop: Allow
"""


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "function_name": {"type": "str", "required": True},
            "recursive_loop": {"type": "str", "choices": ["Allow", "Terminate"], "required": True},
        },
        supports_check_mode=True,
    )
    function, wanted = module.params["function_name"], module.params["recursive_loop"]
    client = module.client("lambda")
    try:
        changed = client.get_function_recursion_config(FunctionName=function)["RecursiveLoop"] != wanted
        if changed and not module.check_mode:
            client.put_function_recursion_config(FunctionName=function, RecursiveLoop=wanted)
    except client.exceptions.ResourceNotFoundException:
        if not module.check_mode:
            module.fail_json(msg=f"The function {function} does not exist")
        changed = True
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to set the recursive loop detection of function {function}")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
