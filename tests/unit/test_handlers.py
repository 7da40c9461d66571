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
from imgcore.config import Config
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.models import ObjectCreated, SweepReport
from imgcore.pipeline.processing import Outcome
from imgcore.pipeline.s3_events import message
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function

PUBLIC_ID = "0123456789abcdef" * 2
KEY = f"raw/{PUBLIC_ID}.jpg"


class Context:
    """AWS's own, as far as it is looked at."""

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
    """One that can do everything."""
    return FakeWorker()


@pytest.fixture
def function(worker: FakeWorker) -> Function:
    """A caption function over it."""
    tasks = {"sweep": worker.sweep, "ping": lambda: None}
    return Function(TaskKind.CAPTION, lambda: worker, tasks)


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
    """Messages m0, m1, … of a queue."""
    return {
        "Records": [
            {"messageId": f"m{index}", "eventSource": "aws:sqs", "body": body}
            for index, body in enumerate(bodies)
        ]
    }


def test_a_message_is_processed(function: Function, worker: FakeWorker) -> None:
    """The photograph's own task is done and the message acknowledged."""
    answer = function.respond(batch(message("uploads", KEY)), Context())

    assert ({"batchItemFailures": []}, [(KEY, TaskKind.CAPTION)]) == (answer, worker.processed)


