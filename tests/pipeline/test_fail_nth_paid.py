"""Every call of a paid description fails once, in each way: the ledger has each billed call and its tokens."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from imgcore.captioning.answers import Answer
from imgcore.captioning.model import PROBE_JPEG, ModelCaptioner, Request
from imgcore.captioning.prices import quote
from imgcore.captioning.retry import Failure, FailureKind, Policy
from imgcore.db.ledger import LedgerRepository
from imgcore.errors import ImgcoreError, Unavailable
from imgcore.gallery.models import Source, TaskKind
from imgcore.spending.service import Spending
from tests.pipeline.world import Killed, Mode, World

MODEL = "gemini-3.5-flash-lite"
WORDS = {"caption": "A red barn.", "alt_text": "Red barn", "tags": ["barn", "red", "field"], "safety": "ok"}


@dataclass
class Service:
    """A model that bills each request it answers, and fails as the faults say. first: earlier answers."""

    world: World
    first: list[Failure] = field(default_factory=list)
    bill: dict[str, tuple[int, int]] = field(default_factory=dict)

    def ask(self, request: Request) -> Answer | Failure:
        """Answer a request, and bill it; where the answer is lost, that it was billed is not known."""
        try:
            return self.world.faults.call(lambda: self._answer(request))
        except Unavailable as error:
            return Failure(FailureKind.TRANSIENT, error, "lost")

    def _answer(self, request: Request) -> Answer | Failure:
        if self.first and request.jpeg != PROBE_JPEG:
            return self.first.pop(0)
        assert request.call_id is not None
        assert request.call_id not in self.bill
        used = self.bill[request.call_id] = (700 + len(self.bill), 90)
        return Answer(json.dumps(WORDS | {"visible_text": ""}), "STOP", None, MODEL, *used)


def refused() -> Failure:
    return Failure(FailureKind.TRANSIENT, Unavailable("Busy."), "HTTP 503", unbilled=True)


def world_with(folder: Path, *first: Failure) -> tuple[World, Service]:
    """Return a world with an uploaded photo, and its paid model."""
    folder.mkdir()
    world = World(folder)
    service = Service(world, list(first))
    policy = Policy(floor=0.0, reserve=0.0)
    captioner = ModelCaptioner(
        Source.GEMINI, "G", [MODEL], service.ask, policy=policy, sleep=lambda _: None, rng=lambda: 0.0
    )
    spending = Spending(world.repositories.ledger, quote)
    world.processor = replace(world.processor, captioner=captioner, spending=spending)
    world.announce()
    return world, service


def differences(world: World, bill: dict[str, tuple[int, int]]) -> list[str]:
    """Return how the ledger differs from the bill."""
    query = "SELECT * FROM model_calls"
    rows = {row["call_id"]: row for row in world.database.read(lambda tx: tx.rows(query))}
    found = [f"billed without a row: {one}" for one in bill.keys() - rows.keys()]
    for call_id, row in rows.items():
        used = bill.get(call_id)
        if row["state"] is None and used != (row["input_tokens"], row["output_tokens"]):
            found.append(f"answered: {dict(row)}, billed: {used}")
        if row["state"] == "not_billed" and used is not None:
            found.append(f"billed, and not in the ledger: {dict(row)}")
        most = (row["most_input_tokens"], row["most_output_tokens"])
        if used and None not in most and (most[0] < used[0] or most[1] < used[1]):
            found.append(f"beyond its bound: {dict(row)}")
    counted = sum(row["counted_usd"] for row in rows.values())
    owed = sum(quote(MODEL, *used).counted_usd for used in bill.values())
    return [*found, f"counted {counted}, billed {owed}"] if counted < owed - 1e-9 else found


def run(folder: Path, at: int, mode: Mode, *first: Failure) -> tuple[int, list[str], Any]:
    """Let call number ``at`` fail; return the number of calls, the differences, and the photo's words."""
    world, service = world_with(folder, *first)
    try:
        world.faults.at, world.faults.mode, world.faults.armed = at, mode, True
        with suppress(ImgcoreError, Killed):
            world.deliver(TaskKind.CAPTION)
        calls = world.faults.count
        world.settle()
        [image] = world.gallery.get_many(world.ids)
        return calls, differences(world, service.bill), (image.caption, image.model)
    finally:
        world.close()


def all_faults(folder: Path, mode: Mode, *first: Failure) -> list[str]:
    calls, found, words = run(folder / "none", 0, mode, *first)
    assert (calls > 5, [], ("A red barn.", MODEL)) == (True, found, words)
    for at in range(1, calls + 1):
        _, wrong, words = run(folder / f"{at}", at, mode, *first)
        found += [f"{mode} at call {at} of {calls}: {one}" for one in wrong]
        assert ("A red barn.", MODEL) == words
    return found


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("first", [0, 1], ids=["answered", "refused first"])
def test_fault_at_any_call_leaves_each_billed_call_in_the_ledger(
    tmp_path: Path, mode: Mode, first: int
) -> None:
    assert [] == all_faults(tmp_path, mode, *(refused() for _ in range(first)))


@pytest.mark.parametrize("mode", [Mode.KILLED_BEFORE, Mode.KILLED_AFTER])
def test_missing_row_before_the_call_is_detected(tmp_path: Path, mode: Mode) -> None:
    """A worker that is killed between the answer and the ledger shows it."""
    with patch.object(LedgerRepository, "open", lambda *_: None):
        assert any("billed without a row" in one for one in all_faults(tmp_path, mode))
