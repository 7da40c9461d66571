"""Reads the tensors of a file that torch.save wrote before version 1.6, without torch.

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

from imgcore.captioning.local.layers import Array

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
    """Knows the four names that a file of tensors needs and refuses every other."""

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


def read_tensors(data: bytes) -> dict[str, Array]:
    """The tensors of floats by name, each a contiguous array of its own; integers are left out.

    pickle.UnpicklingError: the file is of another kind, or names anything but tensors.
    """
    file = io.BytesIO(data)
    if _Unpickler(file).load() != _MAGIC:
        raise pickle.UnpicklingError("this is not a file that torch.save wrote before version 1.6")
    _protocol, _machine, tensors, keys = (_Unpickler(file).load() for _ in range(4))
    types = {tensor.storage.key: tensor.storage.type for tensor in tensors.values()}
    storages: dict[str, np.ndarray[Any, Any]] = {}
    position = file.tell()
    for key in keys:
        count = int.from_bytes(data[position : position + 8], "little")
        storages[key] = np.frombuffer(data, types[key], count, position + 8)
        position += 8 + storages[key].nbytes
    return {
        name: _lay_out(tensor, storages[tensor.storage.key])
        for name, tensor in tensors.items()
        if tensor.storage.type.kind == "f"
    }


def _lay_out(tensor: _Tensor, storage: np.ndarray[Any, Any]) -> Array:
    """The tensor as its strides say: those of a file of weights need not be in order."""
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if tensor.offset < 0 or min(tensor.stride, default=0) < 0 or last >= storage.size:
        raise pickle.UnpicklingError("a tensor reaches out of its storage")
    steps = [step * storage.itemsize for step in tensor.stride]
    view = np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.size, steps, writeable=False)
    return np.array(view, np.float32, order="C")
