"""The thumbnail function: makes the small pictures of what was uploaded."""

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
    return bootstrap.pipeline(Config.read())


logs.configure()
# Takes messages of its queue, and {"task": "ping"}, for which being made is all there is to do.
handler = Function(TaskKind.THUMBNAIL, pipeline, {"ping": lambda made: None}).respond
