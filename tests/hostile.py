"""Feeds files to the decoder, each in a process of its own that may die, hang or swell without harm.

``python -m tests.hostile`` reads names of files from its input, one a line, and prints one JSON object for
each: what became of it and what it took.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
import traceback
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from imgcore.errors import Rejected
from imgcore.gallery.keys import DISPLAY_SIDE
from imgcore.imaging.decode import decode
from imgcore.imaging.render import render

MEMORY = 40 << 20  # bytes over the process before, whatever the file
MEMORY_PER_PIXEL = 17  # bytes, of the pixels that the file has
CPU_SECONDS = 2.0  # for any file, on a machine that does the reference job below in its usual time
CPU_PER_PIXEL = 0.3e-6  # seconds; a real HEIC of 33 megapixels takes more than two, which is no hang

_REFERENCE_SECONDS = 0.08  # of the reference job
_SLOWEST = 4.0  # times slower than that: more is taken for a fault of the decoder
_KILLED_AT_CPU = 20  # seconds
_KILLED_AT_MEMORY = 3 << 30  # bytes of address space
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Outcome:
    """What became of one file."""

    name: str
    result: str  # "ok", "rejected <code>", "raised <exception>" or "died <signal>"
    message: str
    pixels: int  # of the whole picture; 0 where it was rejected
    cpu: float  # seconds
    memory: int  # bytes over the process before
    slowness: float = 1.0  # of this machine when the file took too long

    @property
    def limit(self) -> float:
        """Seconds of CPU that the file may take on a usual machine."""
        return max(CPU_SECONDS, CPU_PER_PIXEL * self.pixels)

    @property
    def fault(self) -> str | None:
        """What is wrong with the decoder, if anything."""
        if not self.result.startswith(("ok", "rejected")):
            return self.result
        if self.cpu / self.slowness > self.limit:
            return f"took {self.cpu:.1f} s of CPU, on a machine {self.slowness:.1f} times slower than usual"
        if self.memory > MEMORY + MEMORY_PER_PIXEL * self.pixels:
            return f"took {self.memory / 1e6:.0f} MB for {self.pixels / 1e6:.1f} megapixels"
        return None


def judge(files: Iterable[tuple[str, bytes]]) -> Iterator[Outcome]:
    """Decode and render each file (its name and its bytes) in a child, and say how it went."""
    for name, data in files:
        answer, status, used = _child(data)
        if os.WIFSIGNALED(status):
            answer = {"result": f"died of signal {os.WTERMSIG(status)}"}
        outcome = Outcome(
            name=name,
            result=answer.get("result", "died without a word"),
            message=answer.get("message", ""),
            pixels=answer.get("pixels", 0),
            cpu=used.ru_utime + used.ru_stime,
            memory=max(0, used.ru_maxrss - answer.get("before", used.ru_maxrss)) * _RSS_UNIT,
        )
        yield outcome if outcome.cpu <= outcome.limit else replace(outcome, slowness=_slowness())


def _slowness() -> float:
    """Return how many times slower than usual this machine is now: it shares its processors with others."""

    def reference_job() -> float:
        started = time.process_time()
        sum(number * number % 7 for number in range(1_000_000))
        zlib.compress(bytes(range(256)) * 8000)
        return time.process_time() - started

    return min(_SLOWEST, max(1.0, min(reference_job() for _ in range(3)) / _REFERENCE_SECONDS))


def _child(data: bytes) -> tuple[dict, int, resource.struct_rusage]:
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(reader)
            resource.setrlimit(resource.RLIMIT_CPU, (_KILLED_AT_CPU, _KILLED_AT_CPU))
            resource.setrlimit(resource.RLIMIT_AS, (_KILLED_AT_MEMORY, _KILLED_AT_MEMORY))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # what it has from its parent
            os.write(writer, json.dumps(_attempt(data) | {"before": before}).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        output = pipe.read()
    _, status, used = os.wait4(pid, 0)
    return json.loads(output or b"{}"), status, used


def _attempt(data: bytes) -> dict:
    try:
        photo = decode(data, max_side=DISPLAY_SIDE)
        render(photo, "0" * 32, fit="crop")
    except Rejected as error:
        cause = f"{type(error.__cause__).__name__}: {error.__cause__}" if error.__cause__ else ""
        return {"result": f"rejected {error.code}", "message": f"{error.message} [{cause[:200]}]"}
    except BaseException:  # noqa: BLE001 - whatever it is, it is what this looks for
        return {"result": "raised", "message": traceback.format_exc()[-1500:]}
    return {"result": "ok", "pixels": photo.facts.width * photo.facts.height}


if __name__ == "__main__":
    names = sys.stdin.read().splitlines()
    for outcome in judge((name, Path(name).read_bytes()) for name in names):
        print(json.dumps(asdict(outcome)), flush=True)
