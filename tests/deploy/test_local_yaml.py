"""The text of the roles: inputs, names, READMEs, and the names that they share with Python."""

from __future__ import annotations

import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cloud import ROOT
from tests.deploy.local_tools import PREFIX

FILES = ROOT / "roles/local_cloud/files"
ROLES = ("storage", "events", "functions", "local_cloud", "notices")
EVERY_ROLE = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
HEADINGS = ("Outcome", "Inputs", "What it leaves behind", "Idempotent?", "Check mode?", "Rollback")


def load(path: str) -> Any:
    """A YAML file of the repository."""
    return yaml.safe_load((ROOT / path).read_text())


def python(name: str) -> Any:
    """A module of the supervisor, which finds its neighbours as a script does."""
    sys.path.insert(0, str(FILES))
    try:
        return __import__(name)
    finally:
        sys.path.remove(str(FILES))


def options(role: str) -> dict[str, Any]:
    """The inputs that a role declares."""
    return load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]


@pytest.mark.parametrize("role", ROLES)
def test_role_inputs_are_declared_with_default_or_required(role: str) -> None:
    required = {name for name, option in options(role).items() if option.get("required")}
    assert set(options(role)) - required == set(load(f"roles/{role}/defaults/main.yml"))


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_role_inputs_have_type_and_description(role: str) -> None:
    assert [] == [
        name
        for name, option in options(role).items()
        if "type" not in option or not option["description"].endswith(".")
    ]


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_role_variables_have_the_roles_prefix(role: str) -> None:
    assert all(name.startswith(f"{role}_") for name in options(role))
    internals = ROOT / f"roles/{role}/vars/main.yml"
    names = load(str(internals)) if internals.exists() else {}
    assert [] == [name for name in names if not name.startswith(f"__{role}_")]


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_readmes_have_the_same_sections(role: str) -> None:
    text = (ROOT / f"roles/{role}/README.md").read_text()
    assert list(HEADINGS) == re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("role", ROLES)
def test_readmes_list_every_input(role: str) -> None:
    text = (ROOT / f"roles/{role}/README.md").read_text()
    assert set(options(role)) == set(re.findall(rf"^\| `({role}_\w+)`", text, re.MULTILINE))


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_readmes_name_inputs_facts_modules_and_task_files_that_exist(role: str) -> None:
    words = re.findall(r"`([^`\n]+)`", (ROOT / f"roles/{role}/README.md").read_text())
    variables = [word for word in words if re.fullmatch(rf"({'|'.join(EVERY_ROLE)})_\w+", word)]
    assert [] == sorted(set(variables) - known_names())
    files = [found[1] for word in words if (found := re.fullmatch(r"tasks_from:? (\w+)", word))]
    assert [] == [name for name in files if not (ROOT / f"roles/{role}/tasks/{name}.yml").exists()]


@pytest.mark.parametrize("role", EVERY_ROLE)
def test_readmes_give_the_default_that_the_role_has(role: str) -> None:
    """Defaults that are computed are described in words instead."""
    rows = re.findall(
        r"^\| `(\w+)` \| `([^`<]+)` \|", (ROOT / f"roles/{role}/README.md").read_text(), re.MULTILINE
    )
    defaults = {name: str(value).lower() for name, value in load(f"roles/{role}/defaults/main.yml").items()}
    given = {name: value.lower() for name, value in rows if "{{" not in defaults.get(name, "")}
    assert given == {name: defaults.get(name) for name in given}


@cache
def known_names() -> set[str]:
    """Return the inputs of all roles, the facts that they set for others, and their modules."""
    names = {path.stem for path in (ROOT / "roles").glob("*/library/*.py")}
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        names |= {
            name for entry in load(str(path))["argument_specs"].values() for name in entry.get("options", {})
        }
    for path in (ROOT / "roles").glob("*/tasks/*.yml"):
        for task in load(str(path)):
            names |= set(task.get("ansible.builtin.set_fact", {}))
    return names


