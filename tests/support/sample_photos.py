"""Real photos in any number: parts of the gallery's samples."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageOps

SAMPLES = Path(__file__).parents[2] / "web" / "static" / "samples"


def sample_photos(count: int) -> list[tuple[str, bytes]]:
    """Return (name, JPEG) of photos that differ, of six subjects in turn: "cat 07.jpg"."""
    names = sorted(path.stem for path in SAMPLES.glob("*.jpg"))
    files = []
    for number in range(count):
        name = names[number % len(names)]
        with Image.open(SAMPLES / f"{name}.jpg") as sample:
            picture = ImageOps.exif_transpose(sample).convert("RGB")
        cut = 1 - 0.04 * (number // len(names))
        height = int(picture.height * (1 if number % 2 else cut))
        picture = picture.crop((0, 0, int(cut * picture.width), height))
        picture.thumbnail((640, 640))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=80)
        files.append((f"{name} {number:02}.jpg", out.getvalue()))
    return files
