"""The checklist on production: ``python -m tests.drills.security_production``.

It makes the account of production, with HTTPS, interface endpoints, a NAT gateway per zone, a bastion and web
hosts, describes it, and asks every check; then every check again with its fault. It ends with 1 where one
complains, or cannot.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.deploy import security_checks_cloudfront, test_security_checklist  # enters the checks
from tests.deploy.provision_account import PROJECT, account
from tests.deploy.security_look import Look
from tests.deploy.security_rules import CHECKS, Check, seeded
from tests.deploy.security_snapshot import Snapshot, take
from tests.drills.security_operator import BASTION, PLACES


def main() -> int:
    """Run it; 0 where nothing is wrong."""
    with (
        tempfile.TemporaryDirectory(prefix="production-") as folder,
        account(Path(folder), "production", fleet=True) as aws,
    ):
        done = aws.ansible("site.yml", **PLACES["production"], **BASTION)
        if done.returncode:
            print(done.stdout[-3000:], done.stderr[-1000:])
            return 1
        return reported(take(Look(aws.client, PROJECT, "production")))


def about_cloudfront(check: Check) -> bool:
    """Return whether a check is about distributions, of which a gallery with a domain name may have none."""
    return check.judge.__module__ == security_checks_cloudfront.__name__


def reported(found: Snapshot) -> int:
    """Print what the checks say; 1 where one of them should not have said it."""
    complaints = {check.name: check.complaints(found) for check in CHECKS.values()}
    asked = [check for check in CHECKS.values() if found.distributions or not about_cloudfront(check)]
    blind = [check.name for check in asked if not check.complaints(seeded(found, check.seed))]
    wrong = {name: said for name, said in complaints.items() if said}
    endpoints, hosts = len(found.endpoints), len(found.instances)
    print(
        f"{len(CHECKS)} checks of {len(test_security_checklist.PARTS)} parts; {endpoints} endpoints,"
        f" {hosts} hosts, {len(found.templates)} launch template, {len(found.fleets)} group"
    )
    print(f"complaints: {wrong or 'none'}")
    print(f"checks that did not find their fault: {blind or 'none'}")
    incomplete = not hosts or endpoints < 2 or not found.templates or not found.fleets
    return int(bool(wrong or blind or incomplete))


if __name__ == "__main__":
    sys.exit(main())
