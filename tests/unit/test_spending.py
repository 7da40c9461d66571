"""Prices of answers, and the caps that stop paid calls."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from imgcore.accounts.models import Role
from imgcore.captioning.prices import quote, rates
from imgcore.spending.models import Caps, Period, Quote
from imgcore.spending.service import CACHE_SECONDS, Spending
from tests.support.repositories import Repositories

DAY = date(2026, 11, 28)


def test_quote_of_a_known_model_has_price_and_its_date() -> None:
    found = quote("models/gemini-3.5-flash-lite", 1_000_000, 1_000_000, on=DAY)

    assert Quote(2.8, "2026-11-28", 2.8) == found


def test_quote_after_a_change_of_price_has_the_date_of_the_change() -> None:
    found = quote("gemini-3.8-flash", 1_000_000, 0, on=date(2027, 2, 1))

    assert Quote(1.5, "2027-01-01", 1.5) == found


def test_quote_of_an_unknown_gemini_model_counts_the_highest_rate() -> None:
    """The price is unknown, and the cap holds nevertheless."""
    found = quote("gemini-of-tomorrow", 1_000_000, 0, on=DAY)

    assert (None, None) == (found.price_usd, found.price_date)
    assert max(rate.input for rate in rates()) == found.counted_usd


def test_quote_of_a_model_of_ones_own_counts_nothing() -> None:
    assert Quote() == quote("llava:7b", 1_000_000, 1_000_000, on=DAY)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.seconds = 0.0

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def paid(repositories: Repositories, clock: Clock, caps: Caps) -> Spending:
    """A ledger in which each answer costs a dollar."""
    return Spending(
        repositories.ledger,
        lambda model, read, written: Quote(1.0, "2026-11-28", 1.0),
        caps,
        now=lambda: clock.now,
        clock=lambda: clock.seconds,
    )


def spend(spending: Spending, times: int) -> None:
    for _ in range(times):
        spending.append(
            spending.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", public_id="a")
        )


def test_cap_of_the_day_is_reached_and_released_at_midnight(repositories: Repositories, clock: Clock) -> None:
    """The error names the time until then; the next day's calls pass."""
    spending = paid(repositories, clock, Caps(day=2.0))
    spend(spending, 1)
    assert spending.reached_cap() is None
    spend(spending, 1)

    reached = spending.reached_cap()

    assert reached is not None
    assert ("spend_cap_day", True) == (reached.code, 0 < reached.retry_after <= 86_400)
    clock.pass_by(reached.retry_after)
    assert spending.reached_cap() is None


def test_cap_of_the_month_outlasts_the_day(repositories: Repositories, clock: Clock) -> None:
    spending = paid(repositories, clock, Caps(day=1.0, month=1.0))
    spend(spending, 1)

    reached = spending.reached_cap()

    assert reached is not None
    assert "spend_cap_month" == reached.code
    clock.pass_by(reached.retry_after)
    assert (1, None) == (clock.now.day, spending.reached_cap())


def test_cap_counts_the_answers_of_other_processes(repositories: Repositories, clock: Clock) -> None:
    """A process sees them after the time that it keeps a sum."""
    here, elsewhere = (paid(repositories, clock, Caps(day=1.0)) for _ in range(2))
    assert here.reached_cap() is None
    spend(elsewhere, 1)

    clock.seconds += CACHE_SECONDS

    assert here.reached_cap() is not None


def test_quota_of_one_account_is_reached_by_its_own_answers(repositories: Repositories, clock: Clock) -> None:
    """The default holds for every account; what an administrator set replaces it for one."""
    spending = paid(repositories, clock, Caps())
    accounts = repositories.accounts
    ada, zoe = (accounts.add(name, name, Role.PERSON, "hash").id for name in ("ada", "zoe"))
    spending.quota = Caps(day=2.0)
    for owner in (ada, ada, zoe):
        spending.append(
            spending.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", owner_id=owner)
        )

    reached = spending.reached_quota(ada)

    assert reached is not None
    assert ("spend_quota_day", True) == (reached.code, 0 < reached.retry_after <= 86_400)
    assert ("$2 a day" in reached.message, (2.0, 2.0)) == (True, spending.counted(ada))
    assert [None, None] == [spending.reached_quota(zoe), spending.reached_cap()]
    limits = {"images": None, "bytes_": None, "uploads": None}
    accounts.set_quota(ada, **limits, spend_day=3.0)
    assert spending.reached_quota(ada) is None
    accounts.set_quota(ada, **limits, spend_day=3.0, spend_month=2.0)
    assert "spend_quota_month" == spending.reached_quota(ada).code
    clock.pass_by(spending.reached_quota(ada).retry_after)
    assert (1, None) == (clock.now.day, spending.reached_quota(ada))


def test_no_cap_is_never_reached(repositories: Repositories, clock: Clock) -> None:
    spending = paid(repositories, clock, Caps())
    spend(spending, 3)

    assert spending.reached_cap() is None


def test_batch_answer_costs_half(repositories: Repositories, clock: Clock) -> None:
    spending = paid(repositories, clock, Caps())
    spending.append(spending.entry(model="m", input_tokens=1, output_tokens=1, outcome="described", batch=True))

    assert [0.5] == [usage.price_usd for usage in spending.usage(Period())]


@pytest.mark.parametrize(
    ("other", "batch"), [("gemini-3.5-flash-lite", False), ("gemini-3.5-flash", True), ("gemini-3.5", False)]
)
def test_estimate_leaves_out_other_models_and_batches(
    repositories: Repositories, other: str, batch: bool
) -> None:
    """A release of the model is the model."""
    spending = Spending(repositories.ledger, quote)
    model = "gemini-3.5-flash"
    for name, in_batch, tokens in ((f"models/{model}-001", False, 1000), (other, batch, 7000)):
        spending.append(
            spending.entry(
                model=name,
                input_tokens=tokens,
                output_tokens=0,
                outcome="described",
                public_id=name,
                batch=in_batch,
            )
        )

    assert spending.estimate(model, 2) == pytest.approx(2 * (quote(model, 1000, 0).price_usd or 0))


def test_estimate_is_the_price_of_one_description(repositories: Repositories, clock: Clock) -> None:
    """An image described three times, an answer that was asked for again, and a probe: 5 dollars for 4."""
    spending = paid(repositories, clock, Caps())
    for public_id, outcome in [
        *[("a", "described")] * 3,
        ("b", "bad_answer"),
        ("b", "described"),
        (None, "ok"),
    ]:
        spending.append(
            spending.entry(model="m", input_tokens=1, output_tokens=1, outcome=outcome, public_id=public_id)
        )

    assert 10 * 5 / 4 == spending.estimate("m", 10)


def test_estimate_without_a_description_is_that_of_a_usual_answer(
    repositories: Repositories, clock: Clock
) -> None:
    spending = paid(repositories, clock, Caps())
    spending.append(
        spending.entry(model="m", input_tokens=1, output_tokens=1, outcome="bad_answer", public_id="a")
    )

    assert 2.0 == spending.estimate("m", 2)
