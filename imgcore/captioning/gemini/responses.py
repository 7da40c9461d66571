"""The meaning of Gemini's responses: a description, or a failure and the error it ends in. Pure.

Codes and shapes: https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.error_details.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from imgcore.captioning.gemini import prompt
from imgcore.captioning.gemini.retry import BUSY, Failure, FailureKind
from imgcore.errors import BadAnswer, Blocked, Misconfigured, RateLimited, Unavailable

LONGEST_HINT = 86_400.0  # seconds; a longer one is an error of theirs

KEY_REFUSED = "Gemini rejected the API key. The operator of this gallery has to correct it."
NOT_SERVED = "Gemini does not accept this API key from here: the operator has to correct its billing or region."
MODEL_RETIRED = (
    "None of the configured Gemini models is available any more; the operator has to choose another."
)
MODEL_UNFIT = "The configured Gemini model cannot describe photos; the operator has to choose another."
WRONG_ADDRESS = "Another server answers at Gemini's address: the address, or a proxy, is configured wrongly."
RATE_LIMITED = "Gemini limits the number of requests. This photo will be described automatically later."
QUOTA_EXHAUSTED = "Today's quota of Gemini is used up. This photo will be described when the next one begins."
REFUSED_IMAGE = "Gemini cannot read this photo."
BLOCKED = "Gemini declined to describe this photo."
NOT_A_DESCRIPTION = "Gemini answered several times, but not with a description of this photo."
UNFINISHED = "Gemini began to describe this photo and did not finish."


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields that are read from a response with HTTP status 200."""

    text: str | None
    finish: str | None = None  # "STOP", "MAX_TOKENS", "SAFETY" …
    block: str | None = None  # why the request itself was declined
    model: str | None = None  # the version that answered
    input_tokens: int = 0
    output_tokens: int = 0  # thinking included


@dataclass(frozen=True, slots=True)
class Refused:
    """The fields that are read from a response with another status."""

    code: int
    status: str = ""  # "RESOURCE_EXHAUSTED" …; empty where the body is not Google's
    message: str = ""
    reasons: tuple[str, ...] = ()  # "API_KEY_INVALID" …
    quotas: tuple[str, ...] = ()  # "GenerateRequestsPerDayPerProjectPerModel-FreeTier" …
    hint: float | None = None  # seconds to wait


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A response that is not in Google's format, or too long."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No response, or an incomplete one, in time."""

    detail: str


Trouble = Refused | Unreadable | Unreachable


def refused(code: int, body: object, retry_after: str | None = None) -> Refused:
    """Read the parsed body of an error, which may hold anything, and its Retry-After header."""
    if isinstance(body, list):
        body = body[0] if body else None
    body = body if isinstance(body, dict) else {}
    error = body.get("error")
    if not isinstance(error, dict):
        return Refused(code, message=_text(body.get("message")), hint=_seconds(f"{retry_after}s"))
    details = [item for item in _items(error.get("details")) if isinstance(item, dict)]
    hints = [_seconds(item.get("retryDelay")) for item in details]
    return Refused(
        code,
        status=_text(error.get("status")),
        message=_text(error.get("message")),
        reasons=tuple(_text(item.get("reason")) for item in details),
        quotas=tuple(_quotas(details)),
        hint=next((hint for hint in hints if hint is not None), _seconds(f"{retry_after}s")),
    )


def judge(trouble: Trouble, now: datetime) -> Failure:
    """Classify a request without an answer. now: with a time zone, to find the end of a daily quota."""
    if isinstance(trouble, Refused):
        return _judge_refusal(trouble, now)
    if isinstance(trouble, Unreadable):
        return Failure(FailureKind.UNUSABLE, BadAnswer(NOT_A_DESCRIPTION), f"unreadable: {trouble.detail}")
    return Failure(FailureKind.TRANSIENT, Unavailable(BUSY), f"unreachable: {trouble.detail}")


