"""What the pipeline needs from adapters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from imgcore.gallery.models import Description, Picture, Renditions, Source

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

    def describe(self, picture: Picture, *, deadline: float) -> Description:
        """Return the description of ``picture`` before ``deadline``, a time of time.monotonic().

        Raises Blocked, BadAnswer, RateLimited, Misconfigured or Unavailable.
        """
        ...
