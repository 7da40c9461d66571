"""How many views of a picture the classifier gets."""

from __future__ import annotations

import numpy as np
import pytest

from imgcore.captioning.local.layers import Array
from imgcore.captioning.local.vision import Sight
from imgcore.imaging.decode import decode
from tests import images

TABBY = 281


class Nets(Sight):
    """Finds no faces, and takes every view for a tabby with this probability."""

    def __init__(self, certain: float) -> None:
        self.views: list[Array] = []
        self._find_faces = lambda rgb: np.zeros((0, 4), np.float32)  # type: ignore[assignment]

        def classify(rgb: Array) -> Array:
            self.views.append(rgb)
            scores = np.zeros(1000, np.float32)
            scores[TABBY] = certain / len(self.views)
            return scores

        self._classify = classify  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("certain", "views", "named"),
    [(0.9, 1, True), (0.58, 2, False), (0.01, 1, False)],
    ids=["clear", "undecided: the mean of both counts", "hopeless"],
)
def test_look_classifies_the_whole_only_where_the_middle_is_undecided(
    certain: float, views: int, named: bool
) -> None:
    nets = Nets(certain)

    found = nets.look(decode(images.jpeg(), max_side=448), lambda: None)

    assert (views, named) == (len(nets.views), found.subject is not None and found.subject.tags[0] == "cat")