def assess(answer: Answer) -> prompt.Words | Failure:
    """Return the description in an answer, or the failure if there is none."""
    seen = f"finish {answer.finish}, block {answer.block}"
    if answer.finish in _DECLINED or (answer.block and answer.block != "BLOCKED_REASON_UNSPECIFIED"):
        return Failure(FailureKind.FINAL, Blocked(BLOCKED), seen)
    problem = "no text"
    if answer.text:
        try:
            return prompt.read(answer.text)
        except ValueError as error:
            problem = str(error)
    detail = f"{seen}: {problem}"
    if answer.finish == "MAX_TOKENS":
        return Failure(FailureKind.CUT_SHORT, BadAnswer(UNFINISHED), detail)
    if answer.finish == "RECITATION":
        return Failure(FailureKind.RECITATION, BadAnswer(UNFINISHED), detail)
    if not answer.text:
        return Failure(FailureKind.EMPTY, BadAnswer(NOT_A_DESCRIPTION), detail)
    return Failure(FailureKind.UNUSABLE, BadAnswer(NOT_A_DESCRIPTION), detail)


def until_quota_resets(now: datetime, zone: tzinfo | None = None) -> float:
    """Return the seconds until the next midnight in the Pacific time zone, when Google resets daily quotas.

    https://ai.google.dev/gemini-api/docs/rate-limits
    """
    zone = zone or pacific()
    today = now.astimezone(zone).date()
    midnight = datetime.combine(today + timedelta(days=1), time(), zone)
    return (midnight.astimezone(UTC) - now.astimezone(UTC)).total_seconds()


def pacific(name: str = "America/Los_Angeles") -> tzinfo:
    """Return the time zone, or its winter time if no zone data is installed: an hour late at most."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return timezone(timedelta(hours=-8))


_DECLINED = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT"}
)
_TRANSIENT = frozenset({408, 500, 502, 503, 504})
# Parts of the request that an older or other model may not know, as its refusal names them.
_UNFIT = re.compile(r"thinking|media.?resolution|schema|modality|unknown name|response.?mime", re.IGNORECASE)


def _judge_refusal(reply: Refused, now: datetime) -> Failure:
    detail = f"HTTP {reply.code} {reply.status}: {reply.message}"
    if reply.code == 429:
        return _judge_limit(reply, detail, now)
    if reply.code in _TRANSIENT:
        return Failure(FailureKind.TRANSIENT, Unavailable(BUSY, retry_after=reply.hint), detail, reply.hint)
    if 300 <= reply.code < 500 and reply.code != 413 and not reply.status:
        return Failure(FailureKind.FINAL, Misconfigured(WRONG_ADDRESS, code="wrong_address"), detail)
    if reply.code in (404, 410):
        return Failure(FailureKind.MODEL_GONE, Misconfigured(MODEL_RETIRED, code="model_retired"), detail)
    if _about_the_key(reply):
        return Failure(FailureKind.FINAL, Misconfigured(KEY_REFUSED, code="key_refused"), detail)
    if reply.status == "FAILED_PRECONDITION":
        return Failure(FailureKind.FINAL, Misconfigured(NOT_SERVED, code="key_refused"), detail)
    if reply.code == 400 and _UNFIT.search(reply.message):
        return Failure(FailureKind.MODEL_GONE, Misconfigured(MODEL_UNFIT, code="model_unfit"), detail)
    if reply.code in (400, 413):
        return Failure(FailureKind.FINAL, BadAnswer(REFUSED_IMAGE, code="model_refused_image"), detail)
    return Failure(FailureKind.FINAL, Unavailable(BUSY), detail)


def _judge_limit(reply: Refused, detail: str, now: datetime) -> Failure:
    if any("PerDay" in quota for quota in reply.quotas):
        wait = until_quota_resets(now)
        end = RateLimited(QUOTA_EXHAUSTED, code="quota_exhausted", retry_after=wait)
        return Failure(FailureKind.FINAL, end, detail)
    return Failure(FailureKind.TRANSIENT, RateLimited(RATE_LIMITED, retry_after=reply.hint), detail, reply.hint)


def _about_the_key(reply: Refused) -> bool:
    named = any(reason.startswith("API_KEY") for reason in reply.reasons)
    return reply.code in (401, 403) or named or "api key" in reply.message.lower()


def _quotas(details: list[dict[str, Any]]) -> Iterator[str]:
    for item in details:
        for violation in _items(item.get("violations")):
            if isinstance(violation, Mapping):
                yield _text(violation.get("quotaId"))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(text: object) -> float | None:
    """Parse a google.protobuf.Duration in JSON, such as "34.07s"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text, re.ASCII) if isinstance(text, str) else None
    return min(float(found[1]), LONGEST_HINT) if found else None
