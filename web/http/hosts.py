"""Host names: which of them mean this computer."""

from __future__ import annotations

import re
from functools import lru_cache

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
_HOST_HEADER = re.compile(r"(\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:\d{1,5})?")


@lru_cache(maxsize=64)
def host_name(header: str) -> str | None:
    """Return the lower-case name or address in a Host header, without its port; None if it is malformed."""
    match = _HOST_HEADER.fullmatch(header.lower())
    return match[1] if match else None
