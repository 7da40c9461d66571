"""How long to wait before a retry: exponential backoff, jitter, and what the other side asks for. Pure.

Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
"""

from __future__ import annotations

from math import inf

_MAX_EXPONENT = 60  # keeps 2.0**exponent finite however often something is retried


def exponential(attempt: int, *, first: float, longest: float = inf) -> float:
    """Return the backoff after attempt number ``attempt`` (from 1): ``first`` seconds, doubled each time.

    The result is at most ``longest`` seconds.
    """
    return min(longest, first * 2.0 ** min(attempt - 1, _MAX_EXPONENT))


def full_jitter(attempt: int, chance: float, *, first: float, longest: float = inf) -> float:
    """Return the fraction ``chance``, of [0, 1), of ``exponential(attempt)`` in seconds."""
    return chance * exponential(attempt, first=first, longest=longest)


def at_least(seconds: float, chance: float) -> float:
    """Return a delay of ``seconds`` or a little more, for a service that named the earliest time of a retry.

    The delay is up to 10 % longer (and 0.2 s, 2 s at most), by the fraction ``chance`` of [0, 1), so that all
    who wait do not retry in the same moment.
    """
    return seconds + chance * min(2.0, 0.1 * seconds + 0.2)
