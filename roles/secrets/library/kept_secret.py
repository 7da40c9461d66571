#!/usr/bin/python
"""Manage a secret in Secrets Manager whose password the module generates, so that no variable contains it.

community.aws.secretsmanager_secret (10.0 to 11.1) takes the value as a parameter and cannot generate one. With
overwrite false, an existing secret also keeps its old description and tags.
"""

from __future__ import annotations

import json
import secrets
import string
from typing import Any

from ansible.module_utils.gallery_tags import update_tags
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: kept_secret
short_description: Manage a secret in AWS Secrets Manager with a generated or a given value
description:
  - With I(username), the value is C({"username", "password"}) with a random password that is generated once.
  - With I(value), the secret gets that value if it differs.
  - With neither, a secret without a value is created; an existing value is kept.
  - A secret that is scheduled for deletion is restored. The value is never returned.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the secret.
    type: str
    required: true
  description:
    description: Description of the secret.
    type: str
    default: ""
  username:
    description: User name; a password is generated for it.
    type: str
  value:
    description: Value of the secret.
    type: str
  tags:
    description: Tags of the secret.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Generate a password
  kept_secret:
    name: example/database
    username: example
"""

RETURN = r"""
arn:
  description: ARN of the secret, if it exists.
  type: str
  returned: always
"""

# Characters that every RDS engine accepts and that need no quoting in shells and URLs.
ALPHABET = string.ascii_letters + string.digits
LENGTH = 40  # the maximum for RDS MySQL is 41


def generated(username: str) -> str:
    """Return a new value with a random password."""
    password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return json.dumps({"username": username, "password": password})


def wanted(client: Any, params: dict[str, Any], found: dict[str, Any]) -> str | None:
    """Return the new value of an existing secret, or None to keep its value."""
    has_value = any("AWSCURRENT" in stages for stages in found.get("VersionIdsToStages", {}).values())
    if params["username"] is not None:
        return None if has_value else generated(params["username"])
    value: str | None = params["value"]
    if value is None or not has_value:
        return value
    current = client.get_secret_value(SecretId=params["name"]).get("SecretString")
    return None if current == value else value


def create(client: Any, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Create the secret and return the module's return values."""
    if check_mode:
        return {"changed": True, "arn": None}
    value = params["value"] if params["username"] is None else generated(params["username"])
    answer = client.create_secret(
        Name=params["name"],
        Description=params["description"],
        Tags=ansible_dict_to_boto3_tag_list(params["tags"]),
        **({"SecretString": value} if value is not None else {}),
    )
    return {"changed": True, "arn": answer["ARN"]}


def update(client: Any, found: dict[str, Any], params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Update an existing secret and return the module's return values."""
    name, deleted = params["name"], "DeletedDate" in found
    if deleted and not check_mode:
        client.restore_secret(SecretId=name)
    # GetSecretValue fails while a secret is scheduled for deletion: check mode assumes that the value is right.
    value = None if deleted and check_mode else wanted(client, params, found)
    if value is not None and not check_mode:
        client.put_secret_value(SecretId=name, SecretString=value)
    described = found.get("Description", "") != params["description"]
    if described and not check_mode:
        client.update_secret(SecretId=name, Description=params["description"])
    retagged = update_tags(
        found.get("Tags", []),
        params["tags"],
        lambda tags: client.tag_resource(SecretId=name, Tags=tags),
        lambda keys: client.untag_resource(SecretId=name, TagKeys=keys),
        check_mode,
    )
    return {"changed": deleted or value is not None or described or retagged, "arn": found["ARN"]}


def apply(client: Any, params: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Create or update the secret and return the module's return values."""
    try:
        found = client.describe_secret(SecretId=params["name"])
    except client.exceptions.ResourceNotFoundException:
        return create(client, params, check_mode)
    return update(client, found, params, check_mode)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "description": {"type": "str", "default": ""},
            "username": {"type": "str"},
            "value": {"type": "str", "no_log": True},
            "tags": {"type": "dict", "default": {}},
        },
        mutually_exclusive=[("username", "value")],
        supports_check_mode=True,
    )
    try:
        answer = apply(module.client("secretsmanager"), module.params, module.check_mode)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage the secret {module.params['name']}")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
