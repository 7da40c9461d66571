"""site.yml, killed with SIGKILL at random tasks and run again: ``python -m tests.drills.site_killed``.

An account is made without a disturbance first. Then others are made by runs that are killed, each at a later
task than the one before (the first of each account from nothing), until a last one may end. All must hold the
same resources with the same settings. Ends with 1 where they do not.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.cloud import ROOT
from tests.deploy.described import Described, differences
from tests.deploy.provision_account import Account, account, recap


def killed(aws: Account, number: int, seconds: float) -> str:
    """Run site.yml; kill it, with all that it started, so many seconds after a task began; the task's name.

    :param number: which task, from 1.
    :raises ValueError: the run has no such task.
    """
    with subprocess.Popen(
        aws.command("site.yml"),
        cwd=ROOT,
        env=aws.ansible_environ(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    ) as run:
        assert run.stdout is not None
        seen, last = 0, ""
        for line in run.stdout:
            last = line if line.strip() else last
            if task := re.match(r"TASK \[(.*?)\] \**$", line):
                seen += 1
                if seen == number:
                    time.sleep(seconds)
                    os.killpg(run.pid, signal.SIGKILL)
                    run.stdout.read()
                    return task[1]
    raise ValueError(f"The run ended after {seen} tasks: {last}")


def undisturbed(home: Path) -> tuple[Described, int]:
    """What an account holds after one run, and how many tasks that took."""
    with account(home) as aws:
        done = aws.ansible("site.yml")
        assert recap(done)["failed"] == 0
        return aws.described(), len(re.findall(r"^TASK \[", done.stdout, re.MULTILINE))


def chain(aws: Account, numbers: list[int], chance: random.Random) -> list[str]:
    """Run and kill at each of these tasks in turn, then run to the end; where it was killed."""
    names = []
    for number in numbers:
        names.append(killed(aws, number, chance.uniform(0, 0.4)))
        print(f"    killed at task {number}: {names[-1]}", flush=True)
    done = aws.ansible("site.yml")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return names


def main() -> int:
    """Print what was done and every difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--accounts", type=int, default=5)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    chance, wrong, kills = random.Random(asked.seed), 0, 0
    print(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="site-killed-") as folder:
        expected, tasks = undisturbed(Path(folder, "undisturbed"))
        print(f"undisturbed: {tasks} tasks, {sum(map(len, expected.values()))} resources", flush=True)
        for number in range(asked.accounts):
            share = asked.kills // asked.accounts + (number < asked.kills % asked.accounts)
            print(f"  account {number + 1}", flush=True)
            with account(Path(folder, str(number))) as aws:
                kills += len(chain(aws, sorted(chance.sample(range(2, tasks), share)), chance))
                found = differences(expected, aws.described())
            print("\n".join([f"    {line}" for line in found] or ["    the same resources"]), flush=True)
            wrong += bool(found)
    print(f"{kills} kills in {asked.accounts} accounts; {wrong} of them differ from the undisturbed one")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
