"""Delays before a retry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.backoff import at_least, exponential, full_jitter


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 20), (2, 40), (6, 640), (7, 900), (10_000, 900)])
def test_exponential_doubles_up_to_the_longest(attempt: int, seconds: float) -> None:
    assert seconds == exponential(attempt, first=20, longest=900)


def test_exponential_without_longest_is_finite() -> None:
    assert 2.0**60 == exponential(10_000, first=1)


@given(st.integers(1, 100), st.floats(0, 1, exclude_max=True))
def test_full_jitter_is_between_zero_and_the_backoff(attempt: int, chance: float) -> None:
    assert 0 <= full_jitter(attempt, chance, first=1, longest=20) <= exponential(attempt, first=1, longest=20)


@pytest.mark.parametrize(
    ("seconds", "chance", "delay"), [(0, 0.5, 0.1), (10, 0, 10), (10, 0.5, 10.6), (600, 0.5, 601)]
)
def test_at_least_adds_a_share_of_the_spread(seconds: float, chance: float, delay: float) -> None:
    assert delay == pytest.approx(at_least(seconds, chance))


def test_full_jitter_is_that_fraction_of_the_backoff() -> None:
    assert 3.0 == full_jitter(3, 0.75, first=1)
