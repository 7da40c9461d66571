"""The caption function: describes images, runs the sweep each minute, and starts campaigns."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from imgcore import bootstrap, captioners
from imgcore.config import Config
from imgcore.gallery.states import TaskKind
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


def recaption(event: Mapping[str, Any], _: Any) -> dict[str, Any]:
    """Start the campaign of the event, see imgcore.campaigns.requests, and return its JSON."""
    from imgcore.campaigns import requests  # a cold start is for an image, seldom for a campaign

    return requests.run(bootstrap.campaigns(Config.read()), event["campaign"])


logs.configure()
tasks = {"sweep": lambda: sweeper().sweep(), "ping": warm}
# Accepts the messages of its queue, {"task": "sweep"} of the schedule, {"task": "ping"}, and
# {"task": "recaption", "campaign": {…}}.
handler = Function(TaskKind.CAPTION, processor, queues, tasks, {"recaption": recaption}).respond
