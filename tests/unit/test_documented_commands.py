"""The commands of the documents can be run as they are written: programs, files, targets and flags exist."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from imgcore.cli import main as cli
from tests.load.imgload import options
from tests.support.documents import ACTIVATION, PAGES, ROOT, Command, commands

COMMANDS = [command for page in PAGES for command in commands(page)]
BLOCKS = [command for command in COMMANDS if command.block]
BUILT_INTO_SHELLS = {"cd", "export", "read", "unset"}
OF_THE_SYSTEM = {"apt-get", "brew", "cp", "curl", "git", "sudo"}
MAKEFILE = (ROOT / "Makefile").read_text().replace("$(VENV)", ".venv")
TARGETS = set(re.findall(r"^([a-z][a-z-]*|\.venv/\S+):", MAKEFILE, re.MULTILINE))


def check_make(arguments: list[str]) -> None:
    """Targets of the Makefile, or assignments."""
    assert [] == [word for word in arguments if word not in TARGETS and not re.match("[A-Z]+=", word)]


def check_ansible_playbook(arguments: list[str]) -> None:
    """Flags that ansible-playbook knows, files that exist, tags that a role or playbook bears."""
    from ansible.cli.playbook import PlaybookCLI

    parser = PlaybookCLI(["ansible-playbook", *arguments])
    parser.init_parser()
    parsed = parser.parser.parse_args(arguments)
    for path in (*parsed.args, *parsed.inventory):
        assert (ROOT / path).exists(), path
    tagged = [*(ROOT / "playbooks").glob("*.yml"), *(ROOT / "roles").rglob("*.yml")]
    for tag in parsed.tags or []:
        assert any(re.search(rf"tags: .*\b{tag}\b", path.read_text()) for path in tagged), tag


def check_imgcore(arguments: list[str]) -> None:
    """Commands and flags that the parser takes."""
    parsed = cli._parser().parse_args(arguments)
    assert callable(parsed.run)


def check_imgload(arguments: list[str]) -> None:
    """Flags and an address that the parser takes."""
    assert options.parse(arguments).target is not None


def check_python(arguments: list[str]) -> None:
    """A module that can be found, code that compiles, or a file that exists."""
    if arguments[0] == "-m":
        assert importlib.util.find_spec(arguments[1]) is not None
    elif arguments[0] == "-c":
        compile(arguments[1], "command", "exec")
    else:
        assert (ROOT / arguments[0]).exists()


def check_activation(arguments: list[str]) -> None:
    """The environment's own script, which `make venv` makes."""
    assert [".venv/bin/activate"] == arguments


def check_node(arguments: list[str]) -> None:
    option, *files = arguments
    assert option == "--test"
    assert [name for name in files if not (ROOT / name).is_file()] == []


def check_aws(arguments: list[str]) -> None:
    """An operation of AWS with values for parameters that it has, among them all that it requires."""
    import botocore.session
    from botocore import xform_name

    service, operation, *options = arguments
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    given = {members[option.removeprefix("--")] for option in options[::2]}
    assert given >= set(shape.required_members)
    for value in options[1::2]:
        if value.startswith("file://"):
            assert (ROOT / value.removeprefix("file://")).exists(), value


CHECKS = {
    "aws": check_aws,
    "node": check_node,
    "make": check_make,
    "ansible-playbook": check_ansible_playbook,
    "imgcore": check_imgcore,
    "imgload": check_imgload,
    "python": check_python,
    ".": check_activation,
}


def test_pages_hold_commands() -> None:
    """A change of the pages' format must not leave the other tests without commands."""
    assert len(BLOCKS) > 15
    assert {"make", "ansible-playbook", "imgcore", "imgload", "."} <= {command.words[0] for command in BLOCKS}


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_command_is_accepted(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    program, *arguments = command.words
    try:
        if check := CHECKS.get(program.removeprefix(".venv/bin/")):
            check(arguments)
        else:
            assert program in BUILT_INTO_SHELLS | OF_THE_SYSTEM, f"nothing checks {program}"
    except SystemExit as ended:  # argparse's way of refusing; --help ends with 0
        if ended.code:
            pytest.fail(capsys.readouterr().err)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_blocks_are_valid_shell(page: Path) -> None:
    text = "\n".join(command.text for command in commands(page) if command.block)
    bash = shutil.which("bash") or "sh"
    assert "" == subprocess.run([bash, "-n"], input=text, text=True, capture_output=True).stderr


@pytest.mark.parametrize("command", BLOCKS, ids=str)
def test_programs_of_the_environment_follow_its_activation(command: Command) -> None:
    """A new terminal does not find the programs otherwise."""
    if (Path(sys.executable).parent / command.words[0]).exists():
        assert command.activated, f"the page needs a line {ACTIVATION!r} before it"


def test_command_on_a_web_host_has_its_user_and_paths() -> None:
    role = yaml.safe_load((ROOT / "roles/web_host/defaults/main.yml").read_text())
    [block] = re.findall(
        r"^sudo systemd-run (.*?)^```", (ROOT / "docs/accounts.md").read_text(), re.DOTALL | re.M
    )
    words = shlex.split(block.replace("\\\n", " "))
    assert f"--uid={role['web_host_user']}" in words
    assert f"--property=EnvironmentFile={role['web_host_settings_dir']}/environment" in words
    assert f"--working-directory={role['web_host_home']}/current" in words
    program = words.index(f"{role['web_host_home']}/current/venv/bin/python")
    assert ["-I", "-m", "imgcore"] == words[program + 1 : program + 4]
    check_imgcore(words[program + 4 :])
