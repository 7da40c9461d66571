"""The thumbnail function: makes the derived images."""

from functools import cache
from typing import Any

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.gallery.states import TaskKind
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function


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


logs.configure()
# Accepts the messages of its queue, and {"task": "ping"}.
handler = Function(TaskKind.THUMBNAIL, processor, queues, {"ping": warm}).respond
