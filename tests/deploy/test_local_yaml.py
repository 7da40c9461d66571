"""The roles of the laptop's cloud as text: doors, names, readmes, and what they share with Python."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cloud import ROOT
from tests.deploy.local_tools import PREFIX

FILES = ROOT / "roles/local_cloud/files"
ROLES = ("storage", "events", "functions", "local_cloud")
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
def test_every_input_is_declared_and_has_a_default_or_is_required(role: str) -> None:
    """The declared inputs are the defaults, and beside them those that fail early."""
    required = {name for name, option in options(role).items() if option.get("required")}
    assert set(options(role)) - required == set(load(f"roles/{role}/defaults/main.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_every_input_says_what_it_is(role: str) -> None:
    """In a sentence, with a type."""
    assert [] == [
        name
        for name, option in options(role).items()
        if "type" not in option or not option["description"].endswith(".")
    ]


@pytest.mark.parametrize("role", ROLES)
def test_inputs_begin_with_the_role_and_internals_with_two_underscores(role: str) -> None:
    """So that nothing of one role is taken for another's."""
    assert all(name.startswith(f"{role}_") for name in options(role))
    assert all(name.startswith(f"__{role}_") for name in load(f"roles/{role}/vars/main.yml"))


@pytest.mark.parametrize("role", ROLES)
def test_readmes_answer_the_same_questions(role: str) -> None:
    """In the same order."""
    text = (ROOT / f"roles/{role}/README.md").read_text()
    assert list(HEADINGS) == re.findall(r"^## (.+)$", text, re.MULTILINE)


@pytest.mark.parametrize("role", ROLES)
def test_readmes_name_every_input(role: str) -> None:
    """And nothing that is none."""
    text = (ROOT / f"roles/{role}/README.md").read_text()
    assert set(options(role)) == set(re.findall(rf"^\| `({role}_\w+)`", text, re.MULTILINE))


def test_the_emulator_is_told_apart_by_no_word_in_the_roles() -> None:
    """What AWS gets is what the laptop gets."""
    text = "".join(
        path.read_text()
        for role in ("storage", "events", "functions")
        for path in (ROOT / f"roles/{role}").rglob("*.yml")
    )
    assert not re.search(r"ministack|emulator|localhost|127\.0\.0\.1|AWS_ENDPOINT_URL", text)


def test_the_supervisor_passes_on_what_the_inventory_takes() -> None:
    """The same settings, by the same names."""
    names = load("inventory/local/group_vars/all/functions.yml")
    taken = names["local_function_setting_names"] + names["local_caption_setting_names"]
    assert sorted(python("checks").WISHES) == sorted(taken)


def test_the_supervisor_looks_for_the_names_that_the_inventory_gives() -> None:
    """Project and environment."""
    names = load("inventory/local/group_vars/all/main.yml")
    assert f"{names['project']}-{names['env']}" == PREFIX == python("standing").PREFIX


def test_a_reset_leaves_what_was_downloaded(tmp_path: Path) -> None:
    """Photographs, captions and the cloud go; zips, tools and logs stay."""
    kept, gone = (
        ("dist/caption.zip", "tools/bin/uv", "logs/cloud.log"),
        ("gallery.db", "objects/1/x", "web.env"),
    )
    for name in kept + gone:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    python("steps").reset(tmp_path)
    assert set(kept) == {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}


def test_the_web_process_never_sees_the_key(tmp_path: Path) -> None:
    """It is told that Gemini describes, and not how."""
    (tmp_path / "web.env").write_text("UPLOADS_BUCKET=x\n")
    environ = python("steps").web_environ(tmp_path, {"GEMINI_API_KEY": "made-up", "GEMINI_MODEL": "m"}, 1)
    assert ("gemini", "m") == (environ["CAPTIONER"], environ["GEMINI_MODEL"])
    assert "made-up" not in environ.values()
