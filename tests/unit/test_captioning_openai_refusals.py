"""What OpenAI-compatible servers and Gemini refuse, in their own words: limits, and requests too large."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from imgcore.captioning.answers import Answer
from imgcore.captioning.gemini import responses as gemini
from imgcore.captioning.model import ModelCaptioner, Request
from imgcore.captioning.openai.responses import answer, judge
from imgcore.captioning.retry import Failure, FailureKind
from imgcore.errors import ImgcoreError, RateLimited
from imgcore.gallery.models import Picture, Source
from tests.unit.captioning_tools import description

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

GROQ = (
    "Rate limit reached for model `microsoft/phi-4-multimodal-instruct` in organization `org_x` service tier"
    " `on_demand` on tokens per minute (TPM): Limit 30000, Used 29500, Requested 1500. Please try again in 2s."
    " Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)
GROQ_LARGE = (
    "Request too large for model `llama-4-scout` in organization `org_x` service tier `on_demand` on tokens per"
    " minute (TPM): Limit 6000, Requested 14137, please reduce your message size and try again. Need more"
    " tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing"
)
OPENAI = (
    "Rate limit reached for gpt-4o in organization org-x on requests per min (RPM): Limit 3, Used 3, Requested"
    " 1. Please try again in 20s. You can increase your rate limit by adding a payment method to your account"
    " at https://platform.openai.com/account/billing."
)
OPENROUTER = (
    "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day"
)
QUOTA = "You exceeded your current quota, please check your plan and billing details."
INACTIVE = "Your account is not active, please check your billing details on our website."


def refusal(message: str, **fields: Any) -> str:
    return json.dumps({"error": {"message": message, **fields}})


@pytest.mark.parametrize(
    "body",
    [
        refusal(GROQ, type="tokens", code="rate_limit_exceeded"),
        refusal(OPENAI, type="requests", code="rate_limit_exceeded"),
        refusal(OPENROUTER, code=429),
    ],
)
def test_openai_rate_limit_that_advises_to_pay_is_a_rate_limit(body: str) -> None:
    found = judge(429, body, "7")
    assert (FailureKind.TRANSIENT, "rate_limited", 7.0) == (found.kind, found.end.code, found.hint)
    assert isinstance(found.end, RateLimited)
    assert 7.0 == found.end.retry_after


@pytest.mark.parametrize(
    "body",
    [
        refusal(QUOTA, type="insufficient_quota", code="insufficient_quota"),
        refusal(QUOTA, type="insufficient_quota", code=None),
        refusal(INACTIVE, type="billing_not_active", code=None),
    ],
)
def test_openai_account_without_credits_is_for_the_operator(body: str) -> None:
    found = judge(429, body, "7")
    assert (FailureKind.FINAL, "credits_exhausted") == (found.kind, found.end.code)


def test_openai_credits_that_a_refusal_without_a_limit_names_are_used_up() -> None:
    """Anthropic's wording."""
    found = judge(400, refusal("Your credit balance is too low to access the API.", type="invalid_request"))
    assert "credits_exhausted" == found.end.code


def test_openai_request_too_large_for_the_tier_is_not_about_credits() -> None:
    found = judge(413, refusal(GROQ_LARGE, type="tokens", code="rate_limit_exceeded"))
    assert "model_refused_image" == found.end.code


@pytest.mark.parametrize(
    ("further", "unbilled"), [({}, True), ({"usage": {"prompt_tokens": 9, "completion_tokens": 9}}, False)]
)
def test_openai_error_with_status_200_has_the_status_that_it_names(
    further: dict[str, Any], unbilled: bool
) -> None:
    found = answer(json.dumps({"error": {"message": OPENROUTER, "code": 429}, **further}), "m")
    assert isinstance(found, Failure)
    assert ("rate_limited", unbilled) == (found.end.code, found.unbilled)


def test_gemini_rate_limit_that_advises_to_pay_is_a_rate_limit() -> None:
    message = "Quota exceeded. To raise it, see https://ai.google.dev/gemini-api/docs/billing"
    found = gemini.judge(gemini.Refused(429, "RESOURCE_EXHAUSTED", message, hint=7.0), NOW)
    assert ("rate_limited", 7.0) == (found.end.code, found.hint)


class LongPicture:
    """A picture that is sent as the whole and six parts."""

    def jpegs(self, side: int) -> list[bytes]:
        return [b"jpeg"] * 7


def captioner(source: Source, refused: Failure, most: int) -> tuple[ModelCaptioner, list[int]]:
    """A model that takes ``most`` images, and the numbers of images of its requests."""
    asked: list[int] = []

    def ask(request: Request) -> Answer | Failure:
        asked.append(1 + len(request.parts))
        return refused if asked[-1] > most else Answer(description(), "STOP")

    models = ["first", "second"]
    return ModelCaptioner(source, "The model", models, ask, clock=lambda: 0.0), asked


def gemini_refusal(message: str) -> Failure:
    return gemini.judge(gemini.Refused(400, "INVALID_ARGUMENT", message), NOW)


TOO_SMALL = judge(400, refusal("exceeds the available context size", type="exceed_context_size_error"))
WITH_PARTS = [
    (Source.OPENAI, TOO_SMALL),
    (
        Source.GEMINI,
        gemini_refusal("The input token count (40000) exceeds the maximum number of tokens allowed"),
    ),
    (Source.GEMINI, gemini_refusal("Several image parts are not supported.")),
    (Source.GEMINI, gemini.judge(gemini.Refused(413), NOW)),
]


@pytest.mark.parametrize(("source", "refused"), WITH_PARTS)
def test_picture_refused_in_parts_is_sent_whole_to_the_same_model(source: Source, refused: Failure) -> None:
    """The next one is sent in parts again: it may have fewer."""
    model, asked = captioner(source, refused, most=1)
    picture: Picture = LongPicture()  # type: ignore[assignment]
    for _ in range(2):
        assert model.describe(picture, deadline=1000.0).caption
    assert ([7, 1] * 2, "first") == (asked, model.model)


def test_picture_refused_in_parts_and_whole_ends_in_the_refusal() -> None:
    model, asked = captioner(Source.OPENAI, TOO_SMALL, most=0)
    with pytest.raises(ImgcoreError) as caught:
        model.describe(LongPicture(), deadline=1000.0)  # type: ignore[arg-type]
    assert ([7, 1], "context_too_small") == (asked, caught.value.code)
