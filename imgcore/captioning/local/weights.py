"""Reads both model files in place: an index says where in the file each tensor lies.

The index of a model is data/NAME.json; ``python -m lambda_build.weights.index`` writes it from the model file.
So neither an unpickler (for torch's format) nor a parser of TensorFlow Lite's format is needed where photos are
described.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np

from imgcore.captioning.local.layers import Array
from imgcore.errors import Misconfigured

DATA = resources.files("imgcore.captioning.local").joinpath("data")


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a tensor in a model file.

    type: numpy's name of its numbers, such as "<f4". offset and strides: in bytes, from the file's start.
    """

    type: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read(self, data: bytes) -> Array:
        """Return the tensor as a contiguous array. ValueError, TypeError: it reaches out of ``data``."""
        view = np.ndarray(self.shape, self.type, data, self.offset, self.strides)
        return np.array(view, np.float32, order="C")


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a graph; inputs and output are numbers of tensors.

    inputs: what earlier steps computed. constants: names of tensors in the file. stride: 1 where the operation
    has none. input_shape: of the first input. output_shape: of the output.
    """

    operation: str
    inputs: tuple[int, ...]
    constants: tuple[str, ...]
    output: int
    stride: int
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """The index of one model file.

    sha256: of the file, in hexadecimal digits. tensors: by name. steps: of its graph, in the order to run them;
    input and outputs: numbers of the graph's own tensors. A file of weights alone has no graph.
    """

    sha256: str
    tensors: Mapping[str, Place]
    steps: tuple[Step, ...] = ()
    input: int = 0
    outputs: tuple[int, ...] = ()

    def read(self, data: bytes) -> dict[str, Array]:
        """Return the tensors of the file ``data``. Misconfigured: it is another file."""
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise Misconfigured("The weights of the local describer are damaged: install imgcore[local] again.")
        return {name: place.read(data) for name, place in self.tensors.items()}


def load_index(name: str) -> Index:
    """Read the index of the model ``name``."""
    content = json.loads(DATA.joinpath(f"{name}.json").read_text("utf-8"), object_hook=_tuples)
    content["tensors"] = {key: Place(**place) for key, place in content["tensors"].items()}
    content["steps"] = tuple(Step(**step) for step in content.get("steps", ()))
    return Index(**content)


def _tuples(content: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in content.items()}
