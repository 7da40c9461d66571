#!/usr/bin/python
"""Manage a CloudWatch dashboard.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) manages dashboards.
"""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: metric_dashboard
short_description: Create or update a CloudWatch dashboard
description:
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the dashboard.
    type: str
    required: true
  body:
    description: Body of the dashboard in CloudWatch's format.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Create a dashboard with a text
  metric_dashboard:
    name: example
    body: {widgets: [{type: text, x: 0, y: 0, width: 24, height: 2, properties: {markdown: Hello}}]}
"""

RETURN = r""" # """


def current(client: Any, name: str) -> dict[str, Any] | None:
    """Return the body of the dashboard, or None if it does not exist."""
    for page in client.get_paginator("list_dashboards").paginate(DashboardNamePrefix=name):
        if any(entry["DashboardName"] == name for entry in page["DashboardEntries"]):
            return dict(json.loads(client.get_dashboard(DashboardName=name)["DashboardBody"]))
    return None


def main() -> None:
    """Run the module."""
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
                module.fail_json(msg=f"CloudWatch rejects the dashboard {name}: {messages[0]['Message']}")
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage the dashboard {name}")
    module.exit_json(changed=changed)


if __name__ == "__main__":
    main()
