"""How long a cold function takes before it can work: ``python -m tests.load.bench_zips``.

Fresh processes, nine of each, in a bare Python with what AWS's image has (awslambdaric and boto3, compiled).
The files are in the page cache; the process is cold. Production runs on Python 3.13 and arm64: here the
production zips are built for this machine, with Python 3.13 where there is one. Three times are taken, in
one process each: the handler's import; the same and its pipeline made, boto3's clients included; the same
and the model's SDK loaded. Only the first has a limit. Nothing is sent anywhere.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from lambda_build.targets import LAMBDA_PYTHON, THIS, interpreter
from tests.runtime_api import lambda_environ
from tests.zips import bare_interpreter, built, unpack

RUNS = 9
LIMITS = {"thumbnail": 0.15, "caption": 0.45}  # seconds, for the import

PROGRAM = """
import sys, time
started = time.perf_counter()
from lambda_build.handlers import {function} as it
imported = time.perf_counter() - started
made = (getattr(it, "processor", None) or it.pipeline)()  # pipeline: version 0.1
ready = time.perf_counter() - started
for captioner in (made.captioner, made.standby):
    getattr(captioner, "warm", lambda: None)()
sys.stdout.write(f"{{imported}} {{ready}} {{time.perf_counter() - started}}")
"""
SETTINGS = {
    "DATABASE_URL": "mysql://nobody:nothing@127.0.0.1:1/none",
    "UPLOADS_BUCKET": "uploads",
    "DERIVED_BUCKET": "derived",
    "CAPTIONER": "gemini",
    "GEMINI_API_KEY": "made-up",
    "AWS_ACCESS_KEY_ID": "made-up",
    "AWS_SECRET_ACCESS_KEY": "made-up",
}


def measure(python: Path, folder: Path, function: str) -> list[float]:
    """Seconds of one cold process: imported, pipeline made, model loaded."""
    done = subprocess.run(
        [str(python), "-c", PROGRAM.format(function=function)],
        cwd=folder,
        env={**lambda_environ(folder), **SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(part) for part in done.stdout.split()]


def main() -> None:
    """Print a table."""
    found = interpreter(LAMBDA_PYTHON)
    version = LAMBDA_PYTHON if found else f"{sys.version_info.major}.{sys.version_info.minor}"
    python = found.path if found else sys.executable
    print(f"Python {version} on {os.uname().machine} (production: 3.13 on arm64); medians of {RUNS}, seconds")
    print(f"{os.getloadavg()[0]:.1f} processes wanted a processor before it began, of {os.cpu_count()}")
    print(f"{'':10} {'import':>8} {'best':>7} {'limit':>7} {'+ pipeline':>11} {'+ model':>9} {'zip, MB':>9}")
    with tempfile.TemporaryDirectory() as scratch:
        bare = bare_interpreter(Path(scratch, "bare"), python)
        for function, limit in LIMITS.items():
            zipped = built(function, "production", version, THIS)
            folder = unpack(zipped, Path(scratch, function))
            measure(bare, folder, function)  # fills the page cache
            times = [measure(bare, folder, function) for _ in range(RUNS)]
            imported, ready, warm = (statistics.median(column) for column in zip(*times, strict=True))
            best, size = min(times)[0], zipped.stat().st_size / 1e6
            print(
                f"{function:10} {imported:8.3f} {best:7.3f} {limit:7.2f} {ready:11.3f} {warm:9.3f} {size:9.1f}"
            )


if __name__ == "__main__":
    main()
