#!/usr/bin/python
"""Create, change and delete a VPC origin of CloudFront, through which a distribution reaches a private VPC.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) does.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from ansible.module_utils.cloudfront_changes import contains, report_failures, set_tags, wait_for
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from botocore.exceptions import ClientError

DIGITS = 8
LONGEST = 64 - DIGITS - 1  # AWS takes names of 64 characters

DOCUMENTATION = r"""
module: vpc_origin
short_description: Create, change and delete a VPC origin of CloudFront
description:
  - The distribution connects to the load balancer over HTTP, inside AWS's network and the VPC.
  - AWS changes no VPC origin that a distribution uses. If the load balancer is another one, a second VPC origin
    is created, whose name has a digest of its settings at the end. Once the distribution uses it,
    C(state=absent) with C(keep_id) deletes the first one.
  - Waits until CloudFront has deployed or deleted it.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the VPC origin, unique in the account; also found with a digest at its end.
    type: str
    required: true
  state:
    description: Whether it should exist.
    type: str
    choices: [present, absent]
    default: present
  endpoint_arn:
    description: ARN of the internal load balancer. Required if C(state=present).
    type: str
  keep_id:
    description: With C(state=absent), ID of a VPC origin that is not deleted.
    type: str
    default: ""
  tags:
    description: Tags of the VPC origin.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Let CloudFront reach the load balancer
  vpc_origin:
    name: example
    endpoint_arn: arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/example/0123456789
  register: origin

- name: Delete the VPC origins of load balancers that were replaced, once the distribution uses the new one
  vpc_origin:
    name: example
    state: absent
    keep_id: "{{ origin.id }}"
"""

RETURN = r"""
id:
  description: ID of the VPC origin for the load balancer; empty if it does not exist.
  type: str
  returned: always
"""


def listed(client: Any) -> Iterator[dict[str, Any]]:
    """Yield the summary of each VPC origin. boto3 has no paginator for this operation."""
    marker: dict[str, str] = {}
    while True:
        page = client.list_vpc_origins(**marker)["VpcOriginList"]
        yield from page.get("Items", [])
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


def find(client: Any, name: str) -> list[dict[str, Any]]:
    """Return the summary of each VPC origin with this name, or with the name of a replacement."""
    pattern = re.compile(f"{re.escape(name)}|{re.escape(name[:LONGEST])}-[0-9a-f]{{{DIGITS}}}")
    return [item for item in listed(client) if pattern.fullmatch(item["Name"])]


def endpoint(name: str, arn: str) -> dict[str, Any]:
    """Return the configuration of an origin that is reached over HTTP."""
    return {"Name": name, "Arn": arn, "HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}


def replacement(name: str, arn: str) -> str:
    """Return the name of an origin that replaces one whose settings were others."""
    settings = json.dumps(endpoint("", arn), sort_keys=True).encode()
    return f"{name[:LONGEST]}-{hashlib.sha256(settings).hexdigest()[:DIGITS]}"


def status(client: Any, id: str) -> str:
    """Return the status of a VPC origin: Deploying, Deployed, or Deleted if it does not exist."""
    try:
        return str(client.get_vpc_origin(Id=id)["VpcOrigin"]["Status"])
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFound":
            return "Deleted"
        raise


def fitting(client: Any, found: list[dict[str, Any]], arn: str) -> dict[str, Any] | None:
    """Return the first of these VPC origins that has the wanted settings."""
    for item in found:
        config = client.get_vpc_origin(Id=item["Id"])["VpcOrigin"]["VpcOriginEndpointConfig"]
        if contains(config, endpoint(item["Name"], arn)):
            return item
    return None


def present(client: Any, name: str, arn: str, tags: dict[str, Any], check_mode: bool) -> tuple[bool, str]:
    """Create it if none fits, wait until it is deployed, and return whether anything differed, and its ID."""
    others = find(client, name)
    found = fitting(client, others, arn)
    changed = found is None
    if found is None:
        if check_mode:
            return True, ""
        taken = any(item["Name"] == name for item in others)
        wanted = endpoint(replacement(name, arn) if taken else name, arn)
        items = ansible_dict_to_boto3_tag_list(tags)
        created = client.create_vpc_origin(VpcOriginEndpointConfig=wanted, Tags={"Items": items})
        found = created["VpcOrigin"]
    id = str(found["Id"])
    if not check_mode:
        wait_for(lambda: status(client, id) == "Deployed", f"the VPC origin {name} is not deployed")
    if not changed:
        changed = set_tags(client, found["Arn"], tags, check_mode)
    return changed, id


def absent(client: Any, name: str, keep_id: str, check_mode: bool) -> bool:
    """Delete all but the one to keep, wait until they are gone, and return whether one existed."""
    found = [str(item["Id"]) for item in find(client, name) if item["Id"] != keep_id]
    if not check_mode:
        for id in found:
            delete(client, name, id)
    return bool(found)


def delete(client: Any, name: str, id: str) -> None:
    """Delete one VPC origin and wait until it is gone."""
    wait_for(lambda: status(client, id) in ("Deployed", "Deleted"), f"the VPC origin {name} is not deployed")
    try:
        client.delete_vpc_origin(Id=id, IfMatch=client.get_vpc_origin(Id=id)["ETag"])
    except ClientError:
        if status(client, id) != "Deleted":  # else an interrupted run had begun to delete it
            raise
    wait_for(lambda: status(client, id) == "Deleted", f"the VPC origin {name} is not deleted")


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "endpoint_arn": {"type": "str"},
            "keep_id": {"type": "str", "default": ""},
            "tags": {"type": "dict", "default": {}},
        },
        required_if=[("state", "present", ["endpoint_arn"])],
        supports_check_mode=True,
    )
    given, client = module.params, module.client("cloudfront")
    with report_failures(module, f"the VPC origin {given['name']}"):
        if given["state"] == "absent":
            changed, id = absent(client, given["name"], given["keep_id"], module.check_mode), ""
        else:
            changed, id = present(
                client, given["name"], given["endpoint_arn"], given["tags"], module.check_mode
            )
    module.exit_json(changed=changed, id=id)


if __name__ == "__main__":
    main()
