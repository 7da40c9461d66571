"""The operator's policies: what they say, and whether they cover a call.

The policies are documents that AWS takes as they are, as many as its limit of 6,144 characters asks for. The
names in them begin with the project name; with another one, replace ``caption-gallery``.
"""

from __future__ import annotations

import fnmatch
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cloud import ROOT
from tests.deploy.security_rules import many

FOLDER = ROOT / "docs/operator"
LIMIT = 6144  # characters of a managed policy, white space not counted (IAM and STS quotas)
BOUNDARY = "caption-gallery-boundary"  # the managed policy that limits every role
RELEASE = FOLDER.parent / "release-policy.json"
ANSIBLE = "Ansible/"  # in the name that Ansible's modules give themselves


@dataclass(frozen=True, order=True)
class Judged:
    """A call that IAM judged: the action, and the ARN that it is about, ``*`` where it knows none."""

    action: str
    resource: str


def policies() -> dict[str, dict[str, Any]]:
    """Each policy of the operator by its name."""
    paths = [path for path in sorted(FOLDER.glob("*.json")) if path.stem != "boundary"]
    return {path.stem: json.loads(path.read_text()) for path in paths}


def boundary() -> dict[str, Any]:
    """Return the permissions boundary of the roles."""
    return dict(json.loads((FOLDER / "boundary.json").read_text()))


def create_boundary(iam: Any) -> None:
    """Create the boundary in an account, as an administrator does before the first run."""
    iam.create_policy(PolicyName=BOUNDARY, PolicyDocument=json.dumps(boundary()))


def statements() -> list[dict[str, Any]]:
    """Those of all policies."""
    return [statement for policy in policies().values() for statement in policy["Statement"]]


def actions() -> set[str]:
    """All that is granted, whatever on."""
    return {action for statement in statements() for action in many(statement["Action"])}


def covered(call: Judged) -> bool:
    """Whether a statement grants it. A call that names no resource is granted by any of its action's."""
    return any(
        call.action in many(statement["Action"])
        and (
            call.resource == "*"
            or any(fnmatch.fnmatchcase(call.resource, pattern) for pattern in many(statement["Resource"]))
        )
        for statement in statements()
    )


def judged(notes: Path, key: str, agent: str = "") -> list[Judged]:
    """The calls that somebody's key made, by programs whose name holds ``agent``; each once."""
    lines = [json.loads(line) for line in notes.read_text().splitlines()]
    mine = [line for line in lines if line["key"] == key and agent in line["agent"]]
    return sorted({Judged(line["action"], line["resource"]) for line in mine})


def denied(notes: Path, key: str) -> list[Judged]:
    """The calls of that key that were refused."""
    lines = [json.loads(line) for line in notes.read_text().splitlines()]
    return sorted(
        {Judged(line["action"], line["resource"]) for line in lines if line["key"] == key and line["denied"]}
    )


def size(text: str) -> int:
    """How long AWS takes a policy to be."""
    return len("".join(text.split()))
