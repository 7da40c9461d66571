"""What the functions make of an event, and what they log of it."""

from __future__ import annotations

import importlib
import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from imgcore import bootstrap
from imgcore.campaigns.service import Campaigns
from imgcore.config import Config
from imgcore.errors import Invalid, Misconfigured, Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.maintenance_models import SweepReport
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Outcome
from imgcore.pipeline.s3_events import message
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function
from tests.contract.images import described
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues

PUBLIC_ID = "0123456789abcdef" * 2
KEY = f"raw/{PUBLIC_ID}.jpg"


class Context:
    """The part of AWS's Lambda context that the functions use."""

    aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


@dataclass
class FakeWorker:
    """A processor and a sweeper that remember their calls; ``raises`` by key."""

    outcome: Outcome = Outcome.DONE
    raises: dict[str, Exception] = field(default_factory=dict)
    processed: list[tuple[str, TaskKind]] = field(default_factory=list)
    deadlines: list[float] = field(default_factory=list)
    sweeps: int = 0

    def process(self, created: ObjectCreated, kind: TaskKind, *, deadline: float) -> Outcome:
        if created.key in self.raises:
            raise self.raises[created.key]
        self.processed.append((created.key, kind))
        self.deadlines.append(deadline)
        return self.outcome

    def sweep(self) -> SweepReport:
        self.sweeps += 1
        return SweepReport(redelivered=2)


@pytest.fixture
def worker() -> FakeWorker:
    """A worker for which everything succeeds."""
    return FakeWorker()


@pytest.fixture
def queues() -> FakeQueues:
    """Queues that remember what is sent."""
    return FakeQueues()


@pytest.fixture
def function(worker: FakeWorker, queues: FakeQueues) -> Function:
    """A caption function with that worker."""
    tasks = {"sweep": worker.sweep, "ping": lambda: None}
    return Function(TaskKind.CAPTION, lambda: worker, lambda: queues, tasks)


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Iterator[list[dict[str, Any]]]:
    """The log lines so far, as JSON."""
    found: list[dict[str, Any]] = []
    formatter = logs.JsonFormatter()
    handler = logging.Handler()
    handler.emit = lambda record: found.append(json.loads(formatter.format(record)))  # type: ignore[method-assign]
    logger = logging.getLogger("lambda_build.handlers")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def batch(*bodies: str) -> dict[str, Any]:
    """An SQS event with messages m0, m1, …"""
    return {
        "Records": [
            {"messageId": f"m{index}", "eventSource": "aws:sqs", "body": body}
            for index, body in enumerate(bodies)
        ]
    }


def test_function_message_is_processed_and_acknowledged(function: Function, worker: FakeWorker) -> None:
    answer = function.respond(batch(message("uploads", KEY)), Context())

    assert ({"batchItemFailures": []}, [(KEY, TaskKind.CAPTION)]) == (answer, worker.processed)


