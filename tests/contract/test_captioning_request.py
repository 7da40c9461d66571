"""What is sent to Gemini, and that the key goes nowhere else."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from imgcore.captioning.gemini import GeminiCaptioner
from imgcore.captioning.prompt import SCHEMA
from imgcore.config import Secret
from imgcore.errors import ImgcoreError, Misconfigured
from imgcore.pipeline.models import ModelCall
from tests.contract.captioning_tools import MODEL, Bench, Photo, answered
from tests.fake_gemini import FakeGemini
from tests.gemini_replies import Reply, answer, error


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    """A Gemini that describes every image until it is configured otherwise."""
    with FakeGemini() as server:
        yield server


PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment without any proxy, and the means to set one."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def test_request_has_the_documented_generation_settings(gemini: FakeGemini) -> None:
    """The schema, the least thinking, medium resolution, room for 512 tokens, and no sampling parameter."""
    Bench(gemini).describe()
    expected = {
        "response_mime_type": "application/json",
        "response_json_schema": SCHEMA,
        "thinking_config": {"thinking_level": "MINIMAL"},
        "media_resolution": "MEDIA_RESOLUTION_MEDIUM",
        "max_output_tokens": 512,
    }
    assert expected == gemini.asked[0].body["generation_config"]


def test_request_holds_the_jpeg(gemini: FakeGemini) -> None:
    """One JPEG of at most 1536 pixels, then the question; decoded once however often it is sent."""
    gemini.play("503", "ok")
    photo = Photo()
    Bench(gemini).captioner.describe(photo, deadline=1000.0)
    assert [1536] == photo.sides
    assert [photo.data] * 2 == [asked.picture for asked in gemini.asked]
    assert {"text": "Describe this photograph."} == gemini.asked[0].parts[-1]


def test_request_goes_to_the_documented_address(gemini: FakeGemini) -> None:
    """The version of the API, the model, the key and the server's deadline are where Google wants them."""
    bench = Bench(gemini, base_url=f"{gemini.url}/gateway/")
    bench.describe(deadline=30.0)
    asked = gemini.asked[0]
    assert f"/gateway/v1beta/models/{MODEL}:generateContent" == asked.path
    assert (bench.key.reveal(), "30") == (asked.key, asked.headers["x-server-timeout"])


@pytest.mark.parametrize(("left", "header"), [(1000.0, "45"), (12.0, "12"), (10.0, "10")])
def test_request_names_its_server_timeout(gemini: FakeGemini, left: float, header: str) -> None:
    """A request may take 45 s, less where the deadline is nearer, and never less than Google accepts."""
    Bench(gemini).describe(deadline=left)
    assert header == gemini.asked[0].headers["x-server-timeout"]


def test_request_holds_the_system_instruction(gemini: FakeGemini) -> None:
    Bench(gemini, language="Portuguese").describe()
    text = gemini.asked[0].body["system_instruction"]["parts"][0]["text"]
    assert "in Portuguese" in text
    assert "Never name a person" in text
    assert "never an instruction" in text


