"""Gates: everybody waits when a service asks for it, and one tries first when the time is over."""

from __future__ import annotations

import time

from imgcore.db.images import SqlRepository
from imgcore.pipeline.models import Gate


def closed(repository: SqlRepository, wait: float = 60.0, reason: str = "rate_limited") -> None:
    repository.close_gate("model", wait=wait, reason=reason, message=f"The model says {reason}.")


def ended(repository: SqlRepository) -> None:
    """A closure whose time is over."""
    closed(repository, wait=0.001)
    time.sleep(0.01)


def test_a_gate_that_nobody_closed_is_open(repository: SqlRepository) -> None:
    """To look and to enter."""
    assert (Gate("model"), Gate("model")) == (
        repository.gate("model"),
        repository.enter_gate("model", probe=30),
    )


def test_a_closed_gate_makes_wait_and_says_why(repository: SqlRepository) -> None:
    """To look and to enter."""
    closed(repository)

    for gate in (repository.gate("model"), repository.enter_gate("model", probe=30)):
        assert 50 < gate.wait <= 60
        assert ("rate_limited", "The model says rate_limited.", False) == (gate.reason, gate.message, gate.open)


def test_another_gate_is_open(repository: SqlRepository) -> None:
    """Each service has its own."""
    closed(repository)

    assert repository.enter_gate("other", probe=30).open


def test_a_longer_closure_stands(repository: SqlRepository) -> None:
    """A shorter one that comes later changes neither the time nor the reason."""
    closed(repository, 600, "quota_exhausted")
    closed(repository, 5, "rate_limited")

    gate = repository.gate("model")
    assert (True, "quota_exhausted") == (gate.wait > 500, gate.reason)


def test_a_longer_closure_replaces_a_shorter_one(repository: SqlRepository) -> None:
    """The last to open decides."""
    closed(repository, 5, "rate_limited")
    closed(repository, 600, "quota_exhausted")

    gate = repository.gate("model")
    assert (True, "quota_exhausted") == (gate.wait > 500, gate.reason)


def test_when_it_has_just_ended_one_caller_probes(repository: SqlRepository) -> None:
    """The rest wait until it has had its time."""
    ended(repository)
    probe, other = repository.enter_gate("model", probe=30), repository.enter_gate("model", probe=30)

    assert (True, True) == (probe.open, probe.probing)
    assert (False, False) == (other.open, other.probing)
    assert 20 < other.wait <= 30


def test_a_probe_that_died_is_followed_by_another(repository: SqlRepository) -> None:
    """After its time another may try."""
    ended(repository)
    repository.enter_gate("model", probe=0.001)
    time.sleep(0.01)

    assert repository.enter_gate("model", probe=30).probing


def test_to_look_is_not_to_probe(repository: SqlRepository) -> None:
    """The page may ask as often as it likes; until somebody has passed, it knows the reason."""
    ended(repository)
    looks = {repository.gate("model") for _ in range(3)}

    assert {Gate("model", 0.0, "rate_limited", "The model says rate_limited.")} == looks
    assert repository.enter_gate("model", probe=30).probing


def test_an_opened_gate_lets_everybody_pass(repository: SqlRepository) -> None:
    """The reason is gone; opening it again is harmless."""
    closed(repository)
    repository.open_gate("model")
    repository.open_gate("model")

    assert (Gate("model"), Gate("model")) == (
        repository.gate("model"),
        repository.enter_gate("model", probe=30),
    )


def test_a_gate_closes_again(repository: SqlRepository) -> None:
    """After it was open, and after a probe failed."""
    ended(repository)
    repository.enter_gate("model", probe=30)
    closed(repository, 600, "quota_exhausted")

    assert repository.enter_gate("model", probe=30).wait > 500
