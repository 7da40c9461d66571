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


def backfill(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Make what photos lack for half of the time that is left, from the id ``after`` on.

    Return what was made and skipped, and the ``after`` of the next call; null at its end.
    """
    deadline = time.monotonic() + context.get_remaining_time_in_millis() / 2000
    work = bootstrap.backfill(Config.read(), window=BACKFILL_WINDOW)
    progress = asdict(work.run_until(deadline, event.get("after", 0)))
    logger.info("backfill", extra={"fields": progress})
    return progress


logs.configure()
logger = logging.getLogger(__name__)
# Accepts the messages of its queue, {"task": "ping"}, and {"task": "backfill", "after": 0}.
handler = Function(TaskKind.THUMBNAIL, processor, queues, {"ping": warm}, {"backfill": backfill}).respond
