"""Circuit breakers: while a service asks for a pause nobody calls it; after the pause one caller probes it."""

from __future__ import annotations

from imgcore.pipeline.models import BreakerState
from tests.support.repositories import Repositories


def open_breaker(repositories: Repositories, wait: float = 60.0, reason: str = "rate_limited") -> None:
    repositories.breakers.open("model", wait=wait, reason=reason, message=f"The model says {reason}.")


def end_pause(repositories: Repositories) -> None:
    """Open the breaker with a pause that ended a second ago."""
    open_breaker(repositories, wait=-1.0)


def test_breaker_never_opened_is_closed(repositories: Repositories) -> None:
    assert (BreakerState("model"), BreakerState("model")) == (
        repositories.breakers.state("model"),
        repositories.breakers.acquire("model", probe=30),
    )


def test_open_breaker_returns_wait_and_reason(repositories: Repositories) -> None:
    open_breaker(repositories)

    for state in (repositories.breakers.state("model"), repositories.breakers.acquire("model", probe=30)):
        assert 50 < state.wait <= 60
        assert ("rate_limited", "The model says rate_limited.", False) == (
            state.reason,
            state.message,
            state.closed,
        )


def test_open_breaker_leaves_other_services_alone(repositories: Repositories) -> None:
    open_breaker(repositories)

    assert repositories.breakers.acquire("other", probe=30).closed


def test_open_for_shorter_time_keeps_the_longer(repositories: Repositories) -> None:
    """The time and the reason stay the same."""
    open_breaker(repositories, 600, "quota_exhausted")
    open_breaker(repositories, 5, "rate_limited")

    state = repositories.breakers.state("model")
    assert (True, "quota_exhausted") == (state.wait > 500, state.reason)


def test_open_for_longer_time_replaces_the_shorter(repositories: Repositories) -> None:
    open_breaker(repositories, 5, "rate_limited")
    open_breaker(repositories, 600, "quota_exhausted")

    state = repositories.breakers.state("model")
    assert (True, "quota_exhausted") == (state.wait > 500, state.reason)


def test_acquire_after_the_pause_lets_one_caller_probe(repositories: Repositories) -> None:
    """The others wait until the probe has had its time."""
    end_pause(repositories)
    probe = repositories.breakers.acquire("model", probe=30)
    other = repositories.breakers.acquire("model", probe=30)

    assert (True, True) == (probe.closed, probe.probing)
    assert (False, False) == (other.closed, other.probing)
    assert 20 < other.wait <= 30


def test_acquire_after_a_dead_probe_lets_another_probe(repositories: Repositories) -> None:
    end_pause(repositories)
    repositories.breakers.acquire("model", probe=-1.0)

    assert repositories.breakers.acquire("model", probe=30).probing


def test_state_starts_no_probe(repositories: Repositories) -> None:
    """A page may read the state as often as it likes; the reason stays until a probe has succeeded."""
    end_pause(repositories)
    states = {repositories.breakers.state("model") for _ in range(3)}

    assert {BreakerState("model", 0.0, "rate_limited", "The model says rate_limited.")} == states
    assert repositories.breakers.acquire("model", probe=30).probing


def test_close_lets_every_call_pass(repositories: Repositories) -> None:
    """The reason is gone; a second close is harmless."""
    open_breaker(repositories)
    repositories.breakers.close("model")
    repositories.breakers.close("model")

    assert (BreakerState("model"), BreakerState("model")) == (
        repositories.breakers.state("model"),
        repositories.breakers.acquire("model", probe=30),
    )


def test_open_after_a_failed_probe_starts_a_new_pause(repositories: Repositories) -> None:
    end_pause(repositories)
    repositories.breakers.acquire("model", probe=30)
    open_breaker(repositories, 600, "quota_exhausted")

    assert repositories.breakers.acquire("model", probe=30).wait > 500


def back_off(repositories: Repositories, *, probing: bool) -> float:
    return repositories.breakers.back_off("model", probing=probing, reason="away", message="It is away.")


def test_back_off_doubles_with_each_failed_probe_up_to_15_minutes(repositories: Repositories) -> None:
    waits = [back_off(repositories, probing=True) for _ in range(7)]

    assert [30, 60, 120, 240, 480, 900, 900] == waits
    state = repositories.breakers.state("model")
    assert (True, "away", "It is away.") == (890 < state.wait <= 900, state.reason, state.message)


def test_back_off_of_those_that_were_under_way_changes_nothing(repositories: Repositories) -> None:
    """Twenty calls that fail together are one failure."""
    assert 30 == back_off(repositories, probing=False)
    assert all(20 < back_off(repositories, probing=False) <= 30 for _ in range(3))
    assert 60 == back_off(repositories, probing=True)


def test_back_off_starts_again_after_the_service_has_answered(repositories: Repositories) -> None:
    for _ in range(3):
        back_off(repositories, probing=True)
    repositories.breakers.close("model")

    assert 30 == back_off(repositories, probing=False)


def test_back_off_leaves_other_services_alone(repositories: Repositories) -> None:
    repositories.breakers.open("other", wait=7200.0, reason="key_refused", message="Refused.")
    before = repositories.breakers.state("other")

    back_off(repositories, probing=True)

    after = repositories.breakers.state("other")
    assert (before.reason, True) == (after.reason, after.wait > 7000)


def test_allowed_probe_of_an_open_breaker_is_the_next_call(repositories: Repositories) -> None:
    """One caller probes; other services keep their pauses, and a closed breaker stays closed."""
    open_breaker(repositories, 600)
    repositories.breakers.open("other", wait=600.0, reason="rate_limited", message="M.")

    for name in ("model", "never opened"):
        repositories.breakers.allow_probe(name)

    assert (True, False) == tuple(repositories.breakers.acquire("model", probe=30).probing for _ in range(2))
    assert repositories.breakers.state("other").wait > 500
    assert BreakerState("never opened") == repositories.breakers.acquire("never opened", probe=30)
