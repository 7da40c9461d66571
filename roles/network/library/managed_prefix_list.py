#!/usr/bin/python
"""Look up a managed prefix list by its name.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) does; the ID differs between regions.
"""

from __future__ import annotations

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: managed_prefix_list
short_description: Look up a managed prefix list
description:
  - It only reads, also outside check mode.
author: The Caption Gallery authors
options:
  name:
    description: Name of the prefix list.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Look up the addresses from which CloudFront connects
  managed_prefix_list:
    name: com.amazonaws.global.cloudfront.origin-facing
"""

RETURN = r"""
id:
  description: ID of the prefix list in this region.
  type: str
  returned: always
"""


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"name": {"type": "str", "required": True}}, supports_check_mode=True
    )
    name = module.params["name"]
    try:
        found = module.client("ec2").describe_managed_prefix_lists(
            Filters=[{"Name": "prefix-list-name", "Values": [name]}]
        )["PrefixLists"]
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to look up the prefix list {name}")
    if not found:
        module.fail_json(msg=f"This region has no prefix list {name}")
    module.exit_json(changed=False, id=found[0]["PrefixListId"])


if __name__ == "__main__":
    main()
