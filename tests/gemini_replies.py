"""Replies of Gemini for tests/fake_gemini.py: good ones, bad ones by name, and what Google refuses."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

TYPE = "type.googleapis.com/google.rpc."


@dataclass(frozen=True)
class Reply:
    """One HTTP response. A body that is not bytes is sent as JSON."""

    status: int = 200
    body: Any = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Asked:
    """One request as it came; the names in ``body`` in snake_case, whichever way they were sent."""

    method: str
    path: str
    model: str
    headers: dict[str, str]
    body: dict[str, Any] = field(repr=False)
    at: float = field(default_factory=time.monotonic)

    @property
    def key(self) -> str | None:
        """The API key that came with it."""
        return self.headers.get("x-goog-api-key")

    @property
    def parts(self) -> list[dict[str, Any]]:
        """The parts of all contents."""
        return [part for content in self.body.get("contents", ()) for part in content.get("parts", ())]

    @property
    def picture(self) -> bytes | None:
        """The JPEG, or None where there is none."""
        for part in self.parts:
            data = part.get("inline_data", {})
            if data.get("mime_type") == "image/jpeg":
                standard = data.get("data", "").replace("-", "+").replace("_", "/")  # either alphabet may come
                try:
                    return base64.b64decode(standard, validate=True)
                except binascii.Error:
                    return None
        return None


def description(**changes: Any) -> dict[str, Any]:
    """A description as the schema asks for it."""
    return {
        "caption": "A red barn stands in a snowy field.",
        "alt_text": "Red barn in a snowy field",
        "tags": ["barn", "snow", "field"],
        "visible_text": "",
        "safety": "ok",
        **changes,
    }


def answer(text: str | None, finish: str | None = "STOP", **changes: Any) -> Callable[[Asked], Reply]:
    """A response of status 200 with that text; ``changes`` replace or (None) remove parts of it."""

    def reply(asked: Asked) -> Reply:
        parts = [] if text is None else [{"text": text}]
        body = {
            "candidates": [{"content": {"parts": parts, "role": "model"}, "finishReason": finish, "index": 0}],
            "usageMetadata": {"promptTokenCount": 700, "candidatesTokenCount": 90, "totalTokenCount": 790},
            "modelVersion": asked.model.removeprefix("models/"),
            "responseId": "made-up",
            **changes,
        }
        return Reply(body={name: value for name, value in body.items() if value is not None})

    return reply


def error(code: int, status: str, message: str, *details: dict[str, Any]) -> Reply:
    """An error as Google writes it."""
    body: dict[str, Any] = {"code": code, "message": message, "status": status}
    if details:
        body["details"] = list(details)
    return Reply(code, {"error": body})


def limited(
    seconds: str | None,
    quota: str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier",
    value: str = "10",
) -> Reply:
    """A 429 that asks to wait ``seconds``."""
    violation = {"quotaMetric": "generate_content_free_tier_requests", "quotaId": quota, "quotaValue": value}
    details: list[dict[str, Any]] = [
        {"@type": TYPE + "QuotaFailure", "violations": [violation]},
        {"@type": TYPE + "Help", "links": [{"description": "Learn more about quotas"}]},
    ]
    if seconds is not None:
        details.append({"@type": TYPE + "RetryInfo", "retryDelay": f"{seconds}s"})
    message = "You exceeded your current quota, please check your plan and billing details."
    return error(429, "RESOURCE_EXHAUSTED", message, *details)


def _of_its_own(asked: Asked) -> Reply:
    """Return a caption that differs for each image."""
    name = hashlib.sha256(asked.picture or b"").hexdigest()[:8]
    return answer(json.dumps(description(caption=f"Photo {name}.", alt_text=f"Photo {name}")))(asked)


def _asks_for_text(asked: Asked) -> bool:
    schema = asked.body.get("generation_config", {}).get("response_json_schema", {})
    return "visible_text" in schema.get("properties", {})


def _page_of_text(asked: Asked) -> Reply:
    """Spend every limit on the text in the photo, before anything else, while it is asked for."""
    if not _asks_for_text(asked):
        return answer(GOOD)(asked)
    return answer('{"visible_text": "' + "word " * 400, "MAX_TOKENS")(asked)


def _quotation(asked: Asked) -> Reply:
    """Stop for quoting while the text in the photo is asked for, as often as that is."""
    if not _asks_for_text(asked):
        return answer(GOOD)(asked)
    return answer(None, candidates=[{"finishReason": "RECITATION", "index": 0}])(asked)


def _denied(message: str, reason: str) -> Reply:
    detail = {"@type": TYPE + "ErrorInfo", "reason": reason, "domain": "googleapis.com"}
    return error(403, "PERMISSION_DENIED", message, detail)


BAD_KEY = error(
    400,
    "INVALID_ARGUMENT",
    "API key not valid. Please pass a valid API key.",
    {"@type": TYPE + "ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"},
)
BAD_IMAGE = error(400, "INVALID_ARGUMENT", "Unable to process input image.")
GOOD = json.dumps(description())
BLOCKED_RATING = {"category": "HARM_CATEGORY_SEXUALLY_EXPLICIT", "probability": "HIGH", "blocked": True}
DAILY = "GenerateRequestsPerDayPerProjectPerModel-FreeTier"

# What it says. The names are those of the error, or of what is wrong with the answer.
SCENARIOS: dict[str, Reply | Callable[[Asked], Reply]] = {
    "ok": answer(GOOD),
    "each": _of_its_own,
    "429": limited("34.074824224"),
    "429day": limited("21", DAILY),
    "429plain": limited(None),
    "500": error(500, "INTERNAL", "An internal error has occurred."),
    "503": error(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "504": error(504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    "400": BAD_IMAGE,
    "400key": BAD_KEY,
    "400thinking": error(400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model."),
    "501": error(501, "UNIMPLEMENTED", "Operation is not implemented."),
    "429credits": error(
        429,
        "RESOURCE_EXHAUSTED",
        "Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.",
    ),
    "429cap": error(
        429, "RESOURCE_EXHAUSTED", "Your project has exceeded its monthly spending cap. Please raise it."
    ),
    "429zero": limited("21", value="0"),
    "403leaked": error(
        403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."
    ),
    "403referrer": _denied("Requests from referer <empty> are blocked.", "API_KEY_HTTP_REFERRER_BLOCKED"),
    "403service": _denied("Requests to this API are blocked.", "API_KEY_SERVICE_BLOCKED"),
    "403suspended": _denied("Permission denied: Consumer has been suspended.", "CONSUMER_SUSPENDED"),
    "403disabled": _denied("The API has not been used in project 1 or it is disabled.", "SERVICE_DISABLED"),
    "403key": error(403, "PERMISSION_DENIED", "The caller does not have permission."),
    "400billing": error(400, "FAILED_PRECONDITION", "Please enable billing on your project."),
    "400region": error(400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
    "403": error(403, "PERMISSION_DENIED", "Generative Language API has not been used in this project before."),
    "404": error(404, "NOT_FOUND", "models/gone is not found for API version v1beta."),
    "promptblock": answer(None, candidates=None, promptFeedback={"blockReason": "PROHIBITED_CONTENT"}),
    "safety": answer(
        None, candidates=[{"finishReason": "SAFETY", "index": 0, "safetyRatings": [BLOCKED_RATING]}]
    ),
    "maxtokens": answer('{"caption": "A red ba', "MAX_TOKENS"),
    "maxtokens_empty": answer(
        None, "MAX_TOKENS", usageMetadata={"promptTokenCount": 700, "thoughtsTokenCount": 300}
    ),
    "nojson": answer("Sure! Here is a caption: a red barn."),
    "wrongschema": answer('{"title": "x"}'),
    "page_of_text": _page_of_text,
    "quotation": _quotation,
    "refusal": answer(json.dumps(description(caption="I'm sorry, but I can't help.", alt_text="N/A"))),
    "recitation": answer(None, candidates=[{"finishReason": "RECITATION", "index": 0}]),
    "unknownreason": answer(GOOD, "BRAND_NEW_REASON"),
    "empty": Reply(body={}),
    "badbody": Reply(body=b"<html>a proxy says hello</html>", headers=(("Content-Type", "text/html"),)),
    "truncbody": Reply(body=b'{"candidates": [{"content"'),
    "emptybody": Reply(),
    "html503": Reply(503, b"<html>Service Unavailable</html>"),
    "html429": Reply(429),
    "header429": Reply(429, headers=(("Retry-After", "7"),)),
    "listerr": Reply(429, [limited("34.074824224").body]),
    "204": Reply(204),
    "302": Reply(302),
    "html502": Reply(502, b"<html>bad gateway</html>"),
    "html404": Reply(404, b"<html>not found</html>"),
    "nul": answer(
        json.dumps(
            description(caption="A \0<script>alert(1)</script>\u202e barn\ud800.", visible_text="\0\ud83d")
        )
    ),
    "huge": answer("x" * 20_000_000),
    "deep": Reply(body=b"[" * 200_000),
    "deeptext": answer("[" * 200_000),
}


def _too_short(asked: Asked) -> Reply | None:
    """Refuse a deadline of less than 10 s: "Manually set deadline 5s is too short. Minimum allowed is 10s"."""
    seconds = float(asked.headers.get("x-server-timeout", "inf"))
    if seconds < 10:
        return error(400, "INVALID_ARGUMENT", f"Manually set deadline {seconds}s is too short.")
    return None


def _thinking(asked: Asked) -> Reply | None:
    """Refuse the level MINIMAL for the 3.7 and 3.8 Flash models, as five public reports quote it."""
    level = asked.body.get("generation_config", {}).get("thinking_config", {}).get("thinking_level")
    if level == "MINIMAL" and re.search(r"gemini-3\.[78]-flash(?!-lite)", asked.model):
        return error(400, "INVALID_ARGUMENT", "Thinking level MINIMAL is not supported for this model.")
    return None


def _unknown_name(asked: Asked) -> Reply | None:
    """Refuse fields that the API does not have: protobuf's JSON parser knows no others."""
    known = {
        "": {"contents", "system_instruction", "generation_config", "safety_settings", "cached_content"},
        "generation_config": {
            "response_mime_type", "response_json_schema", "max_output_tokens", "thinking_config",
            "media_resolution", "temperature", "top_p", "top_k", "seed", "candidate_count",
        },
        "thinking_config": {"thinking_level", "thinking_budget", "include_thoughts"},
    }  # fmt: skip
    configuration = asked.body.get("generation_config", {})
    parts = {
        "": asked.body,
        "generation_config": configuration,
        "thinking_config": configuration.get("thinking_config", {}),
    }
    for place, body in parts.items():
        if strange := set(body) - known[place]:
            name = min(strange)
            return error(400, "INVALID_ARGUMENT", f'Invalid JSON payload. Unknown name "{name}" at "{place}".')
    return None


def _two_ways_to_think(asked: Asked) -> Reply | None:
    """Refuse a level and a budget together (https://ai.google.dev/gemini-api/docs/thinking)."""
    thinking = asked.body.get("generation_config", {}).get("thinking_config", {})
    if {"thinking_level", "thinking_budget"} <= set(thinking):
        message = "You can only set only one of thinking budget and thinking level."
        return error(400, "INVALID_ARGUMENT", message)
    return None


def _not_a_jpeg(asked: Asked) -> Reply | None:
    """Refuse what is no image: "Unable to process input image"."""
    return None if (asked.picture or b"").startswith(b"\xff\xd8") else BAD_IMAGE


# What Google is known to refuse; each names its source. A request that Google refuses must fail here too.
STRICT = (_too_short, _thinking, _unknown_name, _two_ways_to_think, _not_a_jpeg)
