"""The meaning of the responses of OpenAI-compatible servers. Pure.

They agree on the shape of an answer, and on little else: Ollama, llama.cpp's server, vLLM and LM Studio word
their errors in different ways, and use different status codes for the same reason.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from imgcore.captioning.answers import LATER, Answer, busy, not_a_description
from imgcore.captioning.retry import Failure, FailureKind, Option
from imgcore.errors import BadAnswer, Misconfigured, RateLimited, Unavailable

WHO = "The captioning model"
MOST_TOKENS = 10_000_000  # bounds what is stored
LONGEST_HINT = 86_400.0  # seconds

MODEL_MISSING = (
    "The captioning server does not have the model of OPENAI_MODEL. The operator has to download it there, or"
    " to correct the name."
)
NO_VISION = "The model of OPENAI_MODEL cannot see photos. The operator has to choose one that can."
SCHEMA_REFUSED = (
    "The captioning server refuses response_format, also in a request without it. The operator has to correct"
    " the server's settings, or to choose another model."
)
TOO_SMALL = (
    "The context of the model of OPENAI_MODEL is too small for a photo. The operator has to configure a larger"
    " one in the captioning server."
)
NO_MEMORY = (
    "The captioning server has too little memory for the model of OPENAI_MODEL. The operator has to choose a"
    " smaller one."
)
KEY_REFUSED = "The captioning server rejected the API key. The operator has to correct OPENAI_API_KEY."
WRONG_ADDRESS = "No OpenAI-compatible API answers at OPENAI_BASE_URL. The operator has to correct the address."
RATE_LIMITED = f"The captioning model limits the number of requests. {LATER}"
CREDITS_EXHAUSTED = "The credits of the captioning model are used up. The operator has to buy more."
REFUSED_IMAGE = "The captioning model cannot read this photo."

_FINISH = {"stop": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
# What an error says, its code, and the sentence: what the operator has to correct.
_CORRECTIONS = (
    (
        r"model_not_found|model\b.*(?:not found|does not exist|not loaded)|try pulling|no models? loaded",
        "model_missing",
        MODEL_MISSING,
    ),
    (  # before multimodal: vLLM's says "text tokens plus multimodal tokens"
        r"context.{0,12}(?:size|length|window)|exceed_context|max(?:imum)?[ _]model[ _]len|\bn_ctx\b"
        r"|maximum allowed length",
        "context_too_small",
        TOO_SMALL,
    ),
    (
        r"mmproj|multi-?modal|missing data required for image|\bimages?(?:_url)?\b[^.]*\bnot supported"
        r"|(?:not|n't) (?:support|accept)[^.]*(?:image|vision)"
        # a limit of their number, which a request with one image meets where it is 0
        r"|too many images|single image|limit.mm.per.prompt"
        r"|(?:at most|up to|maximum of) (?:\d+|one)(?: \w+)? image",
        "model_unfit",
        NO_VISION,
    ),
    (r"requires more system memory", "out_of_memory", NO_MEMORY),
    (r"insufficient_quota|billing|credit", "credits_exhausted", CREDITS_EXHAUSTED),
)
# The code or type of an error with status 429 that no wait ends. Its message is no sign of that: those of
# ordinary limits advise to buy more (Groq, OpenAI, OpenRouter).
_ACCOUNT = re.compile(r'"(?:code|type)": "(?:insufficient_quota|billing_not_active)"')
# A limit of tokens that this request alone exceeds, as OpenAI words it; no wait ends it.
_TOO_LARGE = re.compile(r"request too large", re.IGNORECASE)
_SCHEMA = re.compile(r"response_?format|json_?schema|grammar|guided", re.IGNORECASE)


def answer(body: str, model: str) -> Answer | Failure:
    """Read the body of a response with status 200. model: the name that was asked for."""
    data = _json(body)
    try:
        choice = data["choices"][0]
        message = choice["message"]
        content, refusal = message.get("content"), message.get("refusal")
    except (LookupError, TypeError, AttributeError):
        read, written = _tokens(data)
        if (read or written) and not _is_error(data):  # billed without an answer
            named = _name(data.get("model")) or model
            return Answer(text=None, model=named, input_tokens=read, output_tokens=written)
        return _not_an_answer(body, data)
    read, written = _tokens(data)
    finish = str(choice.get("finish_reason"))
    return Answer(
        text=_content(content),
        finish="SAFETY" if refusal and not content else _FINISH.get(finish, finish[:100]),
        model=_name(data.get("model")) or model,
        input_tokens=read,
        output_tokens=written,
    )


def judge(status: int, body: str, retry_after: str | None = None) -> Failure:
    """Classify a response with another status than 200.

    An error in the API's own format is not billed, unless it names tokens; what a gateway says with 5xx is not
    the server's word.
    """
    data = _json(body)
    failure = _judge(status, _message(body, data), retry_after)
    return replace(failure, unbilled=status < 500 or _is_unbilled(data))


def _judge(status: int, said: str, retry_after: str | None) -> Failure:
    detail = f"HTTP {status}: {' '.join(said.split())[:300]}"
    if status in (401, 403):
        return _final(KEY_REFUSED, "key_refused", detail)
    hint = _seconds(retry_after)
    if status == 413 or (status == 429 and _TOO_LARGE.search(said)):
        return Failure(FailureKind.FINAL, BadAnswer(REFUSED_IMAGE, code="model_refused_image"), detail)
    if status == 429:
        if _ACCOUNT.search(said):
            return _final(CREDITS_EXHAUSTED, "credits_exhausted", detail)
        return Failure(FailureKind.TRANSIENT, RateLimited(RATE_LIMITED, retry_after=hint), detail, hint)
    if status in (400, 422) and _SCHEMA.search(said):
        unfit = Misconfigured(SCHEMA_REFUSED, code="model_unfit")
        return Failure(FailureKind.OPTION_REFUSED, unfit, detail, option=Option.SCHEMA)
    for words, code, sentence in _CORRECTIONS:
        if re.search(words, said, re.IGNORECASE):
            return _final(sentence, code, detail)
    if status in (400, 415, 422):
        return Failure(FailureKind.FINAL, BadAnswer(REFUSED_IMAGE, code="model_refused_image"), detail)
    if status == 402:
        return _final(CREDITS_EXHAUSTED, "credits_exhausted", detail)
    if status < 500 and status != 408:
        return _final(WRONG_ADDRESS, "wrong_address", detail)
    return Failure(FailureKind.TRANSIENT, Unavailable(busy(WHO), retry_after=hint), detail, hint)


def unreachable(detail: str, *, sent: bool = True) -> Failure:
    """Return the failure of a request without a whole response in time. sent: it may have arrived."""
    unavailable = Unavailable(busy(WHO))
    return Failure(FailureKind.TRANSIENT, unavailable, f"unreachable: {detail}", unbilled=not sent)


def _not_an_answer(body: str, data: Any) -> Failure:
    """Return the failure of a body that is no answer: an error, which some servers send with status 200."""
    if _mentions_error(body, data):
        failure = _judge(_named_status(data), _message(body, data), None)
        return replace(failure, unbilled=_is_unbilled(data))
    if body.lstrip().startswith("<"):
        return _final(WRONG_ADDRESS, "wrong_address", f"not JSON: {body[:300]}")
    return Failure(FailureKind.UNUSABLE, not_a_description(WHO), f"unreadable: {body[:300]}")


def _final(message: str, code: str, detail: str) -> Failure:
    return Failure(FailureKind.FINAL, Misconfigured(message, code=code), detail)


def _content(content: Any) -> str | None:
    """Return the text of a message, which is a string or a list of parts."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else None


