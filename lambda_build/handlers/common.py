"""Process an event delivery by delivery: one log line for each, failures reported to the queue."""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, is_dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from imgcore.backoff import exponential
from imgcore.errors import ImgcoreError, Invalid, Unavailable
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.states import TaskKind
from imgcore.pipeline.s3_events import Delivery, deliveries
from lambda_build.handlers import logs

if TYPE_CHECKING:
    from imgcore.gallery.ports import Queues

logger = logging.getLogger(__name__)

FIRST_POSTPONE_SECONDS, LONGEST_POSTPONE_SECONDS = 5.0, 60.0
# Times, which takes a day. Nothing else ends the loop of a message that its own function sends again: the role
# `functions` turns Lambda's recursive loop detection off, which would end it after 16 times.
MOST_POSTPONED = 1_440

_started = False


@contextmanager
def first_event_uncollected() -> Iterator[None]:
    """Keep the garbage collector off while the first event of the process is processed.

    Libraries are loaded then. Each of their objects stays, and looking through them for garbage took a sixth of
    a cold start's processor time.
    """
    global _started
    if _started or not gc.isenabled():
        yield
        return
    _started = True
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function.

    processor: returns the Processor, created at the first call. Created inside the delivery that needs it, a
        wrong setting fails that delivery, with a line in the log, and not the start of the environment.
    queues: returns the queues, created when a message is first postponed.
    tasks: what it does by name, without an image.
    answers: what it does by name and answers, from the event and Lambda's context.
    """

    kind: TaskKind
    processor: Callable[[], Any]
    queues: Callable[[], Queues]
    tasks: Mapping[str, Callable[[], Any]]
    answers: Mapping[str, Callable[[Mapping[str, Any], Any], dict[str, Any]]] = field(default_factory=dict)

    def respond(self, event: Any, context: Any) -> dict[str, Any]:
        """Process an event of AWS Lambda; return an answer, or what Lambda expects of a queue's consumer.

        A queue's message that fails is named in ``batchItemFailures``, so that it alone is delivered again
        after the visibility timeout, or postponed for seconds where a service is unavailable. Anything else
        that fails raises, so that Lambda itself tries again.
        """
        logs.begin(context)
        if isinstance(event, Mapping) and (answer := self.answers.get(str(event.get("task")))):
            return answer(event, context)
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 1000
        with first_event_uncollected():
            return {"batchItemFailures": self._failures(event, deadline)}

    def _failures(self, event: Any, deadline: float) -> list[dict[str, str]]:
        """Process each delivery; return the queue's messages that failed."""
        failures = []
        for delivery in deliveries(event):
            started = time.monotonic()
            fields = {"kind": str(self.kind), "message_id": delivery.message_id}
            try:
                for outcome in self._work(delivery, deadline):
                    _log(logging.INFO, "delivery", fields | outcome, started)
            except Exception as error:
                _log(logging.ERROR, str(error), fields | _error_fields(error), started, error)
                if delivery.message_id is None:
                    raise
                if not (isinstance(error, Unavailable) and self._postpone(delivery)):
                    failures.append({"itemIdentifier": delivery.message_id})
        return failures

    def _postpone(self, delivery: Delivery) -> bool:
        """Send the message again with a delay; False where that fails too.

        The delay grows from 5 s to a minute. The copy begins with no receives, so an outage of hours leads no
        message to the dead-letter queue. After a day it is no outage but this message: it fails from then on.
        """
        if delivery.postponed >= MOST_POSTPONED:
            return False
        postponed = delivery.postponed + 1
        delay = exponential(postponed, first=FIRST_POSTPONE_SECONDS, longest=LONGEST_POSTPONE_SECONDS)
        try:
            self.queues().postpone(self.kind, delivery.body, postponed=postponed, delay=delay)
        except ImgcoreError as error:
            logger.warning("The message cannot be postponed: %s", error)
            return False
        return True

    def _work(self, delivery: Delivery, deadline: float) -> Iterator[dict[str, Any]]:
        """Process one delivery; yield the log fields of each part of it."""
        if delivery.problem is not None:
            raise Invalid(delivery.problem)
        if delivery.task is not None:
            yield self._task(delivery.task)
        elif not delivery.created:
            yield {"outcome": "nothing"}  # S3's own test event, or news of something else than an upload
        for created in delivery.created:
            outcome = self.processor().process(created, self.kind, deadline=deadline)
            yield {**_name(created.key), "outcome": str(outcome)}

    def _task(self, name: str) -> dict[str, Any]:
        if name not in self.tasks:
            raise Invalid(f"This function has no task {name!r}; it has {', '.join(sorted(self.tasks))}.")
        report = self.tasks[name]()
        counts = asdict(report) if is_dataclass(report) and not isinstance(report, type) else {}
        return {"task": name, "outcome": "done", **counts}


def _name(key: str) -> dict[str, str]:
    stem = PurePosixPath(key).stem
    return {"public_id": stem} if is_public_id(stem) else {"key": key}


def _error_fields(error: Exception) -> dict[str, Any]:
    fields: dict[str, Any] = {"outcome": "error", "error": type(error).__name__}
    if isinstance(error, ImgcoreError):
        fields |= {"code": error.code, "cause": repr(error.__cause__) if error.__cause__ else None}
    return fields


def _log(
    level: int, message: str, fields: dict[str, Any], started: float, error: Exception | None = None
) -> None:
    """Log one line, with a traceback only for an exception that this package does not define."""
    milliseconds = round((time.monotonic() - started) * 1000)
    bug = None if isinstance(error, ImgcoreError) else error
    logger.log(level, message, exc_info=bug, extra={"fields": {**fields, "milliseconds": milliseconds}})
