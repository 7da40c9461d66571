"""How long a person waits: 20 photos dropped at once in a real Chromium on the running product.

Prints, for each round, the seconds from the end of an upload to its caption and thumbnail on the page.
"""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path

from tests.browser.chromium import Browser, start
from tests.browser.whole import WATCH, drop_from_disk, photos, waits, whole

COUNT, ROUNDS = 20, 3
ALL_DONE = """
const {sent, done} = window.times;
return Object.keys(sent).length >= arguments[0] && Object.keys(sent).every((id) => id in done);
"""


def main() -> None:
    """Start the product in a folder of its own, drop, wait, print."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = []
        for photo in photos(COUNT):
            path = root / photo.name
            path.write_bytes(photo.data)
            files.append(path)
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{COUNT} photos of 12 megapixels, {size:.0f} MB in all; seconds after each upload's end")
        driver = start(root / "chromium")
        try:
            with whole(root / "home") as running:
                browser = Browser(driver)
                browser.prepare(running.origin)
                for number in range(ROUNDS):
                    measure(browser, files, number)
        finally:
            driver.quit()


def measure(browser: Browser, files: list[Path], number: int) -> None:
    """One round."""
    browser.open()
    browser.run(WATCH)
    dropped = browser.run("return performance.now()")
    drop_from_disk(browser, files)
    browser.wait(lambda: browser.run(ALL_DONE, COUNT), seconds=300, every=1.0)
    seconds, last = waits(browser), max(browser.run("return Object.values(window.times.done)"))
    print(
        f"round {number + 1}: median {statistics.median(seconds):.2f} s, longest {seconds[-1]:.2f} s,"
        f" within 3 s: {sum(second <= 3 for second in seconds)} of {len(seconds)};"
        f" the last {(last - dropped) / 1000:.1f} s after the drop",
        flush=True,
    )


if __name__ == "__main__":
    main()
