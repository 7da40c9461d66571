"""The monthly cost of three inventories in three regions, by playbooks/estimate.yml, without an account.

``python -m tests.drills.estimates [REGION ...]`` prints a line for each inventory and region: the sum, and what
it leaves out because its price there is not known. It ends with 1 where the playbook prints no sum, or leaves
something out of it in the three regions that are the default.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from tests.deploy.plays import run_playbook

INVENTORIES = {"staging": (), "production": (), "production with free": ("-i", "inventory/free")}
REGIONS = ("us-east-1", "ap-northeast-1", "ap-northeast-2")  # whose prices are all known


def main(regions: list[str]) -> int:
    """Run it; return 1 where an estimate has no sum, or a gap in one of the regions above."""
    missing = 0
    with tempfile.TemporaryDirectory(prefix="estimates-") as home:
        for name, more in INVENTORIES.items():
            for region in regions or REGIONS:
                arguments = (*more, "-e", f"region={region}")
                inventory = name.split()[0]
                bill = run_playbook("playbooks/estimate.yml", *arguments, home=Path(home), inventory=inventory)
                found = re.search(r"A month,(?: at least,)? in US dollars +([\d.]+)", bill)
                unknown = re.search(r"is not known: (.*?)\"", bill)
                missing += found is None or (unknown is not None and region in REGIONS)
                print(
                    f"{name:<22}{region:<16}{found[1] if found else 'no sum':>9}"
                    + (f" at least, without {unknown[1]}" if unknown else ""),
                    flush=True,
                )
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
