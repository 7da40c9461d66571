"""``ansible-playbook``, with what it packs of each module kept for the next run: ``playbook.py FOLDER …``.

Ansible packs every module anew in each run, which is half of the time that it takes. A folder is good for one
version of Ansible and one state of the roles.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path


def main() -> None:
    """Be ``ansible-playbook``."""
    from ansible import constants
    from ansible.cli import playbook

    if "AWS_SLOW_SEED" in os.environ:  # the emulator counts calls, not seconds
        sleep = time.sleep
        time.sleep = lambda seconds: sleep(min(seconds, 0.05))
    kept = Path(sys.argv.pop(1))
    kept.mkdir(parents=True, exist_ok=True)
    Path(constants.DEFAULT_LOCAL_TMP, "ansiballz_cache").symlink_to(kept)
    playbook.main()


if __name__ == "__main__":
    main()
