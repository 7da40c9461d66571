"""Both nets against what established engines answer, on a picture that is the same everywhere."""

from __future__ import annotations

import numpy as np
import pytest

from imgcore.captioning.local import faces
from imgcore.captioning.local.classifier import SIDE as CLASSIFIER_SIDE
from imgcore.captioning.local.classifier import Classifier
from imgcore.captioning.local.faces import FaceFinder
from imgcore.captioning.local.weights import Index
from imgcore.errors import Misconfigured
from tests.unit.captioning_local_tools import pattern


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    """Return the classifier with the weights of the installed package."""
    return Classifier.load()


@pytest.fixture(scope="module")
def finder() -> FaceFinder:
    """Return the face detector with the packaged model."""
    return FaceFinder.load()


def test_net_classifier_agrees_with_onnxruntime(classifier: Classifier) -> None:
    """onnxruntime 1.31 on the same weights and pattern: the five likeliest classes and three others."""
    expected = {
        767: 0.0867515,
        626: 0.0748207,
        644: 0.0741560,
        418: 0.0479968,
        398: 0.0378158,
        0: 0.000207590,
        281: 0.000613146,
        999: 0.000124529,
    }
    probabilities = classifier(pattern(CLASSIFIER_SIDE))
    assert list(expected)[:5] == np.argsort(-probabilities)[:5].tolist()
    np.testing.assert_allclose(probabilities[list(expected)], list(expected.values()), rtol=1e-3)


def test_net_probabilities_sum_to_one(classifier: Classifier) -> None:
    """One for each of the thousand classes."""
    probabilities = classifier(pattern(CLASSIFIER_SIDE))
    assert ((1000,), 1.0) == (probabilities.shape, round(float(probabilities.sum()), 5))


def test_net_damaged_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with another hash is not even unpickled."""
    monkeypatch.setattr("imgcore.captioning.local.classifier.load_index", lambda name: Index("0" * 64, {}))
    with pytest.raises(Misconfigured, match="damaged"):
        Classifier.load()


def test_net_face_finder_agrees_with_litert(finder: FaceFinder) -> None:
    """LiteRT 2.3 on the same model and pattern: five scores and one box with its key points."""
    boxes, scores = finder.run(pattern(faces.SIDE) / np.float32(127.5) - 1)
    expected = [-6.214682, -6.579148, -2.242645, -3.498917, -6.553828]
    np.testing.assert_allclose(scores[[0, 47, 1176, 1200, 2303], 0], expected, atol=1e-4)
    box = [-2.2662, -2.4405, 19.5311, 19.5291, -4.8323, -6.6591, 1.3729, -6.3007]
    box += [0.8867, -2.8862, -0.905, 1.7859, -15.2908, -4.7065, 0.3908, -3.9067]
    np.testing.assert_allclose(boxes[1176], box, atol=1e-3)


def test_net_pattern_has_no_face(finder: FaceFinder) -> None:
    """An empty list of boxes keeps its four columns."""
    assert (0, 4) == finder(pattern(faces.SIDE)).shape


def test_net_one_face_is_counted_once(monkeypatch: pytest.MonkeyPatch, finder: FaceFinder) -> None:
    """Cells beside each other see the same face; another face elsewhere is another."""
    boxes, scores = np.zeros((2304, 16), np.float32), np.full((2304, 1), -9, np.float32)
    boxes[:, 2:4] = 48  # pixels: a quarter of the side
    scores[[12 * 48 + 12, 12 * 48 + 13, 36 * 48 + 36], 0] = (3, 2, 1)
    monkeypatch.setattr(FaceFinder, "run", lambda _self, _x: (boxes, scores))
    centre = 12.5 / 48
    found = finder(pattern(faces.SIDE))
    assert 2 == len(found)
    np.testing.assert_allclose(
        found[0], [centre - 0.125, centre - 0.125, centre + 0.125, centre + 0.125], atol=1e-6
    )
