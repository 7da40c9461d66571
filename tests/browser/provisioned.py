"""Create in a folder what `make run` creates at its first start: ``python -m tests.browser.provisioned HOME``.

The Ansible of the tests takes less than half of the time. It is a program, because the port of the emulator is
reserved for the process that has chosen it, until that ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cloud import ROOT, cloud

sys.path.insert(0, str(ROOT / "roles" / "local_cloud" / "files"))

import steps


def provision(home: Path) -> None:
    """Build the zips, run playbooks/local.yml, and save the fingerprint that lets `make run` skip both."""
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(steps.build(home), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    with cloud(home) as aws:
        aws.apply(**json.loads(steps.playbook(home)[-1]))
        fingerprint = steps.fingerprint(ROOT, aws.emulator, {})
    steps.save_fingerprint(home, fingerprint)


if __name__ == "__main__":
    os.umask(0o077)  # as `make run`
    provision(Path(sys.argv[1]))
