"""The role bastion: another key replaces the bastion, and key pairs go when nothing uses them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.plays import answers, run_tasks
from tests.deploy.provision_account import PREFIX, Account, account, changed

pytestmark = pytest.mark.timeout(600)

NAME = f"{PREFIX}-bastion"
OTHERS = f"{NAME}-of-others"
KEYS = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + letter * 43 for letter in "AB"]


def run(aws: Account, key: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the role with a public key."""
    given = {"bastion_enabled": True, "bastion_cidr": "203.0.113.7/32", "bastion_public_key": key}
    done = aws.ansible("playbooks/provision.yml", "--tags", "bastion", *arguments, **(given | variables))
    assert 0 == done.returncode, done.stdout[-3000:] + done.stderr[-1000:]
    return done


def bastions(aws: Account) -> dict[str, str]:
    """Return the IDs of the bastions that run, with the names of their key pairs."""
    wanted = [
        {"Name": "tag:Name", "Values": [NAME]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    reservations = aws.client("ec2").describe_instances(Filters=wanted)["Reservations"]
    return {host["InstanceId"]: host["KeyName"] for each in reservations for host in each["Instances"]}


def key_pairs(aws: Account) -> set[str]:
    """Return the names of the key pairs."""
    return {pair["KeyName"] for pair in aws.client("ec2").describe_key_pairs()["KeyPairs"]}


@dataclass
class History:
    """The bastions and the key pairs after each run, and what the second run changed."""

    bastions: list[dict[str, str]]
    key_pairs: list[set[str]]
    changed: list[str]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """A first key, the same one with another comment, a second key, and no bastion.

    A launch template names the first key pair until the last run.
    """
    with account(tmp_path_factory.mktemp("bastion")) as aws:
        ec2, seen = aws.client("ec2"), History([], [], [])

        def look(done: subprocess.CompletedProcess[str]) -> list[str]:
            seen.bastions.append(bastions(aws))
            seen.key_pairs.append(key_pairs(aws))
            return changed(done)

        done = aws.ansible("playbooks/provision.yml", "--tags", "network")
        assert 0 == done.returncode, done.stdout[-3000:]
        ec2.import_key_pair(KeyName=OTHERS, PublicKeyMaterial=KEYS[1].encode())
        look(run(aws, KEYS[0]))
        seen.changed = look(run(aws, f"{KEYS[0]} another comment"))
        [key] = bastions(aws).values()
        template = {"LaunchTemplateName": f"{PREFIX}-web"}
        ec2.create_launch_template(**template, LaunchTemplateData={"ImageId": "ami-1", "KeyName": key})
        look(run(aws, KEYS[1]))
        ec2.delete_launch_template(**template)
        look(run(aws, KEYS[1], bastion_enabled=False))
        yield seen


def test_another_comment_of_the_key_changes_nothing(history: History) -> None:
    assert [] == history.changed
    assert history.bastions[0] == history.bastions[1]


def test_another_key_replaces_the_bastion(history: History) -> None:
    (old, old_key), (new, new_key) = (
        found.popitem() for found in (dict(each) for each in history.bastions[1:3])
    )
    assert old != new
    assert old_key != new_key
    assert {new_key, OTHERS} <= history.key_pairs[2]


def test_key_pair_is_kept_while_a_launch_template_names_it(history: History) -> None:
    [key] = history.bastions[0].values()
    assert [True, True, True, False] == [key in found for found in history.key_pairs]


def test_disabled_bastion_and_its_key_pair_are_removed(history: History) -> None:
    assert {} == history.bastions[3]
    assert {OTHERS} == history.key_pairs[3]


@pytest.mark.parametrize("own", [{}, {"bastion_name": "jump"}, {"bastion_key_name": "team"}], ids=str)
def test_hosts_accept_the_key_pair_of_the_bastion(own: dict[str, str], tmp_path: Path) -> None:
    """The fleet comes first: a release does not run the role bastion, whose defaults it then lacks."""
    given = {
        "bastion_enabled": True,
        "bastion_cidr": "203.0.113.7/32",
        "bastion_public_key": f"{KEYS[0]} me",
        "fleet_image_id": "ami-1",
        "fleet_release": "r1",
        "fleet_settings": {},
        "release": "r1",
    }
    tasks: list[dict[str, Any]] = []
    for number, role in enumerate(("fleet", "bastion")):
        included = {"name": role, "tasks_from": "validate", "public": True}
        shown = {"msg": f"{number}: {{{{ {role}_key_name }}}}"}
        tasks += [{"ansible.builtin.include_role": included}, {"ansible.builtin.debug": shown}]
    output = run_tasks(tasks, "-e", json.dumps(given | own), home=tmp_path)
    hosts, bastion = answers(output, 2)
    assert bastion == hosts
    assert bastion.startswith(own.get("bastion_key_name") or own.get("bastion_name", NAME) + "-")
