"""Tasks while the model is away, limited or refuses the key: circuit breaker, probes, standby."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeGuard

import pytest

from imgcore.accounts.models import Role
from imgcore.captioning.gemini import responses as gemini
from imgcore.captioning.openai import responses as openai
from imgcore.errors import Blocked, ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Source, TaskStatus
from imgcore.pipeline.models import BREAKER_CODES, ModelCall, RecordCall, ignore_call
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.pipeline.sweeper import Sweeper
from imgcore.spending.models import Group, Period, Quote
from imgcore.spending.service import Spending
from tests.support.documents import ROOT
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeCaptioner, FakeQueues, FakeStorage
from tests.unit.pipeline_photos import CAPTION, SOON, news, now, upload


def test_process_while_the_model_is_away_opens_the_breaker(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """One call is enough for all images; each keeps its attempts and gets a provisional description."""
    captioner.answers = [Unavailable("The model cannot be reached.")]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(3)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    found = [now(repositories, image) for image in images]
    tasks = [image.task(CAPTION) for image in found]
    assert ([Outcome.PARKED] * 3, 1) == (outcomes, len(captioner.deadlines))
    assert [("waiting", "A photo.", True)] * 3 == [(i.status, i.caption, i.provisional) for i in found]
    assert [("unavailable", 0)] * 3 == [(task.error, task.attempts) for task in tasks]
    assert all(task.next_at is not None for task in tasks)
    assert 25 < repositories.breakers.state("gemini").wait <= 30


def test_process_with_the_model_back_replaces_the_provisional_words(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner,
    sweeper: Sweeper,
) -> None:  # fmt: skip
    captioner.answers = [RateLimited("Used up.", code="quota_exhausted", retry_after=7200.0), "A cat."]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    image = upload(repositories, storage)
    both.process(news(image), CAPTION, deadline=SOON)
    of_model = replace(sweeper, breakers=repositories.breakers, breaker="gemini")

    of_model.sweep()
    assert Outcome.IDLE == both.process(news(image), CAPTION, deadline=SOON)
    repositories.breakers.close("gemini")
    of_model.sweep()
    assert Outcome.DONE == both.process(news(image), CAPTION, deadline=SOON)

    found = now(repositories, image)
    assert ("A cat.", Source.GEMINI, False) == (found.caption, found.source, found.provisional)


@pytest.mark.parametrize(("asked", "longest"), [(200, 220), (600, 660), (86_400, 86_460)])
def test_caption_waits_a_tenth_and_at_most_a_minute_longer_than_the_model_asks(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner,
    asked: int, longest: int,
) -> None:  # fmt: skip
    """The spread of the retries does not grow with a wait of hours or weeks."""
    captioner.answers = [RateLimited("Used up.", code="quota_exhausted", retry_after=asked)]
    image = upload(repositories, storage)

    replace(processor, rng=lambda: 1.0).process(news(image), CAPTION, deadline=SOON)

    next_at = now(repositories, image).task(CAPTION).next_at
    assert next_at is not None
    assert timedelta(seconds=asked) < next_at - datetime.now(UTC) <= timedelta(seconds=longest)


def test_standby_has_a_deadline_that_leaves_time_to_commit(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    captioner.answers = [Unavailable("The model cannot be reached.")]
    standby = FakeCaptioner(["A photo."], Source.LOCAL)

    replace(processor, standby=standby).process(news(upload(repositories, storage)), CAPTION, deadline=SOON)

    assert [SOON - 5.0] == standby.deadlines


def test_every_reason_why_a_model_does_not_answer_holds_the_captions_that_wait() -> None:
    """Those that the documentation lists, and those that the captioners raise."""
    table = re.findall(r"^\| (`[^|]+`) \|", (ROOT / "docs/captions.md").read_text(), re.MULTILINE)
    documented = {code for cell in table for code in re.findall(r"`(\w+)`", cell)}
    captioning = (ROOT / "imgcore/captioning").rglob("*.py")
    others = (ROOT / "imgcore/captioners.py", ROOT / "imgcore/aws/clients.py")
    calls = [
        node
        for path in (*others, *captioning)
        for node in ast.walk(ast.parse(path.read_text()))
        if _names_a_wait(node)
    ]
    raised = {
        keyword.value.value
        for call in calls
        for keyword in call.keywords
        if keyword.arg == "code" and isinstance(keyword.value, ast.Constant)
    }
    judged = {*gemini._SENTENCES, *(code for _, code, _ in openai._CORRECTIONS)}
    assert {"key_missing", "model_missing"} <= documented & (raised | judged)
    assert set() == (documented | raised | judged) - BREAKER_CODES - {"no_batches", "too_late"}  # of batches


def _names_a_wait(node: ast.AST) -> TypeGuard[ast.Call]:
    waits = {"Misconfigured", "RateLimited", "Unavailable"}
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in waits


class Probed(FakeCaptioner):
    """A captioner whose probes end as ``probes`` says."""

    probes: tuple[ImgcoreError | None, ...] = (None,)

    def probe(self, record: RecordCall = ignore_call, deadline: float = float("inf")) -> None:
        record(ModelCall("probe-1", "1", 100, 10, "described"))
        first, *rest = self.probes
        self.probes = tuple(rest) or (first,)
        if first is not None:
            raise first


def test_process_image_that_a_working_model_never_answers_fails(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """An image that makes the model crash does not stop the captions of others."""
    working = Probed([Unavailable("The model cannot be reached.")])
    image = upload(repositories, storage)

    outcomes = [
        replace(processor, captioner=working).process(news(image), CAPTION, deadline=SOON) for _ in range(5)
    ]

    assert [Outcome.PARKED] * 4 + [Outcome.FAILED] == outcomes
    assert repositories.breakers.state("gemini").closed
    assert "unanswered" == now(repositories, image).task(CAPTION).error


TOO_LONG = Misconfigured("The context is too small.", code="context_too_small")


def test_process_image_that_a_working_model_refuses_fails_alone(
    processor: Processor, repositories: Repositories, storage: FakeStorage, caplog: pytest.LogCaptureFixture
) -> None:
    """A screenshot that exceeds the model's context does not stop the captions of others."""
    images = [upload(repositories, storage) for _ in range(5)]
    model = replace(processor, captioner=Probed([TOO_LONG, "A cat."]))
    first, *others = [model.process(news(image), CAPTION, deadline=SOON) for image in images]
    refusing = replace(processor, captioner=Probed([TOO_LONG]))
    again = [refusing.process(news(images[0]), CAPTION, deadline=SOON) for _ in range(4)]

    task = now(repositories, images[0]).task(CAPTION)
    assert (Outcome.PARKED, [Outcome.DONE] * 4) == (first, others)
    assert ([Outcome.PARKED] * 3 + [Outcome.FAILED], "model_refused_image") == (again, task.error)
    assert repositories.breakers.state("gemini").closed
    assert "The captioner is misconfigured: The context is too small. (context_too_small)" in caplog.messages