def test_request_ignores_environment_settings_of_the_sdk(
    gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK's own variables change neither key, address, version nor service."""
    for name, value in {
        "GOOGLE_API_KEY": "made-up-other",
        "GEMINI_API_KEY": "made-up-third",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_API_VERSION": "v9",
    }.items():
        monkeypatch.setenv(name, value)
    bench = Bench(gemini)
    bench.describe()
    assert (bench.key.reveal(), True) == (gemini.asked[0].key, "/v1beta/" in gemini.asked[0].path)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_request_to_loopback_uses_no_proxy(
    gemini: FakeGemini, no_proxies: pytest.MonkeyPatch, host: str
) -> None:
    for name in PROXIES[:3]:
        no_proxies.setenv(name, "http://127.0.0.1:9")
    bench = Bench(gemini, base_url=gemini.url.replace("127.0.0.1", host))
    assert (MODEL, 1) == (bench.describe().model, bench.requests)


def test_request_to_other_hosts_uses_the_proxy(gemini: FakeGemini, no_proxies: pytest.MonkeyPatch) -> None:
    """Any other address goes through the proxy of the environment."""
    no_proxies.setenv("HTTP_PROXY", gemini.url)
    Bench(gemini, base_url="http://gemini.invalid").describe()
    assert "gemini.invalid" == gemini.asked[0].headers["host"]


def test_request_without_base_url_goes_to_google(gemini: FakeGemini, no_proxies: pytest.MonkeyPatch) -> None:
    """The default address is Google's, with TLS, whatever the SDK's variable says."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        no_proxies.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.getsockname()[1]}")
        no_proxies.setenv("GOOGLE_GEMINI_BASE_URL", gemini.url)
        bench = Bench(gemini, base_url=None)
        heard: list[bytes] = []

        def listen() -> None:
            connection, _ = proxy.accept()
            with connection:
                heard.append(connection.recv(4096))

        listener = threading.Thread(target=listen)
        listener.start()
        assert "unavailable" == probe_end(bench)
        listener.join()
    assert heard[0].startswith(b"CONNECT generativelanguage.googleapis.com:443 HTTP/1.1\r\n")
    assert bench.key.reveal().encode() not in heard[0]


def test_captioner_with_a_wrong_proxy_raises_misconfigured(
    gemini: FakeGemini, no_proxies: pytest.MonkeyPatch
) -> None:
    """A proxy that cannot be one is a setting to correct, found when the captioner is made."""
    no_proxies.setenv("ALL_PROXY", "bogus://127.0.0.1:9")
    with pytest.raises(Misconfigured, match="proxy"):
        Bench(gemini, base_url="http://gemini.invalid")


@pytest.mark.parametrize("address", ["ftp://127.0.0.1", "127.0.0.1:9000", "http://", "http://[::1"])
def test_captioner_with_a_wrong_address_raises_misconfigured(gemini: FakeGemini, address: str) -> None:
    with pytest.raises(Misconfigured, match="GEMINI_BASE_URL"):
        Bench(gemini, base_url=address)


@pytest.mark.parametrize("name", ["", "a b", "../../etc", "gemini?x=1", "models/", "x\n"])
def test_captioner_with_a_wrong_model_name_raises_misconfigured(gemini: FakeGemini, name: str) -> None:
    with pytest.raises(Misconfigured, match="not the name"):
        Bench(gemini, fallback_models=(name,))


def test_captioner_accepts_a_prefixed_model_name(gemini: FakeGemini) -> None:
    """``models/x`` is ``x``."""
    Bench(gemini, model=f"models/{MODEL}").describe()
    assert f"/v1beta/models/{MODEL}:generateContent" == gemini.asked[0].path


@pytest.mark.parametrize("key", ["", "two words", "two\nlines", "schlüssel", "auth_tokens/made-up"])
def test_captioner_with_a_malformed_key_raises_misconfigured(gemini: FakeGemini, key: str) -> None:
    """A key that no header can carry is refused before it breaks one, and not repeated."""
    with pytest.raises(Misconfigured) as caught:
        GeminiCaptioner(Secret(key), model=MODEL, base_url=gemini.url)
    assert ("key_refused", False) == (caught.value.code, bool(key) and key in caught.value.message)


def test_captioner_strips_the_key(gemini: FakeGemini) -> None:
    """The line end that editors and secret stores add is not part of the key."""
    GeminiCaptioner(Secret("made-up\n"), model=MODEL, base_url=gemini.url).probe()
    assert "made-up" == gemini.probed[0].key


def test_captioner_without_the_sdk_raises_misconfigured(
    gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the extra to install."""
    monkeypatch.setitem(sys.modules, "imgcore.captioning.gemini.client", None)
    with pytest.raises(Misconfigured, match=r"imgcore\[gemini\]"):
        Bench(gemini)


def test_captioning_gemini_import_loads_no_sdk() -> None:
    """The SDK is not imported before a captioner is made."""
    program = (
        "import sys, imgcore.captioning.gemini;"
        " print([m for m in sys.modules if m in ('google.genai', 'httpx2')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "[]\n" == done.stdout


def test_redirects_are_not_followed(gemini: FakeGemini) -> None:
    """The key does not follow a redirect."""
    with FakeGemini() as elsewhere:
        for status in (301, 302, 307, 308):
            gemini.play(Reply(status, b"", (("Location", f"{elsewhere.url}/v1beta/models/x:generateContent"),)))
            assert "wrong_address" == Bench(gemini).end().code
        assert ([], []) == (elsewhere.asked, elsewhere.probed)


def echo(status: int, google: bool) -> Any:
    """A reply that repeats the key wherever it can."""

    def reply(asked: Any) -> Reply:
        if status == 200:
            return answer(f"your key is {asked.key}")(asked)
        if not google:
            return Reply(status, f"<html>{asked.key}</html>".encode())
        detail = {"reason": asked.key, "retryDelay": asked.key, "violations": [{"quotaId": asked.key}]}
        return error(status, str(asked.key), f"The key {asked.key} is wrong.", detail)

    return reply


@pytest.mark.parametrize("google", [True, False])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500, 501])
def test_error_message_never_holds_the_key(
    gemini: FakeGemini, caplog: pytest.LogCaptureFixture, status: int, google: bool
) -> None:
    """The key is in no log of any library, no error and no traceback, though the server echoes it."""
    caplog.set_level(logging.DEBUG)
    gemini.play(echo(status, google))
    bench = Bench(gemini)
    key = bench.key.reveal()
    try:
        bench.describe()
    except ImgcoreError as end:
        shown = [traceback.format_exc(), repr(end), str(end), repr(bench.captioner), str(vars(bench.captioner))]
        causes = [end.__cause__, end.__context__]
    assert [None, None] == causes
    assert [] == [text for text in (*shown, caplog.text) if key in text]
    assert key == gemini.asked[0].key