def test_the_work_ends_with_the_invocation(
    function: Function, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The deadline is AWS's remaining time on the monotonic clock."""
    monkeypatch.setattr("time.monotonic", lambda: 100.0)
    function.respond(batch(message("uploads", KEY)), Context())

    assert [130.0] == worker.deadlines


def test_only_what_failed_is_delivered_again(function: Function, worker: FakeWorker) -> None:
    """The others of the batch are done with."""
    worker.raises["raw/away.jpg"] = Unavailable("The database is away.")
    bodies = [message("uploads", key) for key in ("raw/a.jpg", "raw/away.jpg", "raw/b.jpg")]

    answer = function.respond(batch(*bodies), Context())

    expected = ({"batchItemFailures": [{"itemIdentifier": "m1"}]}, ["raw/a.jpg", "raw/b.jpg"])
    assert expected == (answer, [key for key, _ in worker.processed])


def test_a_message_that_nobody_understands_fails_alone(function: Function, worker: FakeWorker) -> None:
    """It ends among the dead letters, where a person looks at it."""
    answer = function.respond(batch("no JSON", message("uploads", KEY)), Context())

    assert ({"batchItemFailures": [{"itemIdentifier": "m0"}]}, 1) == (answer, len(worker.processed))


def test_settings_that_are_wrong_fail_the_delivery() -> None:
    """The worker is made inside the delivery: its message comes again, the environment lives on."""

    def broken() -> FakeWorker:
        raise Unavailable("DATABASE_URL is not set.")

    answer = Function(TaskKind.CAPTION, broken, {}).respond(batch(message("uploads", KEY)), Context())

    assert {"batchItemFailures": [{"itemIdentifier": "m0"}]} == answer


def test_what_came_without_a_queue_raises(function: Function, worker: FakeWorker) -> None:
    """Lambda itself tries an asynchronous call again."""
    worker.raises[KEY] = Unavailable("The database is away.")

    with pytest.raises(Unavailable, match="The database is away"):
        function.respond(json.loads(message("uploads", KEY)), Context())


def test_an_event_that_nobody_understands_raises(function: Function) -> None:
    """A wrong caller hears so."""
    with pytest.raises(Invalid, match="unknown format"):
        function.respond({"hello": "world"}, Context())


def test_the_sweep_comes_from_the_schedule(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    """Its counts are in the log line."""
    function.respond({"task": "sweep"}, Context())

    assert (1, "sweep", 2) == (worker.sweeps, records[0]["task"], records[0]["redelivered"])


def test_an_unknown_task_raises(function: Function) -> None:
    """The tasks that there are, are named."""
    with pytest.raises(Invalid, match="no task 'dance'; it has ping, sweep"):
        function.respond({"task": "dance"}, Context())


def test_one_line_a_delivery(function: Function, records: list[dict[str, Any]]) -> None:
    """Who asked, which photograph, what was done, how it ended."""
    function.respond(batch(message("uploads", KEY)), Context())

    fields = ("level", "request_id", "message_id", "public_id", "kind", "outcome")
    expected = [("INFO", "request-1", "m0", PUBLIC_ID, "caption", "done")]
    assert expected == [tuple(record[name] for name in fields) for record in records]


def test_the_line_tells_the_time_it_took(
    function: Function, records: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whole milliseconds."""
    ticks = iter([0.0, 1.0, 1.25])
    monkeypatch.setattr("time.monotonic", lambda: next(ticks))
    function.respond(batch(message("uploads", KEY)), Context())

    assert [250] == [record["milliseconds"] for record in records]


def test_a_key_of_another_shape_is_told_as_it_is(function: Function, records: list[dict[str, Any]]) -> None:
    """An object that somebody put there by hand has no public id in its key."""
    function.respond(batch(message("uploads", "raw/by hand.jpg")), Context())

    assert ["raw/by hand.jpg"] == [record["key"] for record in records]


def test_nothing_to_do_is_told_too(function: Function, records: list[dict[str, Any]]) -> None:
    """S3's own test event is acknowledged."""
    function.respond(batch('{"Service": "Amazon S3", "Event": "s3:TestEvent"}'), Context())

    assert ["nothing"] == [record["outcome"] for record in records]


def test_an_understood_failure_needs_no_traceback(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    """Its code, its sentence and its cause say it."""
    error = Unavailable("The database is away.")
    error.__cause__ = OSError("refused")
    worker.raises[KEY] = error
    function.respond(batch(message("uploads", KEY)), Context())

    fields = ("level", "message", "error", "code", "cause")
    expected = ("ERROR", "The database is away.", "Unavailable", "unavailable", "OSError('refused')")
    assert (expected, False) == (tuple(records[0][name] for name in fields), "traceback" in records[0])


def test_a_bug_comes_with_its_traceback(
    function: Function, worker: FakeWorker, records: list[dict[str, Any]]
) -> None:
    """On the same line, so that it is one event in the log."""
    worker.raises[KEY] = ZeroDivisionError("division by zero")
    function.respond(batch(message("uploads", KEY)), Context())

    assert "ZeroDivisionError: division by zero" == records[0]["traceback"].splitlines()[-1]


def test_what_json_cannot_say_is_said_in_words() -> None:
    """A log line is never lost to its own contents."""
    record = logging.LogRecord("imgcore", logging.INFO, "", 0, "told", None, None)
    record.fields = {"path": Path("a")}

    assert "a" == json.loads(logs.JsonFormatter().format(record))["path"]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, given back as it was, and ours with it."""
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
    """At the first delivery, not at the import, and of the function's own kind."""
    module, made = handler_of(str(kind), FakeWorker())
    at_import = list(made)
    for _ in range(2):
        module.handler(batch(message("uploads", KEY)), Context())

    assert ([], [kind]) == (at_import, made)


def test_a_ping_warms_whoever_describes(handler_of: Any) -> None:
    """Both where there are two; one that has nothing to load is left alone."""
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


def test_only_the_caption_function_sweeps(handler_of: Any) -> None:
    """The schedule wakes one of them."""
    module, _ = handler_of("thumbnail", FakeWorker())

    with pytest.raises(Invalid, match="it has ping"):
        module.handler({"task": "sweep"}, Context())


def test_every_record_is_one_line(root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    """Ours from INFO, a library's from WARNING, each as JSON on standard output."""
    logs.configure()
    logging.getLogger("imgcore.pipeline.processing").info("ours\nin two lines")
    logging.getLogger("library").info("not told")
    logging.getLogger("library").warning("told")

    lines = capsys.readouterr().out.splitlines()
    assert ["ours\nin two lines", "told"] == [json.loads(line)["message"] for line in lines]
