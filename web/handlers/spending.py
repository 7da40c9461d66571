"""The administrators' page of what the models cost, and the same sums for the account page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bottle import HTTPResponse, response

from imgcore.accounts.models import Scope
from imgcore.errors import Invalid, NotFound
from imgcore.spending.models import Group, Period, Unsettled, Usage
from web.http import request
from web.http.auth import PREFIX, requires
from web.http.csrf import csrf_token
from web.http.responses import Route, json_response
from web.http.templates import TemplateRenderer

if TYPE_CHECKING:
    from imgcore.spending.service import Spending


class SpendingPages:
    """Handler of /spending. spending: None where there is no ledger."""

    def __init__(self, spending: Spending | None, renderer: TemplateRenderer) -> None:
        self._spending = spending
        self._renderer = renderer

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", "/spending", self.spending)]

    @requires(Scope.ADMIN)
    def spending(self) -> str:
        """Show the totals, the caps, and this month by model, by owner and by day."""
        spending = _ledger(self._spending)
        response.set_header("Cache-Control", "no-store")
        month = spending.month()
        grouped = (
            ("This month, by model", "Model", Group.MODEL),
            ("This month, by owner", "Owner", Group.OWNER),
            ("This month, by day", "Day", Group.DAY),
        )
        return self._renderer.render(
            "spending",
            token=csrf_token(),
            totals=totals(spending),
            unsettled=unsettled(spending),
            caps=_caps(spending),
            tables=[(title, head, _rows(spending.usage(month, group))) for title, head, group in grouped],
        )


class SpendingApi:
    """Handler of /api/v1/spending. spending: None where there is no ledger."""

    def __init__(self, spending: Spending | None) -> None:
        self._spending = spending

    def routes(self) -> list[Route]:
        """(method, path, handler)."""
        return [("GET", f"{PREFIX}/spending", self.sums)]

    @requires(Scope.ADMIN)
    def sums(self) -> HTTPResponse:
        """Return what ``imgcore cost`` prints: the sums of a period by model, owner or day, or in all."""
        spending, asked = _ledger(self._spending), request.query()
        if unknown := asked.keys() - {"period", "by"}:
            raise Invalid(f"There is no parameter {min(unknown)!r}.", code="unknown_parameter")
        periods = {"today": spending.today(), "month": spending.month(), "all": Period()}
        groups = {group.value: group for group in Group} | {"all": None}
        period, by = asked.get("period", "month"), asked.get("by", Group.MODEL.value)
        if period not in periods:
            raise Invalid(f"period must be one of {', '.join(periods)}.", code="period")
        if by not in groups:
            raise Invalid(f"by must be one of {', '.join(groups)}.", code="by")
        found = spending.usage(periods[period], groups[by])
        return json_response({"period": period, "by": by, "sums": [asdict(usage) for usage in found]})


def _ledger(spending: Spending | None) -> Spending:
    if spending is None:
        raise NotFound("This gallery keeps no ledger.")
    return spending


def totals(spending: Spending, owner_id: int | None = None) -> list[dict[str, str]]:
    """Return the sums of today, of this month and of all time, as texts. owner_id: of one account's images."""
    periods = (("Today", spending.today()), ("This month", spending.month()))
    sums = [(name, next(iter(spending.usage(each, owner_id=owner_id)), Usage(None))) for name, each in periods]
    return [_row(usage, name) for name, usage in (*sums, ("In all", spending.total(owner_id)))]


def unsettled(spending: Spending, owner_id: int | None = None) -> str | None:
    """Return a sentence about all calls whose answer is not known. owner_id: of one account's images."""
    lost = spending.unsettled(owner_id)
    return unsettled_text(lost) if lost else None


def _caps(spending: Spending) -> list[str]:
    caps = (("a day", spending.caps.day), ("a month", spending.caps.month))
    lines = [f"The cap is ${cap:g} {name}." for name, cap in caps if cap is not None]
    reached = spending.reached_cap()
    return [*(lines or ["There is no cap on spending."]), *([reached.message] if reached else [])]


def _rows(usages: Iterable[Usage]) -> list[dict[str, str]]:
    return [_row(usage, usage.group or "no account") for usage in usages]


def _row(usage: Usage, name: str) -> dict[str, Any]:
    numbers = ("calls", "images", "input_tokens", "output_tokens")
    counts = {key: f"{getattr(usage, key):,}" for key in numbers}
    return {"name": name, **counts, "price": price_text(usage)}


def price_text(usage: Usage) -> str:
    """Return the price as text; what has no known price or no known answer is named, not counted as 0."""
    lost = usage.unsettled
    if usage.calls == 0:
        return _most(lost) if lost else "–"
    price = "unknown" if usage.price_usd is None else dollars(usage.price_usd)
    if usage.unpriced and usage.price_usd is not None:
        price += f" and {usage.unpriced:,} of unknown price"
    return f"{price}, and {_most(lost)}" if lost else price


def dollars(amount: float) -> str:
    """Return an amount as text, of less than a dollar with four decimals."""
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def _most(lost: Unsettled) -> str:
    return f"{_most_price(lost)} for {lost.calls:,} without an answer"


def _most_price(lost: Unsettled) -> str:
    known = (
        "an unknown price" if lost.price_usd_at_most is None else f"at most {dollars(lost.price_usd_at_most)}"
    )
    if lost.unpriced and lost.price_usd_at_most is not None:
        return f"{known} and {lost.unpriced:,} of unknown price"
    return known


def unsettled_text(lost: Unsettled) -> str:
    """Return a sentence about the calls whose answer is not known."""
    which = "The answer of 1 call is" if lost.calls == 1 else f"The answers of {lost.calls:,} calls are"
    return (
        f"{which} not known: made just now, or lost. They used at most {lost.input_tokens_at_most:,} tokens in"
        f" and {lost.output_tokens_at_most:,} out, for {_most_price(lost)}. They count against caps and quotas."
    )
