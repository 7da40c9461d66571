"""Entries of the ledger, sums of them, and caps on spending. Pure data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

CAP_DAY, CAP_MONTH = "spend_cap_day", "spend_cap_month"  # codes of a task that waits for a cap
CAPS = frozenset({CAP_DAY, CAP_MONTH})
QUOTA_DAY, QUOTA_MONTH = "spend_quota_day", "spend_quota_month"  # … for the quota of its owner
QUOTAS = frozenset({QUOTA_DAY, QUOTA_MONTH})

# What may follow the name of a model: the date of a preview; …-001, …-latest, …-preview, …-preview-11-2026.
_DATE = re.compile(r"-[\d-]+$")
_RELEASE = re.compile(r"-(?:\d{3}|latest|(?:preview|exp)(?:-[\d-]+)?)$")


def known_names(model: str) -> tuple[str, str, str]:
    """Return the name of a model without ``models/``, and that name without a date and without a release."""
    name = model.removeprefix("models/")
    return name, _DATE.sub("", name), _RELEASE.sub("", name)


@dataclass(frozen=True, slots=True)
class Quote:
    """The price of one answer.

    price_usd: None where the price of the model is unknown. price_date: the day from which that price holds, as
    YYYY-MM-DD. counted_usd: what a cap counts: the price, or an upper bound where it is unknown.
    """

    price_usd: float | None = None
    price_date: str | None = None
    counted_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One call of a model: as it is billed; before its answer is known, with upper bounds of tokens and price.

    call_id: unique, so that an entry is added once however often it is stored.
    public_id, owner_id: of the image and of its owner's account. outcome: a word for the use of the answer,
    such as "described". batch: through the model's batch interface, at its price.
    """

    call_id: str
    model: str
    input_tokens: int
    output_tokens: int
    outcome: str
    quote: Quote
    public_id: str | None = None
    owner_id: int | None = None
    prompt_version: str | None = None
    batch: bool = False


class Group(StrEnum):
    """What the sums of the ledger are grouped by."""

    MODEL = "model"
    OWNER = "owner"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class Unsettled:
    """The sum of calls that are made just now, or whose answer was lost: they may have been billed.

    Tokens and price are upper bounds. price_usd_at_most: of the known prices; None where none is known.
    unpriced: calls without a known price.
    """

    calls: int
    input_tokens_at_most: int
    output_tokens_at_most: int
    price_usd_at_most: float | None
    unpriced: int


@dataclass(frozen=True, slots=True)
class Usage:
    """The sum of some entries.

    group: the model, the owner's name, or the day; None for all entries. calls: that were answered.
    images: how many different ones. price_usd: the sum of the known prices; None where none is known.
    unpriced: entries without a known price. unsettled: of calls whose answer is not known, which are in none
    of the other sums; None where there are none.
    """

    group: str | None
    calls: int = 0
    images: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    price_usd: float | None = None
    unpriced: int = 0
    unsettled: Unsettled | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """Entries from ``since`` (included) to ``until`` (excluded), both UTC; None is open."""

    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps on spending in US dollars; None: no cap. Days and months are those of UTC."""

    day: float | None = None
    month: float | None = None
