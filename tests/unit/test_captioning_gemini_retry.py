"""Retries, waits, the meaning of refusals, and the price."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgcore.captioning.answers import Answer, assess
from imgcore.captioning.gemini.responses import (
    Refused,
    Unreachable,
    Unreadable,
    judge,
    pacific,
    refused,
    until_quota_resets,
)
from imgcore.captioning.prices import Spending, price, rates
from imgcore.captioning.retry import Attempts, Failure, FailureKind, Policy
from imgcore.errors import BadAnswer, Blocked, ImgcoreError, RateLimited, Unavailable
from imgcore.pipeline.models import ModelCall
from lambda_build import prices as table

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

# Waiting


@given(st.integers(1, 50), st.floats(0, 1, exclude_max=True))
def test_wait_without_hint_is_full_jitter(attempt: int, chance: float) -> None:
    wait = Policy().wait(attempt, None, chance)
    assert 0 <= wait <= min(20.0, 2.0 ** (attempt - 1))


@given(st.integers(1, 50), st.floats(0, 86_400), st.floats(0, 1, exclude_max=True))
def test_wait_with_hint_is_never_shorter(attempt: int, hint: float, chance: float) -> None:
    wait = Policy().wait(attempt, hint, chance)
    assert hint <= wait <= hint + min(2.0, 0.1 * hint + 0.2)


@pytest.mark.parametrize(
    ("kind", "tries"),
    [
        (FailureKind.TRANSIENT, 4),
        (FailureKind.UNUSABLE, 3),
        (FailureKind.CUT_SHORT, 3),
        (FailureKind.RECITATION, 2),
        (FailureKind.EMPTY, 2),
        (FailureKind.DECLINED, 2),
        (FailureKind.OPTION_REFUSED, 1),
        (FailureKind.MODEL_GONE, 1),
        (FailureKind.MODEL_EXHAUSTED, 1),
        (FailureKind.FINAL, 1),
    ],
)
def test_tries_of_each_failure_kind_are_limited(kind: FailureKind, tries: int) -> None:
    """Each kind of failure has its number of requests, and no sleep goes past the deadline's reserve."""
    slept: list[float] = []
    attempts = Attempts(Policy(), 100.0, "Busy.", clock=lambda: 0.0, sleep=slept.append, rng=lambda: 1.0)
    end = BadAnswer("No.")
    for _ in range(tries - 1):
        attempts.again(Failure(kind, end, ""))
    with pytest.raises(BadAnswer):
        attempts.again(Failure(kind, end, ""))
    assert [1.0, 2.0, 4.0][: tries - 1] == slept


FAILURES = st.lists(
    st.tuples(st.sampled_from(FailureKind), st.none() | st.floats(0, 200), st.booleans()),
    min_size=8,
    max_size=8,
)


@given(FAILURES, st.floats(0, 300), st.floats(0, 1, exclude_max=True))
def test_attempts_with_any_failures_end_in_time(
    failures: list[tuple[FailureKind, float | None, bool]], deadline: float, chance: float
) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    attempts = Attempts(Policy(), deadline, "Busy.", clock=lambda: now[0], sleep=sleep, rng=lambda: chance)
    met: list[FailureKind] = []
    end: ImgcoreError | None = None
    for kind, hint, permanent in failures:
        try:
            assert attempts.seconds() <= 45.0
            met.append(kind)
            attempts.again(Failure(kind, ImgcoreError("No.", permanent=permanent), "", hint))
        except ImgcoreError as error:
            end = error
            break
        assert now[0] <= deadline - 15.0
    assert end is not None
    assert len(met) <= 4
    assert not end.permanent or met.count(met[-1]) >= Policy().tries(met[-1])


# Refusals

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["1s", "PerDay", "API_KEY_X"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["error", "details", "message", "status", "reason", "retryDelay", "violations", "quotaId"]
            ),
            inner,
        )
    ),
)


