#!/usr/bin/python
"""Sets a CloudWatch dashboard; no module of amazon.aws or community.aws knows dashboards."""

from __future__ import annotations

import json

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: metric_dashboard
short_description: Sets a CloudWatch dashboard
description:
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the dashboard.
    type: str
    required: true
  body:
    description: Its widgets, as CloudWatch describes them.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show something
  metric_dashboard:
    name: example
    body: {widgets: [{type: text, x: 0, y: 0, width: 24, height: 2, properties: {markdown: Hello}}]}
"""

RETURN = r""" # """


def current(client, name: str) -> dict | None:
    """What the dashboard says; None where there is none."""
    for page in client.get_paginator("list_dashboards").paginate(DashboardNamePrefix=name):
        if any(entry["DashboardName"] == name for entry in page["DashboardEntries"]):
            return json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"])
    return None


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={"name": {"type": "str", "required": True}, "body": {"type": "dict", "required": True}},
        supports_check_mode=True,
    )
    client, name, body = module.client("cloudwatch"), module.params["name"], module.params["body"]
    try:
        changed = current(client, name) != body
        if changed and not module.check_mode:
            answer = client.put_dashboard(DashboardName=name, DashboardBody=json.dumps(body))
            if messages := answer.get("DashboardValidationMessages"):
                module.fail_json(msg=f"CloudWatch does not like the dashboard {name}: {messages[0]['Message']}")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The dashboard {name} cannot be set")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
