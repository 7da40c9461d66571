"""The module lambda_concurrency: it waits until Lambda has created or updated the event source mapping."""

from __future__ import annotations

from typing import Any

import pytest

from tests.loading import module_at

concurrency = module_at("roles/functions/library/lambda_concurrency.py")


class ResourceInUse(Exception):
    """What Lambda answers while the mapping is Creating, Enabling or Updating."""


class Lambda:
    """A client whose mapping is busy for a number of calls."""

    class exceptions:  # noqa: N801 - as botocore names it
        """The client's exceptions."""

        ResourceInUseException = ResourceInUse

    def __init__(self, busy: int) -> None:
        self.busy = busy
        self.limits: list[dict[str, int]] = []

    def update_event_source_mapping(self, **parameters: Any) -> None:
        """Refuse while busy; keep the limit."""
        self.busy -= 1
        if self.busy >= 0:
            raise ResourceInUse
        self.limits.append(parameters["ScalingConfig"])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that only sleeping moves."""
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(concurrency.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(concurrency.time, "sleep", sleep)


@pytest.mark.usefixtures("clock")
def test_limit_is_set_once_the_mapping_is_ready() -> None:
    client = Lambda(busy=40)
    concurrency.update_when_ready(client, "uuid", {"MaximumConcurrency": 4})
    assert [{"MaximumConcurrency": 4}] == client.limits


@pytest.mark.usefixtures("clock")
def test_mapping_that_stays_busy_is_an_error() -> None:
    client = Lambda(busy=1000)
    with pytest.raises(ResourceInUse):
        concurrency.update_when_ready(client, "uuid", {"MaximumConcurrency": 4})
    assert [] == client.limits
