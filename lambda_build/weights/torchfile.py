"""Finds the tensors in a file that torch.save wrote before version 1.6, without torch.

Such a file holds five pickles (a magic number, a protocol number, facts about the machine, the
object itself, the keys of its storages) and then each storage as a count and its raw values.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgcore.captioning.local.weights import Place

_MAGIC = 0x1950A86A20F9469CFC6C  # torch.serialization.MAGIC_NUMBER
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True, slots=True)
class _Storage:
    key: str
    type: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _Tensor:
    storage: _Storage
    offset: int  # all three in elements
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """Accepts the four names that a file of tensors needs and refuses every other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: _Tensor(storage, offset, size, stride)
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, pid: Any) -> _Storage:
        _, dtype, key, *_ = pid
        return _Storage(key, dtype)


def read_places(data: bytes) -> dict[str, Place]:
    """Return where each tensor of floats lies, by its name; tensors of integers are left out.

    pickle.UnpicklingError: the file is of another kind, or names anything but tensors.
    """
    file = io.BytesIO(data)
    if _Unpickler(file).load() != _MAGIC:
        raise pickle.UnpicklingError("this is not a file that torch.save wrote before version 1.6")
    _protocol, _machine, tensors, keys = (_Unpickler(file).load() for _ in range(4))
    types = {tensor.storage.key: tensor.storage.type for tensor in tensors.values()}
    starts: dict[str, int] = {}
    counts: dict[str, int] = {}
    position = file.tell()
    for key in keys:
        counts[key] = int.from_bytes(data[position : position + 8], "little")
        starts[key] = position + 8
        position = starts[key] + counts[key] * types[key].itemsize
    return {
        name: _place(tensor, starts[tensor.storage.key], counts[tensor.storage.key])
        for name, tensor in tensors.items()
        if tensor.storage.type.kind == "f"
    }


def _place(tensor: _Tensor, start: int, count: int) -> Place:
    """Return the place of the tensor in the file, whose storage at ``start`` holds ``count`` values."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if tensor.offset < 0 or min(tensor.stride, default=0) < 0 or last >= count:
        raise pickle.UnpicklingError("a tensor reaches out of its storage")
    size = tensor.storage.type.itemsize
    strides = tuple(step * size for step in tensor.stride)
    return Place(tensor.storage.type.str, start + tensor.offset * size, tensor.size, strides)
