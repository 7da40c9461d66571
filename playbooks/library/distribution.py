#!/usr/bin/python
"""Create, change and delete a CloudFront distribution, found by its comment.

community.aws.cloudfront_distribution (10.0 to 11.1) knows neither VPC origins nor cache policies by ID, and has
no check mode.
"""

from __future__ import annotations

import secrets
from typing import Any

from ansible.module_utils.cloudfront_changes import (
    contains,
    merged,
    report_failures,
    set_tags,
    shaped,
    wait_for,
)
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list

DOCUMENTATION = r"""
module: distribution
short_description: Create, change and delete a CloudFront distribution
description:
  - Waits until CloudFront has deployed the change. A distribution that is deleted is disabled before.
  - What the configuration leaves out is kept, except for alternatives of what it has, such as another
    certificate or another kind of origin, which AWS does not take together.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: The comment of the distribution, by which it is found; unique in the account.
    type: str
    required: true
  state:
    description: Whether it should exist.
    type: str
    choices: [present, absent]
    default: present
  config:
    description:
      - The DistributionConfig of the CloudFront API without C(CallerReference) and C(Comment). Lists are
        written as lists, without their quantity, except below C(Items). What it leaves out is not compared.
      - Required if C(state=present).
    type: dict
  tags:
    description: Tags of the distribution.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Serve a load balancer
  distribution:
    name: example
    config:
      Enabled: true
      Origins:
        - {Id: edge, DomainName: internal-example.elb.amazonaws.com, VpcOriginConfig: {VpcOriginId: vo_0123}}
      DefaultCacheBehavior:
        TargetOriginId: edge
        ViewerProtocolPolicy: redirect-to-https
        CachePolicyId: 4135ea2d-6df8-44a3-9df3-4b5a84be39ad
"""

RETURN = r"""
id:
  description: ID of the distribution; empty if it does not exist.
  type: str
  returned: always
domain_name:
  description: Domain name that CloudFront gave it; empty if it does not exist.
  type: str
  returned: always
"""


def find(client: Any, name: str) -> dict[str, Any] | None:
    """Return the summary of the distribution with this comment."""
    for page in client.get_paginator("list_distributions").paginate():
        for item in page["DistributionList"].get("Items", []):
            if item["Comment"] == name:
                return dict(item)
    return None


def wait_until_deployed(client: Any, id: str, name: str) -> None:
    """Wait until every edge location has the configuration. TimeoutError."""
    wait_for(
        lambda: client.get_distribution(Id=id)["Distribution"]["Status"] == "Deployed",
        f"the distribution {name} is not deployed",
    )


def present(
    client: Any, name: str, config: dict[str, Any], tags: dict[str, Any], check_mode: bool
) -> tuple[bool, str, str]:
    """Create or change it; return whether anything differed, its ID and its domain name."""
    wanted, found = {"Comment": name, **shaped(config)}, find(client, name)
    if found is None:
        if check_mode:
            return True, "", ""
        whole = {"CallerReference": f"{name}-{secrets.token_hex(8)}", **wanted}
        items = ansible_dict_to_boto3_tag_list(tags)
        found = client.create_distribution_with_tags(
            DistributionConfigWithTags={"DistributionConfig": whole, "Tags": {"Items": items}}
        )["Distribution"]
        changed = True
    else:
        read = client.get_distribution_config(Id=found["Id"])
        changed = not contains(read["DistributionConfig"], wanted)
        if changed and not check_mode:
            whole = merged(read["DistributionConfig"], wanted)
            client.update_distribution(Id=found["Id"], IfMatch=read["ETag"], DistributionConfig=whole)
        changed |= set_tags(client, found["ARN"], tags, check_mode)
    if not check_mode:
        wait_until_deployed(client, found["Id"], name)
    return changed, found["Id"], found["DomainName"]


def absent(client: Any, name: str, check_mode: bool) -> bool:
    """Disable it, wait until every edge location has that, delete it; return whether it existed."""
    found = find(client, name)
    if found is None:
        return False
    if check_mode:
        return True
    read = client.get_distribution_config(Id=found["Id"])
    if read["DistributionConfig"]["Enabled"]:
        disabled = {**read["DistributionConfig"], "Enabled": False}
        client.update_distribution(Id=found["Id"], IfMatch=read["ETag"], DistributionConfig=disabled)
    wait_until_deployed(client, found["Id"], name)
    etag = client.get_distribution_config(Id=found["Id"])["ETag"]
    client.delete_distribution(Id=found["Id"], IfMatch=etag)
    return True


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "config": {"type": "dict"},
            "tags": {"type": "dict", "default": {}},
        },
        required_if=[("state", "present", ["config"])],
        supports_check_mode=True,
    )
    given, client = module.params, module.client("cloudfront")
    with report_failures(module, f"the distribution {given['name']}"):
        if given["state"] == "absent":
            changed, id, domain = absent(client, given["name"], module.check_mode), "", ""
        else:
            changed, id, domain = present(
                client, given["name"], given["config"], given["tags"], module.check_mode
            )
    module.exit_json(changed=changed, id=id, domain_name=domain)


if __name__ == "__main__":
    main()
