"""Files of almost 100 MiB and 50 megapixels through the functions' decoder: memory and CPU within their limits.

Each holds noise, which no codec packs well, and is decoded and rendered in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageFile
from pillow_heif import register_heif_opener

from imgcore.gallery.limits import MAX_BYTES, MAX_PIXELS
from tests.hostile import judge

MEMORY = (1769 - 250) << 20  # bytes: of a function, without its libraries
CPU_SECONDS = 20.0  # a third of the thumbnail function's timeout
SMALLEST = 0.4 * MAX_BYTES  # noise of an HEIC or AVIF takes minutes to encode


def main() -> int:
    """Print a line for each format; return 1 where one needs more than a function has."""
    failed = False
    for name, data in files():
        [outcome] = judge([(name, data)])
        memory = outcome.memory + len(data)
        print(
            f"{name:18}{len(data) / 2**20:6.1f} MiB {outcome.pixels / 1e6:5.1f} megapixels  {outcome.result:8}"
            f"{outcome.cpu:6.1f} s of CPU {memory / 2**20:7.0f} MiB of memory",
            flush=True,
        )
        fits = memory < MEMORY and outcome.cpu < CPU_SECONDS * len(data) / MAX_BYTES
        failed |= not (fits and outcome.result == "ok" and SMALLEST < len(data) <= MAX_BYTES)
    return int(failed)


def files() -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each file."""
    register_heif_opener()  # type: ignore[no-untyped-call]
    ImageFile.MAXBLOCK = MAX_BYTES  # else Pillow cannot write a progressive JPEG of this size
    yield "JPEG", encoded(noise(49.9), "JPEG", quality=92, subsampling=0)
    yield "progressive JPEG", encoded(noise(49.9), "JPEG", quality=95, subsampling=0, progressive=True)
    yield "PNG", encoded(noise(34), "PNG", compress_level=1)
    yield "GIF", encoded(noise(49.9).convert("L"), "GIF")
    yield "TIFF", encoded(noise(34), "TIFF")
    yield "BMP", encoded(noise(34), "BMP")
    yield "lossless WebP", encoded(noise(49.9, 22), "WEBP", lossless=True, method=0, quality=0)
    yield "AVIF", encoded(noise(12), "AVIF", quality=100, speed=10, subsampling="4:4:4")
    heic = encoded(noise(2), "HEIF", quality=90)
    left = MAX_BYTES - len(heic)
    yield "HEIC, padded", heic + left.to_bytes(4) + b"free" + bytes(left - 8)


def noise(megapixels: float, levels: int = 256) -> Image.Image:
    """Return a picture of random numbers below ``levels``, four to three."""
    height = int((megapixels * 1e6 * 3 / 4) ** 0.5)
    width = int(megapixels * 1e6) // height
    assert width * height <= MAX_PIXELS
    return Image.fromarray(np.random.default_rng(1).integers(0, levels, (height, width, 3), dtype=np.uint8))


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    """Return the bytes of a file."""
    out = BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main())
