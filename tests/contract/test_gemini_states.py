"""Each reply of the model, through the real SDK and the real database: where the image ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from imgcore.captioning.gemini import GeminiCaptioner
from imgcore.captioning.prices import quote
from imgcore.config import Secret
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import Image, NewImage, Source, TaskKind, TaskStatus
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.spending.models import Period
from imgcore.spending.service import Spending
from tests.fake_gemini import FakeGemini
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeCaptioner, FakeStorage, decode, render

DONE, RETRY, FAILED, BLOCKED = TaskStatus.DONE, TaskStatus.RETRY, TaskStatus.FAILED, TaskStatus.BLOCKED


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    """A model on loopback."""
    with FakeGemini() as server:
        yield server


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self) -> float:
        return time.monotonic() + sum(self.slept)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class Bench:
    """A processor on the real SDK, and what a test wants to know of it."""

    processor: Processor
    repositories: Repositories
    storage: FakeStorage
    clock: Clock

    def run(self, seconds: float = 100.0) -> tuple[Outcome, Image]:
        """Upload an image and deliver its event to a function with that much time."""
        public_id = new_public_id()
        key = raw_key(public_id, "image/jpeg")
        self.storage.uploads[key] = b"photo"
        self.repositories.images.add(NewImage(public_id, key, "cat.jpg", "image/jpeg", 5, 3600.0))
        outcome = self.processor.process(
            ObjectCreated(BUCKET, key), TaskKind.CAPTION, deadline=self.clock() + seconds
        )
        image = self.repositories.images.get(public_id)
        assert image is not None
        return outcome, image


@pytest.fixture
def bench(gemini: FakeGemini, repositories: Repositories) -> Callable[..., Bench]:
    """Makes one, with or without a standby captioner."""

    def make(standby: FakeCaptioner | None = None) -> Bench:
        clock, storage = Clock(), FakeStorage()
        captioner = GeminiCaptioner(
            Secret("made-up-for-this-test"),
            model="gemini-3.5-flash-lite",
            base_url=gemini.url,
            clock=clock,
            sleep=clock.sleep,
        )
        processor = Processor(
            *repositories.of_processor(),
            storage,
            decode,
            render,
            captioner,
            standby,
            uploads_bucket=BUCKET,
        )
        return Bench(processor, repositories, storage, clock)

    return make


@pytest.mark.parametrize(
    ("script", "status", "error", "asked"),
    [
        (["ok"], DONE, None, 1),
        (["503", "503", "ok"], DONE, None, 3),
        (["503"], RETRY, "unanswered", 4),
        (["500"], RETRY, "unanswered", 4),
        (["reset", "ok"], DONE, None, 2),
        (["429", "ok"], DONE, None, 2),  # the hint of 34 s fits into the function's time
        (["429day"], RETRY, "quota_exhausted", 1),
        (["promptblock"], BLOCKED, "blocked", 1),
        (["safety"], BLOCKED, "blocked", 1),
        (["nojson"], FAILED, "bad_answer", 3),
        (["wrongschema"], FAILED, "bad_answer", 3),
        (["badbody"], FAILED, "bad_answer", 3),
        (["truncbody"], FAILED, "bad_answer", 3),
        (["badbody", "ok"], DONE, None, 2),
        (["maxtokens", "ok"], DONE, None, 2),
        (["recitation"], None, None, 2),
        (["400"], FAILED, "model_refused_image", 1),
        (["400key"], RETRY, "key_refused", 1),
        (["403key"], RETRY, "key_refused", 1),
        (["429credits"], RETRY, "credits_exhausted", 1),
        (["page_of_text"], DONE, None, 3),
        (["quotation"], DONE, None, 2),
        (["refusal"], BLOCKED, "not_described", 2),
        (["404"], RETRY, "model_retired", 1),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else None,
)
def test_where_each_reply_leaves_the_image(
    bench: Callable[..., Bench],
    gemini: FakeGemini,
    script: list[str],
    status: TaskStatus | None,
    error: str | None,
    asked: int,
) -> None:
    """Done, parked, failed or blocked; never without a sentence, never asked more often than allowed."""
    refuses_all = error in ("key_refused", "credits_exhausted", "model_retired")
    gemini.play(*script, probes=script if refuses_all else ("ok",))

    _, image = bench().run()

    task = image.task(TaskKind.CAPTION)
    assert status in (None, task.status)
    assert error in (None, task.error)
    assert asked == len(gemini.asked)
    assert (task.status is DONE) == (image.caption is not None)
    assert (task.status is DONE) != bool(task.message)


def test_a_hint_that_does_not_fit_is_parked_and_no_attempt_spent(
    bench: Callable[..., Bench], gemini: FakeGemini, repositories: Repositories
) -> None:
    """429 with 34 s to wait and 30 s of time: parked, the circuit breaker open, the attempt refunded."""
    gemini.play("429")
    made = bench()

    first, image = made.run(seconds=30.0)
    second, other = made.run(seconds=30.0)

    task = image.task(TaskKind.CAPTION)
    assert [Outcome.PARKED, Outcome.PARKED] == [first, second]
    assert (RETRY, 0) == (task.status, task.attempts) == (other.task(TaskKind.CAPTION).status, 0)
    assert (1, []) == (len(gemini.asked), made.clock.slept)
    assert 33 < repositories.breakers.state("gemini").wait <= 34.1


def test_a_daily_quota_is_parked_until_the_day_is_over(
    bench: Callable[..., Bench], gemini: FakeGemini, repositories: Repositories
) -> None:
    """The wait is not the 21 s of the hint: the quota returns at midnight in California."""
    gemini.play("429day")

    outcome, _ = bench().run()

    assert Outcome.PARKED == outcome
    assert 21 < repositories.breakers.state("gemini").wait <= 25 * 3600


def test_refused_key_uses_the_standby_captioner(
    bench: Callable[..., Bench], gemini: FakeGemini, repositories: Repositories
) -> None:
    """Three images, one call, three provisional descriptions, one notice."""
    gemini.play("400key", probes=("400key",))
    made = bench(FakeCaptioner(["An image."], Source.LOCAL))

    found = [made.run() for _ in range(3)]

    assert [(Outcome.PARKED, Source.LOCAL)] * 3 == [(outcome, image.source) for outcome, image in found]
    assert (1, "key_refused") == (len(gemini.asked), repositories.breakers.state("gemini").reason)


def test_tokens_model_and_price_are_kept(bench: Callable[..., Bench], gemini: FakeGemini) -> None:
    """The tokens are those of the response."""
    gemini.play("ok")

    _, image = bench().run()

    assert ("gemini-3.5-flash-lite", Source.GEMINI) == (image.model, image.source)
    assert image.input_tokens
    assert image.output_tokens
    assert image.price_usd
    assert image.prompt_version


def test_each_answered_call_is_in_the_ledger(
    bench: Callable[..., Bench], gemini: FakeGemini, repositories: Repositories
) -> None:
    """An answer that is not used is billed and recorded too; a refusal without an answer is not."""
    gemini.play("nojson", "503", "ok")
    made = bench()
    spending = Spending(repositories.ledger, quote)

    [before] = spending.usage(Period())

    replace(made, processor=replace(made.processor, spending=spending)).run()

    [after] = spending.usage(Period())
    assert (2, 1400, 180) == (
        after.calls - before.calls,
        after.input_tokens - before.input_tokens,
        after.output_tokens - before.output_tokens,
    )
