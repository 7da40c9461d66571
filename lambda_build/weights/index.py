"""Write the indexes of the local describer's model files: ``python -m lambda_build.weights.index``."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import asdict
from importlib import resources
from pathlib import Path

from imgcore.captioning.local import classifier, faces
from imgcore.captioning.local.weights import DATA, Index, Step
from lambda_build.weights.tflite import Graph, read_graph
from lambda_build.weights.torchfile import read_places

# The operation that converts a constant of 16-bit floats; Place.read does so by itself.
_CONVERSION = "DEQUANTIZE"


def classifier_index(data: bytes) -> Index:
    """Return the index of the classifier's file. pickle.UnpicklingError: it holds anything but tensors."""
    return Index(hashlib.sha256(data).hexdigest(), read_places(data))


def faces_index(data: bytes) -> Index:
    """Return the index of the face net's file. ValueError: it is not a TensorFlow Lite model."""
    graph = read_graph(data)
    steps = _steps(graph)
    used = {int(name) for step in steps for name in step.constants}
    return Index(
        sha256=hashlib.sha256(data).hexdigest(),
        tensors={str(number): graph.constants[number] for number in sorted(used)},
        steps=steps,
        input=graph.inputs[0],
        outputs=graph.outputs,
    )


def _steps(graph: Graph) -> tuple[Step, ...]:
    converted = {each.output: each.inputs[0] for each in graph.operations if each.name == _CONVERSION}
    operations = [each for each in graph.operations if each.name != _CONVERSION]
    computed = {*graph.inputs, *(each.output for each in operations)}
    return tuple(
        Step(
            operation=each.name,
            inputs=tuple(number for number in each.inputs if number in computed),
            constants=tuple(str(converted.get(n, n)) for n in each.inputs if n not in computed),
            output=each.output,
            stride=each.stride,
            input_shape=graph.shapes[each.inputs[0]],
            output_shape=graph.shapes[each.output],
        )
        for each in operations
    )


def text(index: Index) -> str:
    """Return the index as JSON with one line for each tensor and each step."""
    content = asdict(index)
    tensors = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(place)}" for name, place in content["tensors"].items()
    )
    steps = ",\n".join(json.dumps(step) for step in content["steps"])
    graph = f',\n"input": {index.input},\n"outputs": {json.dumps(index.outputs)},\n"steps": [\n{steps}\n]'
    return f'{{\n"sha256": "{index.sha256}",\n"tensors": {{\n{tensors}\n}}{graph if steps else ""}\n}}\n'


def current() -> dict[str, str]:
    """Return the text of each index, made from the model files that are installed, by its model's name."""
    weights = resources.files(classifier.PACKAGE).joinpath(classifier.FILE).read_bytes()
    net = DATA.joinpath(faces.FILE).read_bytes()
    return {classifier.MODEL: text(classifier_index(weights)), faces.MODEL: text(faces_index(net))}


def main() -> int:
    """Write both indexes beside the face net."""
    for name, content in current().items():
        path = Path(str(DATA.joinpath(f"{name}.json")))
        path.write_text(content, "utf-8")
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
