"""Workers killed at any point of a paid call: each billed call has its row, with at least what was billed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from imgcore.captioning.bounds import most_tokens
from imgcore.captioning.gemini import GeminiCaptioner
from imgcore.captioning.gemini.client import GeminiClient
from imgcore.captioning.model import CALL_ID_HEADER, ModelCaptioner
from imgcore.captioning.prices import price, quote
from imgcore.config import Secret
from imgcore.db.ledger import LedgerRepository
from imgcore.db.tasks import TaskRepository
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import NewImage, Source, TaskKind
from imgcore.pipeline.models import ObjectCreated, Timing
from imgcore.pipeline.processing import Outcome, Processor
from imgcore.spending.models import Caps
from imgcore.spending.service import Spending
from tests.fake_gemini import FakeGemini
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeStorage, decode, render

MODEL = "gemini-3.5-flash-lite"
EXPIRED = Timing(caption_lease=0.001, max_attempts=20)
BILLED = (700, 90)  # tokens of each answer of the stand-in


class Killed(BaseException):
    """The worker ends here."""


POINTS: list[tuple[type, str]] = [
    (TaskRepository, "claim"),
    (FakeStorage, "read"),
    (LedgerRepository, "open"),
    (GeminiClient, "describe"),
    (LedgerRepository, "append"),
    (TaskRepository, "finish_caption"),
]


@pytest.fixture
def gemini() -> Iterator[FakeGemini]:
    with FakeGemini() as server:
        yield server


class Bench:
    """A photo, workers that describe it, and the rows of the calls for it."""

    def __init__(self, repositories: Repositories, gemini: FakeGemini) -> None:
        self.repositories, self.gemini = repositories, gemini
        self.storage = FakeStorage()
        self.public_id = new_public_id()
        self.key = raw_key(self.public_id, "image/jpeg")
        self.storage.uploads[self.key] = b"photo"
        repositories.images.add(NewImage(self.public_id, self.key, "cat.jpg", "image/jpeg", 5, 3600.0))

    def spending(self) -> Spending:
        return Spending(self.repositories.ledger, quote, Caps(day=1e12))

    def work(self) -> Outcome:
        """Let a new worker, which knows nothing of the earlier ones, describe the photo."""
        captioner = GeminiCaptioner(
            Secret("made-up"), model=MODEL, base_url=self.gemini.url, sleep=lambda _: None
        )
        processor = Processor(
            *self.repositories.of_processor(), self.storage, decode, render, captioner,
            uploads_bucket=BUCKET, timing=EXPIRED, spending=self.spending(),
        )  # fmt: skip
        event = ObjectCreated(BUCKET, self.key)
        return processor.process(event, TaskKind.CAPTION, deadline=float("inf"))

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return the ledger's rows of the photo, and of probes of the model, by the ids of the calls."""
        query = "SELECT * FROM model_calls WHERE public_id = :public_id OR public_id IS NULL ORDER BY id"
        found = self.repositories.database.read(lambda tx: tx.rows(query, public_id=self.public_id))
        return {row["call_id"]: row for row in found}

    def check_bill(self) -> None:
        """Compare the ledger with what the stand-in has billed."""
        rows = self.rows()
        billed = [asked.headers[CALL_ID_HEADER.lower()] for asked in self.gemini.asked]
        assert len(set(billed)) == len(billed)
        assert set(billed) <= rows.keys()
        for call_id, row in rows.items():
            most = (row["most_input_tokens"], row["most_output_tokens"])
            assert all(bound >= used for bound, used in zip(most, BILLED, strict=True))
            assert row["most_price_usd"] == pytest.approx(price(MODEL, *most))
            if row["state"] is None:
                assert call_id in billed
                assert BILLED == (row["input_tokens"], row["output_tokens"])
                assert row["counted_usd"] == row["price_usd"] == pytest.approx(price(MODEL, *BILLED))
            else:
                assert ("open", row["most_price_usd"]) == (row["state"], row["counted_usd"])
        one = price(MODEL, *BILLED)
        assert one is not None
        assert sum(row["counted_usd"] for row in rows.values()) >= one * len(billed) - 1e-9


@pytest.fixture
def bench(repositories: Repositories, gemini: FakeGemini) -> Bench:
    return Bench(repositories, gemini)


def kill(monkeypatch: pytest.MonkeyPatch, owner: type, method: str, after: bool) -> None:
    """Kill the first worker that passes the point."""
    original, passed = getattr(owner, method), []

    def killed(*arguments: Any, **named: Any) -> Any:
        passed.append(method)
        if len(passed) == 1 and not after:
            raise Killed
        result = original(*arguments, **named)
        if len(passed) == 1:
            raise Killed
        return result

    monkeypatch.setattr(owner, method, killed)


def work_until_described(bench: Bench) -> int:
    """Return how many workers it took."""
    for number in range(1, 6):
        try:
            if bench.work() is Outcome.DONE:
                return number
        except Killed:
            continue
    image = bench.repositories.images.get(bench.public_id)
    assert image is not None
    assert image.caption
    return 2


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "method"), POINTS, ids=[method for _, method in POINTS])
def test_worker_killed_at_any_point_leaves_a_row_of_each_billed_call(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, owner: type, method: str, after: bool
) -> None:
    kill(monkeypatch, owner, method, after)

    workers = work_until_described(bench)

    bench.check_bill()
    lost = [row for row in bench.rows().values() if row["state"] is not None]
    between = method == "describe" or (method, after) in (("open", True), ("append", False))
    assert ([1 if between else 0], 2) == ([len(lost)], workers)


