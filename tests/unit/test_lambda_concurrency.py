"""The module lambda_concurrency: it waits until Lambda has created or updated the event source mapping."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock, call

import pytest

from tests.deploy.module_run import Failed, denied, run, writes
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
        self.calls = 0
        self.limits: list[dict[str, int]] = []

    def update_event_source_mapping(self, **parameters: Any) -> None:
        """Refuse while busy; keep the limit."""
        self.calls += 1
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
def test_mapping_that_stays_busy_for_five_minutes_is_an_error() -> None:
    client = Lambda(busy=1000)
    with pytest.raises(ResourceInUse):
        concurrency.update_when_ready(client, "uuid", {"MaximumConcurrency": 4})
    assert [] == client.limits
    assert 61 == client.calls  # one every 5 s, and the first


def function(reserved: int | None, mapping: int | None) -> Mock:
    """A client with these limits. reserved: None without a limit; mapping: None without a mapping."""
    client = Mock()
    client.exceptions.ResourceNotFoundException = NotFound
    client.exceptions.ResourceInUseException = ResourceInUse
    found = {} if reserved is None else {"ReservedConcurrentExecutions": reserved}
    client.get_function_concurrency.return_value = found
    one = {"UUID": "u", "ScalingConfig": {"MaximumConcurrency": mapping}}
    client.list_event_source_mappings.return_value = {"EventSourceMappings": [] if mapping is None else [one]}
    return client


class NotFound(Exception):
    """The function does not exist."""


GIVEN = {"function_name": "f", "source_arn": "arn:q", "maximum": 4}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    ("found", "wanted", "written"),
    [
        (5, 5, []),
        (None, -1, []),
        (None, 5, ["put_function_concurrency"]),
        (6, 5, ["put_function_concurrency"]),
        (0, -1, ["delete_function_concurrency"]),
        (None, 0, ["put_function_concurrency"]),
    ],
)
def test_reserved_concurrency_is_set_where_it_differs(
    found: int | None, wanted: int, written: list[str], check: bool
) -> None:
    client = function(found, 4)
    result = run(concurrency, client, check=check, reserved=wanted, **GIVEN)
    assert {"changed": bool(written), "uuid": "u"} == result
    assert ([] if check else written) == writes(client)
    if "put_function_concurrency" in written and not check:
        expected = call(FunctionName="f", ReservedConcurrentExecutions=wanted)
        assert expected == client.put_function_concurrency.call_args


@pytest.mark.parametrize("check", [False, True])
def test_limit_of_the_mapping_is_set_where_it_differs(check: bool) -> None:
    client = function(5, 3)
    assert {"changed": True, "uuid": "u"} == run(concurrency, client, check=check, reserved=5, **GIVEN)
    scaling = call(UUID="u", ScalingConfig={"MaximumConcurrency": 4})
    assert ([] if check else [scaling]) == client.update_event_source_mapping.call_args_list
    assert call(FunctionName="f", EventSourceArn="arn:q") == client.list_event_source_mappings.call_args


def test_function_or_mapping_that_is_missing_is_a_change_in_check_mode_alone() -> None:
    client = function(5, None)
    assert {"changed": True, "uuid": None} == run(concurrency, client, check=True, reserved=5, **GIVEN)
    with pytest.raises(Failed, match="has no event source mapping for arn:q"):
        run(concurrency, client, reserved=5, **GIVEN)
    client.get_function_concurrency.side_effect = NotFound
    assert {"changed": True, "uuid": None} == run(concurrency, client, check=True, reserved=5, **GIVEN)
    with pytest.raises(Failed, match="The function f does not exist"):
        run(concurrency, client, reserved=5, **GIVEN)


def test_limits_that_are_denied_fail() -> None:
    client = function(6, 4)
    client.put_function_concurrency.side_effect = denied("PutFunctionConcurrency")
    with pytest.raises(Failed, match=r"Failed to set the concurrency limits of function f: .*Not allowed"):
        run(concurrency, client, reserved=5, **GIVEN)


@pytest.mark.parametrize("missing", ["function_name", "source_arn", "maximum", "reserved"])
def test_every_parameter_is_required(missing: str) -> None:
    given = {key: value for key, value in {**GIVEN, "reserved": 5}.items() if key != missing}
    with pytest.raises(Failed, match=missing):
        run(concurrency, function(5, 4), **given)
