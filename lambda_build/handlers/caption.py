"""The caption function: describes images and runs the sweep each minute."""

from functools import cache
from typing import Any

from imgcore import bootstrap, captioners
from imgcore.config import Config
from imgcore.gallery.models import TaskKind
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function


@cache
def processor() -> Any:
    """Return the processor; it is created once."""
    config = Config.read()
    return bootstrap.processor(config, *captioners.create(config))


@cache
def sweeper() -> Any:
    """Return the sweeper; it is created once."""
    return bootstrap.sweeper(Config.read())


@cache
def queues() -> Any:
    """Return the queues; they are created once."""
    return bootstrap.queues(Config.read())


def warm() -> None:
    """Load the model's SDK or weights, and fetch the key, before the first image arrives."""
    made = processor()
    for captioner in (made.captioner, made.standby):
        getattr(captioner, "warm", lambda: None)()


logs.configure()
# Accepts the messages of its queue, {"task": "sweep"} from the schedule, and {"task": "ping"}.
handler = Function(
    TaskKind.CAPTION, processor, queues, {"sweep": lambda: sweeper().sweep(), "ping": warm}
).respond