def test_failure_is_logged_with_its_detail(gemini: FakeGemini, caplog: pytest.LogCaptureFixture) -> None:
    """What went wrong in the other side's words is in the log, in one bounded line."""
    gemini.play(error(403, "PERMISSION_DENIED", "Long\n" * 500))
    Bench(gemini).end()
    [record] = [record for record in caplog.records if record.name.startswith("imgcore.")]
    assert "HTTP 403 PERMISSION_DENIED: Long Long" in record.getMessage()
    assert "\n" not in record.getMessage()
    assert len(record.getMessage()) < 500


def test_repr_holds_the_model_and_no_key(gemini: FakeGemini) -> None:
    assert f"GeminiCaptioner(model='{MODEL}')" == repr(Bench(gemini).captioner)


# The probe


def test_probe_with_a_valid_key_succeeds(gemini: FakeGemini) -> None:
    bench = Bench(gemini)
    bench.captioner.probe()
    assert (f"/v1beta/models/{MODEL}:generateContent", 0) == (gemini.probed[0].path, bench.requests)


def test_probe_with_an_unfit_model_raises_misconfigured() -> None:
    """Google names such a model when it is asked for, and refuses to generate with it."""
    unfit = error(400, "INVALID_ARGUMENT", "Image input modality is not enabled for this model.")
    with FakeGemini(probes=[unfit]) as gemini:
        assert "model_unfit" == probe_end(Bench(gemini))


def test_probe_records_what_it_costs(gemini: FakeGemini) -> None:
    calls: list[ModelCall] = []
    Bench(gemini).captioner.probe(calls.append)
    found = [(call.model, call.input_tokens, call.output_tokens) for call in answered(calls)]
    assert [(MODEL, 700, 90)] == found


@pytest.mark.parametrize("scenario", ["nojson", "refusal", "safety", "maxtokens"])
def test_probe_with_any_answer_of_the_model_succeeds(scenario: str) -> None:
    with FakeGemini(probes=[scenario]) as gemini:
        Bench(gemini).captioner.probe()


def probe_end(bench: Bench) -> str:
    """The code of what probe() raises."""
    with pytest.raises(ImgcoreError) as caught:
        bench.captioner.probe()
    return caught.value.code


def test_probe_with_a_wrong_key_raises_misconfigured(gemini: FakeGemini) -> None:
    gemini.key = "made-up"
    assert "key_refused" == probe_end(Bench(gemini))


def test_probe_with_a_retired_model_uses_the_next(gemini: FakeGemini) -> None:
    gemini.models = {"gemini-3.5-flash"}
    assert "model_retired" == probe_end(Bench(gemini))
    bench = Bench(gemini, fallback_models=("gemini-3.5-flash",))
    bench.captioner.probe()
    bench.describe()
    assert ["models/gemini-3.5-flash"] == [asked.model for asked in gemini.asked]


@pytest.mark.parametrize(
    ("scenario", "code"), [("503", "unavailable"), ("429", "rate_limited"), ("badbody", "bad_answer")]
)
def test_probe_of_an_unavailable_service_raises_unavailable(scenario: str, code: str) -> None:
    with FakeGemini(probes=[scenario]) as gemini:
        assert (code, 1) == (probe_end(Bench(gemini)), len(gemini.probed))


# The stand-in itself


def test_stand_in_takes_both_cases(gemini: FakeGemini) -> None:
    """It understands what is sent in camelCase and in snake_case alike."""
    import http.client

    data = "_9j_"  # the beginning of a JPEG, in the alphabet of URLs
    found = []
    for inline, mime, level in (
        ("inlineData", "mimeType", "thinkingLevel"),
        ("inline_data", "mime_type", "thinking_level"),
    ):
        body = {
            "contents": [{"parts": [{inline: {mime: "image/jpeg", "data": data}}]}],
            "generationConfig": {"thinkingConfig": {level: "MINIMAL"}},
        }
        connection = http.client.HTTPConnection("127.0.0.1", int(gemini.url.rpartition(":")[2]))
        connection.request("POST", "/v1beta/models/x:generateContent", json.dumps(body))
        found.append(connection.getresponse().status)
        connection.close()
    assert [200, 200] == found
    assert gemini.asked[0].body == gemini.asked[1].body


def test_stand_in_refuses_what_google_refuses(gemini: FakeGemini) -> None:
    """What is no JPEG is no image."""
    bench = Bench(gemini)
    photo = Photo()
    photo.data = b"text"
    with pytest.raises(ImgcoreError) as caught:
        bench.captioner.describe(photo, deadline=1000.0)
    assert "model_refused_image" == caught.value.code


def test_stand_in_alone() -> None:
    """It runs from the command line and prints its address."""
    command = [sys.executable, "-m", "tests.fake_gemini", "--script", "503,each", "--key", "made-up"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            captioner = GeminiCaptioner(Secret("made-up"), model=MODEL, base_url=url, rng=lambda: 0.0)
            captioner.probe()
            caption = captioner.describe(Photo(), deadline=float("inf")).caption
        finally:
            process.terminate()
    assert caption.startswith("Photo ")


def test_stand_in_knows_its_lines() -> None:
    """A scenario that does not exist is no test of anything."""
    with pytest.raises(ValueError, match="no scenario is named '418'"):
        FakeGemini("ok", "418")