def test_call_without_its_intent_is_noticed_by_the_check(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above fails where a call is made before its row is there."""
    monkeypatch.setattr(LedgerRepository, "open", lambda *_: None)
    kill(monkeypatch, LedgerRepository, "append", False)
    work_until_described(bench)

    with pytest.raises(AssertionError):
        bench.check_bill()


def test_lost_call_counts_against_the_cap_and_is_shown_apart(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill(monkeypatch, GeminiClient, "describe", True)
    with pytest.raises(Killed):
        bench.work()

    [row] = bench.rows().values()
    spending = bench.spending()
    [usage] = [each for each in spending.usage(spending.today()) if each.unsettled]
    assert usage.unsettled is not None
    assert (1, row["most_input_tokens"], row["most_output_tokens"], 0) == (
        usage.unsettled.calls,
        usage.unsettled.input_tokens_at_most,
        usage.unsettled.output_tokens_at_most,
        usage.unsettled.unpriced,
    )
    assert usage.unsettled.price_usd_at_most == pytest.approx(row["most_price_usd"])
    spending.caps = Caps(day=row["most_price_usd"] / 2)
    reached = spending.reached_cap()
    assert reached is not None
    assert "spend_cap_day" == reached.code


@pytest.mark.parametrize(
    ("script", "states"),
    [
        ("ok", [None]),
        ("nojson", [None] * 3),
        ("400", ["not_billed"]),
        ("429day", ["not_billed"]),
        ("403key", ["not_billed", None]),  # then a small image is described
        ("503", [*["not_billed"] * 4, None]),  # the same
        ("badbody", ["unknown"] * 3),
    ],
)
def test_call_ends_as_its_answer_says(
    bench: Bench, gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch, script: str, states: list[str | None]
) -> None:
    """Answers are billed, errors of Google are not; what was billed without an answer is not known."""
    gemini.play(script)

    bench.work()

    rows = list(bench.rows().values())
    assert states == [row["state"] for row in rows]
    assert all((row["counted_usd"] == 0) == (row["state"] == "not_billed") for row in rows)


def test_calls_of_a_service_that_is_away_are_not_billed(repositories: Repositories) -> None:
    """The connection is refused: no request was sent."""
    with FakeGemini() as gone:
        bench = Bench(repositories, gone)

    bench.work()

    assert {"not_billed"} == {row["state"] for row in bench.rows().values()}
    assert 5 == len(bench.rows())  # a check of the model is one of them


def test_late_answer_settles_a_call_that_was_given_up(repositories: Repositories) -> None:
    spending = Spending(repositories.ledger, quote)
    calls: list[Any] = []
    captioner = ModelCaptioner(Source.GEMINI, "G", [MODEL], lambda request: calls.append(request))  # type: ignore[arg-type,func-returns-value]
    recorded: list[Any] = []
    with pytest.raises(AttributeError):  # no answer at all: as if the worker ended here
        captioner.probe(recorded.append)
    [call] = recorded

    for late in (
        call,
        replace(call, state="unknown"),
        replace(call, state="billed", input_tokens=7, output_tokens=3),
    ):
        spending.record(late, public_id="late")
        spending.record(late, public_id="late")  # its acknowledgement was lost

    query = "SELECT * FROM model_calls WHERE public_id = 'late'"
    [row] = repositories.database.read(lambda tx: tx.rows(query))
    assert (None, 7, 3) == (row["state"], row["input_tokens"], row["output_tokens"])
    assert (row["most_input_tokens"], row["most_output_tokens"]) == most_tokens(calls[0], Source.GEMINI)


def test_database_that_is_away_before_a_call_prevents_it_and_says_nothing_about_the_model(
    bench: Bench, gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No row, no call; the circuit breaker stays closed."""

    def away(*_: Any) -> None:
        raise Unavailable("The database is not available.")

    monkeypatch.setattr("imgcore.pipeline.processing.STORE_SECONDS", 0.0)
    monkeypatch.setattr(LedgerRepository, "open", away)

    bench.work()

    assert ([], {}) == (gemini.asked + gemini.probed, bench.rows())
    assert bench.repositories.breakers.state("gemini").closed


def test_failure_of_a_call_is_raised_although_its_end_cannot_be_recorded(
    bench: Bench, gemini: FakeGemini, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key was refused: the circuit breaker opens for that, and the row keeps its upper bound."""

    def away(*_: Any) -> None:
        raise Unavailable("The database is not available.")

    gemini.play("403key", probes=["403key"])  # for the photo, and for the small image that is tried then
    monkeypatch.setattr("imgcore.pipeline.processing.STORE_SECONDS", 0.0)
    monkeypatch.setattr(LedgerRepository, "close", away)

    bench.work()

    assert "key_refused" == bench.repositories.breakers.state("gemini").reason
    assert ["open"] * 2 == [row["state"] for row in bench.rows().values()]


def test_call_that_cannot_be_sent_is_not_billed(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client raises keeps it from sending."""

    def unsendable(*_: Any) -> None:
        raise Misconfigured("The key has a line feed.", code="key_unsendable")

    monkeypatch.setattr(GeminiClient, "_within", unsendable)

    bench.work()

    assert ["not_billed"] * 2 == [row["state"] for row in bench.rows().values()]
