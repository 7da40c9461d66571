"""The model files of the local describer: their formats, and the indexes by which they are read."""

from __future__ import annotations

import hashlib
import io
import pickle
import struct
import subprocess
import sys
from collections import Counter, OrderedDict
from typing import Any

import numpy as np
import pytest

from imgcore.captioning.local.weights import DATA, Index, Place, load_index
from imgcore.errors import Misconfigured
from lambda_build.weights import index as indexes
from lambda_build.weights.tflite import read_graph
from lambda_build.weights.torchfile import read_places

MAGIC = 0x1950A86A20F9469CFC6C
MODEL = DATA.joinpath("face_detection_full_range.tflite")


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


def read_tensors(data: bytes) -> dict[str, Any]:
    """Every tensor of a legacy file, by the places that were found in it."""
    return {name: place.read(data) for name, place in read_places(data).items()}


def test_torch_file_with_values_in_order_gives_their_array() -> None:
    tensors = read_tensors(legacy_file({"w": Tensor("a", 0, (2, 3), (3, 1))}, SIX))
    assert {"w": [[0, 1, 2], [3, 4, 5]]} == {name: value.tolist() for name, value in tensors.items()}


def test_torch_file_with_a_transposed_tensor_gives_a_contiguous_array() -> None:
    tensor = read_tensors(legacy_file({"w": Tensor("a", 0, (3, 2), (1, 3))}, SIX))["w"]
    assert ([[0, 3], [1, 4], [2, 5]], True) == (tensor.tolist(), bool(tensor.flags.c_contiguous))


def test_torch_file_with_an_offset_gives_the_values_from_there() -> None:
    assert [4, 5] == read_tensors(legacy_file({"w": Tensor("a", 4, (2,), (1,))}, SIX))["w"].tolist()


def test_torch_file_with_integers_gives_floats_only() -> None:
    """Batch normalisation counts its batches: these numbers are no weights."""
    storages = {**SIX, "b": np.array([7], "<i8")}
    tensors = {"w": Tensor("a", 0, (1,), (1,)), "n": Tensor("b", 0, (), (), kind="Long")}
    assert ["w"] == list(read_tensors(legacy_file(tensors, storages)))


@pytest.mark.parametrize(("offset", "size", "stride"), [(5, (2,), (1,)), (0, (2, 2), (6, 1)), (5, (6,), (-1,))])
def test_torch_file_with_a_tensor_outside_its_storage_is_refused(
    offset: int, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    with pytest.raises(pickle.UnpicklingError, match="out of its storage"):
        read_tensors(legacy_file({"w": Tensor("a", offset, size, stride)}, SIX))


def test_torch_file_that_names_code_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"os\.system has no place"):
        read_tensors(legacy_file({"w": Global("os", "system")}, {}))


def test_torch_file_with_another_magic_number_is_refused() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"not a file that torch\.save wrote"):
        read_tensors(legacy_file({}, {}, magic=1))


def test_face_model_is_the_file_that_its_notice_names() -> None:
    digest = hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert digest in MODEL.parent.joinpath("NOTICE.txt").read_text("utf-8")  # type: ignore[attr-defined]


def test_face_graph_has_the_operations_of_the_model() -> None:
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
    assert expected == Counter(each.name for each in read_graph(MODEL.read_bytes()).operations)


def test_face_graph_takes_one_picture_and_gives_boxes_and_scores() -> None:
    graph = read_graph(MODEL.read_bytes())
    shapes = [graph.shapes[number] for number in (*graph.inputs, *graph.outputs)]
    assert [(1, 192, 192, 3), (1, 2304, 16), (1, 2304, 1)] == shapes


def test_file_without_the_identifier_of_tensorflow_lite_is_refused() -> None:
    with pytest.raises(ValueError, match="not a TensorFlow Lite model"):
        read_graph(b"\x00" * 64)


@pytest.mark.parametrize("name", ["efficientnet_lite0", "face_detection_full_range"])
def test_index_of_a_model_is_what_its_file_gives(name: str) -> None:
    """The indexes are committed: ``python -m lambda_build.weights.index`` writes them anew."""
    assert DATA.joinpath(f"{name}.json").read_text("utf-8") == indexes.current()[name]


def test_index_of_the_classifier_names_the_file_that_was_reviewed() -> None:
    digest = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

    assert digest == load_index("efficientnet_lite0").sha256


def test_index_reads_the_constants_of_the_face_net_as_tensorflow_stores_them() -> None:
    """Bit by bit the 16-bit floats of the file."""
    data = MODEL.read_bytes()
    tensors = load_index("face_detection_full_range").read(data)
    first = np.frombuffer(data, "<f2", 32 * 3 * 3 * 3, 1_031_568).reshape(32, 3, 3, 3)

    assert first.astype(np.float32).tobytes() == tensors["1"].tobytes()


def test_index_of_another_file_is_refused() -> None:
    with pytest.raises(Misconfigured, match="damaged"):
        Index("0" * 64, {}).read(b"another file")


def test_place_outside_the_file_is_refused() -> None:
    with pytest.raises((ValueError, TypeError)):
        Place("<f4", 8, (2,), (4,)).read(b"twelve bytes")


def test_describer_imports_neither_an_unpickler_nor_a_parser() -> None:
    """The check runs in its own process, with the nets loaded."""
    program = (
        "import sys, imgcore, numpy; already = set(sys.modules);"
        "imgcore.LocalDescriber().warm();"
        "new = {name.split('.')[0] for name in set(sys.modules) - already};"
        "print(*({'pickle', 'lambda_build'} & new))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert "" == done.stdout.strip()
