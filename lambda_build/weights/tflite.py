"""Reads the graph of a TensorFlow Lite model: only what a net of float convolutions needs.

The file is a FlatBuffer: a table begins with the (signed) distance back to its vtable, which says at
what distance from the table's start each field lies, 0 where it is absent. Field numbers below are
those of TensorFlow Lite's schema.fbs.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from imgcore.captioning.local.weights import Place

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
class Operation:
    """One operation of the graph; inputs and output are numbers of tensors."""

    name: str
    inputs: tuple[int, ...]
    output: int
    stride: int  # 1 where the operation has none


@dataclass(frozen=True, slots=True)
class Graph:
    """The operations in the order to run them, where the constants lie, and the shape of every tensor."""

    operations: tuple[Operation, ...]
    constants: dict[int, Place]
    shapes: tuple[tuple[int, ...], ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class _Table:
    """One FlatBuffer table."""

    def __init__(self, data: bytes, position: int) -> None:
        self._data, self._position = data, position
        self._vtable = position - self._read("i", position)

    def _read(self, kind: str, position: int) -> int:
        return int(struct.unpack_from("<" + kind, self._data, position)[0])

    def _field(self, number: int) -> int:
        """Return where the field lies; 0 if it is absent."""
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
        start, count = self.vector(field)
        for position in range(start, start + 4 * count, 4):
            yield _Table(self._data, position + self._read("I", position))

    def array(self, field: int, dtype: str) -> npt.NDArray[np.generic]:
        """A vector of scalars; empty where the field is absent."""
        start, count = self.vector(field)
        return np.frombuffer(self._data, dtype, count, start)

    def vector(self, field: int) -> tuple[int, int]:
        """Return where the vector begins and how many elements it has; 0, 0 if the field is absent."""
        position = self._field(field)
        if not position:
            return 0, 0
        start = position + self._read("I", position)
        return start + 4, self._read("I", start)


def read_graph(data: bytes) -> Graph:
    """Read the first subgraph of a model, from a trusted file. ValueError: it is no model."""
    if data[4:8] != b"TFL3":
        raise ValueError("this is not a TensorFlow Lite model")
    model = _Table(data, struct.unpack_from("<I", data)[0])
    subgraph = next(model.tables(2))
    tensors = list(subgraph.tables(0))
    shapes = tuple(_integers(tensor, 0) for tensor in tensors)
    buffers = [buffer.vector(0) for buffer in model.tables(4)]
    constants = {}
    for index, tensor in enumerate(tensors):
        start, size = buffers[tensor.number(2, "I")]
        if size:
            constants[index] = _place(_TYPES[tensor.number(1, "b")], start, shapes[index])
    names = [OPERATORS[code.number(0, "b")] for code in model.tables(1)]
    operations = tuple(_operation(operator, names) for operator in subgraph.tables(3))
    return Graph(operations, constants, shapes, _integers(subgraph, 1), _integers(subgraph, 2))


def _place(kind: str, start: int, shape: tuple[int, ...]) -> Place:
    """Return the place of a constant; its values are in order."""
    sizes = [*shape[1:], 1]
    strides = [np.dtype(kind).itemsize * math.prod(sizes[axis:]) for axis in range(len(shape))]
    return Place(kind, start, shape, tuple(strides))


def _operation(operator: _Table, names: list[str]) -> Operation:
    name = names[operator.number(0, "I")]
    strided = name in ("CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D")
    stride = operator.table(4).number(1, "i", 1) if strided else 1
    return Operation(name, _integers(operator, 1), _integers(operator, 2)[0], stride)


def _integers(table: _Table, field: int) -> tuple[int, ...]:
    return tuple(int(value) for value in table.array(field, "<i4").tolist())
