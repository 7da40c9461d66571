"""Client of the Gemini API: the only module that imports google-genai, itself imported at first use.

The SDK has no default timeout and its timeout is per read, so that an answer that trickles can hold a caller
forever; it follows redirects with the key in its headers; it reads bodies of any length; it takes proxies
from the environment for the loopback too. This module prevents all four, and disables the SDK's retries.
"""

from __future__ import annotations

import logging
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import TypeVar
from urllib.parse import urlsplit

import httpx2
from google import genai
from google.genai import errors, types

from imgcore.captioning.answers import Answer
from imgcore.captioning.deadline import TimedOut, in_time
from imgcore.captioning.gemini.responses import KEY_REFUSED, Trouble, Unreachable, Unreadable, refused
from imgcore.captioning.model import CALL_ID_HEADER, Request
from imgcore.captioning.prompt import PARTS, PROMPT, in_words, schema
from imgcore.captioning.retry import Option
from imgcore.config import is_loopback
from imgcore.errors import Misconfigured

logger = logging.getLogger(__name__)

GOOGLE = "https://generativelanguage.googleapis.com"
MINIMUM_TIMEOUT = 10.0  # seconds; Google refuses a shorter X-Server-Timeout
BODY_SECONDS = 60.0  # after its headers; nobody waits for it any more by then
BODY_BYTES = 1024 * 1024  # an answer has some 3 KiB
UPLOAD_SECONDS = 900.0  # the most that a request's body takes: 20 MB at 180 kbit/s
_UPLOAD_CHUNK = 64 * 1024
DETAIL_CHARACTERS = 300
MOST_TOKENS = 10_000_000  # bounds what is stored; no context window comes near

T = TypeVar("T")

_thread = threading.local()  # sending: the Sending of this thread's request


