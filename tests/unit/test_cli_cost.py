"""``imgcore cost``: sums of the ledger by model, owner and day."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imgcore.captioning.prices import quote
from imgcore.cli import main as cli
from imgcore.pipeline.models import CallState, ModelCall
from imgcore.spending.service import Spending
from tests.support.repositories import Repositories

KNOWN, UNKNOWN = "gemini-3.5-flash-lite", "gemini-of-tomorrow"


@pytest.fixture
def spending(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repositories: Repositories) -> Spending:
    """A ledger of three answers, in the settings."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    spending = Spending(repositories.ledger, quote)
    for public_id, model in (("a", KNOWN), ("a", KNOWN), ("b", UNKNOWN)):
        spending.append(
            spending.entry(
                model=model, input_tokens=1000, output_tokens=90, outcome="described", public_id=public_id
            )
        )
    return spending


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert 0 == cli.main(["cost", *arguments])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_cost_by_model_names_an_unknown_price(spending: Spending, capsys: pytest.CaptureFixture[str]) -> None:
    """Two answers of one photo are two calls; what has no price is null, not 0."""
    counts, settled = {"input_tokens": 1000, "output_tokens": 90}, {"unsettled": None}
    assert [
        {"model": UNKNOWN, "calls": 1, "images": 1, **counts, "price_usd": None, "unpriced": 1, **settled},
        {
            "model": KNOWN,
            "calls": 2,
            "images": 1,
            "input_tokens": 2000,
            "output_tokens": 180,
            "price_usd": pytest.approx(0.00105),
            "unpriced": 0,
            **settled,
        },
    ] == sorted(printed(capsys), key=lambda row: row["calls"])


def test_cost_shows_the_bound_of_calls_without_an_answer(
    spending: Spending, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are in none of the exact sums."""
    spending.record(ModelCall(KNOWN, "3", 4000, 512, "open", CallState.OPEN), public_id="c")
    spending.record(ModelCall(UNKNOWN, "3", 4000, 512, "open", CallState.OPEN), public_id="c")

    (row,) = printed(capsys, "--by", "all")

    assert (3, 2, 3000, 1) == (row["calls"], row["images"], row["input_tokens"], row["unpriced"])
    assert {
        "calls": 2,
        "input_tokens_at_most": 8000,
        "output_tokens_at_most": 1024,
        "price_usd_at_most": pytest.approx(0.00248),
        "unpriced": 1,
    } == row["unsettled"]


def test_cost_in_all_adds_the_known_prices(spending: Spending, capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = printed(capsys, "--by", "all")
    assert (3, 2, 3000, 1) == (row["calls"], row["images"], row["input_tokens"], row["unpriced"])
    assert 0.00105 == pytest.approx(row["price_usd"])


@pytest.mark.parametrize("period", [["--today"], ["--month"], ["--from", "2026-01-01"]])
def test_cost_of_a_period_with_today_has_all(
    period: list[str], spending: Spending, capsys: pytest.CaptureFixture[str]
) -> None:
    assert [3] == [row["calls"] for row in printed(capsys, "--by", "all", *period)]


@pytest.mark.parametrize("period", [["--to", "2020-01-01"], ["--from", "2020-01-01", "--to", "2020-12-31"]])
def test_cost_of_the_past_is_empty(
    period: list[str], spending: Spending, capsys: pytest.CaptureFixture[str]
) -> None:
    """A sentence on standard error says so."""
    assert 0 == cli.main(["cost", *period])
    found = capsys.readouterr()
    assert ("", True) == (found.out, "no answer of a model in this period" in found.err)


def test_cost_by_day_and_owner(spending: Spending, capsys: pytest.CaptureFixture[str]) -> None:
    (day,) = printed(capsys, "--by", "day")
    (owner,) = printed(capsys, "--by", "owner")
    assert 10 == len(day["day"])
    assert None is owner["owner"]
    assert 3 == day["calls"] == owner["calls"]


def test_cost_of_a_reversed_period_fails(spending: Spending, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["cost", "--from", "2026-02-01", "--to", "2026-01-01"])
    assert "--to is before --from" in capsys.readouterr().err


def test_what_cost_can_sum_by_is_listed_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["cost", "--by", "tag"])
    said = capsys.readouterr().err.replace("'", "")  # Python 3.14 prints no quotes
    assert "(choose from model, owner, day, all)" in said


def test_cost_up_to_the_last_day_of_the_calendar(
    spending: Spending, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = printed(capsys, "--to", "9999-12-31", "--by", "all")
    assert 3 == row["calls"]


@pytest.mark.parametrize("period", ["--today", "--month"])
def test_cost_of_a_day_or_month_refuses_an_end(
    period: str, spending: Spending, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["cost", period, "--to", "2020-01-01"])
    assert 2 == caught.value.code
    assert "--to goes with --from" in capsys.readouterr().err
