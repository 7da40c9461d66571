"""BlazeFace, full range: finds the faces in a picture. It locates faces and identifies nobody.

V. Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs" (2019). The
model file is MediaPipe's, unaltered (data/NOTICE.txt); its index lists the graph's operations, which become
numpy calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from imgcore.captioning.local.layers import Array, Convolution, Depthwise, Pointwise, doubled, max_pool, relu
from imgcore.captioning.local.weights import DATA, Index, Step, load_index

SIDE = 192  # pixels of the square input
FILE = "face_detection_full_range.tflite"
MODEL = "face_detection_full_range"  # the name of its index
_GRID = 48  # one possible face around each cell of 48 × 48
_CERTAIN = 0.6  # the probability from which on a face is believed
_SAME = 0.3  # boxes that overlap as much (intersection over union) show one face

_Layer = Callable[..., Array]
_PLAIN_LAYERS: dict[str, _Layer] = {
    "ADD": np.add,
    "MAX_POOL_2D": max_pool,
    "RELU": relu,
    "RESIZE_BILINEAR": doubled,
}


class FaceFinder:
    """The net, ready to run. Safe to share between threads."""

    def __init__(self, index: Index, data: bytes) -> None:
        """Build the net from its file. Misconfigured: ``data`` is not the file of the index."""
        self._steps = _compile(index.steps, index.read(data))
        self._input, (self._boxes, self._scores) = index.input, index.outputs

    @classmethod
    def load(cls) -> FaceFinder:
        """Load the model file of this package. Misconfigured: it is damaged."""
        return cls(load_index(MODEL), DATA.joinpath(FILE).read_bytes())

    def __call__(self, rgb: Array) -> Array:
        """Return the faces' boxes as rows of left, top, right, bottom, 0 … 1 of the side; most probable first.

        ``rgb``: SIDE × SIDE × 3, values 0 … 255, the picture in its own proportions on black.
        """
        boxes, scores = self.run(rgb / np.float32(127.5) - 1)
        probable = 1 / (1 + np.exp(-np.clip(scores[:, 0], -80, 80)))
        order = np.argsort(-probable, kind="stable")
        return _distinct(_corners(boxes)[order[probable[order] >= _CERTAIN]])

    def run(self, x: Array) -> tuple[Array, Array]:
        """Return the net's output: for each cell 16 coordinates of a face, and one score (logit)."""
        values = {self._input: x}
        for step in self._steps:
            values[step.output] = step.layer(*(values[number] for number in step.inputs))
            for number in step.spent:
                del values[number]
        return values[self._boxes], values[self._scores]


@dataclass(frozen=True, slots=True)
class _Compiled:
    layer: _Layer
    inputs: tuple[int, ...]  # tensors that an earlier step computed
    output: int
    spent: tuple[int, ...]  # tensors that no later step needs


def _compile(steps: Sequence[Step], tensors: Mapping[str, Array]) -> list[_Compiled]:
    last_use = {number: index for index, step in enumerate(steps) for number in step.inputs}
    compiled = []
    for index, step in enumerate(steps):
        spent = tuple(number for number in step.inputs if last_use[number] == index)
        layer = _layer(step, [tensors[name] for name in step.constants])
        compiled.append(_Compiled(layer, step.inputs, step.output, spent))
    return compiled


def _layer(step: Step, constants: Sequence[Array]) -> _Layer:
    """Return what the step does. ReLU may work in place: no other step of this graph reads its input."""
    match step.operation:
        case "CONV_2D" if constants[0].shape[1:3] == (1, 1):
            return Pointwise(constants[0][:, 0, 0].T.copy(), constants[1])
        case "CONV_2D":
            return Convolution(constants[0].transpose(1, 2, 3, 0).copy(), constants[1], step.stride)
        case "DEPTHWISE_CONV_2D":
            return Depthwise(constants[0][0], constants[1], step.stride, step.input_shape[2])
        case "PAD":
            channels = int(constants[0][3, 1])
            return lambda x: np.pad(x, ((0, 0), (0, 0), (0, channels)))
        case "RESHAPE":
            return lambda x: x.reshape(step.output_shape[1:])
        case operation:
            return _PLAIN_LAYERS[operation]


def _corners(boxes: Array) -> Array:
    """Convert centre (relative to the cell's) and size in pixels to left, top, right, bottom in 0 … 1."""
    rows, columns = np.divmod(np.arange(_GRID * _GRID), _GRID)
    centre = boxes[:, :2] / SIDE + (np.stack([columns, rows], 1) + 0.5) / _GRID
    half = boxes[:, 2:4] / (2 * SIDE)
    return np.concatenate([centre - half, centre + half], 1).astype(np.float32)


def _distinct(boxes: Array) -> Array:
    """Return the boxes without those that overlap much with an earlier one (non-maximum suppression)."""
    kept = []
    while len(boxes):
        first, boxes = boxes[0], boxes[1:]
        kept.append(first)
        shared = np.minimum(first[2:], boxes[:, 2:]) - np.maximum(first[:2], boxes[:, :2])
        overlap = np.maximum(shared, 0).prod(1)
        areas = (boxes[:, 2:] - boxes[:, :2]).prod(1) + (first[2:] - first[:2]).prod()
        boxes = boxes[overlap < _SAME * (areas - overlap)]
    return np.array(kept, np.float32).reshape(-1, 4)