class Sending:
    """Whether a request has begun to be sent, or was given up before that."""

    def __init__(self) -> None:
        self._begun = self._given_up = False
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Note that the body is about to be sent. TimeoutError: nobody waits for the answer any more."""
        with self._lock:
            if self._given_up:
                raise TimeoutError("a request that was given up")
            self._begun = True

    def give_up(self) -> bool:
        """Return whether anything was sent; where nothing was, nothing will be."""
        with self._lock:
            self._given_up = True
            return self._begun


class GeminiClient:
    """Sends requests and returns Answer or Trouble; no type or exception of the SDK leaves it.

    key: the API key. base_url: another address than Google's. Misconfigured where either cannot be used.
    """

    body_bytes = BODY_BYTES  # the longest response

    def __init__(self, key: str, base_url: str | None = None) -> None:
        # A key with a line break would be quoted in the exception of the header it breaks.
        if not re.fullmatch(r"[!-~]+", key) or key.startswith("auth_tokens/"):
            raise Misconfigured(KEY_REFUSED, code="key_refused")
        self._key, self._base_url = key, base_url or GOOGLE
        self._client: genai.Client | None = None
        self._connected()

    def describe(self, request: Request) -> Answer | Trouble:
        """Send one image and return what is answered."""
        contents, options = contents_of(request), configuration(request)

        def ask(client: genai.Client) -> Answer:
            return answer_of(
                client.models.generate_content(model=request.model, contents=contents, config=options)
            )

        return self._within(request.seconds, ask, request.late)

    def _within(
        self, seconds: float, ask: Callable[[genai.Client], T], late: Callable[[T], object] | None = None
    ) -> T | Trouble:
        client, sending = self._connected(), Sending()

        def run() -> T:
            _thread.sending = sending
            return ask(client)

        try:
            return in_time(seconds, run, late)
        except TimedOut:
            # The thread keeps that client, and with it a connection, until it ends; the next request
            # starts with a fresh one.
            self._client = None
            return Unreachable(f"no whole answer within {seconds:.1f} s", sending.give_up())
        except errors.APIError as error:
            reply = refused(error.code, error.details, _retry_after(error))
            return replace(
                reply, status=self._without_key(reply.status), message=self._without_key(reply.message)
            )
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            # the SDK's ways to fail on a body that is not Google's
            return Unreadable(self._detail(error), sending.give_up())
        except Exception as error:  # noqa: BLE001 - the transport's; httpx2 and what lies beneath it
            return Unreachable(self._detail(error), sending.give_up())

    def _connected(self) -> genai.Client:
        if (client := self._client) is None:
            client = self._client = _connect(self._key, self._base_url, self.body_bytes)
        return client

    def _detail(self, error: Exception) -> str:
        return self._without_key(f"{type(error).__name__} {error}")

    def _without_key(self, text: str) -> str:
        """Return ``text`` in one bounded line and without the key, which an error may echo."""
        return " ".join(text.replace(self._key, "[key]").split())[:DETAIL_CHARACTERS]


def _connect(key: str, base_url: str, body_bytes: int) -> genai.Client:
    try:
        address = urlsplit(base_url)
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not address.hostname:
        raise Misconfigured("GEMINI_BASE_URL is not the address of a server.", code="wrong_address")
    arguments = {
        "follow_redirects": False,  # they would carry the key to wherever they lead
        "trust_env": not is_loopback(address.hostname),  # no proxy leads back to this machine
        "event_hooks": {"request": [_bound_upload], "response": [partial(_bound, body_bytes)]},
    }
    # The SDK would read all certificates once more for web sockets, which nothing here opens: these trust none.
    untrusting = {"ssl": ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)}
    options = types.HttpOptions(
        base_url=base_url, api_version="v1beta", client_args=arguments, async_client_args=untrusting
    )
    try:
        return genai.Client(
            enterprise=False,  # whatever the environment says: keys of Vertex AI are not meant here
            api_key=key,
            http_options=options,
        )
    except Exception as error:  # noqa: BLE001 - a wrong proxy or certificate ends in any of a dozen
        logger.error("The connection to Gemini cannot be set up: %s", type(error).__name__)
        raise Misconfigured(
            "The connection to Gemini cannot be set up: a proxy or certificate of the environment is wrong.",
            code="misconfigured",
        ) from None


def contents_of(request: Request) -> types.Content:
    """Return the images and the prompt of a request."""
    jpegs = (request.jpeg, *request.parts)
    pictures = [types.Part.from_bytes(data=jpeg, mime_type="image/jpeg") for jpeg in jpegs]
    text = PROMPT if Option.SCHEMA not in request.omit else in_words(**request.fields)
    text = f"{PARTS} {text}" if request.parts else text
    return types.Content(role="user", parts=[*pictures, types.Part(text=text)])


def timeout(seconds: float) -> types.HttpOptions:
    return types.HttpOptions(timeout=round(1000 * max(seconds, MINIMUM_TIMEOUT)))


def _options(request: Request) -> types.HttpOptions:
    options = timeout(request.seconds)
    if request.call_id is not None:
        options.headers = {CALL_ID_HEADER: request.call_id}
    return options


def configuration(request: Request) -> types.GenerateContentConfig:
    """Return the request's configuration; temperature, top_p and top_k keep the models' defaults."""
    configuration = types.GenerateContentConfig(
        system_instruction=request.instruction,
        response_mime_type="application/json",
        max_output_tokens=request.tokens,
        http_options=_options(request),
    )
    if Option.SCHEMA not in request.omit:
        configuration.response_json_schema = schema(**request.fields)
    if Option.THINKING not in request.omit:
        configuration.thinking_config = types.ThinkingConfig(thinking_level=types.ThinkingLevel.MINIMAL)
    if Option.MEDIA_RESOLUTION not in request.omit:
        configuration.media_resolution = types.MediaResolution.MEDIA_RESOLUTION_MEDIUM
    return configuration


def answer_of(response: types.GenerateContentResponse) -> Answer:
    candidate = response.candidates[0] if response.candidates else None
    feedback, used = response.prompt_feedback, response.usage_metadata
    return Answer(
        text=response.text,
        finish=_name(candidate.finish_reason if candidate else None),
        block=_name(feedback.block_reason if feedback else None),
        model=_name(response.model_version),
        input_tokens=_count(used.prompt_token_count if used else None),
        output_tokens=_count(used.candidates_token_count if used else None)
        + _count(used.thoughts_token_count if used else None),
    )


def _name(value: str | None) -> str | None:
    """Return a name of the API, such as "STOP" or "gemini-3.5-flash-lite", if it looks like one."""
    word = value.value if isinstance(value, Enum) else value
    return word if word and re.fullmatch(r"[\w./-]{1,100}", word, re.ASCII) else None


def _count(value: int | None) -> int:
    return min(max(value or 0, 0), MOST_TOKENS)


def _retry_after(error: errors.APIError) -> str | None:
    return error.response.headers.get("retry-after") if error.response is not None else None


def _bound_upload(request: httpx2.Request) -> None:
    assert isinstance(request.stream, httpx2.SyncByteStream)
    request.stream = _BoundedUpload(request.stream, getattr(_thread, "sending", None))


class _BoundedUpload(httpx2.SyncByteStream):
    """A request body of limited duration: the SDK's timeout is for each part of it that is sent.

    sending: begins when the body is asked for, which is after the connection was made and headers were sent.
    """

    def __init__(self, stream: httpx2.SyncByteStream, sending: Sending | None) -> None:
        self._stream, self._sending = stream, sending

    def __iter__(self) -> Iterator[bytes]:
        if self._sending is not None:
            self._sending.begin()
        until = time.monotonic() + UPLOAD_SECONDS
        for chunk in self._stream:
            for start in range(0, len(chunk), _UPLOAD_CHUNK):
                if time.monotonic() > until:
                    raise TimeoutError("a request that takes too long to send")
                yield chunk[start : start + _UPLOAD_CHUNK]

    def close(self) -> None:
        self._stream.close()


def _bound(most: int, response: httpx2.Response) -> None:
    assert isinstance(response.stream, httpx2.SyncByteStream)
    response.stream = _Bounded(response.stream, most)


class _Bounded(httpx2.SyncByteStream):
    """A response body of limited size and duration."""

    def __init__(self, stream: httpx2.SyncByteStream, most: int) -> None:
        self._stream, self._most = stream, most
        self._until = time.monotonic() + BODY_SECONDS

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._stream:
            size += len(chunk)
            if size > self._most:
                raise ValueError(f"a body of more than {self._most} bytes")
            if time.monotonic() > self._until:
                raise TimeoutError("a body that does not end")
            yield chunk

    def close(self) -> None:
        self._stream.close()