def test_function_deadline_is_that_of_the_invocation(
    function: Function, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    function.respond(batch(message("uploads", KEY)), Context())

    assert [130.0] == worker.deadlines


def test_function_failed_message_alone_is_reported(function: Function, worker: FakeWorker) -> None:
    worker.raises["raw/bug.jpg"] = ZeroDivisionError("division by zero")
    bodies = [message("uploads", key) for key in ("raw/a.jpg", "raw/bug.jpg", "raw/b.jpg")]

    answer = function.respond(batch(*bodies), Context())

    expected = ({"batchItemFailures": [{"itemIdentifier": "m1"}]}, ["raw/a.jpg", "raw/b.jpg"])
    assert expected == (answer, [key for key, _ in worker.processed])


@pytest.mark.parametrize(
    ("postponed", "delay"), [(0, 5.0), (1, 10.0), (2, 20.0), (3, 40.0), (4, 60.0), (500, 60.0), (1439, 60.0)]
)
def test_function_message_is_postponed_while_a_service_is_unavailable(
    function: Function, worker: FakeWorker, queues: FakeQueues, postponed: int, delay: float
) -> None:
    """It is acknowledged, so that the outage uses up none of its receives."""
    worker.raises["raw/away.jpg"] = Unavailable("The database is away.")
    event = batch(message("uploads", KEY), message("uploads", "raw/away.jpg"))
    event["Records"][1]["messageAttributes"] = {"postponed": {"stringValue": str(postponed)}}

    answer = function.respond(event, Context())

    expected = (TaskKind.CAPTION, message("uploads", "raw/away.jpg"), postponed + 1, delay)
    assert ({"batchItemFailures": []}, [expected]) == (answer, queues.postponed)


def test_function_message_that_was_postponed_for_a_day_fails(
    function: Function, worker: FakeWorker, queues: FakeQueues
) -> None:
    """A row that always gives an error leads its message to the dead-letter queue; another is postponed."""
    worker.raises |= {key: Unavailable("Error 1234.") for key in (KEY, "raw/away.jpg")}
    event = batch(message("uploads", KEY), message("uploads", "raw/away.jpg"))
    event["Records"][0]["messageAttributes"] = {"postponed": {"stringValue": "1440"}}

    answer = function.respond(event, Context())

    bodies = [body for _, body, _, _ in queues.postponed]
    assert ([{"itemIdentifier": "m0"}], [message("uploads", "raw/away.jpg")]) == (
        answer["batchItemFailures"],
        bodies,
    )


def test_function_message_that_cannot_be_postponed_is_reported(
    function: Function, worker: FakeWorker, queues: FakeQueues
) -> None:
    """The queue delivers it again after its visibility timeout."""
    worker.raises[KEY] = Unavailable("The database is away.")
    queues.broken = Unavailable("The caption queue cannot be reached just now.")

    assert {"batchItemFailures": [{"itemIdentifier": "m0"}]} == function.respond(
        batch(message("uploads", KEY)), Context()
    )


def test_function_unreadable_message_fails_alone(function: Function, worker: FakeWorker) -> None:
    """It reaches the dead-letter queue."""
    answer = function.respond(batch("no JSON", message("uploads", KEY)), Context())

    assert ({"batchItemFailures": [{"itemIdentifier": "m0"}]}, 1) == (answer, len(worker.processed))


def test_function_wrong_settings_fail_the_delivery() -> None:
    """The processor is created inside the delivery, so that the environment survives."""

    def broken() -> FakeWorker:
        raise Misconfigured("DATABASE_URL is not set.")

    answer = Function(TaskKind.CAPTION, broken, FakeQueues, {}).respond(
        batch(message("uploads", KEY)), Context()
    )

    assert {"batchItemFailures": [{"itemIdentifier": "m0"}]} == answer


def test_function_failed_event_without_a_queue_raises(function: Function, worker: FakeWorker) -> None:
    """Lambda retries an asynchronous call."""
    worker.raises[KEY] = Unavailable("The database is away.")

    with pytest.raises(Unavailable, match="The database is away"):
        function.respond(json.loads(message("uploads", KEY)), Context())


def test_function_unknown_event_raises(function: Function) -> None:
    with pytest.raises(Invalid, match="unknown format"):
        function.respond({"hello": "world"}, Context())


def test_function_sweep_task_logs_its_counts(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    function.respond({"task": "sweep"}, Context())

    assert (1, "sweep", 2) == (worker.sweeps, records[0]["task"], records[0]["redelivered"])


def test_function_unknown_task_raises(function: Function) -> None:
    with pytest.raises(Invalid, match="no task 'dance'; it has ping, sweep"):
        function.respond({"task": "dance"}, Context())


def test_function_logs_one_line_for_each_message(function: Function, records: list[dict[str, Any]]) -> None:
    function.respond(batch(message("uploads", KEY)), Context())

    fields = ("level", "request_id", "message_id", "public_id", "kind", "outcome")
    expected = [("INFO", "request-1", "m0", PUBLIC_ID, "caption", "done")]
    assert expected == [tuple(record[name] for name in fields) for record in records]


def test_function_logs_the_time_in_milliseconds(
    function: Function, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter([0.0, 1.0, 1.25])
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    function.respond(batch(message("uploads", KEY)), Context())

    assert [250] == [record["milliseconds"] for record in records]


def test_function_key_without_public_id_is_logged(function: Function, records: list[dict[str, Any]]) -> None:
    function.respond(batch(message("uploads", "raw/by hand.jpg")), Context())

    assert ["raw/by hand.jpg"] == [record["key"] for record in records]


def test_function_test_event_is_logged(function: Function, records: list[dict[str, Any]]) -> None:
    """S3 sends a test event to each new notification."""
    function.respond(batch('{"Service": "Amazon S3", "Event": "s3:TestEvent"}'), Context())

    assert ["nothing"] == [record["outcome"] for record in records]


def test_function_expected_error_is_logged_without_traceback(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    error = Unavailable("The database is away.")
    error.__cause__ = OSError("refused")
    worker.raises[KEY] = error
    function.respond(batch(message("uploads", KEY)), Context())

    fields = ("level", "message", "error", "code", "cause")
    expected = ("ERROR", "The database is away.", "Unavailable", "unavailable", "OSError('refused')")
    assert (expected, False) == (tuple(records[0][name] for name in fields), "traceback" in records[0])


def test_function_unexpected_error_is_logged_with_traceback(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    """The traceback is in the same line, so that it is one event in the log."""
    worker.raises[KEY] = ZeroDivisionError("division by zero")
    function.respond(batch(message("uploads", KEY)), Context())

    assert "ZeroDivisionError: division by zero" == records[0]["traceback"].splitlines()[-1]


def test_json_formatter_writes_other_types_as_text() -> None:
    record = logging.LogRecord("imgcore", logging.INFO, "", 0, "logged", None, None)
    record.fields = {"path": Path("a")}

    assert "a" == json.loads(logs.JsonFormatter().format(record))["path"]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger; its state and that of our loggers is restored."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield logging.root
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    for ours in ("imgcore", "lambda_build.handlers"):
        logging.getLogger(ours).setLevel(logging.NOTSET)


@pytest.fixture
def handler_of(monkeypatch: pytest.MonkeyPatch, root_logger: logging.Logger) -> Any:
    """Import a handler afresh with ``worker`` as its processor and sweeper; return it and the kinds created."""
    made: list[TaskKind] = []

    def load(name: str, worker: Any) -> tuple[Any, list[TaskKind]]:
        def make(config: Config, *captioners: Any) -> Any:
            made.append(TaskKind.CAPTION if captioners else TaskKind.THUMBNAIL)
            return worker

        monkeypatch.setattr(bootstrap, "processor", make)
        monkeypatch.setattr(bootstrap, "sweeper", lambda config: worker)
        monkeypatch.delitem(sys.modules, f"lambda_build.handlers.{name}", raising=False)
        return importlib.import_module(f"lambda_build.handlers.{name}"), made

    return load


@pytest.mark.parametrize("kind", list(TaskKind))
def test_processor_is_created_once_at_the_first_delivery(handler_of: Any, kind: TaskKind) -> None:
    """The import creates none."""
    module, made = handler_of(str(kind), FakeWorker())
    at_import = list(made)
    for _ in range(2):
        module.handler(batch(message("uploads", KEY)), Context())

    assert ([], [kind]) == (at_import, made)


def test_caption_function_ping_warms_all_captioners(handler_of: Any) -> None:
    """A captioner without warm() is left alone."""
    warmed: list[str] = []
    captioner = SimpleNamespace(warm=lambda: warmed.append("captioner"))
    standby = SimpleNamespace(warm=lambda: warmed.append("standby"))
    module, _ = handler_of("caption", SimpleNamespace(captioner=captioner, standby=standby))
    module.handler({"task": "ping"}, Context())
    module.processor.cache_clear()
    module, _ = handler_of("caption", SimpleNamespace(captioner=SimpleNamespace(), standby=None))
    module.handler({"task": "ping"}, Context())

    assert ["captioner", "standby"] == warmed


def test_caption_function_sweep_runs_the_sweeper(handler_of: Any) -> None:
    worker = FakeWorker()
    module, created = handler_of("caption", worker)
    module.handler({"task": "sweep"}, Context())

    assert (1, []) == (worker.sweeps, created)


def test_caption_function_previews_and_starts_a_campaign(
    handler_of: Any, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    described(repositories, "cat.jpg")
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: images * 0.5)
    monkeypatch.setattr(bootstrap, "campaigns", lambda config: campaigns)
    module, _ = handler_of("caption", FakeWorker())

    def respond(**campaign: Any) -> Any:
        return module.handler({"task": "recaption", "campaign": campaign}, Context())

    assert (1, 0.5) == (
        respond(source="local", dry_run=True)["images"],
        respond(tag="cat", dry_run=True)["price_usd"],
    )
    assert [] == campaigns.all()
    started = respond(source="local", rate=30)
    assert ("running", 30, started["id"]) == (started["status"], started["rate"], campaigns.all()[0].public_id)
    for wrong in ({}, {"source": "nobody"}, {"everything": True}, {"tag": "cat", "rate": 0}, {"ids": ["x"]}):
        with pytest.raises(Invalid):
            respond(**wrong)


def test_thumbnail_function_has_no_sweep(handler_of: Any) -> None:
    module, _ = handler_of("thumbnail", FakeWorker())

    with pytest.raises(Invalid, match="it has ping"):
        module.handler({"task": "sweep"}, Context())


def test_configure_writes_each_record_as_one_json_line(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Our loggers from INFO, those of libraries from WARNING."""
    logs.configure()
    logging.getLogger("imgcore.pipeline.processing").info("ours\nin two lines")
    logging.getLogger("library").info("not logged")
    logging.getLogger("library").warning("logged")

    lines = capsys.readouterr().out.splitlines()
    assert ["ours\nin two lines", "logged"] == [json.loads(line)["message"] for line in lines]
