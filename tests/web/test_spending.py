"""The page of what the models cost, and the account's own sums."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgcore.gallery.service import Gallery
from imgcore.pipeline.models import CallState, ModelCall
from imgcore.spending.models import Caps
from tests.web.client import Client
from tests.web.peopling import site


def test_spending_page_shows_sums_and_unknown_prices(gallery: Gallery, client: Client) -> None:
    for model in ("gemini-3.5-flash-lite", "gemini-of-tomorrow"):
        gallery.spending.append(
            gallery.spending.entry(
                model=model, input_tokens=123_456, output_tokens=90, outcome="described", public_id="a"
            )
        )

    text = client.get("/spending").text

    assert "246,912" in text
    assert '<th scope="row">gemini-of-tomorrow</th>' in text
    assert "<td>unknown</td>" in text
    assert "$0.0373 and 1 of unknown price" in text
    assert "There is no cap on spending." in text


def test_pages_show_the_bound_of_calls_without_an_answer(tmp_path: Path) -> None:
    """The account page shows those about the account's own photos."""
    found = site(tmp_path)
    for name, tokens in (("owner", 4000), ("other", 7000)):
        call = ModelCall("gemini-3.5-flash-lite", "3", tokens, 512, "open", CallState.OPEN)
        found.gallery.spending.record(call, owner_id=found.people[name].id)

    mine = found.browser(found.app(), "owner").get("/account").text
    everything = found.browser(found.app(), "boss").get("/spending").text

    assert "The answer of 1 call is not known: made just now, or lost." in mine
    assert "They used at most 4,000 tokens in and 512 out, for at most $0.0025." in mine
    assert "at most $0.0025 for 1 without an answer" in mine
    assert "The answers of 2 calls are not known" in everything
    assert "at most 11,000 tokens in and 1,024 out, for at most $0.0059" in everything
    found.database.close()


def test_bound_of_calls_without_a_known_price_says_so(gallery: Gallery, client: Client) -> None:
    for model in ("gemini-3.5-flash-lite", "gemini-of-tomorrow"):
        gallery.spending.record(ModelCall(model, "3", 4000, 512, "open", CallState.OPEN))

    text = client.get("/spending").text

    assert "1,024 out, for at most $0.0025 and 1 of unknown price." in text


def test_api_returns_what_imgcore_cost_prints(gallery: Gallery, client: Client) -> None:
    spent = gallery.spending.entry(
        model="gemini-3.5-flash-lite", input_tokens=1000, output_tokens=90, outcome="described", public_id="a"
    )
    gallery.spending.append(spent)
    gallery.spending.record(ModelCall("gemini-of-tomorrow", "3", 4000, 512, "open", CallState.OPEN))

    body = client.get("/api/v1/spending?period=today").json

    assert ("today", "model") == (body["period"], body["by"])
    known, lost = sorted(body["sums"], key=lambda one: -one["calls"])
    assert ("gemini-3.5-flash-lite", 1, 1000, 90, None) == (
        known["group"],
        known["calls"],
        known["input_tokens"],
        known["output_tokens"],
        known["unsettled"],
    )
    bound = {"calls": 1, "input_tokens_at_most": 4000, "output_tokens_at_most": 512}
    assert (0, bound | {"price_usd_at_most": None, "unpriced": 1}) == (lost["calls"], lost["unsettled"])
    [everything] = client.get("/api/v1/spending?by=all").json["sums"]
    assert (None, 1) == (everything["group"], everything["calls"])


@pytest.mark.parametrize("query", ["period=year", "by=moon", "from=2026-01-01"])
def test_api_refuses_other_parameters(client: Client, query: str) -> None:
    assert 422 == client.get(f"/api/v1/spending?{query}").status


def test_spending_page_and_notice_name_a_reached_cap(gallery: Gallery, client: Client) -> None:
    gallery.spending.caps = Caps(day=0.5, month=7)
    gallery.spending.append(
        gallery.spending.entry(
            model="gemini-3.5-flash-lite", input_tokens=10_000_000, output_tokens=0, outcome="described"
        )
    )

    text = client.get("/spending").text

    assert "The cap is $0.5 a day." in text
    assert "The cap is $7 a month." in text
    assert "The spending cap of $0.5 a day is reached." in text
    assert ["spend_cap_day"] == [notice.code for notice in gallery.notices()]
    assert 'data-code="spend_cap_day"' in client.get("/").text


def test_account_page_shows_the_accounts_own_sums(tmp_path: Path) -> None:
    """The answers about the photos of others are not in them."""
    found = site(tmp_path)
    for name, tokens in (("owner", 1111), ("other", 2222)):
        found.gallery.spending.append(
            found.gallery.spending.entry(
                model="gemini-3.5-flash-lite",
                input_tokens=tokens,
                output_tokens=1,
                outcome="described",
                owner_id=found.people[name].id,
            )
        )

    text = found.browser(found.app(), "owner").get("/account").text

    assert "1,111" in text
    assert "2,222" not in text
    assert "3,333" not in text
    found.database.close()


def test_accounts_page_names_calls_without_an_answer(tmp_path: Path) -> None:
    found = site(tmp_path)
    call = ModelCall("gemini-3.5-flash-lite", "3", 4000, 512, "open", CallState.OPEN)
    found.gallery.spending.record(call, owner_id=found.people["owner"].id)

    text = found.browser(found.app(), "boss").get("/accounts").text

    assert "$0.00, and 1 without an answer" in text
    found.database.close()
