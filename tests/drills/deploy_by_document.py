"""The commands of docs/deploy.md and docs/release.md, in their order, in an empty account of a slow AWS.

``python -m tests.drills.deploy_by_document [--seed 1]`` reads the commands from the pages: those of ``sh``
blocks, and ``ansible-playbook …`` and ``aws …`` within sentences. The playbooks run as an operator who has what
the page gives him: its policies, attached by its ``aws`` commands. An administrator runs those until the
operator has a key, the operator the later ones; botocore carries them out. It prints a line for each command,
and for each that it leaves out the reason. It ends with 1 where a command fails, a call is denied, ``--check``
writes, or the last one leaves something that is billed.
"""

from __future__ import annotations

import argparse
import json
import re
import shlex
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore import xform_name

from tests.cloud import ROOT
from tests.deploy.gallery_stand_in import DONE, gallery
from tests.deploy.provision_account import CANARY, ID, REGION, Account, account, now, recap
from tests.deploy.security_operator import actions, denied
from tests.deploy.security_rules import many
from tests.drills.security_operator import BLIND
from tests.support import guarded
from tests.support.documents import Command, commands

PAGES = ("docs/deploy.md", "docs/release.md")
AWS = re.compile(r"`(aws [a-z0-9]+ [a-z-]+ [^`…<]*)`")
# What the page tells the reader to put into the inventory, and what replaces packing and machines here.
VARIABLES: dict[str, Any] = {"account_id": ID, "region": REGION}
LEFT_OUT = {
    "make": "sets up .venv, which runs this",
    ".": "activates .venv, which runs this",
    "export": "the operator's access key is in the environment",
    "read": "a made-up key is in the environment",
    "unset": "the key is given to the command before only",
    "bake.yml": "needs a machine with SSH: python -m tests.drills.releases",
}


@dataclass
class Reader:
    """A reader who follows the pages. keys: the operator's access key, once he has his policies."""

    aws: Account
    keys: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def follow(self) -> None:
        """Run each command of the pages; those that remove everything come last."""
        found = [each for page in PAGES for each in written(page)]
        for where, text in sorted(found, key=lambda each: "destroy.yml" in each[1]):
            words = shlex.split(text, comments=True)
            start = time.monotonic()
            if reason := next((LEFT_OUT[name] for name in LEFT_OUT if left_out(name, words)), None):
                print(f"{where}: {' '.join(words)}\n    left out: {reason}", flush=True)
                continue
            said = self.call(words) if words[0] == "aws" else self.play(words)
            print(f"{where}: {' '.join(words)}\n    {said}, {time.monotonic() - start:.0f} s", flush=True)

    def call(self, words: list[str]) -> str:
        """Carry out a command of the AWS command line, as root until there is a key; raise if it is refused."""
        client = self.aws.client_of(self.keys, words[1]) if self.keys else self.aws.client(words[1])
        names = {xform_name(name, "-"): name for name in client.meta.service_model.operation_names}
        model = client.meta.service_model.operation_model(names[words[2]])
        members = {xform_name(name, "-"): name for name in model.input_shape.members}
        given: dict[str, Any] = {}
        for option, value in zip(words[3::2], words[4::2], strict=True):
            name = members[option.removeprefix("--")]
            text = (ROOT / value.removeprefix("file://")).read_text() if value.startswith("file://") else value
            text = text.replace("000000000000", ID)
            given[name] = [text] if model.input_shape.members[name].type_name == "list" else text
        answer = getattr(client, xform_name(names[words[2]]))(**given)
        if words[2] == "create-access-key":
            key = answer["AccessKey"]
            self.keys = {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            }
            see_blindly(client, given["UserName"])
        return "done"

    def play(self, words: list[str]) -> str:
        """Run a playbook as the operator."""
        inventory = words.pop(words.index("-i") + 1)
        words.remove("-i")
        playbook, arguments = words[1], words[2:]
        environ = {**self.keys, "GALLERY_API_KEY": "a-key-of-the-gallery"}
        if "site.yml" in playbook:
            environ["GEMINI_API_KEY"] = CANARY
        more = {"smoke_pause_seconds": 1, "smoke_timeout_seconds": 60} if "smoke" in playbook else {}
        started = now()
        with gallery(DONE) as stand_in:
            if more:
                more["smoke_url"] = stand_in.url
            done = self.aws.ansible(playbook, *arguments, environ=environ, **more)
        unconfirmed = "destroy.yml" in playbook and not any("confirm=" in word for word in arguments)
        if unconfirmed and "Nothing was deleted." in done.stdout:
            return f"{inventory}: refused without a confirmation"
        if done.returncode or unconfirmed:
            self.problems.append(f"{playbook} failed")
            return f"FAILED: {done.stdout[-2500:]}{done.stderr[-500:]}"
        if "--check" in arguments and (writes := self.aws.writes(started)):
            self.problems.append(f"{playbook} --check wrote: {', '.join(writes)}")
        counts = recap(done)
        return f"{inventory}: ok={counts['ok']} changed={counts['changed']}"


def see_blindly(iam: Any, user: str) -> None:
    """Grant the actions of the policies on everything where the emulator does not know a call's resource."""
    everything = json.loads((ROOT / "docs/release-policy.json").read_text())["Statement"]
    more = {action for statement in everything for action in many(statement["Action"])}
    blind = sorted(action for action in actions() | more if action.startswith((*BLIND, "autoscaling")))
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": blind, "Resource": "*"}]}
    arn = iam.create_policy(PolicyName="blind", PolicyDocument=json.dumps(policy))["Policy"]["Arn"]
    iam.attach_user_policy(UserName=user, PolicyArn=arn)


def written(page: str) -> Iterator[tuple[str, str]]:
    """Yield place and text of each command of a page, in its order."""
    path = ROOT / page
    found = [(command.line, command.text) for command in commands(path) if runs(command)]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found += [(number, text) for text in AWS.findall(line)]
    for number, text in sorted(found):
        yield f"{path.name}:{number}", text


def runs(command: Command) -> bool:
    """Return whether the drill runs a command: what is pasted, and within sentences playbooks but site.yml."""
    return command.block or (command.words[0] == "ansible-playbook" and "site.yml" not in command.words)


def left_out(name: str, words: list[str]) -> bool:
    """Return whether these words are a command of that name, or run that playbook."""
    return words[0] == name or any(word.endswith(f"/{name}") for word in words)


def main(seed: int) -> int:
    """Run it; return 1 where something is wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="by-document-") as folder,
        account(Path(folder), "production", slow=seed, fleet=True, boundary=False, **VARIABLES) as aws,
    ):
        reader = Reader(aws)
        reader.follow()
        if reader.keys:
            refused = denied(aws.calls, reader.keys["AWS_ACCESS_KEY_ID"])
            reader.problems += [f"denied: {call.action} {call.resource}" for call in refused]
        else:
            reader.problems.append("the page creates no key for the operator")
        # The page says that a last snapshot of the database is kept
        kept = "database_snapshot"
        left = [item["name"] for item in aws.resources() if item["bills"] and item["kind"] != kept]
        if left:
            reader.problems.append(f"destroy.yml left {', '.join(left)}")
        met = aws.states_met()
        print(f"{sum(met.values())} calls met {len(met)} states of a slow AWS")
    print("\n".join(reader.problems) or "every command did what the page says")
    return int(bool(reader.problems))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    sys.exit(guarded.until_terminated(lambda: main(given.seed)))
