"""What a model's tokens cost, as a dated table, and the sum for one photograph."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime

AS_OF = date(2026, 11, 21)  # when the table was last compared with Google's own


@dataclass(frozen=True, slots=True)
class Rate:
    """US dollars per million tokens, from a day on."""

    model: str
    since: date
    input: float
    output: float  # thinking counts as output


# https://ai.google.dev/gemini-api/docs/pricing, paid tier, images as input. A photograph is 560 input
# tokens at medium resolution. The batch interface, not used here, halves both.
RATES = (
    Rate("gemini-3.1-flash-lite", date.min, 0.25, 1.50),
    Rate("gemini-3.5-flash-lite", date.min, 0.30, 2.50),
    Rate("gemini-3.8-flash", date.min, 0.75, 3.75),
    Rate("gemini-3.8-flash", date(2027, 1, 1), 1.50, 7.50),  # as announced
)

# How an answer may name a release of a model: …-001, …-latest, …-preview, …-preview-11-2026.
_RELEASE = re.compile(r"-(?:\d{3}|latest|(?:preview|exp)(?:-[\d-]+)?)$")


def price(model: str, input_tokens: int, output_tokens: int, *, on: date | None = None) -> float | None:
    """US dollars for so many tokens of ``model`` (``models/`` and a release's ending may be part of it).

    on: the day they were used, today (UTC) by default. None where the table does not know the model.
    """
    name = _RELEASE.sub("", model.removeprefix("models/"))
    day = on or datetime.now(UTC).date()
    valid = [rate for rate in RATES if rate.model == name and rate.since <= day]
    if not valid:
        return None
    rate = max(valid, key=lambda rate: rate.since)
    return (input_tokens * rate.input + output_tokens * rate.output) / 1_000_000


class Spending:
    """Everything that the requests for one photograph used, answers that were thrown away included."""

    def __init__(self) -> None:
        self._input = self._output = 0
        self._price: float | None = 0.0

    def add(self, model: str, input_tokens: int, output_tokens: int) -> None:
        """Count one answer."""
        self._input += input_tokens
        self._output += output_tokens
        cost = price(model, input_tokens, output_tokens)
        self._price = None if self._price is None or cost is None else self._price + cost

    @property
    def input_tokens(self) -> int | None:
        """None where no answer said."""
        return self._input or None

    @property
    def output_tokens(self) -> int | None:
        """None where no answer said."""
        return self._output or None

    @property
    def price_usd(self) -> float | None:
        """None where the tokens or the price of one of the models are not known."""
        return self._price if self._input or self._output else None
