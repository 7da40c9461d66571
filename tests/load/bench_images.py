"""How long a photo takes: decoding, rendering, and the way that decodes all of it first.

``python -m tests.load.bench_images [ROUNDS]`` prints medians in milliseconds of one core. For each file
it has the peak memory over an idle process, the bytes of the display image, and its PSNR beside a lossless one;
where the program ``vips`` is installed, also the CPU of its thumbnail of the same size.
"""

from __future__ import annotations

import io
import math
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from PIL import Image, ImageChops, ImageOps, ImageStat
from pillow_heif import register_heif_opener

from imgcore.gallery.keys import DISPLAY_SIDE
from imgcore.imaging import decode as images
from imgcore.imaging import render as thumbnails
from imgcore.imaging import sizes
from imgcore.imaging.photo import Photo
from tests import images as samples
from tests.hostile import judge

ROUNDS = 5
POOL = 20  # photos dropped at once


def sources() -> dict[str, bytes]:
    """The files to be measured, each with about the detail and the bytes of a real one."""
    twelve, twenty_four = (4032, 3024), (6000, 4000)
    photo = samples.photo(*twelve)
    return {
        "JPEG 12 MP": samples.encode(photo, "JPEG", quality=88),
        "JPEG 24 MP": samples.encode(samples.photo(*twenty_four), "JPEG", quality=88),
        "JPEG 12 MP progressive": samples.encode(photo, "JPEG", quality=88, progressive=True),
        "HEIC 12 MP": samples.encode(photo, "HEIF", quality=50),
        "PNG 12 MP": samples.encode(photo, "PNG", compress_level=3),
        "WebP 12 MP": samples.encode(photo, "WEBP", quality=85, method=0),
        "AVIF 12 MP": samples.encode(photo, "AVIF", quality=60, speed=10),
    }


def whole_then_small(data: bytes) -> None:
    """What most programs do: decode all of it, turn it, then resize."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    image.resize(sizes.inside(image.size, DISPLAY_SIDE), Image.Resampling.LANCZOS)


def median(work: Callable[[], object], rounds: int) -> float:
    """Milliseconds of CPU time; the first run, which loads libraries, does not count."""
    taken = []
    for _ in range(rounds + 1):
        start = time.process_time()
        work()
        taken.append(1000 * (time.process_time() - start))
    return statistics.median(taken[1:])


def both(data: bytes) -> None:
    """All that the thumbnail function does to one photo."""
    thumbnails.render(images.decode(data, max_side=DISPLAY_SIDE), "0" * 32, fit="crop")


def psnr(photo: Photo, display: bytes) -> float:
    """Decibels of a display image beside the same pixels without losses."""
    image = Image.open(io.BytesIO(display)).convert("RGB")
    lossless = Image.frombytes("RGB", image.size, photo.rgb(image.size))
    squares = ImageStat.Stat(ImageChops.difference(image, lossless)).sum2
    mean = sum(squares) / (3 * image.width * image.height)
    return 10 * math.log10(255 * 255 / mean) if mean else math.inf


def vips(data: bytes) -> str:
    """Milliseconds of CPU of libvips for the same size, the start of its program included; "-" without it."""
    if shutil.which("vips") is None:
        return "-"
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch) / "source"
        source.write_bytes(data)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = ["vips", "thumbnail", source, Path(scratch) / "small.webp", str(DISPLAY_SIDE)]
        done = subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return "-" if done.returncode else f"{1000 * taken:.0f}"


def main(rounds: int) -> None:
    """Measure and print."""
    register_heif_opener()
    print(f"median of {rounds}, ms of one core; 'naive': decode all, then resize\n")
    columns = ("file", "MB", "decode", "render", "naive", "vips", "memory MB", "display kB", "PSNR dB")
    print("{:<24}{:>7}{:>9}{:>9}{:>9}{:>9}{:>11}{:>12}{:>9}".format(*columns))
    files = sources()
    for name, data in files.items():
        photo = images.decode(data, max_side=DISPLAY_SIDE)
        decode = median(partial(images.decode, data, max_side=DISPLAY_SIDE), rounds)
        render = median(partial(thumbnails.render, photo, "0" * 32, fit="crop"), rounds)
        naive = median(partial(whole_then_small, data), rounds)
        (outcome,) = judge([(name, data)])
        display = thumbnails.render(photo, "0" * 32, fit="crop").display.data
        print(
            f"{name:<24}{len(data) / 1e6:>7.1f}{decode:>9.0f}{render:>9.0f}{naive:>9.0f}{vips(data):>9}"
            f"{outcome.memory / 1e6:>11.0f}{len(display) / 1000:>12.0f}{psnr(photo, display):>9.1f}",
            flush=True,
        )
    at_once(files["JPEG 12 MP"])


def at_once(data: bytes) -> None:
    """Many of one kind in two processes, as when somebody drops a folder."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(both, [data] * 2))  # start the processes
        start = time.perf_counter()
        list(pool.map(both, [data] * POOL))
        print(f"\n{POOL} JPEGs of 12 MP in two processes: all done after {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
