"""What a function does differently for the first event of its process."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from imgcore.errors import Invalid
from imgcore.gallery.models import TaskKind
from lambda_build.handlers import common
from tests.unit.fakes import FakeQueues


def test_function_first_event_is_processed_without_garbage_collection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Collection goes on once the first event has ended, whatever it has failed with."""
    monkeypatch.setattr(common, "_started", False)
    collecting: list[bool] = []

    def note() -> None:
        collecting.append(gc.isenabled())
        raise Invalid("no")

    function = common.Function(TaskKind.CAPTION, dict, FakeQueues, {"note": note})
    context = SimpleNamespace(aws_request_id="request-1", get_remaining_time_in_millis=lambda: 30_000)
    for _ in range(2):
        with pytest.raises(Invalid):
            function.respond({"task": "note"}, context)
        collecting.append(gc.isenabled())

    assert collecting == [False, True, True, True]
