"""site.yml with web hosts, a release and destroy.yml on an AWS that is slow and throttles, for several seeds.

Every fifth seed serves a domain name without CloudFront: its web ACL belongs to the load balancer.

``python -m tests.drills.slow_aws [--first 1] [--count 20] [--results FILE]`` prints for each seed what failed,
and how often each state was met. The file keeps a line for each seed that passed, so that an interrupted drill
goes on where it was. It ends with 1 where a playbook fails, destroy.yml leaves something that is billed, or a
state was never met.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from roles.local_cloud.files.children import ProcessFailed
from tests.deploy.provision_account import CANARY, PROJECT, Account, account, create_image
from tests.deploy.slowness import STATES
from tests.drills.security_operator import PLACES
from tests.support import guarded
from tests.support.ansible import api_calls

DESTROY = {"confirm": PROJECT, "teardown_final_snapshot": False}
DOMAIN = PLACES["production"]
NEXT = "r2"  # the release of the hosts that follows
# What a run and a removal do not meet: names that are used again at once.
AGAIN = {"bucket's name just deleted", "queue just deleted"}


@dataclass(frozen=True)
class Life:
    """What became of one seed."""

    seed: int
    problems: list[str]
    met: dict[str, int]  # how many calls were refused, by state
    calls: int = 0  # how many were checked against AWS's constraints: a module that breaks one fails


def main(first: int, count: int, results: Path | None) -> int:
    """Run it, one seed for each processor; 0 where every seed passes and every state was met."""
    lives = [life for life in known(results) if first <= life.seed < first + count]
    missing = sorted(set(range(first, first + count)) - {life.seed for life in lives})
    with ThreadPoolExecutor(os.cpu_count()) as pool, ExitStack() as ending:
        ending.callback(pool.shutdown, wait=False, cancel_futures=True)
        for ended in as_completed([pool.submit(lived, seed) for seed in missing]):
            life = ended.result()
            lives.append(life)
            if results and not life.problems:
                with results.open("a", encoding="utf-8") as lines:
                    lines.write(json.dumps(asdict(life)) + "\n")
            print(f"seed {life.seed}: {'; '.join(life.problems) or 'passed'}", flush=True)
    total: Counter[str] = Counter()
    for life in lives:
        total.update(life.met)
    for name, number in sorted(total.items()):
        print(f"  {number:5} {name}")
    failed = [life.seed for life in lives if life.problems]
    never = {state.name for state in STATES} - set(total) - AGAIN
    print(f"{len(lives) - len(failed)} of {len(lives)} seeds passed; failed: {failed or 'none'}")
    print(f"{sum(life.calls for life in lives)} calls checked, {total.total()} of them refused")
    print(f"states never met: {', '.join(sorted(never)) or 'none'}")
    return int(bool(failed or never))


def known(results: Path | None) -> list[Life]:
    """Return the seeds that a file has."""
    if results is None or not results.exists():
        return []
    return [Life(**json.loads(line)) for line in results.read_text().splitlines()]


def lived(seed: int) -> Life:
    """Create an environment, release other hosts, and remove it. A failure of the drill is a problem too."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix="slow-") as folder,
            account(Path(folder), slow=seed, fleet=True, **({} if seed % 5 else DOMAIN)) as aws,
        ):
            problems = list(problems_of(aws))
            with api_calls(aws.home).open(encoding="utf-8") as lines:
                return Life(seed, problems, dict(aws.states_met()), sum(1 for _ in lines))
    except (OSError, RuntimeError, ProcessFailed, subprocess.SubprocessError) as error:
        return Life(seed, [f"{type(error).__name__}: {error}"[:1500]], {})


def problems_of(aws: Account) -> Iterator[str]:
    """Yield what goes wrong."""
    done = aws.ansible("site.yml", environ={"GEMINI_API_KEY": CANARY})
    if done.returncode:
        yield f"site.yml: {done.stdout[-1500:]}"
    else:
        create_image(aws, NEXT)
        done = aws.ansible("playbooks/release.yml", ami_release=NEXT, release=NEXT)
        if done.returncode:
            yield f"release.yml: {done.stdout[-1500:]}"
    done = aws.ansible("playbooks/destroy.yml", **DESTROY)
    if done.returncode:
        yield f"destroy.yml: {done.stdout[-1500:]}"
    elif left := [item["name"] for item in aws.resources() if item["bills"]]:
        yield f"destroy.yml left {', '.join(left)}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    raise SystemExit(guarded.until_terminated(lambda: main(given.first, given.count, given.results)))
