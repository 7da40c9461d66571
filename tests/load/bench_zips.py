"""Cold starts of both functions: ``python -m tests.load.bench_zips [--against REVISION]``.

Nine fresh processes of each run in a bare Python with the packages of AWS's image (awslambdaric and boto3,
compiled). The files are in the page cache; the process is cold. Production runs on Python 3.13 and arm64: here
the production zips are built for this machine, with Python 3.13 where there is one. Each process takes four
times: the handler's import; the same with its pipeline made, boto3's clients included; the same with the
model's SDK loaded; the same with the first photo decoded and, in the thumbnail function, rendered. The first
and the last have limits. With --against, the zips of another revision are built by that
revision and measured in the same run, by turns. Nothing is sent anywhere.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lambda_build.targets import LAMBDA_PYTHON, THIS, interpreter
from lambda_build.wheels import find_uv
from tests import images
from tests.runtime_api import lambda_environ
from tests.zips import ROOT, bare_interpreter, built, unpack

RUNS = 9
LIMITS = {"thumbnail": 0.15, "caption": 0.45}  # seconds, for the import
WHOLE = {"thumbnail": 0.5, "caption": 0.8}  # seconds, up to the first photo

PROGRAM = """
import sys, time
started = time.perf_counter()
from lambda_build.handlers import {function} as it
imported = time.perf_counter() - started
made = (getattr(it, "processor", None) or it.pipeline)()  # pipeline: version 0.1
ready = time.perf_counter() - started
for captioner in (made.captioner, made.standby):
    getattr(captioner, "warm", lambda: None)()
warm = time.perf_counter() - started
first = float("nan")
try:
    from imgcore.imaging.decode import decode
except ImportError:  # version 0.1 has another interface
    decode = None
if decode:
    photo = decode(open(sys.argv[1], "rb").read(), max_side=1600)
    if "{function}" == "thumbnail":
        from imgcore.imaging.render import render
        render(photo, "0" * 32, fit="crop")
    else:
        photo.jpegs(1024)
    first = time.perf_counter() - started
sys.stdout.write(f"{{imported}} {{ready}} {{warm}} {{first}}")
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
    """Return the seconds of one cold process: imported, pipeline made, model loaded, first photo done."""
    photo = folder.with_name(f"{folder.name}.jpg")
    if not photo.exists():
        photo.write_bytes(images.jpeg())
    done = subprocess.run(
        [str(python), "-c", PROGRAM.format(function=function), str(photo)],
        cwd=folder,
        env={**lambda_environ(folder), **SETTINGS},
        capture_output=True,
        text=True,
        check=True,
    )
    return [float(part) for part in done.stdout.split()]


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


def compare(python: Path, folders: Mapping[str, Path], function: str) -> dict[str, list[list[float]]]:
    """Measure each version RUNS times, by turns; the first process of each only fills the page cache."""
    for folder in folders.values():
        measure(python, folder, function)
    times: dict[str, list[list[float]]] = {name: [] for name in folders}
    for _ in range(RUNS):
        for name, folder in folders.items():
            times[name].append(measure(python, folder, function))
    return times


def show(name: str, times: list[list[float]], function: str, size: int) -> None:
    """Print one line of the table."""
    imported, ready, warm, whole = (statistics.median(column) for column in zip(*times, strict=True))
    best, quickest = min(times)[0], min(each[3] for each in times)
    print(
        f"{name:22} {imported:8.3f} {best:7.3f} {LIMITS[function]:7.2f} {ready:11.3f} {warm:9.3f}"
        f" {whole:9.3f} {quickest:7.3f} {WHOLE[function]:7.2f} {size / 2**20:10.2f}"
    )


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="bench_zips", description="Measure cold starts of both functions.")
    parser.add_argument("--against", metavar="REVISION", help="also measure the zips of this git revision")
    against = parser.parse_args(arguments).against
    found = interpreter(LAMBDA_PYTHON)
    version = LAMBDA_PYTHON if found else f"{sys.version_info.major}.{sys.version_info.minor}"
    print(f"Python {version} on {os.uname().machine} (production: 3.13 on arm64); medians of {RUNS}, seconds")
    print(f"{os.getloadavg()[0]:.1f} processes wanted a processor before it began, of {os.cpu_count()}")
    print(
        f"{'':22} {'import':>8} {'best':>7} {'limit':>7} {'+ pipeline':>11} {'+ model':>9}"
        f" {'+ photo':>9} {'best':>7} {'limit':>7} {'zip, MiB':>10}"
    )
    with tempfile.TemporaryDirectory() as scratch:
        bare = bare_interpreter(Path(scratch, "bare"), found.path if found else sys.executable)
        versions = {"now": None} | ({against: against} if against else {})
        paths = {name: zips(revision, version, Path(scratch, name)) for name, revision in versions.items()}
        for function in LIMITS:
            folders = {name: unpack(paths[name][function], Path(scratch, name, function)) for name in paths}
            for name, times in compare(bare, folders, function).items():
                label = f"{function} {name}" if against else function
                show(label, times, function, paths[name][function].stat().st_size)


if __name__ == "__main__":
    main()
