"""The gallery's page in a real Chromium: bytes of the first view, and the cost of scrolling past 10,000 photos.

Frames are those of this machine while it does what else it does; CPU milliseconds are those of the page's main
thread, which other programs do not change.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import Browser, start
from tests.load.many_images import fill
from tests.web.stage import Stage

COUNT = 10_000
SLOWER = 4  # times, as the throttling of Lighthouse
PIXELS, FRAMES = 120, 600  # a wheel that is turned quickly, for ten seconds at 60 frames a second

# One photo each nine hours: 81 a month, for ten years. A quarter of them is upright.
SPREAD = (
    "UPDATE images SET taken_at = datetime('2026-11-20', '-' || (9 * id) || ' hours'),"
    " width = iif(id % 4, 4032, 3024), height = iif(id % 4, 3024, 4032)"
)

WEIGHT = """
const [page] = performance.getEntriesByType("navigation");
const parts = performance.getEntriesByType("resource").filter((each) => /[.](js|css)$/.test(each.name));
const sum = (list) => list.reduce((total, each) => total + each.encodedBodySize, 0);
return {
  HTML: page.encodedBodySize,
  CSS: sum(parts.filter((each) => each.name.endsWith(".css"))),
  JavaScript: sum(parts.filter((each) => each.name.endsWith(".js"))),
};
"""

SCROLL = """
const [pixels, frames, done] = arguments;
const tasks = [], shifts = [], times = [];
new PerformanceObserver((list) => tasks.push(...list.getEntries().map((each) => each.duration)))
  .observe({type: "longtask"});
new PerformanceObserver((list) => shifts.push(...list.getEntries().map((each) => each.value)))
  .observe({type: "layout-shift", buffered: true});
let nodes = 0;
const step = (now) => {
  times.push(now);
  if (times.length % 20 === 0) nodes = Math.max(nodes, document.getElementsByTagName("*").length);
  if (times.length > frames) {
    const waits = times.slice(1).map((time, index) => time - times[index]);
    setTimeout(() => done({waits, tasks, nodes, shift: shifts.reduce((sum, each) => sum + each, 0)}), 500);
    return;
  }
  window.scrollBy({top: pixels, behavior: "instant"});
  requestAnimationFrame(step);
};
requestAnimationFrame(step);
"""


def main(count: int = COUNT) -> None:
    """Fill a gallery with ``count`` photos, look at it, scroll, print."""
    stage = Stage()
    database = stage.images.database
    for _ in fill(database, stage.bucket.objects, count):
        pass
    database.run(lambda tx: tx.execute(SPREAD))
    pictures = stage.bucket.objects
    for key in [key for key in pictures if key.endswith("/400.webp")]:
        pictures[key.replace("thumbnails", "display").replace("400.webp", "1600.webp")] = pictures[key]
    with tempfile.TemporaryDirectory() as folder:
        driver = start(Path(folder))
        try:
            browser = Browser(driver)
            browser.prepare(stage.origin)
            driver.set_script_timeout(300)
            weigh(browser)
            for density in ("captions", "compact"):
                scroll(browser, density)
        finally:
            driver.quit()
            stage.close()


def weigh(browser: Browser) -> None:
    """Print what the first view transfers, compressed."""
    browser.open()
    browser.wait(lambda: browser.all("#grid .card"))
    parts = browser.run(WEIGHT)
    listed = ", ".join(f"{name} {size / 1000:.1f}" for name, size in parts.items())
    print(f"first view: {sum(parts.values()) / 1000:.1f} kB ({listed}); the budget is 60 kB", flush=True)


def scroll(browser: Browser, density: str) -> None:
    """Print the frames, the CPU time and the nodes of a long scroll on a slow processor."""
    browser.run("localStorage.setItem('density', arguments[0])", density)
    browser.open()
    browser.wait(lambda: browser.all("#grid .card"))
    command = browser.driver.execute_cdp_cmd
    command("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    command("Performance.enable", {"timeDomain": "threadTicks"})
    before = metrics(browser)
    found = browser.driver.execute_async_script(SCROLL, PIXELS, FRAMES)
    after = metrics(browser)
    command("Performance.disable", {})
    command("Emulation.setCPUThrottlingRate", {"rate": 1})
    late = sum(wait > 33.4 for wait in found["waits"])
    spent = {name: 1000 * (after[name] - before[name]) / FRAMES for name in METRICS}
    cpu = ", ".join(f"{METRICS[name]} {value:.2f}" for name, value in spent.items())
    print(
        f"{density}: {100 * late / FRAMES:.1f} % of {FRAMES} frames over 33 ms, longest task"
        f" {max(found['tasks'], default=0):.0f} ms, at most {found['nodes']} elements,"
        f" CLS {found['shift']:.4f};"
        f" CPU ms a frame on a processor {SLOWER} times as slow: {cpu}",
        flush=True,
    )


METRICS = {
    "TaskDuration": "all",
    "ScriptDuration": "scripts",
    "RecalcStyleDuration": "styles",
    "LayoutDuration": "layout",
}


def metrics(browser: Browser) -> dict[str, Any]:
    """Return Chromium's counters of the page, by name."""
    listed = browser.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return {metric["name"]: metric["value"] for metric in listed}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
