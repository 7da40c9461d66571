"""The call returns by its deadline whatever Gemini sends, and no request outlives it for long."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from imgcore.captioning import deadline
from imgcore.captioning.answers import Answer
from imgcore.captioning.gemini import client
from imgcore.captioning.openai import OpenAICaptioner
from imgcore.captioning.openai.client import OpenAIClient
from imgcore.captioning.retry import Policy
from imgcore.errors import ImgcoreError, Unavailable
from imgcore.pipeline.models import CallState, ModelCall
from tests.contract.captioning_tools import HURRIED, LONG_TIMEOUT, MODEL, Bench, Photo
from tests.fake_gemini import CONNECTIONS, FakeGemini

# They never end by themselves while the test runs: to come back at all is to have kept the deadline.
WITHOUT_END = ["hang", "trickle", "trickle_headers"]


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    """A Gemini that describes every image until it is configured otherwise."""
    with FakeGemini() as server:
        yield server


def in_earnest(gemini: FakeGemini, **changes: object) -> Bench:
    """A bench on the real clock."""
    return Bench(gemini, **{"policy": HURRIED, "clock": time.monotonic, "sleep": time.sleep, **changes})


def test_deadline_scenarios_cover_every_kind() -> None:
    assert {*WITHOUT_END, "endless", "reset", "cut_off"} == set(CONNECTIONS)


@pytest.mark.parametrize("scenario", WITHOUT_END)
def test_describe_returns_or_raises_by_the_deadline(gemini: FakeGemini, scenario: str) -> None:
    gemini.play(scenario)
    bench = in_earnest(gemini, policy=LONG_TIMEOUT)
    with pytest.raises(Unavailable):
        bench.describe_in_earnest(1.6)  # enough for one request
    assert 1 == bench.requests


@pytest.mark.parametrize("scenario", WITHOUT_END)
def test_describe_after_one_bad_connection_succeeds(gemini: FakeGemini, scenario: str) -> None:
    """The next request is made on a fresh connection, while the stuck one is still stuck."""
    gemini.play(scenario, "ok")
    bench = in_earnest(gemini, rng=lambda: 0.0, policy=LONG_TIMEOUT)
    assert (MODEL, 2) == (bench.describe_in_earnest(30.0).model, bench.requests)


@pytest.mark.parametrize(("slowly", "asked"), [(20.0, 1), (45.0, 0)])
def test_time_that_recording_a_call_takes_is_the_calls_own(
    gemini: FakeGemini, slowly: float, asked: int
) -> None:
    """The database may be busy: the request gets what is left, and none is sent where that is too little."""
    bench, states = Bench(gemini), []

    def record(call: ModelCall) -> None:
        states.append(call.state)
        if call.state is CallState.OPEN:
            bench.clock.sleep(slowly)

    gemini.play("503")
    with pytest.raises(ImgcoreError):
        bench.captioner.describe(Photo(), deadline=bench.clock() + 50.0, record=record)

    assert asked == bench.requests
    assert ["30"] * asked == [request.headers["x-server-timeout"] for request in gemini.asked]
    assert {CallState.OPEN, CallState.NOT_BILLED} == set(states)


@pytest.mark.parametrize(("left", "header"), [(1000.0, ["15"]), (12.0, ["12"]), (9.0, [])])
def test_probe_takes_what_is_left_until_its_deadline(
    gemini: FakeGemini, left: float, header: list[str]
) -> None:
    """Too little time for a request is none."""
    bench = Bench(gemini)
    with contextlib.suppress(Unavailable) if not header else contextlib.nullcontext():
        bench.captioner.probe(deadline=bench.clock() + left)
    assert header == [request.headers["x-server-timeout"] for request in gemini.probed]


def test_stuck_connections_end_by_themselves(gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each stuck request takes its pool of connections with it, so that no pool is ever used up."""
    connect, made = client._connect, []

    def counted(key: str, base_url: str, body_bytes: int) -> object:
        made.append(base_url)
        return connect(key, base_url, body_bytes)

    monkeypatch.setattr(client, "_connect", counted)
    gemini.play("ok", "503", "hang", "ok")
    bench = in_earnest(gemini, rng=lambda: 0.0, policy=LONG_TIMEOUT)
    bench.describe_in_earnest(30.0)
    bench.describe_in_earnest(30.0)
    assert (4, 2) == (bench.requests, len(made))


