"""Reading the two files of weights, and refusing what they are not."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
from collections import Counter, OrderedDict
from importlib import resources
from typing import Any

import numpy as np
import pytest

from imgcore.captioning.local.tflite import read_graph
from imgcore.captioning.local.torchfile import read_tensors

MAGIC = 0x1950A86A20F9469CFC6C
MODEL = resources.files("imgcore.captioning.local").joinpath("data/face_detection_full_range.tflite")


class Global:
    """Pickles as the name of something that need not exist here."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Tensor:
    """Pickles as torch pickles a tensor."""

    def __init__(
        self, key: str, offset: int, size: tuple[int, ...], stride: tuple[int, ...], kind: str = "Float"
    ) -> None:
        self.storage = ("storage", Global("torch", kind + "Storage"), key, "cpu", 6, None)
        self.rest = (offset, size, stride, False, OrderedDict())


class Writer(pickle._Pickler):  # type: ignore[name-defined]  # the one in Python lets a class say how it is written
    """Writes the pickles of a legacy file."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Tensor):
            self.save(Global("torch._utils", "_rebuild_tensor_v2"))
            self.write(pickle.MARK)
            self.save(obj.storage)
            self.write(pickle.BINPERSID)
            for part in obj.rest:
                self.save(part)
            self.write(pickle.TUPLE + pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)


def legacy_file(tensors: dict[str, Any], storages: dict[str, Any], magic: int = MAGIC) -> bytes:
    """A file as torch.save wrote it before version 1.6."""
    out = io.BytesIO()
    for part in (magic, 1001, {"little_endian": True}, OrderedDict(tensors), list(storages)):
        Writer(out, 2).dump(part)
    for values in storages.values():
        out.write(struct.pack("<q", values.size) + values.tobytes())
    return out.getvalue()


SIX = {"a": np.arange(6, dtype="<f4")}


def test_a_tensor_is_read() -> None:
    """Values in order become an array of the same shape."""
    tensors = read_tensors(legacy_file({"w": Tensor("a", 0, (2, 3), (3, 1))}, SIX))
    assert {"w": [[0, 1, 2], [3, 4, 5]]} == {name: value.tolist() for name, value in tensors.items()}


def test_strides_are_honoured() -> None:
    """A transposed tensor comes out transposed, and contiguous."""
    tensor = read_tensors(legacy_file({"w": Tensor("a", 0, (3, 2), (1, 3))}, SIX))["w"]
    assert ([[0, 3], [1, 4], [2, 5]], True) == (tensor.tolist(), bool(tensor.flags.c_contiguous))


def test_an_offset_is_honoured() -> None:
    """A tensor may begin inside its storage."""
    assert [4, 5] == read_tensors(legacy_file({"w": Tensor("a", 4, (2,), (1,))}, SIX))["w"].tolist()


def test_counters_are_left_out() -> None:
    """Integers (batch normalisation counts its batches) are no weights."""
    storages = {**SIX, "b": np.array([7], "<i8")}
    tensors = {"w": Tensor("a", 0, (1,), (1,)), "n": Tensor("b", 0, (), (), kind="Long")}
    assert ["w"] == list(read_tensors(legacy_file(tensors, storages)))


@pytest.mark.parametrize(("offset", "size", "stride"), [(5, (2,), (1,)), (0, (2, 2), (6, 1)), (5, (6,), (-1,))])
def test_a_tensor_stays_in_its_storage(offset: int, size: tuple[int, ...], stride: tuple[int, ...]) -> None:
    """Strides that would read foreign memory are refused."""
    with pytest.raises(pickle.UnpicklingError, match="out of its storage"):
        read_tensors(legacy_file({"w": Tensor("a", offset, size, stride)}, SIX))


def test_code_is_refused() -> None:
    """A file that names anything but tensors does not get it."""
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system has no place"):
        read_tensors(legacy_file({"w": Global("os", "system")}, {}))


def test_another_kind_of_pickle_is_refused() -> None:
    """The magic number comes first."""
    with pytest.raises(pickle.UnpicklingError, match=r"not a file that torch\.save wrote"):
        read_tensors(legacy_file({}, {}, magic=1))


def test_the_face_model_is_mediapipes() -> None:
    """Unaltered: the notice beside it names this hash."""
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert digest in MODEL.parent.joinpath("NOTICE.txt").read_text("utf-8")  # type: ignore[attr-defined]


def test_the_graph_has_its_operations() -> None:
    """As many of each as the model's own schema tells."""
    expected = {
        "DEQUANTIZE": 178,
        "CONV_2D": 49,
        "RELU": 47,
        "DEPTHWISE_CONV_2D": 40,
        "ADD": 23,
        "PAD": 8,
        "MAX_POOL_2D": 4,
        "RESIZE_BILINEAR": 3,
        "RESHAPE": 2,
    }
    assert expected == Counter(step.name for step in read_graph(MODEL.read_bytes()).steps)


def test_the_graph_knows_its_ends() -> None:
    """One picture in; boxes and scores out."""
    graph = read_graph(MODEL.read_bytes())
    shapes = [graph.shapes[number] for number in (*graph.inputs, *graph.outputs)]
    assert [(1, 192, 192, 3), (1, 2304, 16), (1, 2304, 1)] == shapes


def test_another_kind_of_file_is_no_graph() -> None:
    """The file's identifier is looked at first."""
    with pytest.raises(ValueError, match="not a TensorFlow Lite model"):
        read_graph(b"\x00" * 64)
