"""Reads the graph of a TensorFlow Lite model: only what a net of float convolutions needs.

The file is a FlatBuffer: a table begins with the (signed) distance back to its vtable, which says at
what distance from the table's start each field lies, 0 where it is absent. Field numbers below are
those of TensorFlow Lite's schema.fbs.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgcore.captioning.local.layers import Array

# schema.fbs, enum BuiltinOperator
OPERATORS = {
    0: "ADD",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    17: "MAX_POOL_2D",
    19: "RELU",
    22: "RESHAPE",
    23: "RESIZE_BILINEAR",
    34: "PAD",
}
# schema.fbs, enum TensorType
_TYPES = {0: "<f4", 1: "<f2", 2: "<i4"}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of the graph; inputs and output are numbers of tensors."""

    name: str
    inputs: tuple[int, ...]
    output: int
    stride: int  # 1 where the operation has none


@dataclass(frozen=True, slots=True)
class Graph:
    """The operations in the order to run them, the constants, and the shape of every tensor."""

    steps: tuple[Step, ...]
    constants: dict[int, npt.NDArray[np.generic]]
    shapes: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]

    def floats(self, tensor: int) -> Array:
        """A constant as 32-bit floats."""
        return self.constants[tensor].astype(np.float32)


class _Table:
    """One FlatBuffer table."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position
        self._vtable = position - self._read("i", position)

    def _read(self, kind: str, position: int) -> int:
        return int(struct.unpack_from("<" + kind, self._data, position)[0])

    def _field(self, number: int) -> int:
        """Where it lies; 0 where it is absent."""
        slot = 4 + 2 * number
        if slot >= self._read("H", self._vtable):
            return 0
        offset = self._read("H", self._vtable + slot)
        return self._position + offset if offset else 0

    def number(self, field: int, kind: str, default: int = 0) -> int:
        """A scalar; ``kind`` as in struct."""
        position = self._field(field)
        return self._read(kind, position) if position else default

    def table(self, field: int) -> _Table:
        """The table that the field points to, which must be there."""
        position = self._field(field)
        return _Table(self._data, position + self._read("I", position))

    def tables(self, field: int) -> Iterator[_Table]:
        """The tables of a vector of tables."""
        start, count = self._vector(field)
        for position in range(start, start + 4 * count, 4):
            yield _Table(self._data, position + self._read("I", position))

    def array(self, field: int, dtype: str) -> npt.NDArray[np.generic]:
        """A vector of scalars; empty where the field is absent."""
        start, count = self._vector(field)
        return np.frombuffer(self._data, dtype, count, start)

    def _vector(self, field: int) -> tuple[int, int]:
        position = self._field(field)
        if not position:
            return 0, 0
        start = position + self._read("I", position)
        return start + 4, self._read("I", start)


def read_graph(data: bytes) -> Graph:
    """The first subgraph of a model. ValueError: no model at all. It is meant for a file that is known."""
    if data[4:8] != b"TFL3":
        raise ValueError("this is not a TensorFlow Lite model")
    model = _Table(data, struct.unpack_from("<I", data)[0])
    subgraph = next(model.tables(2))
    tensors = list(subgraph.tables(0))
    shapes = tuple(_integers(tensor, 0) for tensor in tensors)
    buffers = [buffer.array(0, "u1") for buffer in model.tables(4)]
    constants = {}
    for index, tensor in enumerate(tensors):
        if (raw := buffers[tensor.number(2, "I")]).size:
            constants[index] = raw.view(_TYPES[tensor.number(1, "b")]).reshape(shapes[index])
    names = [OPERATORS[code.number(0, "b")] for code in model.tables(1)]
    steps = tuple(_step(operator, names) for operator in subgraph.tables(3))
    return Graph(steps, constants, shapes, _integers(subgraph, 1), _integers(subgraph, 2))


def _step(operator: _Table, names: list[str]) -> Step:
    name = names[operator.number(0, "I")]
    strided = name in ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")
    stride = operator.table(4).number(1, "i", 1) if strided else 1
    return Step(name, _integers(operator, 1), _integers(operator, 2)[0], stride)


def _integers(table: _Table, field: int) -> tuple[int, ...]:
    return tuple(int(value) for value in table.array(field, "<i4").tolist())
