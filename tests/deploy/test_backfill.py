"""The module of the role backfill: it calls the function until its backfill has ended."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any
from unittest.mock import Mock

import pytest

from tests.deploy.module_run import Failed, denied, run
from tests.loading import module_at

backfill = module_at("roles/backfill/library/function_backfill.py")
TIMEOUT = {"errorMessage": "Task timed out after 60.00 seconds"}
FIRST = {"made": 7, "skipped": 1, "after": 200}
LAST = {"made": 2, "skipped": 0, "after": None}
THROTTLED = denied("Invoke", "TooManyRequestsException")
DONE = r"^The backfill ended early\. Photos completed: 7, skipped: 1\. Run it again\. "


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the seconds that the module would have waited between its calls."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def function(*results: dict[str, Any] | Exception) -> Mock:
    """Return a client of a function with these results or errors, one for each call."""
    answers = [
        result
        if isinstance(result, Exception)
        else {"Payload": BytesIO(json.dumps(result).encode())}
        | ({"FunctionError": "Unhandled"} if result is TIMEOUT else {})
        for result in results
    ]
    return Mock(**{"invoke.side_effect": answers})


def payloads(client: Mock) -> list[dict[str, Any]]:
    """Return what the function was called with."""
    return [json.loads(each.kwargs["Payload"]) for each in client.invoke.mock_calls]


def test_function_is_called_until_its_backfill_has_ended() -> None:
    client = function(FIRST, LAST)
    assert {"changed": True, "made": 9, "skipped": 1} == run(backfill, client, function="f")
    assert [{"task": "backfill", "after": 0}, {"task": "backfill", "after": 200}] == payloads(client)


def test_complete_gallery_is_unchanged() -> None:
    client = function({"made": 0, "skipped": 1, "after": None})
    assert {"changed": False, "made": 0, "skipped": 1} == run(backfill, client, function="f")


def test_function_is_not_called_in_check_mode() -> None:
    client = function()
    assert not run(backfill, client, check=True, function="f")["changed"]
    assert [] == payloads(client)


def test_throttled_call_is_repeated(waits: list[float]) -> None:
    client = function(THROTTLED, FIRST, THROTTLED, THROTTLED, LAST)
    assert {"changed": True, "made": 9, "skipped": 1} == run(backfill, client, function="f")
    assert [0, 0, 200, 200, 200] == [each["after"] for each in payloads(client)]
    assert [5, 5, 10] == waits


def test_function_that_stays_throttled_is_reported_with_what_is_done(waits: list[float]) -> None:
    with pytest.raises(Failed, match=DONE + "Failed to call the function f: .*TooManyRequests"):
        run(backfill, function(FIRST, *[THROTTLED] * 10), function="f")
    assert 360 < sum(waits) < 420


def test_failure_of_the_function_is_reported_with_what_is_done() -> None:
    with pytest.raises(Failed, match=DONE + "The function f has failed: Task timed out"):
        run(backfill, function(FIRST, TIMEOUT), function="f")


def test_refused_call_is_reported_with_what_is_done(waits: list[float]) -> None:
    with pytest.raises(Failed, match=DONE + "Failed to call the function f: .*AccessDenied"):
        run(backfill, function(FIRST, denied("Invoke")), function="f")
    assert [] == waits
