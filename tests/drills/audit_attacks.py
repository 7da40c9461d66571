"""The attacks of the security audit of November 2026, against the audited commit and against the working tree.

::

    python -m tests.drills.audit_attacks                 # both; exports 346cd09 and creates its environment
    python -m tests.drills.audit_attacks --only present  # the working tree alone
    python -m tests.drills.audit_attacks --item 6        # the attacks of one item of the audit

Starts each gallery as `make run` does, with accounts, on a free port, and attacks it over HTTP; item 1 attacks
from a page of another origin in Chromium. Prints a table. Ends with 1 where an attack fails at the audited
commit, because then it shows nothing, or where it succeeds now. Runs as root on Linux: the objects are on a
small disk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.drills.audit_client import ROOT, Audited, audited, tree_of
from tests.drills.audit_credentials import ATTACKS as CREDENTIALS
from tests.drills.audit_services import ATTACKS as SERVICES

COMMIT = "346cd09"


@dataclass(frozen=True)
class Outcome:
    """What an attack did to one gallery."""

    succeeded: bool
    seen: str


def attack(tree: Path, item: str | None) -> dict[str, Outcome]:
    """Start the gallery of a tree and attack it; return the outcomes by the names of the attacks."""
    found = {}
    with audited(tree) as gallery:
        for name, run in _attacks(item):
            succeeded, seen = run(gallery)
            found[name] = Outcome(succeeded, seen)
            print(f"  {name}: {'succeeds' if succeeded else 'refused'}: {seen}", flush=True)
    return found


def _attacks(item: str | None) -> list[tuple[str, Callable[[Audited], tuple[bool, str]]]]:
    """Return the attacks in their order: the last ones leave nothing to attack."""
    listed = [*CREDENTIALS.items(), *SERVICES.items()]
    return [(name, run) for name, run in listed if item is None or name.split()[0] == f"{item}."]


def main() -> int:
    """Attack both; return 1 where a claim does not hold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commit", default=COMMIT, help="the audited commit")
    parser.add_argument("--only", choices=["audited", "present"])
    parser.add_argument("--item", help="of the audit, such as 6")
    given = parser.parse_args()
    before: dict[str, Outcome] = {}
    now: dict[str, Outcome] = {}
    if given.only != "present":
        with tree_of(given.commit) as tree:
            print(f"{given.commit}:", flush=True)
            before = attack(tree, given.item)
    if given.only != "audited":
        print("working tree:", flush=True)
        now = attack(ROOT, given.item)
    print(f"\n| Attack | {given.commit} | now |\n|---|---|---|")
    for name, _ in _attacks(given.item):
        print(f"| {name} | {_cell(before.get(name))} | {_cell(now.get(name))} |")
    harmless = [name for name, outcome in before.items() if not outcome.succeeded]
    harmful = [name for name, outcome in now.items() if outcome.succeeded]
    print(f"\n{len(before) - len(harmless)} of {len(before)} succeed at {given.commit}, {len(harmful)} now")
    return 1 if harmless or harmful else 0


def _cell(outcome: Outcome | None) -> str:
    return "not run" if outcome is None else f"{'succeeds' if outcome.succeeded else 'refused'}: {outcome.seen}"


if __name__ == "__main__":
    sys.exit(main())