@given(st.integers(100, 599), JSON, st.none() | st.text(max_size=8))
def test_refused_with_any_body_is_classified(code: int, body: object, retry_after: str | None) -> None:
    failure = judge(refused(code, body, retry_after), NOON)
    assert failure.end.message.endswith(".")
    assert failure.hint is None or 0 <= failure.hint <= 86_400


@pytest.mark.parametrize(
    ("delay", "header", "expected"),
    [
        ("34.074824224s", None, 34.074824224),
        ("0s", None, 0.0),
        ("5s", "7", 5.0),
        ("soon", "7", 7.0),
        (None, "7", 7.0),
        (None, "Wed, 21 Oct 2026 07:28:00 GMT", None),
        ("-3s", None, None),
        ("1e9s", None, None),
        ("٣s", None, None),
        ("9" * 400 + "s", None, 86_400.0),
        (30, None, None),
    ],
)
def test_refused_hint_is_read_from_body_and_header(
    delay: object, header: str | None, expected: float | None
) -> None:
    """RetryInfo counts before the header, and nothing but plain seconds counts."""
    body = {"error": {"details": [{"@type": "x"}, "noise", {"@type": "RetryInfo", "retryDelay": delay}]}}
    assert expected == refused(429, body, header).hint


def test_refused_details_of_any_shape_are_read() -> None:
    """What is no object among the details or the violations is passed over."""
    details = ["x", {"violations": "x"}, {"violations": ["x", {"quotaId": "aPerDayb"}, {}]}, {"reason": "R"}]
    found = refused(429, [{"error": {"message": "m", "details": details}}])
    assert Refused(429, "", "m", ("", "", "R"), ("aPerDayb", ""), ("", "")) == found


@pytest.mark.parametrize("body", [[], None, "text", 3, {"error": "text"}])
def test_refused_body_of_another_server_leaves_only_its_status(body: object) -> None:
    """They leave the status code alone to go by."""
    assert Refused(500) == refused(500, body)


def code_of(reply: Refused) -> tuple[type, str, FailureKind]:
    """What follows from it."""
    failure = judge(reply, NOON)
    return type(failure.end), failure.end.code, failure.kind


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Refused(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), "key_refused"),
        (Refused(400, "INVALID_ARGUMENT", "x", ("API_KEY_INVALID",)), "key_refused"),
        (Refused(401, "UNAUTHENTICATED"), "key_refused"),
        (Refused(400, "FAILED_PRECONDITION", "Please enable billing."), "billing_required"),
        (Refused(410, "GONE"), "model_retired"),
        (Refused(400, "INVALID_ARGUMENT", "Image input modality is not enabled for models/x"), "model_unfit"),
        (Refused(400, "INVALID_ARGUMENT", 'Unknown name "responseJsonSchema"'), "model_unfit"),
        (Refused(400, "INVALID_ARGUMENT", "Request contains an invalid argument."), "model_refused_image"),
        (Refused(403, "", "<html>blocked by a proxy"), "wrong_address"),
        (Refused(413), "model_refused_image"),
        (Refused(501, "UNIMPLEMENTED"), "unavailable"),
    ],
)
def test_judge_refusal_gives_the_failure_of_its_code(reply: Refused, code: str) -> None:
    assert code == code_of(reply)[1]


def test_judge_trouble_without_response_gives_its_failure() -> None:
    found = [judge(trouble, NOON) for trouble in (Unreachable("reset"), Unreadable("html"))]
    assert [FailureKind.TRANSIENT, FailureKind.UNUSABLE] == [failure.kind for failure in found]
    assert [Unavailable, BadAnswer] == [type(failure.end) for failure in found]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(None, "SAFETY"), FailureKind.FINAL),
        (Answer('{"caption"', "SPII"), FailureKind.FINAL),
        (Answer(None, None, "OTHER"), FailureKind.FINAL),
        (Answer(None, None, "BLOCKED_REASON_UNSPECIFIED"), FailureKind.EMPTY),
        (Answer("", "STOP"), FailureKind.EMPTY),
        (Answer(None, "RECITATION"), FailureKind.RECITATION),
        (Answer(None, "MAX_TOKENS"), FailureKind.CUT_SHORT),
        (Answer("x", "MAX_TOKENS"), FailureKind.CUT_SHORT),
        (Answer("x", "STOP"), FailureKind.UNUSABLE),
        (Answer("I'm sorry, but I can't.", "STOP"), FailureKind.DECLINED),
        (Answer("x", "OTHER"), FailureKind.UNUSABLE),
    ],
)
def test_assess_answer_without_description_gives_a_failure(answer: Answer, kind: FailureKind) -> None:
    failure = assess(answer, "The model")
    assert isinstance(failure, Failure)
    assert failure.answered
    blocked = kind in (FailureKind.FINAL, FailureKind.DECLINED)
    assert (kind, blocked) == (failure.kind, isinstance(failure.end, Blocked))


