"""The order of site.yml: nothing before the preflight, no host before the schema that it needs."""

from __future__ import annotations

from typing import Any

import yaml

from tests.cloud import ROOT


def playbook(name: str) -> list[dict[str, Any]]:
    """Return the plays of a playbook."""
    return list(yaml.safe_load((ROOT / f"playbooks/{name}.yml").read_text()))


def included(name: str) -> list[tuple[str, str]]:
    """Return role and task file of each task of a playbook's plays, in order."""
    tasks = [task for play in playbook(name) for task in play.get("tasks", [])]
    roles = [task["ansible.builtin.import_role"] for task in tasks if "ansible.builtin.import_role" in task]
    return [(role["name"], role.get("tasks_from", "main")) for role in roles]


def test_site_begins_with_the_preflight_and_ends_with_the_hosts() -> None:
    imported = [play["ansible.builtin.import_playbook"] for play in playbook("site")]
    assert ["preflight.yml", "provision.yml", "publish.yml", "bake.yml", "release.yml"] == imported


def test_migrations_are_applied_before_functions_and_hosts() -> None:
    published = included("publish")
    assert published.index(("database", "migrate")) < published.index(("functions", "main"))
    # A host starts with the group, which only release.yml creates and changes: after publish.yml, as above.
    creating = [
        name for name in ("provision", "publish", "bake", "release") if ("fleet", "main") in included(name)
    ]
    assert ["release"] == creating
