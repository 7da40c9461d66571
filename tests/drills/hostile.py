"""20,000 hostile files and 50,000 requests at random: the tests of `make test`, with more of each."""

from __future__ import annotations

import os
import sys

import pytest


def main() -> int:
    """Run both tests; return pytest's status."""
    os.environ |= {"HOSTILE_MUTANTS": "19000", "FUZZ_REQUESTS": "50000"}
    return int(
        pytest.main(["-q", "--timeout=3600", "tests/contract/test_hostile_images.py", "tests/web/test_fuzz.py"])
    )


if __name__ == "__main__":
    sys.exit(main())
