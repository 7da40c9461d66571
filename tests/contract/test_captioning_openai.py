"""Descriptions by a model behind an OpenAI-compatible API, over the loopback."""

from __future__ import annotations

import codecs
import json
import subprocess
import sys
import time
from io import BytesIO
from typing import Any

import pytest

from imgcore.captioning.answers import Answer
from imgcore.captioning.openai import OpenAICaptioner, client
from imgcore.captioning.openai.responses import answer, judge
from imgcore.captioning.prompt import PROMPT_VERSION
from imgcore.captioning.retry import Failure, FailureKind, Option
from imgcore.config import Secret
from imgcore.errors import BadAnswer, Blocked, ImgcoreError, Misconfigured, Unavailable
from imgcore.gallery.models import Source
from imgcore.pipeline.models import ModelCall
from tests.contract.captioning_tools import Photo, answered
from tests.fake_openai import FakeOpenAI, in_virtual_time


def captioner(server: FakeOpenAI, model: str = "qwen2.5vl:7b", **changes: Any) -> OpenAICaptioner:
    settings = {"base_url": server.url, "model": model, "clock": server.clock, "sleep": server.clock.sleep}
    return OpenAICaptioner(**{**settings, "rng": lambda: 0.5, **changes})


@pytest.mark.parametrize("kind", ["ollama", "llama.cpp"])
@pytest.mark.parametrize("honours_schema", [True, False])
def test_openai_captioner_describes_with_and_without_the_schema(kind: str, honours_schema: bool) -> None:
    calls: list[ModelCall] = []
    models = {"qwen2.5vl:7b": True}
    with FakeOpenAI(kind, models, honours_schema=honours_schema) as server:
        found = captioner(server).describe(Photo(), deadline=1000.0, record=calls.append)

    assert ("A red barn stands in a snowy field.", "Red barn in a snowy field") == (
        found.caption,
        found.alt_text,
    )
    assert (Source.OPENAI, ("barn", "snow", "field"), PROMPT_VERSION) == (
        found.source,
        found.tags,
        found.prompt_version,
    )
    name = "qwen2.5vl:7b" if kind == "ollama" else "qwen2.5vl:7b.gguf"  # without the folder of the server
    assert (name, None) == (found.model, found.price_usd)
    assert [(name, 800, 60)] == [
        (call.model, call.input_tokens, call.output_tokens) for call in answered(calls)
    ]


@pytest.mark.parametrize("further", [{}, {"error": None}])
def test_openai_answer_without_choices_is_recorded_with_its_tokens(
    monkeypatch: pytest.MonkeyPatch, further: dict[str, None]
) -> None:
    calls: list[ModelCall] = []
    with FakeOpenAI() as server:
        usage = {"prompt_tokens": 800, "completion_tokens": 60}
        body = {"choices": [], "usage": usage, **further}
        monkeypatch.setattr(server, "respond", lambda *request: (200, body))
        with pytest.raises(BadAnswer):
            captioner(server).describe(Photo(), deadline=1000.0, record=calls.append)
    assert {(800, 60, "bad_answer")} == {
        (call.input_tokens, call.output_tokens, call.outcome) for call in answered(calls)
    }


def test_openai_request_holds_schema_words_and_image() -> None:
    with FakeOpenAI() as server:
        captioner(server, language="German").describe(Photo(), deadline=1000.0, context="File name: barn.jpg")
    [body] = server.asked
    system, user = body["messages"]
    assert "in German" in system["content"]
    assert "barn.jpg" in system["content"]
    assert "alt_text" in user["content"][0]["text"]
    assert ["text", "image_url"] == [part["type"] for part in user["content"]]
    assert "json_schema" == body["response_format"]["type"]
    assert (["/v1/chat/completions"], 512, False) == (server.paths, body["max_tokens"], body["stream"])


@pytest.mark.parametrize(
    ("kind", "model", "code"),
    [
        ("ollama", "not-pulled", "model_missing"),
        ("ollama", "llama3.2", "model_unfit"),
        ("llama.cpp", "any", "model_unfit"),
    ],
)
def test_openai_model_that_cannot_be_used_is_for_the_operator(kind: str, model: str, code: str) -> None:
    """One request, no retry; describing and probing say the same."""
    with FakeOpenAI(kind) as server:
        for run in (lambda made: made.describe(Photo(), deadline=1000.0), lambda made: made.probe()):
            server.asked.clear()
            with pytest.raises(Misconfigured) as caught:
                run(captioner(server, model))
            assert (code, 1) == (caught.value.code, len(server.asked))


def test_ollama_that_loads_for_two_minutes_describes_after_the_second_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first request is given up by the function, whose connection keeps the server loading."""
    with FakeOpenAI(loaded_at=120.0) as server:
        monkeypatch.setattr(client, "in_time", in_virtual_time(server))
        made = captioner(server)
        with pytest.raises(Unavailable):
            made.describe(Photo(), deadline=100.0)
        assert (100.0, 1, []) == (server.clock(), len(server.asked), server.billed)
        found = made.describe(Photo(), deadline=200.0)
    assert ("A red barn stands in a snowy field.", 120.0) == (found.caption, server.loaded_at)
    assert (2, 2) == (len(server.asked), len(server.billed))


def test_ollama_with_enough_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command has more time than a function."""
    with FakeOpenAI(loaded_at=120.0) as server:
        monkeypatch.setattr(client, "in_time", in_virtual_time(server))
        found = captioner(server).describe(Photo(), deadline=1000.0)
    assert (Source.OPENAI, 1) == (found.source, len(server.asked))