# The daily quota


class Coast(tzinfo):
    """The Pacific coast in 2026, for machines without zone data: summer time from 8 March to 1 November."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Seven hours behind in summer, eight in winter."""
        assert moment is not None
        summer = (3, 8, 2) <= (moment.month, moment.day, moment.hour) < (11, 1, 2)
        return timedelta(hours=-7 if summer else -8)

    def dst(self, moment: datetime | None) -> timedelta:
        """What it is ahead of winter time."""
        return self.utcoffset(moment) + timedelta(hours=8)


@pytest.mark.parametrize(
    ("now", "hours"),
    [
        (datetime(2026, 11, 21, 12, tzinfo=UTC), 20),  # 4 o'clock there
        (datetime(2026, 11, 21, 8, tzinfo=UTC), 24),  # midnight there
        (datetime(2026, 7, 1, 6, 30, tzinfo=UTC), 0.5),  # half past eleven at night
        (datetime(2026, 3, 8, 8, tzinfo=UTC), 23),  # the night when an hour is lost
        (datetime(2026, 11, 1, 7, tzinfo=UTC), 25),  # and when it is given back
        (datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1))), 20),
    ],
)
def test_quota_resets_at_midnight_in_the_pacific_zone(now: datetime, hours: float) -> None:
    """It begins anew at midnight of the Pacific coast, summer time minded."""
    assert 3600 * hours == until_quota_resets(now, Coast())


def test_pacific_zone_is_found() -> None:
    """The coast's own zone, or its winter time where no data for it is installed."""
    hours = pacific().utcoffset(datetime(2026, 1, 15, tzinfo=UTC).replace(tzinfo=None))
    assert timedelta(hours=-8) == hours


@pytest.mark.parametrize("name", ["Nowhere/Nothing", "../etc", "America"])
def test_pacific_zone_without_data_is_winter_time(name: str) -> None:
    """An hour late in summer, and never early."""
    assert 3600 * 21 == until_quota_resets(datetime(2026, 7, 1, 11, tzinfo=UTC), pacific(name))


def test_judge_daily_quota_waits_until_the_reset() -> None:
    """A daily quota's own retryDelay, which is far too short, does not count."""
    failure = judge(Refused(429, "RESOURCE_EXHAUSTED", quotas=("GenerateRequestsPerDayX",), hint=21.0), NOON)
    assert isinstance(failure.end, RateLimited)
    assert ("quota_exhausted", 20 * 3600, FailureKind.MODEL_EXHAUSTED) == (
        failure.end.code,
        failure.end.retry_after,
        failure.kind,
    )


# Prices


