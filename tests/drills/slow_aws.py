"""site.yml, with web hosts, and destroy.yml on an AWS that is slow and throttles, for several seeds.

``python -m tests.drills.slow_aws [FIRST [COUNT]]`` prints for each seed how often each state was met. It ends
with 1 where a playbook fails, destroy.yml leaves something that is billed, or a state was never met.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.deploy.provision_account import CANARY, PROJECT, Account, account
from tests.deploy.slowness import STATES

DESTROY = {"confirm": PROJECT, "teardown_final_snapshot": False}
# What a run and a removal do not meet: names that are used again at once.
AGAIN = {"bucket's name just deleted", "queue just deleted"}


def main(first: int, count: int) -> int:
    """Run it, two seeds at a time; 0 where every seed passes and every state was met."""
    total: Counter[str] = Counter()
    failed = []
    with ThreadPoolExecutor(2) as pool:
        for seed, problems, met in pool.map(life, range(first, first + count)):
            print(f"seed {seed}: {'; '.join(problems) or 'passed'}; {met.total()} refusals", flush=True)
            total += met
            failed += problems
    for name, number in sorted(total.items()):
        print(f"  {number:5} {name}")
    never = {state.name for state in STATES} - set(total) - AGAIN
    print(f"states never met: {', '.join(sorted(never)) or 'none'}")
    return int(bool(failed or never))


def life(seed: int) -> tuple[int, list[str], Counter[str]]:
    """Create an environment and remove it; return the seed, what went wrong, and the states that were met."""
    with (
        tempfile.TemporaryDirectory(prefix="slow-") as folder,
        account(Path(folder), slow=seed, fleet=True) as aws,
    ):
        return seed, list(problems_of(aws)), aws.states_met()


def problems_of(aws: Account) -> Iterator[str]:
    """Yield what goes wrong."""
    done = aws.ansible("site.yml", environ={"GEMINI_API_KEY": CANARY})
    if done.returncode:
        yield f"site.yml: {done.stdout[-1500:]}"
    done = aws.ansible("playbooks/destroy.yml", **DESTROY)
    if done.returncode:
        yield f"destroy.yml: {done.stdout[-1500:]}"
    elif left := [item["name"] for item in aws.resources() if item["bills"]]:
        yield f"destroy.yml left {', '.join(left)}"


if __name__ == "__main__":
    numbers = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [1, 20][len(numbers) :])))