@pytest.mark.parametrize("met", [TOO_LONG, RateLimited("Wait.", retry_after=60.0), Unavailable("Away.")])
def test_process_image_that_is_refused_as_a_probe_is_holds_all(
    met: ImgcoreError, processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    model = Probed([TOO_LONG])
    model.probes = (met,)
    image = upload(repositories, storage)

    assert Outcome.PARKED == replace(processor, captioner=model).process(news(image), CAPTION, deadline=SOON)

    task = now(repositories, image).task(CAPTION)
    assert (met.code, 0, met.code) == (
        task.error,
        task.attempts,
        repositories.breakers.state("gemini").reason,
    )


def test_process_after_the_pause_probes_with_no_photo(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """A failed probe doubles the pause; a successful one lets the photo's call pass."""
    model = Probed()
    model.probes = (Unavailable("Away."), None)
    both = replace(processor, captioner=model)
    images = [upload(repositories, storage) for _ in range(2)]
    repositories.breakers.back_off("gemini", probing=False, reason="unavailable", message="Away.")
    repositories.breakers.allow_probe("gemini")

    first = both.process(news(images[0]), CAPTION, deadline=SOON)
    assert (Outcome.PARKED, 0) == (first, len(model.deadlines))
    assert 55 < repositories.breakers.state("gemini").wait <= 60

    repositories.breakers.allow_probe("gemini")
    assert Outcome.DONE == both.process(news(images[1]), CAPTION, deadline=SOON)
    assert repositories.breakers.state("gemini").reason is None


def test_probe_is_recorded_for_no_image_and_no_account(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    ada = repositories.accounts.add("ada", "ada", Role.PERSON, "hash")
    spending = Spending(repositories.ledger, lambda *tokens: Quote(1.0, "2026-11-28", 1.0))
    model = Probed(["A barn."], tokens=(560, 80))
    repositories.breakers.open("gemini", wait=-1.0, reason="rate_limited", message="Wait.")
    image = upload(repositories, storage, owner_id=ada.id)

    charged = replace(processor, captioner=model, spending=spending)
    outcome = charged.process(news(image), CAPTION, deadline=SOON)

    calls = {usage.group: usage.calls for usage in spending.usage(Period(), Group.OWNER)}
    described = repositories.ledger.described(datetime.now(UTC) - timedelta(days=1))
    assert Outcome.DONE == outcome
    assert {None: 1, "ada": 1} == calls
    assert [("fake-1", 1, 1.0)] == described


def test_sweep_with_a_first_key_describes_local_photos_again(
    processor: Processor, repositories: Repositories, storage: FakeStorage, queues: FakeQueues,
    sweeper: Sweeper, captioner: FakeCaptioner,
) -> None:  # fmt: skip
    """Each is tried once: one that the model declines keeps its words and is left alone."""
    local = replace(processor, captioner=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(2)]
    for image in images:
        local.process(news(image), CAPTION, deadline=SOON)
    with_key = replace(sweeper, breakers=repositories.breakers, breaker="gemini", upgrade=True)
    captioner.answers = ["A cat.", Blocked("Declined.")]

    assert 0 == sweeper.sweep().upgraded
    assert 2 == with_key.sweep().upgraded
    assert {(CAPTION, image.image_key, 0.0) for image in images} <= set(queues.sent)
    for image in images:
        processor.process(news(image), CAPTION, deadline=SOON)

    assert {"A cat.", "A photo."} == {now(repositories, image).caption for image in images}
    assert {"done"} == {str(now(repositories, image).task(CAPTION).status) for image in images}
    assert 0 == with_key.sweep().upgraded


def test_process_rate_limit_opens_the_breaker_for_all_images(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """One status 429 stops the calls for all images; no attempt is used up."""
    captioner.answers = [RateLimited("Wait a little.", retry_after=34.0), "never asked"]
    first, second = upload(repositories, storage), upload(repositories, storage)

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for image in (first, second)]

    tasks = [now(repositories, image).task(CAPTION) for image in (first, second)]
    assert [Outcome.PARKED, Outcome.PARKED] == outcomes
    assert 1 == len(captioner.deadlines)
    assert [(TaskStatus.RETRY, 0, "rate_limited")] * 2 == [
        (task.status, task.attempts, task.error) for task in tasks
    ]
    assert 30 < repositories.breakers.state("gemini").wait <= 34


def test_process_successful_probe_closes_the_breaker(
    processor: Processor, repositories: Repositories, storage: FakeStorage
) -> None:
    """One image probes the model after the pause."""
    repositories.breakers.open("gemini", wait=-1.0, reason="rate_limited", message="Wait.")
    image = upload(repositories, storage)

    assert Outcome.DONE == processor.process(news(image), CAPTION, deadline=SOON)
    breaker = repositories.breakers.state("gemini")
    assert (True, None) == (breaker.closed, breaker.reason)


def test_process_refused_key_with_a_standby_is_described_provisionally(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """The refused key is not tried for each image."""
    captioner.answers = [Misconfigured("Gemini refuses the key.", code="key_refused")]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(3)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 3 == outcomes
    assert [(Source.LOCAL, True)] * 3 == [
        (found.source, found.provisional) for found in (now(repositories, image) for image in images)
    ]
    assert 1 == len(captioner.deadlines)
    assert "key_refused" == repositories.breakers.state("gemini").reason


def test_process_refused_key_without_a_standby_is_parked(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """No attempt is used up, however often it is retried."""
    captioner.answers = [Misconfigured("Gemini refuses the key.", code="key_refused")]
    images = [upload(repositories, storage) for _ in range(2)]

    outcomes = [processor.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 2 == outcomes
    assert [0, 0] == [now(repositories, image).task(CAPTION).attempts for image in images]


def test_process_exhausted_quota_with_a_standby_is_parked(
    processor: Processor, repositories: Repositories, storage: FakeStorage, captioner: FakeCaptioner
) -> None:
    """A better description tomorrow is worth the wait; the second image does not call the model."""
    captioner.answers = [RateLimited("Used up.", code="quota_exhausted", retry_after=7200.0)]
    both = replace(processor, standby=FakeCaptioner(["A photo."], Source.LOCAL))
    images = [upload(repositories, storage) for _ in range(2)]

    outcomes = [both.process(news(image), CAPTION, deadline=SOON) for image in images]

    assert [Outcome.PARKED] * 2 == outcomes
    assert 1 == len(captioner.deadlines)
