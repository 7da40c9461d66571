"""The whole product as `make run` starts it, for browser tests and the benchmark; and photos for it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import piexif
import pillow_heif
from PIL import Image as Pillow
from PIL import ImageOps

from roles.local_cloud.files.emulator import free_port
from tests.browser.chromium import Browser
from tests.support.processes import processes

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "web" / "static" / "samples"
MEGAPIXELS = 12  # as phones take them
SIDEWAYS, HEIC = 3, 7  # which of them


@dataclass(frozen=True)
class Photo:
    """A file and what is known of it. ``size``: upright, in pixels."""

    name: str
    data: bytes
    size: tuple[int, int]


def photos(count: int) -> list[Photo]:
    """Cut from the six samples and brought to a phone's size: JPEGs, one of them sideways, and one HEIC."""
    samples = [
        ImageOps.exif_transpose(Pillow.open(path)).convert("RGB") for path in sorted(SAMPLES.glob("*.jpg"))
    ]
    return [_photo(number, samples[number % len(samples)]) for number in range(count)]


def _photo(number: int, sample: Pillow.Image) -> Photo:
    width, height = sample.size
    cut = 1.0 - 0.02 * (number // 6)  # no two are the same
    picture = sample.crop((0, 0, int(width * cut), int(height * cut)))
    scale = (MEGAPIXELS * 1e6 / (picture.width * picture.height)) ** 0.5
    picture = picture.resize(
        (int(picture.width * scale), int(picture.height * scale)), Pillow.Resampling.BICUBIC
    )
    out, size = io.BytesIO(), picture.size
    if number == HEIC:
        pillow_heif.from_pillow(picture).save(out, quality=60)
        return Photo(f"photo {number:02}.heic", out.getvalue(), size)
    exif = {}
    if number == SIDEWAYS:  # the sensor lay on its side: 6 says "turn me clockwise"
        picture = picture.transpose(Pillow.Transpose.ROTATE_90)
        exif = {"exif": piexif.dump({"0th": {piexif.ImageIFD.Orientation: 6}})}
    picture.save(out, "JPEG", quality=85, **exif)
    return Photo(f"photo {number:02}.jpg", out.getvalue(), size)


@dataclass
class Whole:
    """A running gallery."""

    process: subprocess.Popen[str]
    log: Path

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return self.log.read_text()

    @property
    def origin(self) -> str:
        """Return the address of the gallery."""
        found = re.search(r"http://127\.0\.0\.1:\d+", self.output)
        assert found, self.output
        return found[0]

    def stop(self) -> None:
        """Ctrl-C, and wait; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(60)


@contextmanager
def whole(home: Path, **settings: str) -> Iterator[Whole]:
    """``make run`` with its data in ``home``, until the end of the block; then Ctrl-C."""
    home.mkdir(parents=True, exist_ok=True)
    log = home / "terminal.txt"
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "GEMINI", "GOOGLE"))
    }
    environ |= {"GALLERY_HOME": str(home), "PORT": str(free_port()), **settings}
    command = [sys.executable, "-u", str(ROOT / "roles" / "local_cloud" / "files" / "run.py")]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environ, cwd=ROOT, text=True)
        running = Whole(process, log)
        try:
            while "The gallery is at" not in running.output:
                assert process.poll() is None, running.output
                time.sleep(0.2)
            yield running
        finally:
            running.stop()


def alive(home: Path) -> list[str]:
    """Processes that have anything to do with ``home``."""
    return [each.command for each in processes() if str(home) in each.command]


WATCH = """
const size = document.getElementById("density"); // small tiles, so that all of them are in the document
size.value = "compact";
size.dispatchEvent(new Event("change"));
window.times = {sent: {}, done: {}};
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) {
  if (body instanceof FormData && body.has("key")) {
    const id = body.get("key").replace(/^raw\\/|\\.[a-z]+$/g, "");
    this.addEventListener("load", () => { window.times.sent[id] = performance.now(); });
  }
  return send.call(this, body);
};
new MutationObserver(() => {
  for (const card of document.querySelectorAll("#grid .card[data-status=done]")) {
    window.times.done[card.dataset.id] ??= performance.now();
  }
}).observe(document.getElementById("grid"), {subtree: true, childList: true, attributes: true});
"""


def drop_from_disk(browser: Browser, paths: list[Path]) -> None:
    """Drag files from the desktop onto the middle of the page: Chromium's own drag, not a made-up event."""
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for step in ("dragEnter", "dragOver", "drop"):
        event = {"type": step, "x": 600, "y": 400, "data": data}
        browser.driver.execute_cdp_cmd("Input.dispatchDragEvent", event)


def waits(browser: Browser) -> list[float]:
    """Seconds from the end of each upload to its caption and thumbnail on the page; wants WATCH run before."""
    times = browser.run("return window.times")
    return sorted((times["done"][key] - times["sent"][key]) / 1000 for key in times["sent"])
