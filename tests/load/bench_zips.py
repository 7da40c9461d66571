"""Cold starts of both functions: ``python -m tests.load.bench_zips [--against REVISION]``.

Nine fresh processes of each run in a bare Python with the packages of AWS's image (awslambdaric and boto3,
compiled). The files are in the page cache; the process is cold. Production runs on Python 3.13 and arm64: here
the production zips are built for this machine, with Python 3.13 where there is one. Each process takes four
times: the handler's import; the same with its pipeline made, boto3's clients included; the same with the
model's SDK loaded; and the whole, with the first photo rendered, or described by a model on the loopback. The
first and the last have limits, which count for the quickest process in processor time: work beside it makes
processor time longer, never shorter. With --against, the zips of another revision are built by that revision
and measured in the same run, by turns. Nothing leaves this machine. The exit code is 1 if a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lambda_build.targets import LAMBDA_PYTHON, THIS, interpreter
from lambda_build.wheels import find_uv
from tests import images
from tests.fake_gemini import FakeGemini
from tests.runtime_api import lambda_environ
from tests.zips import ROOT, bare_interpreter, built, unpack

RUNS = 9
LIMITS = {"thumbnail": 0.15, "caption": 0.45}  # seconds, for the import
WHOLE = {"thumbnail": 0.5, "caption": 0.8}  # seconds, up to the first photo

PROGRAM = """
import contextlib, sys, time
begun, busy = time.perf_counter(), time.process_time()
laps = []
def lap():
    laps.append((time.perf_counter() - begun, time.process_time() - busy))
from lambda_build.handlers import {function} as it
lap()
from lambda_build.handlers import common
with getattr(common, "first_event_uncollected", contextlib.nullcontext)():  # earlier revisions lack it
    made = it.processor()
    lap()
    for captioner in (made.captioner, made.standby):
        getattr(captioner, "warm", lambda: None)()
    lap()
    photo = made.decode(open(sys.argv[1], "rb").read(), max_side=1600)
    if made.captioner is None:
        made.render(photo, "0" * 32, fit="crop")
    else:
        made.captioner.describe(photo, deadline=time.monotonic() + 60)
    lap()
sys.stdout.write(" ".join(str(time) for both in laps for time in both))
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


@dataclass(frozen=True)
class Start:
    """Seconds of one cold process up to each of the four points, by the clock and of processor time."""

    wall: list[float]
    cpu: list[float]


def measure(python: Path, folder: Path, function: str, gemini: str) -> Start:
    """Return the times of one cold process. gemini: the address of the model."""
    photo = folder.with_name(f"{folder.name}.jpg")
    if not photo.exists():
        photo.write_bytes(images.jpeg())
    done = subprocess.run(
        [str(python), "-c", PROGRAM.format(function=function), str(photo)],
        cwd=folder,
        env={**lambda_environ(folder), **SETTINGS, "GEMINI_BASE_URL": gemini},
        capture_output=True,
        text=True,
        check=True,
    )
    times = [float(part) for part in done.stdout.split()]
    return Start(times[::2], times[1::2])


def zips(revision: str | None, version: str, scratch: Path) -> dict[str, Path]:
    """Build the zips of a revision, or of the files as they are now, for this machine; return their paths."""
    if revision is None:
        return {function: built(function, "production", version, THIS) for function in LIMITS}
    source, out = scratch / "source", scratch / "zips"
    source.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    command = [sys.executable, "-m", "lambda_build.build", "--python", version, "--platform", THIS]
    environ = {**os.environ, "UV": find_uv()[-1]}
    subprocess.run([*command, "--out", str(out)], cwd=source, env=environ, check=True, capture_output=True)
    return {function: out / f"{function}.zip" for function in LIMITS}


def compare(python: Path, folders: Mapping[str, Path], function: str) -> dict[str, list[Start]]:
    """Measure each version RUNS times, by turns; the first process of each only fills the page cache."""
    times: dict[str, list[Start]] = {name: [] for name in folders}
    with FakeGemini("ok") as gemini:
        for folder in folders.values():
            measure(python, folder, function, gemini.url)
        for _ in range(RUNS):
            for name, folder in folders.items():
                times[name].append(measure(python, folder, function, gemini.url))
    return times


def show(name: str, times: list[Start], function: str, size: int) -> bool:
    """Print the two lines of a function; return whether both limits are met."""
    best = [min(column) for column in zip(*(start.cpu for start in times), strict=True)]
    limits = [LIMITS[function], None, None, WHOLE[function]]
    for unit, columns in (
        ("CPU", zip(*(start.cpu for start in times), strict=True)),
        ("wall", zip(*(start.wall for start in times), strict=True)),
    ):
        cells = [f"{statistics.median(column):8.3f} {min(column):6.3f}" for column in columns]
        print(f"{name:22} {unit:5}" + " ".join(cells) + f"{size / 2**20:10.2f}", flush=True)
    return all(limit is None or taken <= limit for taken, limit in zip(best, limits, strict=True))


def main(arguments: list[str] | None = None) -> int:
    """Print a table; return the exit code."""
    parser = argparse.ArgumentParser(prog="bench_zips", description="Measure cold starts of both functions.")
    parser.add_argument("--against", metavar="REVISION", help="also measure the zips of this git revision")
    against = parser.parse_args(arguments).against
    found = interpreter(LAMBDA_PYTHON)
    version = LAMBDA_PYTHON if found else f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"Python {version} on {os.uname().machine} (production: 3.13 on arm64); seconds, of {RUNS} processes")
    print(f"{os.getloadavg()[0]:.1f} processes wanted a processor before it began, of {os.cpu_count()}")
    heads = "".join(f"{head:>16}" for head in ("import", "+ pipeline", "+ model", "+ photo"))
    print(f"{'':27}{heads}{'zip, MiB':>10}")
    print(f"{'':27}{'  median   best ' * 4}")
    met = []
    with tempfile.TemporaryDirectory() as scratch:
        bare = bare_interpreter(Path(scratch, "bare"), found.path if found else sys.executable)
        versions = {"now": None} | ({against: against} if against else {})
        paths = {name: zips(revision, version, Path(scratch, name)) for name, revision in versions.items()}
        for function in LIMITS:
            folders = {name: unpack(paths[name][function], Path(scratch, name, function)) for name in paths}
            for name, times in compare(bare, folders, function).items():
                label = f"{function} {name}" if against else function
                met.append(show(label, times, function, paths[name][function].stat().st_size) or name != "now")
            whole = f"import {LIMITS[function]:.2f} s, whole {WHOLE[function]:.2f} s"
            print(f"{function}: {whole} of CPU at best: {'met' if all(met) else 'missed'}", flush=True)
    return int(not all(met))


if __name__ == "__main__":
    sys.exit(main())
