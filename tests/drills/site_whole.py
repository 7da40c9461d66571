"""site.yml on the inventory of production, with all that can be switched on.

``python -m tests.drills.site_whole``: from nothing; again, which changes nothing; rehearsed, which writes
nothing; then destroyed without a last snapshot, which leaves what a new account holds. Ends with 1 where it is
not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.deploy.described import differences
from tests.deploy.provision_account import ID, PROJECT, REGION, Account, account, changed, now, recap

# More than any inventory has: a certificate, a bastion, an address for alarms.
EVERYTHING: dict[str, Any] = {
    "gallery_domain": "gallery.example.org",
    "edge_certificate_arn": f"arn:aws:acm:{REGION}:{ID}:certificate/11111111-2222-3333-4444-555555555555",
    "bastion_enabled": True,
    "bastion_cidr": "203.0.113.7/32",
    "bastion_public_key": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43 + " nobody",
    "observability_emails": ["ops@example.org"],
}


def ran(aws: Account, what: str, *arguments: str, **variables: Any) -> int:
    """Run a playbook and print how it went; 1 where it failed."""
    start = time.monotonic()
    done = aws.ansible(*arguments, **variables)
    counts = recap(done)
    print(f"{what}: ok={counts['ok']} changed={counts['changed']} failed={counts['failed']},", end=" ")
    print(f"{time.monotonic() - start:.0f} s", flush=True)
    if counts["failed"]:
        print(done.stdout[-3000:] + done.stderr[-2000:])
    if what in ("again", "rehearsed"):
        print("".join(f"    changed: {task}\n" for task in changed(done)), end="", flush=True)
        return int(counts["failed"] > 0 or counts["changed"] > 0)
    return int(counts["failed"] > 0)


def main() -> int:
    """Print what was done and every difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", choices=["staging", "production"], default="production")
    env, wrong = parser.parse_args().env, 0
    with (
        tempfile.TemporaryDirectory(prefix="site-whole-") as folder,
        account(Path(folder, "account"), env, **EVERYTHING) as aws,
    ):
        empty = aws.described()
        wrong += ran(aws, "from nothing", "site.yml")
        whole = aws.described()
        print(f"{len(aws.resources())} resources with tags, {sum(map(len, whole.values()))} in all")
        wrong += ran(aws, "again", "site.yml")
        start = now()
        wrong += ran(aws, "rehearsed", "site.yml", "--check")
        found = [f"a rehearsal called {call}" for call in aws.writes(start)]
        found += differences(whole, aws.described())
        wrong += ran(aws, "destroyed", "playbooks/destroy.yml", confirm=PROJECT, teardown_final_snapshot=False)
        found += differences(empty, aws.described())
    print("\n".join([f"    {line}" for line in found] or ["an empty account"]))
    return int(wrong > 0 or bool(found))


if __name__ == "__main__":
    sys.exit(main())
