"""The meaning of Gemini's refusals and of missing responses: a failure and the error it ends in. Pure.

Codes and shapes: https://ai.google.dev/gemini-api/docs/troubleshooting and google.rpc.error_details.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from imgcore.captioning.answers import LATER, busy, not_a_description
from imgcore.captioning.retry import Failure, FailureKind, Option
from imgcore.errors import BadAnswer, Misconfigured, RateLimited, Unavailable

LONGEST_HINT = 86_400.0  # seconds; a longer one is an error of theirs

WHO = "Gemini"
KEY_REFUSED = "Gemini rejected the API key. The operator of this gallery has to correct it."
KEY_LEAKED = (
    "Google has disabled the Gemini API key because it was made public. The operator has to create another."
)
KEY_RESTRICTED = (
    "The Gemini API key is restricted to other websites, addresses or APIs. The operator has to change its"
    " restrictions in the Google Cloud console."
)
API_NOT_ENABLED = (
    "The Gemini API is not enabled for the project of the key. The operator has to enable the Generative"
    " Language API in the Google Cloud console."
)
SUSPENDED = (
    "Google has suspended the project of the Gemini API key. The operator has to contact Google's support."
)
CREDITS_EXHAUSTED = (
    "The prepaid credits of Gemini are used up. The operator has to buy credits in Google AI Studio."
)
SPENDING_CAP = (
    "Google's spending cap for Gemini is reached. The operator has to raise it in Google AI Studio, or to wait"
    " until the month is over."
)
QUOTA_ZERO = (
    "The Gemini API key has no quota for the configured models. The operator has to enable billing in Google AI"
    " Studio, or to choose another model."
)
LOCATION = (
    "Gemini is not offered in the country that its requests come from. The operator has to run the gallery in"
    " another region, or to choose another captioner."
)
BILLING = "Gemini requires billing for this API key. The operator has to enable it in Google AI Studio."
MODEL_RETIRED = (
    "None of the configured Gemini models is available any more; the operator has to choose another."
)
MODEL_UNFIT = "The configured Gemini model cannot describe photos; the operator has to choose another."
WRONG_ADDRESS = "Another server answers at Gemini's address: the address, or a proxy, is configured wrongly."
RATE_LIMITED = f"Gemini limits the number of requests. {LATER}"
QUOTA_EXHAUSTED = "Today's quota of Gemini is used up. This photo will be described when the next one begins."
REFUSED_IMAGE = "Gemini cannot read this photo."


@dataclass(frozen=True, slots=True)
class Refused:
    """The fields that are read from a response with another status."""

    code: int
    status: str = ""  # "RESOURCE_EXHAUSTED" …; empty where the body is not Google's
    message: str = ""
    reasons: tuple[str, ...] = ()  # "API_KEY_INVALID" …
    quotas: tuple[str, ...] = ()  # "GenerateRequestsPerDayPerProjectPerModel-FreeTier" …
    values: tuple[str, ...] = ()  # of the quotas; "0" where the key has none
    fields: tuple[str, ...] = ()  # "generation_config.thinking_config.thinking_level" …
    hint: float | None = None  # seconds to wait


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A response that is not in Google's format, or too long. sent: see Unreachable."""

    detail: str
    sent: bool = True


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No response, or an incomplete one, in time. sent: False where it is certain that no request was sent."""

    detail: str
    sent: bool = True


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
        quotas=tuple(_each(details, "violations", "quotaId")),
        values=tuple(_each(details, "violations", "quotaValue")),
        fields=tuple(_each(details, "fieldViolations", "field")),
        hint=next((hint for hint in hints if hint is not None), _seconds(f"{retry_after}s")),
    )


def judge(trouble: Trouble, now: datetime) -> Failure:
    """Classify a request without an answer. now: with a time zone, to find the end of a daily quota.

    Google bills no request that fails with an error (https://ai.google.dev/gemini-api/docs/billing); what a
    gateway on the way says with 5xx is not Google's word.
    """
    if isinstance(trouble, Refused):
        refused_by_google = bool(trouble.status) or trouble.code < 500
        return replace(_judge_refusal(trouble, now), unbilled=refused_by_google)
    if isinstance(trouble, Unreadable):
        detail = f"unreadable: {trouble.detail}"
        return Failure(FailureKind.UNUSABLE, not_a_description(WHO), detail, unbilled=not trouble.sent)
    detail = f"unreachable: {trouble.detail}"
    return Failure(FailureKind.TRANSIENT, Unavailable(busy(WHO)), detail, unbilled=not trouble.sent)


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


_TRANSIENT = frozenset({408, 500, 502, 503, 504})

# Parts of the request that an older or other model may not know, as its refusal names them.
_OPTIONS = {
    Option.THINKING: re.compile(r"thinking", re.IGNORECASE),
    Option.MEDIA_RESOLUTION: re.compile(r"media.?resolution", re.IGNORECASE),
    Option.SCHEMA: re.compile(r"schema|response.?mime|json.?mode", re.IGNORECASE),
}
_UNFIT = re.compile(
    r"modality|unknown name|not supported.*(?:image|vision)|image.*not supported", re.IGNORECASE
)

# The words or the reason in a refusal that the operator has to correct, and the code of what follows.
_CORRECTIONS = {
    r"prepa\w+ credits?|credits? (?:are|is|have been) (?:depleted|used up|exhausted)": "credits_exhausted",
    r"spend(?:ing)? (?:cap|limit)|spend-based": "spending_cap",
    r"leaked": "key_leaked",
    r"API_KEY_(?!INVALID|EXPIRED)\w*BLOCKED|referr?er|\bare blocked\b": "key_restricted",
    r"SERVICE_DISABLED|has not been used in|API.*(?:is|been) disabled": "api_not_enabled",
    r"location is not supported|not available in your country(?!.*billing)": "location_not_supported",
    r"BILLING_DISABLED|\bbilling\b(?! details)": "billing_required",
    r"CONSUMER_(?:SUSPENDED|INVALID)|suspended|denied access|violation of": "project_suspended",
}
_SENTENCES = {
    "credits_exhausted": CREDITS_EXHAUSTED,
    "spending_cap": SPENDING_CAP,
    "key_leaked": KEY_LEAKED,
    "key_restricted": KEY_RESTRICTED,
    "api_not_enabled": API_NOT_ENABLED,
    "location_not_supported": LOCATION,
    "billing_required": BILLING,
    "project_suspended": SUSPENDED,
}


def _correction(reply: Refused) -> Misconfigured | None:
    """Return what the operator has to correct, where the refusal says it; no retry helps before that."""
    said = " ".join((reply.message, *reply.reasons))
    for words, code in _CORRECTIONS.items():
        if re.search(words, said, re.IGNORECASE):
            return Misconfigured(_SENTENCES[code], code=code)
    return None


def _judge_refusal(reply: Refused, now: datetime) -> Failure:
    detail = f"HTTP {reply.code} {reply.status}: {reply.message}"
    if reply.code == 429:
        return _judge_limit(reply, detail, now)
    if reply.code in _TRANSIENT:
        unavailable = Unavailable(busy(WHO), retry_after=reply.hint)
        return Failure(FailureKind.TRANSIENT, unavailable, detail, reply.hint)
    if 300 <= reply.code < 500 and reply.code != 413 and not reply.status:
        return Failure(FailureKind.FINAL, Misconfigured(WRONG_ADDRESS, code="wrong_address"), detail)
    if reply.code in (404, 410):
        return Failure(FailureKind.MODEL_GONE, Misconfigured(MODEL_RETIRED, code="model_retired"), detail)
    if reply.code in (400, 401, 402, 403) and (correction := _correction(reply)) is not None:
        return Failure(FailureKind.FINAL, correction, detail)
    if _about_the_key(reply):
        return Failure(FailureKind.FINAL, Misconfigured(KEY_REFUSED, code="key_refused"), detail)
    if reply.code == 400:
        return _judge_bad_request(reply, detail)
    if reply.code == 413:
        return Failure(FailureKind.FINAL, BadAnswer(REFUSED_IMAGE, code="model_refused_image"), detail)
    return Failure(FailureKind.FINAL, Unavailable(busy(WHO)), detail)


def _judge_bad_request(reply: Refused, detail: str) -> Failure:
    unfit = Misconfigured(MODEL_UNFIT, code="model_unfit")
    said = " ".join((reply.message, *reply.fields))
    for option, words in _OPTIONS.items():
        if words.search(said):
            return Failure(FailureKind.OPTION_REFUSED, unfit, detail, option=option)
    if _UNFIT.search(said):
        return Failure(FailureKind.MODEL_GONE, unfit, detail)
    if reply.status == "FAILED_PRECONDITION":
        return Failure(FailureKind.FINAL, Misconfigured(BILLING, code="billing_required"), detail)
    return Failure(FailureKind.FINAL, BadAnswer(REFUSED_IMAGE, code="model_refused_image"), detail)


def _judge_limit(reply: Refused, detail: str, now: datetime) -> Failure:
    correction = _correction(reply)
    if correction is not None and correction.code != "billing_required":  # ordinary limits advise to upgrade
        return Failure(FailureKind.FINAL, correction, detail)
    if "0" in reply.values or re.search(r"\blimit: 0\b|doesn't have a free quota", reply.message):
        return Failure(FailureKind.MODEL_GONE, Misconfigured(QUOTA_ZERO, code="quota_zero"), detail)
    if any("PerDay" in quota for quota in reply.quotas):
        wait = until_quota_resets(now)
        end = RateLimited(QUOTA_EXHAUSTED, code="quota_exhausted", retry_after=wait)
        return Failure(FailureKind.MODEL_EXHAUSTED, end, detail)
    return Failure(FailureKind.TRANSIENT, RateLimited(RATE_LIMITED, retry_after=reply.hint), detail, reply.hint)


def _about_the_key(reply: Refused) -> bool:
    named = any(reason.startswith("API_KEY") for reason in reply.reasons)
    return reply.code in (401, 402, 403) or named or "api key" in reply.message.lower()


def _each(details: list[dict[str, Any]], name: str, field: str) -> Iterator[str]:
    for item in details:
        for violation in _items(item.get(name)):
            if isinstance(violation, Mapping):
                yield _text(violation.get(field))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _seconds(text: object) -> float | None:
    """Parse a google.protobuf.Duration in JSON, such as "34.07s"."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)s", text, re.ASCII) if isinstance(text, str) else None
    return min(float(found[1]), LONGEST_HINT) if found else None
