"""What the tests of the captioner share: a small image, a clock that is only wound by sleeping."""

from __future__ import annotations

import io
import secrets
import time
from collections.abc import Iterable
from typing import Any

from PIL import Image

from imgcore.captioning.gemini import GeminiCaptioner
from imgcore.captioning.retry import Policy
from imgcore.config import Secret
from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Description, PhotoFacts
from imgcore.pipeline.models import CallState, ModelCall
from tests.fake_gemini import FakeGemini

MODEL = "gemini-3.5-flash-lite"
# For what is waited for in earnest: where nothing good comes, and where it does on a busy machine.
HURRIED = Policy(timeout=0.3, floor=0.1, reserve=0.1)
LONG_TIMEOUT = Policy(timeout=1.5, floor=0.1, reserve=0.1)


def answered(calls: Iterable[ModelCall]) -> list[ModelCall]:
    """Return the recorded calls that were answered."""
    return [call for call in calls if call.state is CallState.BILLED]


class Photo:
    """A picture of two pixels that notes at what sizes it was asked for."""

    def __init__(self) -> None:
        buffer = io.BytesIO()
        Image.new("RGB", (2, 1), "red").save(buffer, "JPEG")
        self.data, self.sides = buffer.getvalue(), list[int]()
        self.size = (2, 1)
        self.facts = PhotoFacts("JPEG", 2, 1, len(self.data), "00")

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        """The file."""
        self.sides.append(max_side)
        return self.data

    def jpegs(self, max_side: int, quality: int = 85) -> list[bytes]:
        return [self.jpeg(max_side, quality)]

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        """Red."""
        return b"\xff\0\0" * size[0] * size[1]


class Clock:
    """Seconds that pass only in sleep()."""

    def __init__(self) -> None:
        self.time, self.slept = 0.0, list[float]()

    def __call__(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Wind it."""
        self.slept.append(round(seconds, 3))
        self.time += seconds


class Bench:
    """A captioner before a Gemini, with chance at one half and the clock in hand."""

    def __init__(self, gemini: FakeGemini, **changes: Any) -> None:
        self.gemini, self.clock = gemini, Clock()
        self.key = Secret(f"made-up-{secrets.token_hex(16)}")
        settings = {"model": MODEL, "base_url": gemini.url, "clock": self.clock, "sleep": self.clock.sleep}
        self.captioner = GeminiCaptioner(self.key, **{**settings, "rng": lambda: 0.5, **changes})

    def describe(self, deadline: float = 1000.0) -> Description:
        """One image, on the bench's clock."""
        return self.captioner.describe(Photo(), deadline=deadline)

    def describe_in_earnest(self, seconds: float) -> Description:
        """One image, on the real clock (to be given as ``clock``)."""
        return self.captioner.describe(Photo(), deadline=time.monotonic() + seconds)

    def end(self, deadline: float = 1000.0) -> ImgcoreError:
        """What describe() raises."""
        try:
            description = self.describe(deadline)
        except ImgcoreError as error:
            return error
        raise AssertionError(f"described: {description}")

    @property
    def requests(self) -> int:
        """How many images were sent."""
        return len(self.gemini.asked)
