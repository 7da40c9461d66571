"""What a photo costs, from its file to all derived images, beside libvips.

``python -m tests.load.bench_images [ROUNDS]`` prints one JSON object for each format and size. Both sides run
in turn, each time in fresh processes, whose start does not count: ours decodes and renders, also the timeline's
picture, the placeholder and the perceptual hash; the program ``vips`` makes a display image and both thumbnails
of the same sizes, quality and effort. ``cpu`` is the processor time of the cheapest round in milliseconds,
because work beside it makes it longer, never shorter; ``decode`` our share of decoding; ``memory`` the peak of
the largest process in MB; ``bytes`` those of the display image; ``psnr`` its decibels beside the whole picture
resized by Lanczos' filter. Without ``vips`` its figures are missing. The exit code is 1 if a goal is missed.
"""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from imgcore.gallery.keys import DISPLAY_SIDE, THUMBNAIL_SIDE
from imgcore.imaging import decode as images
from imgcore.imaging import render as thumbnails
from imgcore.imaging import sizes
from tests import images as samples

ROUNDS = 5
POOL = 20  # photos dropped at once
WATCHED = "JPEG 12 MP"
GOAL = 100  # ms of CPU for it
SIZES = {"2 MP": (1632, 1224), "12 MP": (4032, 3024), "24 MP": (6000, 4000)}
# Each with about the detail and the bytes of a real photo
FORMATS: dict[str, tuple[str, dict[str, object]]] = {
    "JPEG": ("JPEG", {"quality": 88}),
    "JPEG progressive": ("JPEG", {"quality": 88, "progressive": True}),
    "HEIC": ("HEIF", {"quality": 50}),
    "PNG": ("PNG", {"compress_level": 3}),
    "WebP": ("WEBP", {"quality": 85, "method": 0}),
    "AVIF": ("AVIF", {"quality": 60, "speed": 10}),
}
_ONCE = f"""
import json, sys, time
from imgcore.imaging import decode, render
source, out = sys.argv[1:]
data = open(source, "rb").read()
before = time.process_time()
photo = decode.decode(data, max_side={DISPLAY_SIDE})
decoded = time.process_time()
display = render.render(photo, "0" * 32, fit="crop").display
both = time.process_time()
open(out, "wb").write(display.data)
open(out + ".json", "w").write(json.dumps([1000 * (decoded - before), 1000 * (both - before)]))
"""
# The peak memory of a process counts that of the process that starts it; this one is small.
_LAUNCHER = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([done.returncode, 1000 * (used.ru_utime + used.ru_stime), used.ru_maxrss / 1000]))
"""


def sources() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file that is measured."""
    for size, pixels in SIZES.items():
        photo = samples.photo(*pixels)
        for name, (form, options) in FORMATS.items():
            yield f"{name} {size}", samples.encode(photo, form, **options)


def both(data: bytes) -> None:
    """Do all that the thumbnail function does to one photo."""
    thumbnails.render(images.decode(data, max_side=DISPLAY_SIDE), "0" * 32, fit="crop")


def reference(data: bytes) -> Image.Image:
    """Return the whole picture at the size of the display image, by the best filter and without losses."""
    image = Image.open(io.BytesIO(data)).convert("RGB")
    return image.resize(sizes.display(image.size), Image.Resampling.LANCZOS)


def psnr(lossless: Image.Image, display: bytes) -> float:
    """Return the decibels of a display image beside the reference; nan where its size is another one."""
    image = Image.open(io.BytesIO(display)).convert("RGB")
    if image.size != lossless.size:
        return math.nan
    squares = ImageStat.Stat(ImageChops.difference(image, lossless)).sum2
    mean = sum(squares) / (3 * image.width * image.height)
    return 10 * math.log10(255 * 255 / mean) if mean else math.inf


@dataclass(frozen=True)
class Cost:
    """What fresh processes took: milliseconds of CPU, and the peak memory of the largest one in MB."""

    cpu: float
    memory: float