@pytest.mark.parametrize(
    ("model", "day", "expected"),
    [
        ("gemini-3.5-flash-lite", date(2026, 11, 21), 0.000435),
        ("models/gemini-3.5-flash-lite-001", date(2026, 11, 21), 0.000435),
        ("gemini-3.5-flash-lite-preview-11-2026", date(2026, 11, 21), 0.000435),
        ("gemini-3.1-flash-lite", date(2026, 11, 21), 0.00031),
        ("gemini-3.8-flash", date(2026, 12, 31), 0.0008625),
        ("gemini-3.8-flash", date(2027, 1, 1), 0.001725),
        ("gemini-3-pro-preview", date(2026, 11, 21), 0.00248),
        ("gemini-3-pro-preview-11-2025", date(2026, 11, 21), 0.00248),
        ("gemini-3.8-flash-lite", date(2026, 12, 31), None),
        ("gemini-9", date(2026, 12, 31), None),
        ("", date(2026, 12, 31), None),
    ],
)
def test_price_of_a_model_on_a_day_is_that_of_the_table(model: str, day: date, expected: float | None) -> None:
    """700 tokens in and 90 out, of a model by any of its names, on a day."""
    found = price(model, 700, 90, on=day)
    assert expected == (None if found is None else round(found, 9))


def test_price_without_a_day_is_that_of_today() -> None:
    assert price("gemini-3.8-flash", 7, 9, on=datetime.now(UTC).date()) == price("gemini-3.8-flash", 7, 9)


def test_price_table_has_one_positive_rate_for_each_model_and_day() -> None:
    """One rate for each model and day, every one of them positive."""
    found = rates()
    assert len({(rate.model, rate.since) for rate in found}) == len(found)
    assert [] == [rate for rate in found if rate.input <= 0 or rate.output <= rate.input]


def test_price_table_written_from_a_library_keeps_days_and_first_tiers() -> None:
    """Prices that depend on the hour of the day, and models that do not describe photos, are left out."""
    tiered, plain = SimpleNamespace(base=0.5), 0.25
    later = SimpleNamespace(start_date=date(2027, 1, 1))
    hourly = SimpleNamespace(start_time="22:00")
    dated = [
        SimpleNamespace(constraint=None, prices=SimpleNamespace(input_mtok=plain, output_mtok=1.5)),
        SimpleNamespace(constraint=later, prices=SimpleNamespace(input_mtok=tiered, output_mtok=3)),
        SimpleNamespace(constraint=hourly, prices=SimpleNamespace(input_mtok=plain, output_mtok=9)),
    ]
    simple = SimpleNamespace(input_mtok=tiered, output_mtok=2)
    unknown = SimpleNamespace(input_mtok=None, output_mtok=2)
    names = {
        "gemini-1": dated,
        "gemini-2": simple,
        "gemini-3": unknown,
        "gemini-2-tts": simple,
        "gemma": simple,
    }
    models = [SimpleNamespace(id=name, prices=prices) for name, prices in names.items()]

    assert [
        {"model": "gemini-1", "since": "0001-01-01", "input": 0.25, "output": 1.5},
        {"model": "gemini-1", "since": "2027-01-01", "input": 0.5, "output": 3.0},
        {"model": "gemini-2", "since": "0001-01-01", "input": 0.5, "output": 2.0},
    ] == list(table.rates(models))


def test_spending_with_one_unknown_price_has_no_sum() -> None:
    """It adds up, and one unknown price makes the sum unknown but not the tokens."""
    calls: list[ModelCall] = []
    spending = Spending("1", calls.append)
    assert (None, None, None) == (spending.input_tokens, spending.output_tokens, spending.price_usd)
    spending.add("gemini-3.5-flash-lite", 1_000_000, 0, "bad_answer")
    assert (1_000_000, None, 0.3) == (spending.input_tokens, spending.output_tokens, spending.price_usd)
    spending.add("gemini-9", 1, 2, "bad_answer")
    spending.add("gemini-3.5-flash-lite", 1, 2, "described")
    assert (1_000_002, 4, None) == (spending.input_tokens, spending.output_tokens, spending.price_usd)
    assert [("bad_answer", 1_000_000), ("bad_answer", 1), ("described", 1)] == [
        (call.outcome, call.input_tokens) for call in calls
    ]


def test_responses_and_retry_import_no_sdk() -> None:
    modules = ("gemini.responses", "gemini.captioner", "retry", "prompt", "model")
    names = [vars(sys.modules[f"imgcore.captioning.{module}"]) for module in modules]
    assert [] == [name for name in names if "genai" in name or "httpx2" in name]
