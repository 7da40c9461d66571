"""Client of OpenAI-compatible APIs, with the standard library alone: one request, one bounded response."""

from __future__ import annotations

import base64
import json
import re
import time
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener
from urllib.request import Request as HttpRequest

from imgcore.captioning import prompt
from imgcore.captioning.answers import Answer
from imgcore.captioning.deadline import TimedOut, in_time
from imgcore.captioning.model import CALL_ID_HEADER, MAX_OUTPUT_TOKENS, THINKING_TOKENS, Request
from imgcore.captioning.openai.responses import KEY_REFUSED, answer, judge, unreachable
from imgcore.captioning.retry import Failure, Option
from imgcore.config import is_loopback
from imgcore.errors import Misconfigured

# A server may load the model from the disk first. It stops loading when its client hangs up, so the connection
# is kept for this long, also where the caller has less time: the next request finds the model loaded.
LOAD_SECONDS = 300.0
BODY_BYTES = 1024 * 1024  # an answer has some 3 KiB


class OpenAIClient:
    """Sends requests to ``<base_url>/chat/completions``. Misconfigured where an argument cannot be right."""

    def __init__(self, base_url: str, key: str | None = None) -> None:
        if key is not None and not re.fullmatch(r"[!-~]+", key):
            raise Misconfigured(KEY_REFUSED, code="key_refused")
        self._key, self._url = key, _completions(base_url)
        handlers: list[Any] = [_NoRedirects()]
        if is_loopback(urlsplit(base_url).hostname or ""):
            handlers.append(ProxyHandler({}))  # no proxy leads back to this machine
        self._opener = build_opener(*handlers)

    def describe(self, request: Request) -> Answer | Failure:
        """Send one image and return what is answered."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        if request.call_id is not None:
            headers[CALL_ID_HEADER] = request.call_id
        data = json.dumps(_body(request)).encode()
        http = HttpRequest(self._url, data=data, headers=headers, method="POST")  # noqa: S310 - http or https

        def late(found: Answer | Failure) -> None:
            if isinstance(found, Answer) and request.late is not None:
                request.late(found)

        try:
            return in_time(request.seconds, lambda: self._send(http, request.model), late)
        except TimedOut:
            return unreachable(f"no whole answer within {request.seconds:.1f} s")
        except (OSError, HTTPException, ValueError) as error:
            # urllib wraps what happens before the whole request was sent, and nothing after it
            detail = self._without_key(f"{type(error).__name__} {error}")
            return unreachable(detail, sent=not isinstance(error, URLError))

    def _send(self, http: HttpRequest, model: str) -> Answer | Failure:
        until = time.monotonic() + LOAD_SECONDS
        try:
            with self._opener.open(http, timeout=LOAD_SECONDS) as response:
                return answer(self._without_key(_read(response, until)), model)
        except HTTPError as error:
            with error:
                said = self._without_key(_read(error, until))
            return judge(error.code, said, error.headers.get("Retry-After"))

    def _without_key(self, text: str) -> str:
        return text.replace(self._key, "[key]") if self._key else text


class _NoRedirects(HTTPRedirectHandler):
    """Follows no redirect: it would carry the key to wherever it leads."""

    def redirect_request(
        self, req: HttpRequest, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Return no request, so that the response is an error."""


def _read(response: HTTPResponse | HTTPError, until: float) -> str:
    """Return the body. ValueError: it is too long, or does not end."""
    body = b""
    while chunk := response.read1(65536):
        body += chunk
        if len(body) > BODY_BYTES or time.monotonic() > until:
            raise ValueError(f"a body of more than {BODY_BYTES} bytes, or without an end")
    return body.decode("utf-8-sig", "replace")  # some servers begin with a byte order mark


def _completions(base_url: str) -> str:
    try:
        address = urlsplit(base_url)
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise Misconfigured("OPENAI_BASE_URL is not the address of a server.", code="wrong_address")
    path = address.path.rstrip("/") or "/v1"
    return f"{address.scheme}://{address.netloc}{path}/chat/completions"


def _body(request: Request) -> dict[str, Any]:
    """Return the request. The prompt says the schema in words too, because some servers ignore it."""
    text = prompt.in_words(**request.fields)
    content: list[dict[str, Any]] = [
        {"type": "text", "text": f"{prompt.PARTS} {text}" if request.parts else text}
    ]
    for jpeg in (request.jpeg, *request.parts):
        url = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
        content.append({"type": "image_url", "image_url": {"url": url}})
    thinking = THINKING_TOKENS if request.tokens > MAX_OUTPUT_TOKENS else 0  # it was cut off before
    body: dict[str, Any] = {
        "model": request.model,
        "stream": False,
        "max_tokens": request.tokens + thinking,
        "messages": [
            {"role": "system", "content": request.instruction},
            {"role": "user", "content": content},
        ],
    }
    if Option.SCHEMA not in request.omit:
        schema = prompt.schema(**request.fields)
        wrapped = {"name": "description", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": wrapped}
    return body
