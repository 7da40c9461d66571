#!/usr/bin/python
"""Keeps a secret whose value Ansible never sees; community.aws.secretsmanager_secret has to be told it."""

from __future__ import annotations

import json
import secrets
import string

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: kept_secret
short_description: Keeps a secret in AWS Secrets Manager, its value made here or handed over
description:
  - With I(username), the value is C({"username", "password"}), the password made at random, once.
  - With I(value), the secret holds that, and is changed only where it differs.
  - With neither, the secret is there for somebody to put a value into; one that it has is left alone.
  - A secret that waits for its deletion is restored. The value is never returned.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the secret.
    type: str
    required: true
  description:
    description: What it is for.
    type: str
    default: ""
  username:
    description: The user that the password is for.
    type: str
  value:
    description: The secret itself.
    type: str
  tags:
    description: Tags of the secret.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Keep a password
  kept_secret:
    name: example/database
    username: example
"""

RETURN = r"""
arn:
  description: The secret, where it exists.
  type: str
  returned: always
"""

# What every engine of RDS takes, and no shell or URL has to quote.
ALPHABET = string.ascii_letters + string.digits
LENGTH = 40  # RDS MySQL takes 41 at most


def made(username: str) -> str:
    """A new value for a user."""
    password = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return json.dumps({"username": username, "password": password})


def wanted(client, params: dict, found: dict) -> str | None:
    """The value that a secret which is there must get; None where it may keep what it has."""
    has_value = any("AWSCURRENT" in stages for stages in found.get("VersionIdsToStages", {}).values())
    if params["username"] is not None:
        return None if has_value else made(params["username"])
    if params["value"] is None or not has_value:
        return params["value"]
    current = client.get_secret_value(SecretId=params["name"]).get("SecretString")
    return None if current == params["value"] else params["value"]


def create(client, params: dict, check_mode: bool) -> dict:
    """A new secret."""
    if check_mode:
        return {"changed": True, "arn": None}
    value = params["value"] if params["username"] is None else made(params["username"])
    answer = client.create_secret(
        Name=params["name"],
        Description=params["description"],
        Tags=[{"Key": key, "Value": str(each)} for key, each in params["tags"].items()],
        **({"SecretString": value} if value is not None else {}),
    )
    return {"changed": True, "arn": answer["ARN"]}


def update(client, found: dict, params: dict, check_mode: bool) -> dict:
    """Bring the secret that is there in line; ``changed`` says whether it was not."""
    name, deleted = params["name"], "DeletedDate" in found
    if deleted and not check_mode:
        client.restore_secret(SecretId=name)
    # Nobody may read a secret that waits for its deletion, so a rehearsal takes its value for right.
    value = None if deleted and check_mode else wanted(client, params, found)
    if value is not None and not check_mode:
        client.put_secret_value(SecretId=name, SecretString=value)
    described = found.get("Description", "") != params["description"]
    if described and not check_mode:
        client.update_secret(SecretId=name, Description=params["description"])
    retagged = retag(client, found, params, check_mode)
    return {"changed": deleted or value is not None or described or retagged, "arn": found["ARN"]}


def retag(client, found: dict, params: dict, check_mode: bool) -> bool:
    """Bring the tags in line; whether they were not."""
    has = {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])}
    tags = {key: str(value) for key, value in params["tags"].items()}
    missing = [{"Key": key, "Value": value} for key, value in tags.items() if has.get(key) != value]
    surplus = sorted(set(has) - set(tags))
    if missing and not check_mode:
        client.tag_resource(SecretId=params["name"], Tags=missing)
    if surplus and not check_mode:
        client.untag_resource(SecretId=params["name"], TagKeys=surplus)
    return bool(missing or surplus)


def apply(client, params: dict, check_mode: bool) -> dict:
    """Bring the secret in line; ``changed`` says whether it was not."""
    try:
        found = client.describe_secret(SecretId=params["name"])
    except client.exceptions.ResourceNotFoundException:
        return create(client, params, check_mode)
    return update(client, found, params, check_mode)


def main() -> None:
    """Ansible's entry point."""
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
        module.fail_json_aws(error, msg=f"The secret {module.params['name']} cannot be kept")
    module.exit_json(**answer)


if __name__ == "__main__":
    main()
