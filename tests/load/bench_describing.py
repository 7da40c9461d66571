"""How long the local describer takes, cold and warm, and how much memory.

Alone it measures the sample photos; given files, it also prints what it says of each.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

from imgcore.captioning.local import LocalDescriber
from imgcore.errors import Rejected
from imgcore.imaging.decode import decode

SAMPLES = Path(__file__).parents[2] / "web" / "static" / "samples"
ROUNDS = 9
COLD = """
import time; start = time.perf_counter()
from imgcore.captioning.local import LocalDescriber; imported = time.perf_counter()
import os; os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy; numbers = time.perf_counter()
LocalDescriber().warm(); loaded = time.perf_counter()
print(imported - start, numbers - imported, loaded - numbers)
"""


def main(names: list[str]) -> None:
    """Print the figures, one a line."""
    cold = [
        [float(value) for value in subprocess.check_output([sys.executable, "-c", COLD]).split()]
        for _ in range(ROUNDS)
    ]
    for label, values in zip(
        ("import the describer", "import numpy", "load both nets"),
        zip(*cold, strict=True),
        strict=True,
    ):
        print(f"{label:28}{1000 * statistics.median(values):7.1f} ms (median of {ROUNDS} processes)")
    describer = LocalDescriber()
    describer.warm()
    taken = []
    for path in map(Path, names) if names else sorted(SAMPLES.glob("*.jpg")):
        try:
            picture = decode(path.read_bytes(), max_side=LocalDescriber.side)
        except Rejected as error:
            print(f"{path.name[:26]:28} {error.message}")
            continue
        times, busy = [], []
        for _ in range(1 if names else ROUNDS):
            start, worked = time.perf_counter(), time.process_time()
            found = describer.describe(picture, deadline=time.monotonic() + 60)
            times.append(time.perf_counter() - start)
            busy.append(time.process_time() - worked)
        wall, cpu = (1000 * statistics.median(values) for values in (times, busy))
        taken.append((wall, cpu))
        print(f"{path.name[:26]:28}{wall:7.1f} ms {cpu:6.1f} CPU  {found.caption}")
    wall, cpu = (statistics.median(values) for values in zip(*taken, strict=True))
    print(f"{'median photo':28}{wall:7.1f} ms {cpu:6.1f} CPU")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    print(f"{'peak memory':28}{peak:7.1f} MB, decoding included")


if __name__ == "__main__":
    main(sys.argv[1:])
