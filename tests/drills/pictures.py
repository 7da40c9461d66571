"""Compare pictures as ``decode`` gives them with those of Chromium and libvips: the means of 6 by 6 blocks."""

from __future__ import annotations

import base64
import io
import struct
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageCms

from imgcore.gallery.models import MAX_PIXELS
from imgcore.imaging import formats
from imgcore.imaging.decode import decode
from tests.browser.chromium import Browser

BLOCKS = 6  # a side; their means are compared
_SCRIPT = """
const [data, background, blocks, done] = arguments;
const image = new Image();
image.onerror = () => done(null);
image.onload = () => {
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0);
  const means = [];
  for (let row = 0; row < blocks; row++) for (let column = 0; column < blocks; column++) {
    const [left, top] = [Math.floor(column * canvas.width / blocks), Math.floor(row * canvas.height / blocks)];
    const width = Math.max(1, Math.floor((column + 1) * canvas.width / blocks) - left);
    const height = Math.max(1, Math.floor((row + 1) * canvas.height / blocks) - top);
    const pixels = context.getImageData(left, top, width, height).data;
    const sums = [0, 0, 0];
    for (let at = 0; at < pixels.length; at++) if (at % 4 < 3) sums[at % 4] += pixels[at];
    means.push(sums.map((sum) => sum / (pixels.length / 4)));
  }
  done([canvas.width, canvas.height, means]);
};
image.src = data;
"""
Means = list[list[float]]
Shown = tuple[int, int, Means]  # width, height and the means of the blocks


def in_chromium(chromium: Browser, data: bytes, background: tuple[int, int, int]) -> Shown | None:
    """A file as Chromium shows it; None where it shows nothing."""
    kind = formats.media_type(data) or "application/octet-stream"
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    shown = chromium.driver.execute_async_script(_SCRIPT, url, f"rgb{background}", BLOCKS)
    return (shown[0], shown[1], shown[2]) if shown else None


def decoded(data: bytes) -> tuple[tuple[int, int, int], Shown]:
    """The background that a file is laid on, and its size and means as ``decode`` gives them."""
    photo = decode(data, max_side=30_000)
    image = Image.frombytes("RGB", photo.size, photo.rgb(photo.size))
    return photo.background or (255, 255, 255), (*image.size, _means(image))


def in_libvips(path: Path, background: tuple[int, int, int]) -> Shown | None:
    """Return a file as libvips shows it, upright and in sRGB; None where it shows nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "shown.png"
        done = subprocess.run(["vips", "autorot", path, target], capture_output=True, check=False, timeout=120)
        if done.returncode:
            return None
        width, height = struct.unpack(">LL", target.read_bytes()[16:24])
        if width * height > MAX_PIXELS:
            return width, height, []  # refused here: there is nothing to compare
        opened = Image.open(target)
        profile = opened.info.get("icc_profile")
        deep = opened.mode.startswith("I")  # sixteen bits of grey, which Pillow would clip
        image = (opened.convert("I").point([v >> 8 for v in range(65_536)], "L") if deep else opened).convert(
            "RGBA"
        )
    colours = image.convert("RGB")
    if profile and opened.mode.startswith("RGB"):
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        ImageCms.profileToProfile(colours, source, ImageCms.createProfile("sRGB"), inPlace=True)
    shown = Image.new("RGB", image.size, background)
    shown.paste(colours, mask=image.getchannel("A"))
    return *image.size, _means(shown)


def _means(image: Image.Image) -> Means:
    """Return the mean colours of the blocks of a picture."""
    width, height = image.size
    means = []
    for row in range(BLOCKS):
        for column in range(BLOCKS):
            left, top = column * width // BLOCKS, row * height // BLOCKS
            right = max(left + 1, (column + 1) * width // BLOCKS)
            bottom = max(top + 1, (row + 1) * height // BLOCKS)
            block = image.crop((left, top, right, bottom))
            histogram = block.histogram()
            count = block.width * block.height
            means.append([sum(v * histogram[256 * c + v] for v in range(256)) / count for c in range(3)])
    return means


def difference(one: Means, two: Means) -> float:
    """The largest difference of a block's mean in a channel."""
    flat, other = ([value for mean in means for value in mean] for means in (one, two))
    return max(abs(a - b) for a, b in zip(flat, other, strict=True))