def test_describe_after_four_timeouts_raises_unavailable(gemini: FakeGemini) -> None:
    """A server that is silent every time is given up after four requests."""
    gemini.play("hang")
    bench = in_earnest(gemini, rng=lambda: 0.0)
    with pytest.raises(Unavailable):
        bench.describe_in_earnest(30.0)
    assert 4 == bench.requests


def test_endless_body_is_closed(
    gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A body that trickles is dropped after a while by itself, so that no thread is left reading it."""
    monkeypatch.setattr(client, "BODY_SECONDS", 0.1)
    gemini.play("trickle")
    bench = Bench(gemini)
    assert "unavailable" == bench.end().code
    assert "a body that does not end" in caplog.text


def test_describe_leaves_no_thread_running(gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread of a request that nobody waits for any more ends by itself, the server still trickling."""
    monkeypatch.setattr(client, "BODY_SECONDS", 0.5)
    gemini.play("trickle")
    with pytest.raises(Unavailable):
        in_earnest(gemini).describe_in_earnest(0.35)
    for thread in threading.enumerate():
        if thread.name == deadline.THREAD_NAME:
            thread.join(timeout=60)
            assert not thread.is_alive()
    assert not gemini.released.is_set()


@pytest.mark.parametrize("service", ["gemini", "openai"])
def test_answer_after_the_timeout_is_recorded(monkeypatch: pytest.MonkeyPatch, service: str) -> None:
    """It is billed, though nobody waits for it any more."""
    answered, calls = threading.Event(), list[ModelCall]()
    late = Answer("{}", model="made-up-1", input_tokens=900, output_tokens=80)

    def answer(*arguments: object, **options: object) -> Answer:
        assert answered.wait(60)
        return late

    monkeypatch.setattr(client, "answer_of", answer)
    monkeypatch.setattr(OpenAIClient, "_send", answer)
    monkeypatch.setattr(client.Sending, "begin", lambda self: None)
    monkeypatch.setattr(client.Sending, "give_up", lambda self: True)  # it was sent before the timeout
    once = {"policy": Policy(attempts=1, timeout=0.05, floor=0.01, reserve=0.01)}
    with FakeGemini() as gemini:
        made = (
            Bench(gemini, **once, clock=time.monotonic).captioner
            if service == "gemini"
            else OpenAICaptioner(base_url="http://127.0.0.1:9/v1", model="made-up", **once)
        )
        with pytest.raises(Unavailable):
            made.describe(Photo(), deadline=time.monotonic() + 60, record=calls.append)
        assert [CallState.OPEN, CallState.UNKNOWN] == [call.state for call in calls]
        answered.set()
        for thread in threading.enumerate():
            if thread.name == deadline.THREAD_NAME:
                thread.join(timeout=60)
    assert ("made-up-1", 900, 80, "late", CallState.BILLED) == (
        calls[2].model,
        calls[2].input_tokens,
        calls[2].output_tokens,
        calls[2].outcome,
        calls[2].state,
    )
    assert (3, 1) == (len(calls), len({call.call_id for call in calls}))


def test_probe_ends_by_its_deadline(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """A start is not held up by a server that says nothing."""
    monkeypatch.setattr("imgcore.captioning.model.PROBE_SECONDS", 0.2)
    caplog.set_level(logging.WARNING)
    with FakeGemini(probes=["hang"]) as gemini:
        bench = Bench(gemini)
        with pytest.raises(Unavailable):
            bench.captioner.probe()
    assert "no whole answer within 0.2 s" in caplog.text


def test_describe_without_a_server_raises_unavailable() -> None:
    with FakeGemini() as gemini:
        bench = Bench(gemini)
    assert ("unavailable", [0.5, 1.0, 2.0]) == (bench.end().code, bench.clock.slept)


def test_captioner_is_shared_by_threads(gemini: FakeGemini) -> None:
    gemini.play("hang", "ok")
    bench = in_earnest(gemini, rng=lambda: 0.0, policy=LONG_TIMEOUT)
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(bench.describe_in_earnest(30.0).model)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [MODEL] * 8 == found