def _is_error(data: Any) -> bool:
    """Return whether a body is an error in the API's own format; some servers send a null beside an answer."""
    return isinstance(data, dict) and bool(data.get("error"))


def _is_unbilled(data: Any) -> bool:
    return _is_error(data) and not any(_tokens(data))


def _named_status(data: Any) -> int:
    """Return the status that an error names as its code, as OpenRouter's and llama.cpp's do; otherwise 500."""
    error = data.get("error") if isinstance(data, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) and 400 <= code < 600 else 500


def _mentions_error(body: str, data: Any) -> bool:
    """Return whether a body is an error in any format: in a list, in a line of a stream, within an object."""
    return _is_error(data) if isinstance(data, dict) and "error" in data else '"error"' in body


def _json(body: str) -> Any:
    """Return the value of a body; None where it is no JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _message(body: str, data: Any) -> str:
    """Return all that an error says: {"error": {"message", "type", "code"}}, {"error": "…"}, or any text."""
    if data is None:
        return body[:2000]
    error = data.get("error", data) if isinstance(data, dict) else data
    return json.dumps(error, ensure_ascii=False)[:2000]


def _name(value: object) -> str | None:
    """Return the name of a model; of a file, as llama.cpp names it, without its folder."""
    if not (isinstance(value, str) and value.isprintable() and value.strip()):
        return None
    return re.sub(r".*[/\\](?=[^/\\]*\.gguf$)", "", value.strip())[:100]


def _tokens(data: Any) -> tuple[int, int]:
    usage = data.get("usage") if isinstance(data, Mapping) else None
    usage = usage if isinstance(usage, Mapping) else {}
    return _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))


def _count(value: object) -> int:
    try:
        return min(max(int(value), 0), MOST_TOKENS) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def _seconds(text: str | None) -> float | None:
    found = re.fullmatch(r"\d+(?:\.\d+)?", text.strip(), re.ASCII) if text else None
    return min(float(found[0]), LONGEST_HINT) if found else None
