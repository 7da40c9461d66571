"""Applies both nets and the colour analysis to one picture. Imports numpy: import it only when needed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imgcore.captioning.local import classifier
from imgcore.captioning.local.faces import SIDE as FACE_SIDE
from imgcore.captioning.local.faces import FaceFinder
from imgcore.captioning.local.features import SIDE, Pixels, impression, scene
from imgcore.captioning.local.findings import Findings, Impression
from imgcore.captioning.local.layers import Array
from imgcore.captioning.local.vocabulary import is_undecided, subject
from imgcore.gallery.models import Picture

_CROP = 0.875  # of the shorter side, what the classifier was evaluated with
_DETAIL = 256  # pixels a side, looked at unscaled
_CLOSE_UP = 0.4  # of the shorter side: a face at least so high fills the picture


class Sight:
    """Holds the nets of this process. Safe to share between threads."""

    def __init__(self) -> None:
        self._classify = classifier.Classifier.load()
        self._find_faces = FaceFinder.load()

    def look(self, picture: Picture, go_on: Callable[[], None]) -> Findings:
        """Return the findings. ``go_on`` is called before each longer step and raises if no time is left."""
        first = _impression(picture)
        if first.plain:
            return Findings(first, faces=0, subject=None)
        go_on()
        faces = len(self._find_faces(_letterbox(picture, FACE_SIDE)))
        go_on()
        scores = self._classify(_square(picture, classifier.SIDE, _CROP))
        if is_undecided(scores.tolist()):
            go_on()
            whole = self._classify(_square(picture, classifier.SIDE, 1.0))
            scores = (scores + whole) / np.float32(2)
        named = subject(scores.tolist(), faces=faces)
        if named is None and not faces:
            go_on()
            faces = self._close_ups(picture)
        if first.drawn and first.black_and_white:  # line art: neither net was made for it
            return Findings(first, faces, None)
        if named is None and not faces and not first.drawn:
            named = scene(_pixels(picture, (SIDE, SIDE)))
        return Findings(first, faces, named)

    def _close_ups(self, picture: Picture) -> int:
        """Count faces that are too large for the net, on the picture at half size."""
        shorter = min(picture.size) / max(picture.size) / 2
        boxes = self._find_faces(_letterbox(picture, FACE_SIDE, scale=0.5))
        return int(((boxes[:, 3] - boxes[:, 1]) >= _CLOSE_UP * shorter).sum())


def _impression(picture: Picture) -> Impression:
    width, height = picture.size
    across, down = min(width, _DETAIL), min(height, _DETAIL)
    left, top = (width - across) // 2, (height - down) // 2
    detail = _pixels(picture, (across, down), (left, top, left + across, top + down))
    return impression(_pixels(picture, (SIDE, SIDE)), detail, (width, height))


def _letterbox(picture: Picture, side: int, scale: float = 1.0) -> Array:
    """Return the whole picture on a black square. ``scale``: its longer side's share of the square."""
    width, height = picture.size
    factor = scale * side / max(width, height)
    across, down = max(1, round(width * factor)), max(1, round(height * factor))
    out = np.zeros((side, side, 3), np.float32)
    left, top = (side - across) // 2, (side - down) // 2
    out[top : top + down, left : left + across] = _pixels(picture, (across, down))
    return out


def _square(picture: Picture, side: int, share: float) -> Array:
    """Return the central square of ``share`` of the shorter side."""
    width, height = picture.size
    cut = share * min(width, height)
    left, top = (width - cut) / 2, (height - cut) / 2
    return _pixels(picture, (side, side), (left, top, left + cut, top + cut)).astype(np.float32)


def _pixels(
    picture: Picture, size: tuple[int, int], box: tuple[float, float, float, float] | None = None
) -> Pixels:
    return np.frombuffer(picture.rgb(size, box), np.uint8).reshape(size[1], size[0], 3)
