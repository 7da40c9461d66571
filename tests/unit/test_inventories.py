"""The inventories of AWS: inputs of roles by their names, and nothing that a role only registers."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.cloud import ROOT

INVENTORIES = ("staging", "production")
FILES = [path for name in INVENTORIES for path in (ROOT / "inventory" / name).rglob("group_vars/all/*.yml")]


def variables(name: str) -> dict[str, Any]:
    """Return the variables of an inventory."""
    found: dict[str, Any] = {}
    for path in FILES:
        if name in path.parts:
            found |= yaml.safe_load(path.read_text())
    return found


def registered() -> set[str]:
    """Return the names that tasks of roles register."""
    tasks = (ROOT / "roles").glob("*/tasks/*.yml")
    return {
        name for path in tasks for name in re.findall(r"^ *register: (\w+)$", path.read_text(), re.MULTILINE)
    }


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_inventory_uses_no_registered_variable(path: Any) -> None:
    assert set() == registered() & set(re.findall(r"\w+", path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-4]}-{path.stem}")
def test_inputs_begin_with_the_name_of_their_role(path: Any) -> None:
    if path.stem != "main":
        assert [] == [name for name in yaml.safe_load(path.read_text()) if not name.startswith(f"{path.stem}_")]


@pytest.mark.parametrize("name", INVENTORIES)
def test_inventory_gives_every_role_its_region(name: str) -> None:
    """A role looks for it in the environment otherwise, and a clean shell has none."""
    looking = [
        path.parts[-3]
        for path in (ROOT / "roles").glob("*/defaults/main.yml")
        if "Set AWS_REGION" in path.read_text()
    ]
    assert [] == [role for role in looking if f"{role}_region" not in variables(name)]
    assert 5 < len(looking)


def test_inventories_have_the_same_variables() -> None:
    """But for what one of them leaves at its default."""
    one, other = (set(variables(name)) for name in INVENTORIES)
    main = {
        "account_id",
        "region",
        "project",
        "env",
        "gallery_domain",
        "gallery_cloudfront",
        "permissions_boundary",
    }
    assert main <= one & other


@pytest.mark.parametrize("name", INVENTORIES)
def test_settings_of_captions_are_given_once_to_functions_and_hosts(name: str) -> None:
    """An operator who changed one of two copies had hosts that watched another model than the function used."""
    found = variables(name)
    hosts, functions = found["fleet_settings"], found["functions_caption_environment"]
    assert {"CAPTIONER"} <= set(found["gallery_captions"])
    assert set() == set(hosts) & set(functions)
    assert set() == set(found["gallery_captions"]) & {*hosts, *functions}