def test_llama_cpp_that_loads_is_asked_again() -> None:
    with FakeOpenAI("llama.cpp", {"any": True}, loaded_at=3.0) as server:
        found = captioner(server).describe(Photo(), deadline=1000.0)
    assert (Source.OPENAI, 4, 1) == (found.source, len(server.asked), len(server.billed))


def test_openai_key_is_sent_and_never_shown() -> None:
    key = Secret("made-up-key-of-this-test")
    with FakeOpenAI(key=key.reveal()) as server:
        assert captioner(server, api_key=key).describe(Photo(), deadline=1000.0).caption
        with pytest.raises(Misconfigured) as caught:
            captioner(server, api_key=Secret("wrong")).describe(Photo(), deadline=1000.0)
    assert "key_refused" == caught.value.code
    assert key.reveal() not in repr(captioner(server, api_key=key))


TOO_MANY = [
    # vLLM, which takes one image unless it is configured otherwise
    (400, "At most 1 image(s) may be provided in one request."),
    (400, "At most 4 image(s) may be provided in one prompt. (parameter=image)"),
    (400, "You set image=2 (or defaulted to 1) in `--limit-mm-per-prompt`, but passed 3 image items."),
    (
        400,
        "The decoder prompt (length 5321) is longer than the maximum model length of 4096. Make sure that"
        " `max_model_len` is no smaller than the number of text tokens plus multimodal tokens.",
    ),
    # llama.cpp, LM Studio, Ollama
    (400, "request (5321 tokens) exceeds the available context size (4096 tokens), try increasing it"),
    (400, "The model is loaded with context length of only 4096 tokens, which is not enough."),
    (400, "prompt too long; exceeded max context length by 1225 tokens"),
    (500, "vision model only supports a single image per message"),
    # Services
    (400, "Too many images provided. This model supports up to 5 images"),
    (400, "Request contains 7 images, exceeding the maximum of 5 allowed per request"),
    (400, "Multiple images are not supported by this model."),
    (413, "Request too large for model `x` on tokens per minute (TPM): Limit 6000, Requested 14137"),
    (429, "Request too large for x on tokens per min (TPM): Limit 6000, Requested 14137."),
]


@pytest.mark.parametrize(("status", "message"), TOO_MANY)
def test_openai_long_picture_is_sent_in_parts_where_the_server_takes_them(
    status: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo = Photo()
    monkeypatch.setattr(photo, "jpegs", lambda side: [photo.data] * 3)
    with FakeOpenAI() as server:
        usual = server.respond

        def one_image(path: str, key: str | None, body: dict[str, Any]) -> tuple[int, Any]:
            if 1 < sum(part["type"] == "image_url" for part in body["messages"][1]["content"]):
                return status, {"error": {"message": message, "type": "BadRequestError", "code": status}}
            return usual(path, key, body)

        monkeypatch.setattr(server, "respond", one_image)
        captioner(server).describe(photo, deadline=1000.0)
    sent = [
        sum(part["type"] == "image_url" for part in body["messages"][1]["content"]) for body in server.asked
    ]
    assert [3, 1] == sent


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("I'm sorry, but I can't help with that.", Blocked),
        ('{"caption": "N/A", "alt_text": "N/A", "tags": []}', Blocked),
        ("a b c", BadAnswer),
    ],
)
def test_openai_answer_without_a_description_ends_as_geminis_does(text: str, ends: type[ImgcoreError]) -> None:
    with FakeOpenAI(answer=text) as server, pytest.raises(ends):
        captioner(server).describe(Photo(), deadline=1000.0)


def test_openai_answer_after_thoughts_is_read() -> None:
    """Some servers leave them in the content."""
    text = (
        '<think>{"caption": "Perhaps a dog?", "alt_text": "x"}</think>{"caption": "A cat.", "alt_text": "Cat"}'
    )
    with FakeOpenAI(answer=text) as server:
        assert "A cat." == captioner(server).describe(Photo(), deadline=1000.0).caption


