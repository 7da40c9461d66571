"""What derived images cost at each quality: bytes, CPU, and their distance from the original by butteraugli.

``python -m tests.load.bench_quality`` prints the means over real photos. It needs ``butteraugli_main``, of
Debian's package libjxl-devtools. Its 3-norm is about 1 where a careful viewer begins to see a difference.
"""

from __future__ import annotations

import io
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

PHOTOS = ("coffee", "dogs", "mountains", "pagoda")
_FOLDER = Path(__file__).parents[2] / "web" / "static" / "samples"
_WIDTH = 640  # pixels; half of the larger samples, so that their own losses do not count
_TOOL = "butteraugli_main"


def settings() -> Iterator[tuple[str, dict[str, int]]]:
    """Yield formats with their options."""
    for method in (1, 4):
        for quality in (60, 70, 78, 84, 90):
            yield "WEBP", {"quality": quality, "method": method}
    for speed in (8, 6):
        for quality in (50, 60, 70, 80):
            yield "AVIF", {"quality": quality, "speed": speed}


def originals() -> list[Image.Image]:
    """The photos, without losses from here on."""
    images = [Image.open(_FOLDER / f"{name}.jpg").convert("RGB") for name in PHOTOS]
    return [
        image.resize((_WIDTH, image.height * _WIDTH // image.width), Image.Resampling.BOX)
        if image.width > _WIDTH
        else image
        for image in images
    ]


def measured(
    image: Image.Image, form: str, options: dict[str, int], folder: Path
) -> tuple[float, float, float]:
    """Return the bytes and the milliseconds of CPU for a megapixel, and the distance from the original."""
    out = io.BytesIO()
    start = time.process_time()
    image.save(out, form, **options)
    taken = 1000 * (time.process_time() - start)
    first, second = folder / "original.png", folder / "derived.png"
    image.save(first, compress_level=1)
    Image.open(out).convert("RGB").save(second, compress_level=1)
    done = subprocess.run([_TOOL, first, second], capture_output=True, text=True, check=True)
    found = re.search(r"3-norm: ([\d.]+)", done.stdout + done.stderr)
    assert found, done.stdout
    mega = image.width * image.height / 1e6
    return len(out.getvalue()) / 1000 / mega, taken / mega, float(found[1])


def main() -> None:
    """Measure and print."""
    if shutil.which(_TOOL) is None:
        print(f"{_TOOL} is not installed (Debian: libjxl-devtools); nothing is measured.")
        return
    columns = ("format", "quality", "method", "kB/MP", "ms/MP", "butteraugli", "worst")
    print("{:<8}{:>9}{:>8}{:>9}{:>9}{:>13}{:>8}".format(*columns))
    photos = originals()
    with tempfile.TemporaryDirectory() as scratch:
        for form, options in settings():
            rows = [measured(image, form, options, Path(scratch)) for image in photos]
            size, cpu, distance = (statistics.mean(column) for column in zip(*rows, strict=True))
            quality, effort = options.values()
            worst = max(row[2] for row in rows)
            print(
                f"{form:<8}{quality:>9}{effort:>8}{size:>9.0f}{cpu:>9.0f}{distance:>13.2f}{worst:>8.2f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
