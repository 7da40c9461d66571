"""Record what the models cost, sum it, and stop paid calls at a cap."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from imgcore.errors import RateLimited
from imgcore.pipeline.models import CallState, new_call_id
from imgcore.spending.models import (
    CAP_DAY,
    CAP_MONTH,
    QUOTA_DAY,
    QUOTA_MONTH,
    Caps,
    Group,
    LedgerEntry,
    Period,
    Quote,
    Unsettled,
    Usage,
    known_names,
)

if TYPE_CHECKING:
    from imgcore.db.ledger import LedgerRepository
    from imgcore.pipeline.models import ModelCall

CACHE_SECONDS = 10.0  # how long a process uses a sum that it has read; caps are exceeded by at most that much
MOST_OPEN = 1000  # calls without an answer that a process remembers
MONTHS_AT_ONCE = 3  # whose sums one sweep stores
USUAL_INPUT_TOKENS, USUAL_OUTPUT_TOKENS = 1200, 130  # of one image at medium resolution, prompt included

_NO_CAPS = Caps()

QuoteOf = Callable[[str, int, int], Quote]  # imgcore.captioning.prices.quote: model, input and output tokens


class Spending:
    """The ledger and the caps.

    quote: returns the price of an answer. quota: the caps of each account, unless an
    administrator has set others. batch_model: of batches, whose images count at the price of a usual answer
    until their answers are stored. now: the present time in UTC. clock: time.monotonic().
    """

    def __init__(
        self,
        ledger: LedgerRepository,
        quote: QuoteOf,
        caps: Caps | None = None,
        *,
        quota: Caps | None = None,
        batch_model: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._quote, self.caps = ledger, quote, caps or Caps()
        self.quota = quota or Caps()
        self._batch_model = batch_model
        self._now, self._clock = now, clock
        self._known: dict[datetime, tuple[float, float]] = {}
        self._open: dict[str, float] = {}  # what the calls of this process count until their answers are known
        self._lock = threading.Lock()

    def entry(
        self,
        *,
        model: str,
        input_tokens: int,
        output_tokens: int,
        outcome: str,
        public_id: str | None = None,
        owner_id: int | None = None,
        prompt_version: str | None = None,
        batch: bool = False,
        call_id: str | None = None,
    ) -> LedgerEntry:
        """Return the entry for one call of a model, with its price."""
        quote = self._quote(model, input_tokens, output_tokens)
        return LedgerEntry(
            call_id=call_id or new_call_id(),
            model=model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            outcome=outcome,
            quote=_halved(quote) if batch else quote,
            public_id=public_id,
            owner_id=owner_id,
            prompt_version=prompt_version,
            batch=batch,
        )

    def entry_of(
        self,
        call: ModelCall,
        *,
        public_id: str | None = None,
        owner_id: int | None = None,
        batch: bool = False,
    ) -> LedgerEntry:
        """Return the entry for a call, with its price."""
        return self.entry(
            model=call.model,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            outcome=call.outcome,
            public_id=public_id,
            owner_id=owner_id,
            prompt_version=call.prompt_version,
            batch=batch,
            call_id=call.call_id,
        )

    def record(self, call: ModelCall, *, public_id: str | None = None, owner_id: int | None = None) -> None:
        """Record a call before it is sent, or what became of it; harmless where that was recorded already.

        public_id, owner_id: of the image and of its owner's account.
        """
        match call.state:
            case CallState.OPEN:
                entry = self.entry_of(call, public_id=public_id, owner_id=owner_id)
                self._ledger.open(entry)
                self._count(call.call_id, entry.quote.counted_usd, open_=True)
            case CallState.BILLED:
                self.append(self.entry_of(call, public_id=public_id, owner_id=owner_id))
            case CallState.NOT_BILLED:
                self._ledger.close(call.call_id, call.outcome)
                self._count(call.call_id, 0.0)
            case CallState.UNKNOWN:
                self._ledger.lose(call.call_id, call.outcome)

    def append(self, entry: LedgerEntry) -> None:
        """Add the entry of an answered call, or complete its open one; harmless where that was done already."""
        self._ledger.append(entry)
        self._count(entry.call_id, entry.quote.counted_usd)

    def _count(self, call_id: str, counted: float, *, open_: bool = False) -> None:
        """Let the sums that this process knows count a call, instead of what it counted before."""
        with self._lock:
            more = counted - self._open.pop(call_id, 0.0)
            if open_:
                self._open[call_id] = counted
                if len(self._open) > MOST_OPEN:  # it counts twice if it is answered after all
                    del self._open[next(iter(self._open))]
            self._known = {since: (until, spent + more) for since, (until, spent) in self._known.items()}

    def usage(
        self, period: Period, group: Group | None = None, *, owner_id: int | None = None
    ) -> Sequence[Usage]:
        """Return the sums of the entries of ``period``, one for each model, owner or day, or a single one.

        owner_id: only the entries of this account's images.
        """
        return self._ledger.usage(period, group, owner_id=owner_id)

    def total(self, owner_id: int | None = None) -> Usage:
        """Return the sum of all entries, without reading those of past months. owner_id: as in ``usage``."""
        return self._ledger.total(owner_id)

    def unsettled(self, owner_id: int | None = None) -> Unsettled | None:
        """Return the sum of the calls without an answer; None without any. owner_id: as in ``usage``."""
        return self._ledger.unsettled(owner_id)

    def store_months(self) -> None:
        """Store the sums of months that are over, a few at a time, for ``total``."""
        self._ledger.store_months(self._now(), limit=MONTHS_AT_ONCE)

    def today(self) -> Period:
        """Return the present day."""
        return Period(_day(self._now()))

    def month(self) -> Period:
        """Return the present month."""
        return Period(_month(self._now()))

    def estimate(self, model: str, images: int) -> float | None:
        """Return what describing so many images costs, in US dollars; None where the price is unknown.

        It is the average of the last 30 days with this model, or the price of a usual answer, without batches.
        An image that was described several times counts as often.
        """
        name, recent = model.removeprefix("models/"), self._ledger.described(self._now() - timedelta(days=30))
        same = [(described, price) for group, described, price in recent if name in known_names(group)]
        if described := sum(described for described, _ in same):
            return images * sum(price for _, price in same) / described
        one = self._quote(model, USUAL_INPUT_TOKENS, USUAL_OUTPUT_TOKENS).price_usd
        return None if one is None else images * one

    def reached_cap(self) -> RateLimited | None:
        """Return the cap that stops paid calls now, as the error that a task waits with; None if there is none.

        Its ``retry_after`` is the time until the day or the month ends.
        """
        if self.caps == _NO_CAPS:
            return None  # each page of the gallery asks
        now = self._now()
        if self.caps.month is not None and self._spent(_month(now)) >= self.caps.month:
            end = _month(_month(now) + timedelta(days=32))
            return _reached("month", CAP_MONTH, self.caps.month, (end - now).total_seconds())
        if self.caps.day is not None and self._spent(_day(now)) >= self.caps.day:
            end = _day(now) + timedelta(days=1)
            return _reached("day", CAP_DAY, self.caps.day, (end - now).total_seconds())
        return None

    def reached_quota(self, owner_id: int, more: int = 0) -> RateLimited | None:
        """Return the quota of an account that stops paid calls for its images now; None if there is none.

        Its ``retry_after`` is the time until the day or the month ends. more: images that the next batch has.
        """
        now, set_ = self._now(), self._ledger.quota(owner_id)
        month = self.quota.month if set_.month is None else set_.month
        if month is not None and self._owed(_month(now), owner_id, more) >= month:
            end = _month(_month(now) + timedelta(days=32))
            return _over_quota("month", QUOTA_MONTH, month, (end - now).total_seconds())
        day = self.quota.day if set_.day is None else set_.day
        if day is not None and self._owed(_day(now), owner_id, more) >= day:
            end = _day(now) + timedelta(days=1)
            return _over_quota("day", QUOTA_DAY, day, (end - now).total_seconds())
        return None

    def counted(self, owner_id: int) -> tuple[float, float]:
        """Return what counts against an account's quotas of today and of this month, in US dollars."""
        starts = (_day(self._now()), _month(self._now()))
        day, month = (self._owed(since, owner_id) for since in starts)
        return day, month

    def _owed(self, since: datetime, owner_id: int, more: int = 0) -> float:
        """Return what counts against a quota since that time."""
        return self._ledger.counted(since, owner_id=owner_id) + self._in_batches(owner_id, more)

    def _in_batches(self, owner_id: int | None = None, more: int = 0) -> float:
        """Return about what the answers of batches will cost that are not stored yet."""
        if self._batch_model is None:
            return 0.0
        one = _halved(self._quote(self._batch_model, USUAL_INPUT_TOKENS, USUAL_OUTPUT_TOKENS)).counted_usd
        return one * (self._ledger.in_batches(owner_id) + more)

    def _spent(self, since: datetime) -> float:
        """Return what counts against a cap since that time."""
        known = self._known.get(since)
        if known is None or known[0] <= self._clock():
            spent = self._ledger.counted(since)
            with self._lock:
                self._known[since] = known = (self._clock() + CACHE_SECONDS, spent)
        return known[1] + self._in_batches()


def _reached(period: str, code: str, cap: float, wait: float) -> RateLimited:
    until = "the next day (UTC) begins" if period == "day" else "the next month begins"
    return RateLimited(
        f"The spending cap of ${cap:g} a {period} is reached. The photo will be described when {until},"
        " or when the operator raises the cap.",
        code=code,
        retry_after=wait,
    )


def _over_quota(period: str, code: str, quota: float, wait: float) -> RateLimited:
    until = "the next day (UTC) begins" if period == "day" else "the next month begins"
    return RateLimited(
        f"This account may spend ${quota:g} a {period} on descriptions, which is used up. The photo will be"
        f" described when {until}, or when an administrator raises the quota.",
        code=code,
        retry_after=wait,
    )


def _halved(quote: Quote) -> Quote:
    # https://ai.google.dev/gemini-api/docs/batch-api: half of the standard price
    price = None if quote.price_usd is None else quote.price_usd / 2
    return Quote(price, quote.price_date, quote.counted_usd / 2)


def _day(when: datetime) -> datetime:
    return when.replace(hour=0, minute=0, second=0, microsecond=0)


def _month(when: datetime) -> datetime:
    return _day(when).replace(day=1)
