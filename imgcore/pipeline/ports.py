"""What the pipeline needs from adapters."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Protocol, runtime_checkable

from imgcore.gallery.models import Description, Picture, Renditions, Source
from imgcore.pipeline.models import RecordCall, ignore_call

Decode = Callable[..., Picture]  # imgcore.imaging.decode.decode
Render = Callable[..., Renditions]  # imgcore.imaging.render.render


class Captioner(Protocol):
    """Describes images."""

    @property
    def source(self) -> Source:
        """The source that its descriptions carry."""
        ...

    @property
    def side(self) -> int:
        """The longer side, in pixels, beyond which a larger image does not improve the description."""
        ...

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        """Return the description of ``picture`` before ``deadline``, a time of time.monotonic().

        record: receives each call of a model before it is sent, and again at once when its fate is known. Where
        it raises, the call is not made. context: lines of what is known about the photo without looking at it.

        Raises Blocked, BadAnswer, RateLimited, Misconfigured or Unavailable.
        """
        ...


@runtime_checkable
class Probe(Protocol):
    """Checks whether a model works."""

    def probe(self, record: RecordCall = ignore_call, deadline: float = inf) -> None:
        """Request a description of a small image; any answer will do. Raises as Captioner.describe does.

        deadline: on the clock, time.monotonic(), by which it ends.
        """
        ...
