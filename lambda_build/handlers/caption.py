"""The caption function: describes what was uploaded and, each minute, sweeps up what events forgot."""

from functools import cache
from typing import Any

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.gallery.models import TaskKind
from lambda_build.handlers import logs
from lambda_build.handlers.common import Function


@cache
def pipeline() -> Any:
    """What does the work."""
    config = Config.read()
    return bootstrap.pipeline(config, *bootstrap.captioners(config))


def warm(pipeline: Any) -> None:
    """Load the model's SDK or weights, and fetch the key, before the first photograph comes."""
    for captioner in (pipeline.captioner, pipeline.standby):
        getattr(captioner, "warm", lambda: None)()


logs.configure()
# Takes messages of its queue, {"task": "sweep"} from the schedule, and {"task": "ping"}.
handler = Function(TaskKind.CAPTION, pipeline, {"sweep": lambda made: made.sweep(), "ping": warm}).respond