# (status, body, kind of failure, code of the error), as servers are known to answer
REFUSALS = [
    # vLLM
    (404, {"message": "The model `x` does not exist.", "type": "NotFoundError"}, "FINAL", "model_missing"),
    (400, {"message": "x is not a multimodal model", "type": "BadRequestError"}, "FINAL", "model_unfit"),
    (
        400,
        {"message": "This model's maximum context length is 2048 tokens."},
        "FINAL",
        "context_too_small",
    ),
    (400, {"message": "Make sure that `max_model_len` is no smaller than the number of text tokens plus"
     " multimodal tokens."}, "FINAL", "context_too_small"),
    (400, {"message": "At most 0 image(s) may be provided in one prompt."}, "FINAL", "model_unfit"),
    # LM Studio
    (
        404,
        {"message": "No models loaded. Please load a model.", "code": "model_not_found"},
        "FINAL",
        "model_missing",
    ),
    (400, "'response_format.type' must be 'json_schema' or 'text'", "OPTION_REFUSED", "model_unfit"),
    # llama.cpp
    (
        400,
        {"message": "the request exceeds the available context size", "type": "exceed_context_size_error"},
        "FINAL",
        "context_too_small",
    ),
    (400, {"message": "Failed to load image or audio file"}, "FINAL", "model_refused_image"),
    (400, {"message": "Failed to parse grammar"}, "OPTION_REFUSED", "model_unfit"),
    # Ollama
    (
        500,
        {"message": "model requires more system memory (8.4 GiB) than is available (5.3 GiB)"},
        "FINAL",
        "out_of_memory",
    ),
    (500, {"message": "llama runner process has terminated: exit status 2"}, "TRANSIENT", "unavailable"),
    (503, {"message": "server busy, please try again. maximum pending requests exceeded"}, "TRANSIENT",
     "unavailable"),
    # Services
    (429, {"message": "Rate limit reached", "type": "requests"}, "TRANSIENT", "rate_limited"),
    (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, "FINAL", "credits_exhausted"),
    (402, {"message": "Payment required"}, "FINAL", "credits_exhausted"),
    (302, "", "FINAL", "wrong_address"),
    (404, "<html>not found</html>", "FINAL", "wrong_address"),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error", "kind", "code"), REFUSALS)
def test_openai_refusal_is_understood(status: int, error: Any, kind: str, code: str) -> None:
    found = judge(status, json.dumps({"error": error}) if error else "")
    assert (FailureKind[kind], code) == (found.kind, found.end.code)


def test_openai_refused_schema_is_left_out() -> None:
    assert Option.SCHEMA is judge(400, '{"error": "response_format is not supported"}').option


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"error": "model \\"x\\" not found, try pulling it first"}', "model_missing"),
        ('[{"error": {"message": "model x not found"}}]', "model_missing"),
        ('{"detail": {"error": "model not found, try pulling it"}}', "model_missing"),
        ("<!doctype html><p>A router says hello", "wrong_address"),
        ("{}", "bad_answer"),
        ('{"choices": []}', "bad_answer"),
        ("[" * 100_000, "bad_answer"),
    ],
)
def test_openai_body_that_is_no_answer_is_a_failure(body: str, code: str) -> None:
    found = answer(body, "m")
    assert isinstance(found, Failure)
    assert code == found.end.code


@pytest.mark.parametrize(
    ("further", "unbilled"),
    [
        ({}, True),
        ({"usage": {"prompt_tokens": 1200, "completion_tokens": 4096}}, False),
    ],
)
def test_openai_error_that_names_tokens_may_be_billed(further: dict[str, Any], unbilled: bool) -> None:
    found = answer(json.dumps({"choices": [], "error": {"message": "stopped"}, **further}), "m")
    assert isinstance(found, Failure)
    assert unbilled == found.unbilled


@pytest.mark.parametrize("address", ["ftp://x/v1", "localhost:11434", "http://", "http://[", "http://x/v1?a=b"])
def test_openai_wrong_address_is_misconfigured(address: str) -> None:
    with pytest.raises(Misconfigured, match="OPENAI_BASE_URL"):
        OpenAICaptioner(base_url=address, model="m")


def test_openai_base_url_without_a_path_means_v1() -> None:
    with FakeOpenAI() as server:
        made = captioner(server, base_url=server.url.removesuffix("/v1") + "/")
        assert made.describe(Photo(), deadline=1000.0).caption
    assert ["/v1/chat/completions"] == server.paths


def test_openai_server_that_is_away_is_unavailable() -> None:
    with FakeOpenAI() as server:
        made = captioner(server)
    with pytest.raises(Unavailable):
        made.describe(Photo(), deadline=1000.0)


def test_openai_captioner_imports_neither_the_sdk_nor_numpy() -> None:
    code = "import imgcore.captioning.openai, sys; print({'google', 'numpy', 'httpx2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "set()\n" == done.stdout


def test_openai_refused_option_that_was_left_out_is_named() -> None:
    """A server that refuses response_format in a request without it sees photos all the same."""
    with FakeOpenAI() as server:
        server.respond = lambda path, key, body: (400, {"error": "unknown field response_format"})  # type: ignore[method-assign]
        with pytest.raises(Misconfigured) as caught:
            captioner(server).describe(Photo(), deadline=1000.0)
    assert ["response_format" in body for body in server.asked] == [True, False]
    assert "refuses response_format" in caught.value.message


def test_openai_answer_after_a_byte_order_mark_is_read() -> None:
    body = json.dumps({"choices": [{"message": {"content": "A barn."}}]})
    read = client._read(BytesIO(codecs.BOM_UTF8 + body.encode()), time.monotonic() + 60)  # type: ignore[arg-type]
    found = answer(read, "any")
    assert isinstance(found, Answer)
    assert "A barn." == found.text
