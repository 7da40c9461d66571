"""What a photo costs, from its file to all derived images, beside libvips.

``python -m tests.load.bench_images [ROUNDS]`` prints a row for each format and size: medians of CPU in
milliseconds of one core, of decoding, of rendering, of both, and of decoding all before resizing ("naive");
the peak memory of a fresh process that does it once; the bytes of the display image; its PSNR beside the same
pixels without losses. Where the program ``vips`` is installed, it prints CPU and peak memory of libvips for a
display image and both thumbnails of the same sizes, quality and effort, without the CPU of a process's start.
The last lines say which goals are met.
"""

from __future__ import annotations

import io
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, ImageStat

from imgcore.gallery.keys import DISPLAY_SIDE, THUMBNAIL_SIDE
from imgcore.imaging import decode as images
from imgcore.imaging import render as thumbnails
from imgcore.imaging import sizes
from imgcore.imaging.photo import Photo
from tests import images as samples

ROUNDS = 5
POOL = 20  # photos dropped at once
GOAL = 100  # ms of CPU for a JPEG of 12 megapixels
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
import sys
from imgcore.imaging import decode, render
for name in sys.argv[1:]:
    render.render(decode.decode(open(name, "rb").read(), max_side={DISPLAY_SIDE}), "0" * 32, fit="crop")
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


def whole_then_small(data: bytes) -> None:
    """What most programs do: decode all of it, turn it, then resize."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    image.resize(sizes.inside(image.size, DISPLAY_SIDE), Image.Resampling.LANCZOS)


def median(work: Callable[[], object], rounds: int) -> float:
    """Return milliseconds of CPU time; the first run, which loads libraries, does not count."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken[1:])


def both(data: bytes) -> None:
    """Do all that the thumbnail function does to one photo."""
    thumbnails.render(images.decode(data, max_side=DISPLAY_SIDE), "0" * 32, fit="crop")


def psnr(photo: Photo, display: bytes) -> float:
    """Return the decibels of a display image beside the same pixels without losses."""
    image = Image.open(io.BytesIO(display)).convert("RGB")
    lossless = Image.frombytes("RGB", image.size, photo.rgb(image.size))
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


def libvips(source: Path) -> Cost | None:
    """Return what libvips takes for the display image and both thumbnails; None without it or its format."""
    if shutil.which("vips") is None or (start := launched("vips", "--version")) is None:
        return None
    options = f"[Q={thumbnails.QUALITY},effort={thumbnails.METHOD},strip]"
    display, costs = source.with_name("display.webp"), []
    commands = [["vips", "thumbnail", source, f"{display}{options}", str(DISPLAY_SIDE), "--size", "down"]]
    for side in (2 * THUMBNAIL_SIDE, THUMBNAIL_SIDE):
        small = f"{source.with_name('small.webp')}{options}"
        commands.append(["vips", "thumbnail", display, small, str(side), "--crop", "centre"])
    for command in commands:
        if (cost := launched(*command)) is None:
            return None
        costs.append(cost)
    cpu = sum(cost.cpu - start.cpu for cost in costs)
    return Cost(cpu, max(cost.memory for cost in costs))


def main(rounds: int) -> None:
    """Measure and print."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
    idle = launched(sys.executable, "-c", _ONCE)
    assert idle is not None
    waiting, cores = os.getloadavg()[0], os.cpu_count()
    print(f"{waiting:.1f} processes wanted a processor before it began, of {cores}; median of {rounds}")
    print(f"CPU in ms of one core; memory in MB of a whole process, which has {idle.memory:.0f} when idle\n")
    columns = (
        "MB",
        "decode",
        "render",
        "both",
        "naive",
        "memory",
        "vips CPU",
        "memory",
        "display kB",
        "PSNR dB",
    )
    print(f"{'file':<24}" + "".join(f"{column:>11}" for column in columns))
    totals: dict[str, tuple[float, Cost | None]] = {}
    jpeg = b""
    with tempfile.TemporaryDirectory() as scratch:
        for name, data in sources():
            jpeg = data if name == "JPEG 12 MP" else jpeg
            source = Path(scratch, "source")
            source.write_bytes(data)
            photo = images.decode(data, max_side=DISPLAY_SIDE)
            display = thumbnails.render(photo, "0" * 32, fit="crop").display.data
            decode = median(partial(images.decode, data, max_side=DISPLAY_SIDE), rounds)
            render = median(partial(thumbnails.render, photo, "0" * 32, fit="crop"), rounds)
            own, peer = launched(sys.executable, "-c", _ONCE, source), libvips(source)
            naive = median(partial(whole_then_small, data), rounds)
            assert own is not None
            totals[name] = decode + render, peer
            numbers = [len(data) / 1e6, decode, render, decode + render, naive, own.memory]
            numbers += [peer.cpu, peer.memory] if peer else [math.nan, math.nan]
            numbers += [len(display) / 1000, psnr(photo, display)]
            print(f"{name:<24}" + "".join(f"{number:>11.1f}" for number in numbers), flush=True)
    at_once(jpeg)
    total, _ = totals["JPEG 12 MP"]
    print(f"\nJPEG 12 MP within {GOAL} ms: {'met' if total <= GOAL else 'missed'}, {total:.0f} ms")
    for name, (total, peer) in totals.items():
        if peer:
            print(f"{name} beside libvips: {'met' if total <= peer.cpu else 'missed'}, {total / peer.cpu:.2f}")


def at_once(data: bytes) -> None:
    """Decode and render many of one kind in two processes, as when somebody drops a folder."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(both, [data] * 2))  # start the processes
        start = time.perf_counter()
        list(pool.map(both, [data] * POOL))
        print(f"\n{POOL} JPEGs of 12 MP in two processes: all done after {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
