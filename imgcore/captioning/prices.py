"""The price of a model's tokens, from a dated table, and the sum for one photo.

prices.json is the table; ``python -m lambda_build.prices`` writes it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from imgcore.errors import Unavailable
from imgcore.pipeline.models import CallState, ModelCall, RecordCall, new_call_id
from imgcore.spending.models import Quote, known_names

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars per million tokens of one model, standard tier, from a day on."""

    model: str
    since: date
    input: float
    output: float  # thinking counts as output


BATCH_SHARE = 0.5  # https://ai.google.dev/gemini-api/docs/batch-api


@cache
def _table() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("prices.json").read_text("utf-8"))
    return found


def _as_of() -> date:
    """Return the day on which the table was read."""
    return date.fromisoformat(_table()["as_of"])


@cache
def rates() -> tuple[Rate, ...]:
    """Return the table's rates."""
    return tuple(Rate(**{**rate, "since": date.fromisoformat(rate["since"])}) for rate in _table()["rates"])


def rate(model: str, *, on: date | None = None) -> Rate | None:
    """Return the rate of ``model``; None if the table lacks the model.

    model: with or without ``models/`` before it and a release behind it. on: a day, by default today (UTC).
    """
    day = on or datetime.now(UTC).date()
    for known in known_names(model):
        valid = [rate for rate in rates() if rate.model == known and rate.since <= day]
        if valid:
            return max(valid, key=lambda rate: rate.since)
    return None


def price(model: str, input_tokens: int, output_tokens: int, *, on: date | None = None) -> float | None:
    """Return the price of so many tokens of ``model`` in US dollars; None if the table lacks the model.

    on: the day on which the tokens were used, by default today (UTC).
    """
    found = rate(model, on=on)
    return _cost(found, input_tokens, output_tokens) if found else None


def quote(model: str, input_tokens: int, output_tokens: int, *, on: date | None = None) -> Quote:
    """Return the price of an answer as the ledger stores it.

    A cap counts a Gemini model that the table lacks at the highest rates of the table: a new name must not lift
    the cap. Other models, such as one's own, are not billed by Google and count nothing.
    """
    found = rate(model, on=on)
    if found is not None:
        cost = _cost(found, input_tokens, output_tokens)
        return Quote(cost, max(found.since, _as_of()).isoformat(), cost)
    if not model.removeprefix("models/").startswith("gemini"):
        return Quote()
    highest = Rate(model, date.min, max(rate.input for rate in rates()), max(rate.output for rate in rates()))
    return Quote(counted_usd=_cost(highest, input_tokens, output_tokens))


def _cost(found: Rate, input_tokens: int, output_tokens: int) -> float:
    return (input_tokens * found.input + output_tokens * found.output) / 1_000_000


class Spending:
    """The calls of a model for one photo, including those whose answer was not used.

    record: receives each call before it is sent and again when its fate is known, so that a process that dies
    in between has recorded it. share: of the usual price that is paid.
    """

    def __init__(self, prompt_version: str, record: RecordCall, share: float = 1.0) -> None:
        self._prompt_version, self._record, self._share = prompt_version, record, share
        self._input = self._output = 0
        self._price: float | None = 0.0

    def begin(self, model: str, most_input_tokens: int, most_output_tokens: int) -> str:
        """Record a call that is about to be sent, with the most tokens that it can use; return its id."""
        call_id = new_call_id()
        most = (most_input_tokens, most_output_tokens)
        self._record(ModelCall(model, self._prompt_version, *most, "open", CallState.OPEN, call_id))
        return call_id

    def end(self, call_id: str, model: str, outcome: str, *, billed: bool) -> None:
        """Record that a call has no answer. billed: it may be billed all the same.

        Where the ledger is away the call stays open at its upper bound: the reason for the failure counts more.
        """
        state = CallState.UNKNOWN if billed else CallState.NOT_BILLED
        try:
            self._record(ModelCall(model, self._prompt_version, 0, 0, outcome, state, call_id))
        except Unavailable as error:
            logger.warning("The end of a call without an answer is not recorded: %s", error.message)

    def add(
        self, model: str, input_tokens: int, output_tokens: int, outcome: str, call_id: str | None = None
    ) -> None:
        """Add one answer. outcome: see ModelCall. call_id: of the call, where it was begun."""
        self._input += input_tokens
        self._output += output_tokens
        cost = price(model, input_tokens, output_tokens)
        self._price = None if self._price is None or cost is None else self._price + cost * self._share
        tokens = (input_tokens, output_tokens)
        call_id = call_id or new_call_id()
        self._record(ModelCall(model, self._prompt_version, *tokens, outcome, CallState.BILLED, call_id))

    @property
    def input_tokens(self) -> int | None:
        """Return their number; None if no answer named it."""
        return self._input or None

    @property
    def output_tokens(self) -> int | None:
        """Return their number; None if no answer named it."""
        return self._output or None

    @property
    def price_usd(self) -> float | None:
        """Return their price; None if the tokens or the price of one of the models are unknown."""
        return self._price if self._input or self._output else None
