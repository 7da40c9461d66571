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


def function(*results: dict[str, Any]) -> Mock:
    """Return a client of a function with these results, one for each call."""
    answers = [
        {"Payload": BytesIO(json.dumps(result).encode())}
        | ({"FunctionError": "Unhandled"} if result is TIMEOUT else {})
        for result in results
    ]
    return Mock(**{"invoke.side_effect": answers})


def payloads(client: Mock) -> list[dict[str, Any]]:
    """Return what the function was called with."""
    return [json.loads(each.kwargs["Payload"]) for each in client.invoke.mock_calls]


def test_function_is_called_until_its_backfill_has_ended() -> None:
    client = function({"made": 7, "skipped": 1, "after": 200}, {"made": 2, "skipped": 0, "after": None})
    assert {"changed": True, "made": 9, "skipped": 1} == run(backfill, client, function="f")
    assert [{"task": "backfill", "after": 0}, {"task": "backfill", "after": 200}] == payloads(client)


def test_complete_gallery_is_unchanged() -> None:
    client = function({"made": 0, "skipped": 1, "after": None})
    assert {"changed": False, "made": 0, "skipped": 1} == run(backfill, client, function="f")


def test_function_is_not_called_in_check_mode() -> None:
    client = function()
    assert not run(backfill, client, check=True, function="f")["changed"]
    assert [] == payloads(client)


def test_failure_of_the_function_is_reported_with_what_is_done() -> None:
    client = function({"made": 7, "skipped": 1, "after": 200}, TIMEOUT)
    with pytest.raises(Failed, match="seconds; 7 photos are completed"):
        run(backfill, client, function="f")


def test_refused_call_is_reported() -> None:
    with pytest.raises(Failed, match="Failed to call the function f: "):
        run(backfill, Mock(**{"invoke.side_effect": denied("Invoke")}), function="f")
