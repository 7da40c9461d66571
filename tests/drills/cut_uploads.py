"""100 MB from Chromium to the gallery of `make run`, with cut connections and a reload.

One upload is cut at each tenth, the page of the other is reloaded at half of it. What arrives has the
SHA-256 of the file, and no cut and no reload costs more than one part that is sent twice.
"""

from __future__ import annotations

import hashlib
import json
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from imgcore.gallery.part_models import PART_BYTES
from tests import images
from tests.browser.chromium import Browser, start
from tests.browser.whole import whole
from tests.drills.cutting_proxy import CuttingProxy, cutting_proxy

SIZE = 100_000_000  # bytes
SECONDS = 180.0  # until the photo has to be described


def main() -> int:
    """Run both uploads and print what was sent; return 1 where a claim does not hold."""
    with (
        tempfile.TemporaryDirectory() as folder,
        cutting_proxy(PART_BYTES) as proxy,
        whole(Path(folder) / "home", CAPTIONER="local") as gallery,
    ):
        flags = (f"--proxy-server=http://127.0.0.1:{proxy.server_port}", "--proxy-bypass-list=<-loopback>")
        driver = start(Path(folder) / "chromium", flags=flags)
        try:
            browser = Browser(driver)
            browser.prepare(gallery.origin)
            results = [
                uploaded(
                    browser,
                    proxy,
                    file(Path(folder), "cut.jpg", 1),
                    [SIZE * tenth // 10 for tenth in range(1, 10)],
                ),
                uploaded(browser, proxy, file(Path(folder), "reload.jpg", 2), [], reload_at=SIZE // 2),
            ]
        finally:
            driver.quit()
    return int(not all(results))


def file(folder: Path, name: str, seed: int) -> Path:
    """Write a JPEG with noise behind its end, which decoders do not read."""
    data = images.jpeg(800, 600, seed=seed)
    path = folder / name
    path.write_bytes(data + random.Random(seed).randbytes(SIZE - len(data)))
    return path


def uploaded(
    browser: Browser, proxy: CuttingProxy, path: Path, cuts: list[int], reload_at: int | None = None
) -> bool:
    """Upload a file, print what it took, and return whether it arrived whole and without waste."""
    proxy.begin(cuts, reload_at)
    browser.open()
    browser.run("return document.getElementById('files')").send_keys(str(path))
    if reload_at is not None:
        assert proxy.stopped.wait(SECONDS)
        browser.open()
        proxy.at_stop = None
        proxy.resume.set()
    image = browser.wait(lambda: described(browser.origin, path.name), SECONDS, every=1.0)
    with urlopen(image["original_url"], timeout=60) as answer:
        same = (
            hashlib.file_digest(answer, "sha256").hexdigest() == hashlib.sha256(path.read_bytes()).hexdigest()
        )
    count = -(-SIZE // PART_BYTES)
    begun, interruptions = Counter(proxy.parts), len(cuts) or 1
    again = sum(begun.values()) - count
    print(
        f"{path.name}: {interruptions} interruptions, {count} parts, {again} of them sent again, "
        f"each {max(begun.values())} times at most; the SHA-256 {'is right' if same else 'is WRONG'}",
        flush=True,
    )
    once = sorted(proxy.arrived) == list(range(1, count + 1))
    return same and once and not proxy.cuts and again <= interruptions and max(begun.values()) <= 2


def described(origin: str, name: str) -> dict[str, Any] | None:
    """Return the image of that name once it is done."""
    with urlopen(f"{origin}/api/v1/images?limit=10", timeout=60) as answer:
        listed = json.load(answer)["images"]
    return next((image for image in listed if image["name"] == name and image["status"] == "done"), None)


if __name__ == "__main__":
    sys.exit(main())
