"""The thumbnail function: makes the derived images."""

import logging
import time
from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.gallery.states import TaskKind
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function

BACKFILL_WINDOW = 100  # ids; their photos take some ten seconds at most


@cache
def processor() -> Any:
    """Return the processor; it is created once."""
    return bootstrap.processor(Config.read())


@cache
def queues() -> Any:
    """Return the queues; they are created once."""
    return bootstrap.queues(Config.read())


def warm() -> None:
    """Create the processor before the first image arrives."""
    processor()


def handler(event: Any, context: Any) -> dict[str, Any]:
    """Accept messages of the queue, {"task": "ping"}, and {"task": "backfill", "after": 0}.

    A backfill runs for half of the time that is left, and returns what it has made and skipped, and the
    ``after`` of the next call; null at its end.
    """
    if isinstance(event, Mapping) and event.get("task") == "backfill":
        logs.begin(context)
        deadline = time.monotonic() + context.get_remaining_time_in_millis() / 2000
        work = bootstrap.backfill(Config.read(), window=BACKFILL_WINDOW)
        progress = asdict(work.run_until(deadline, event.get("after", 0)))
        logger.info("backfill", extra={"fields": progress})
        return progress
    return _FUNCTION.respond(event, context)


logs.configure()
logger = logging.getLogger(__name__)
_FUNCTION = Function(TaskKind.THUMBNAIL, processor, queues, {"ping": warm})