def launched(*command: str | Path) -> Cost | None:
    """Return what a command takes in a process of its own; None where it fails."""
    done = subprocess.run([sys.executable, "-S", "-c", _LAUNCHER, *command], capture_output=True, check=True)
    code, cpu, memory = json.loads(done.stdout)
    return None if code else Cost(cpu, memory)


def ours(source: Path) -> tuple[Cost, float]:
    """Return what we take for all derived images, and for decoding alone; writes the display image."""
    display = source.with_name("ours.webp")
    cost = launched(sys.executable, "-c", _ONCE, source, display)
    assert cost is not None
    decode, both = json.loads(display.with_name("ours.webp.json").read_text())
    return Cost(both, cost.memory), decode


def libvips(source: Path, idle: Cost) -> Cost | None:
    """Return what libvips takes for the display image and both thumbnails; None without its format."""
    options = f"[Q={thumbnails.QUALITY},effort={thumbnails.METHOD},strip]"
    display = source.with_name("vips.webp")
    whole: list[str | Path] = ["vips", "thumbnail", source, f"{display}{options}", str(DISPLAY_SIDE)]
    commands = [[*whole, "--size", "down"]]
    for side in (2 * THUMBNAIL_SIDE, THUMBNAIL_SIDE):
        small = f"{source.with_name('small.webp')}{options}"
        commands.append(["vips", "thumbnail", display, small, str(side), "--crop", "centre"])
    costs = [launched(*command) for command in commands]
    made = [cost for cost in costs if cost]
    if len(made) < len(costs):
        return None
    return Cost(sum(cost.cpu - idle.cpu for cost in made), max(cost.memory for cost in made))


def cheapest(costs: list[Cost]) -> Cost:
    """Return the least processor time and the least peak of some rounds."""
    return Cost(min(cost.cpu for cost in costs), min(cost.memory for cost in costs))


def measured(name: str, data: bytes, folder: Path, idle: Cost | None, rounds: int) -> bool:
    """Print the row of a file; return whether its goals are met. idle: the start of vips; None without it."""
    source = folder / "source"
    source.write_bytes(data)
    own: list[tuple[Cost, float]] = []
    peer: list[Cost] = []
    for _ in range(rounds):
        own.append(ours(source))
        peer += filter(None, [libvips(source, idle) if idle else None])
    lossless, row = reference(data), dict[str, object](what=name, bytes=len(data))
    for side, costs in (("ours", [cost for cost, _ in own]), ("vips", peer)):
        if costs:
            cost, display = cheapest(costs), folder.joinpath(f"{side}.webp").read_bytes()
            figures = {"cpu": round(cost.cpu), "memory": round(cost.memory), "bytes": len(display)}
            row[side] = figures | {"psnr": round(psnr(lossless, display), 1)}
    best = cheapest([cost for cost, _ in own]).cpu
    goals = {"libvips": cheapest(peer).cpu} if peer else {}
    goals |= {f"{GOAL} ms": GOAL} if name == WATCHED else {}
    met = {goal: best <= limit for goal, limit in goals.items()}
    print(json.dumps(row | {"decode": round(min(decode for _, decode in own)), "met": met}), flush=True)
    return all(met.values())


def main(rounds: int) -> int:
    """Measure and print; return the exit code."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    print(f"{os.getloadavg()[0]:.1f} processes wanted a processor, of {os.cpu_count()}", file=sys.stderr)
    starts = [launched("vips", "--version") for _ in range(rounds + 1)] if shutil.which("vips") else []
    idle = cheapest([cost for cost in starts if cost]) if starts else None
    met = []
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in sources():
            met.append(measured(name, data, Path(scratch), idle, rounds))
            if name == WATCHED:
                at_once(data)
    return int(not all(met))


def at_once(data: bytes) -> None:
    """Decode and render many of one kind in two processes, as when somebody drops a folder."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(both, [data] * 2))  # start the processes
        start = time.perf_counter()
        list(pool.map(both, [data] * POOL))
        taken = time.perf_counter() - start
    print(json.dumps({"what": f"{POOL} × {WATCHED} in two processes", "seconds": round(taken, 1)}), flush=True)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