@pytest.mark.parametrize("env", ["staging", "production"])
def test_inventory_gives_every_log_the_same_retention(env: str) -> None:
    found = [
        name for role in EVERY_ROLE for name in options(role) if re.search(r"_log_(retention_)?days$", name)
    ]
    files = (ROOT / f"inventory/{env}/group_vars/all").glob("*.yml")
    given = {name: value for path in files for name, value in (load(str(path)) or {}).items()}
    assert len(found) == 4
    assert dict.fromkeys(found, "{{ log_days }}") == {name: given.get(name) for name in found}


def test_network_creates_the_new_way_out_before_it_removes_the_old_one() -> None:
    """Interface endpoints exist before routes to NAT gateways go, and these go before the gateways."""
    tasks = load("roles/network/tasks/main.yml")
    order = [task.get("ansible.builtin.include_tasks") for task in tasks]
    assert ["nat.yml", "groups.yml", "endpoints.yml", "routes.yml", "unused.yml"] == order[-6:-1]
    for name in ("nat", "groups", "endpoints", "routes"):
        assert "state: absent" not in (ROOT / f"roles/network/tasks/{name}.yml").read_text()


def test_roles_contain_nothing_about_the_emulator() -> None:
    text = "".join(
        path.read_text()
        for role in ("storage", "events", "functions")
        for path in (ROOT / f"roles/{role}").rglob("*.yml")
    )
    assert not re.search(r"ministack|emulator|localhost|127\.0\.0\.1|AWS_ENDPOINT_URL", text)


def test_supervisor_passes_the_settings_of_the_inventory() -> None:
    names = load("inventory/local/group_vars/all/functions.yml")
    taken = names["local_function_setting_names"] + names["local_caption_setting_names"]
    assert sorted(python("checks").IMAGE_SETTINGS) == sorted(taken)


def test_supervisor_uses_the_prefix_of_the_inventory() -> None:
    names = load("inventory/local/group_vars/all/main.yml")
    assert f"{names['project']}-{names['env']}" == PREFIX == python("health").PREFIX


def test_reset_keeps_zips_tools_and_logs(tmp_path: Path) -> None:
    kept, gone = (
        ("dist/caption.zip", "tools/bin/uv", "logs/emulator.log"),
        ("gallery.db", "objects/1/x", "web.env"),
    )
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python("steps").reset(tmp_path)
    assert set(kept) == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}


def test_web_process_does_not_get_the_gemini_key(tmp_path: Path) -> None:
    (tmp_path / "web.env").write_text("UPLOADS_BUCKET=x\n")
    environ = python("steps").web_environ(tmp_path, {"GEMINI_API_KEY": "made-up", "GEMINI_MODEL": "m"}, 1)
    assert ("gemini", "m") == (environ["CAPTIONER"], environ["GEMINI_MODEL"])
    assert "made-up" not in environ.values()


def test_web_process_does_not_get_the_key_of_another_model(tmp_path: Path) -> None:
    """It chooses no captioner either."""
    (tmp_path / "web.env").write_text("UPLOADS_BUCKET=x\n")
    environ = python("steps").web_environ(tmp_path, {"OPENAI_API_KEY": "made-up", "OPENAI_MODEL": "m"}, 1)
    assert (None, "m") == (environ.get("CAPTIONER"), environ["OPENAI_MODEL"])
    assert "made-up" not in environ.values()


def test_deprecated_inputs_still_work_and_warn() -> None:
    """The new input takes its default from the old one, and the role warns when the old one is set."""
    found = {
        (role, name, replaced[1])
        for role in EVERY_ROLE
        for name, option in options(role).items()
        if (replaced := re.match(r"Deprecated; use (\w+)\.", option["description"]))
    }
    assert 5 == len(found)
    for role, old, new in found:
        assert f"{old} | default(" in load(f"roles/{role}/defaults/main.yml")[new]
        (warning,) = (task for task in load(f"roles/{role}/tasks/main.yml") if "deprecated" in task["name"])
        assert old in f"{warning}"
