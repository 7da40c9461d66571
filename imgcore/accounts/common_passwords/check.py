"""Whether a password is among the most common ones. passwords.txt.gz is described in NOTICE.txt beside it."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

SHORTEST = 12  # characters of the shortest password in the list; the rule for the length refuses shorter ones

_FILE = Path(__file__).with_name("passwords.txt.gz")


def is_common(password: str) -> bool:
    """Return whether ``password`` is in the list, in any case of its letters."""
    wanted = password.lower()
    return "\n" not in wanted and f"\n{wanted}\n".encode("utf-8", "surrogatepass") in _list()


@cache
def _list() -> bytes:
    """Return the passwords with a line break before and after each: 0.6 MiB, searched in 0.1 ms."""
    return b"\n" + gzip.decompress(_FILE.read_bytes())
