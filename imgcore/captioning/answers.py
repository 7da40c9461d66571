"""What an answer of a model with HTTP status 200 is: a description, or a failure. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imgcore.captioning.reading import DeclinedError, Words, read
from imgcore.captioning.retry import Failure, FailureKind
from imgcore.errors import BadAnswer, Blocked

_DECLINED = frozenset(
    {"SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT"}
)
LATER = "This photo will be described automatically later."


@dataclass(frozen=True, slots=True)
class Answer:
    """The fields that are read from a response with HTTP status 200; the names are Gemini's."""

    text: str | None
    finish: str | None = None  # "STOP", "MAX_TOKENS", "SAFETY" …
    block: str | None = None  # why the request itself was declined
    model: str | None = None  # the version that answered
    input_tokens: int = 0
    output_tokens: int = 0  # thinking included


def assess(answer: Answer, who: str, translations: Sequence[str] = ()) -> Words | Failure:
    """Return the description in an answer, or the failure if there is none.

    who: the model, for people. translations: the codes of further languages.
    """
    found = _assess(answer, who, translations)
    return replace(found, answered=True) if isinstance(found, Failure) else found


def _assess(answer: Answer, who: str, translations: Sequence[str]) -> Words | Failure:
    seen = f"finish {answer.finish}, block {answer.block}"
    if answer.finish in _DECLINED or (answer.block and answer.block != "BLOCKED_REASON_UNSPECIFIED"):
        return Failure(FailureKind.FINAL, Blocked(f"{who} declined to describe this photo."), seen)
    problem = "no text"
    if answer.text:
        try:
            cut = answer.finish in ("MAX_TOKENS", "RECITATION")
            return read(answer.text, cut=cut, translations=translations)
        except DeclinedError as error:
            declined = Blocked(f"{who} answered twice without describing this photo.", code="not_described")
            return Failure(FailureKind.DECLINED, declined, f"{seen}: {error}")
        except ValueError as error:
            problem = str(error)
    return _without_words(answer, who, f"{seen}: {problem}")


def _without_words(answer: Answer, who: str, detail: str) -> Failure:
    unfinished = BadAnswer(f"{who} began to describe this photo and did not finish.")
    if answer.finish == "MAX_TOKENS":
        return Failure(FailureKind.CUT_SHORT, unfinished, detail)
    if answer.finish == "RECITATION":
        return Failure(FailureKind.RECITATION, unfinished, detail)
    return Failure(FailureKind.UNUSABLE if answer.text else FailureKind.EMPTY, not_a_description(who), detail)


def not_a_description(who: str) -> BadAnswer:
    """Return the error for answers that hold no description."""
    return BadAnswer(f"{who} answered several times, but not with a description of this photo.")


def busy(who: str) -> str:
    """Return the sentence for a service that is away or overloaded."""
    return f"{who} cannot be reached at the moment. {LATER}"
