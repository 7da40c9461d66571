"""How smoothly the timeline scrolls on a slow phone: python -m tests.load.bench_scrolling [PHOTOS]

Chromium shows a gallery of 10,000 photos in a window of a phone, its processor slowed four times, and scrolls
through it: for half a minute by as much as a flick moves in a frame, then by jumps to its end. Then it jumps to
one place at a time and waits until the window shows all its pictures: no frame is to be saved by drawing late.
Prints a JSON object a line: the most DOM nodes, the share of frames over 33 ms, the tasks over 100 ms, and the
time to the last picture; ends with 1 where one misses its goal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import PHONE, Browser, start
from tests.load.page_gallery import page_gallery

PHOTOS = 10_000
SLOWED = 4  # times
FLICK, FLICKED = 60, 1800  # pixels a frame, and frames: 3,600 pixels a second for half a minute
JUMPS, PAUSE = 60, 20  # to the end, and frames from one to the next
LONGEST = 600.0  # seconds
SLOW_FRAME, LONG_TASK = 33.4, 100.0  # milliseconds: two frames of a screen of 60 Hz, with the clock's rounding
MOST_NODES, MOST_SLOW = 3000, 2.0  # per cent of the frames
PLACES, CALM = 24, 800  # to jump to, and milliseconds without another picture
LANDING = 300  # milliseconds, the median

SCROLL = """
const [flick, flicked, jumps, pause, slow, long] = arguments;
const found = {nodes: 0, frames: 0, slow: 0, longest_frame: 0, long_tasks: 0, longest_task: 0};
const observer = new PerformanceObserver((list) => {
  for (const {duration} of list.getEntries()) {
    if (duration > long) found.long_tasks += 1;
    found.longest_task = Math.max(found.longest_task, duration);
  }
});
observer.observe({type: "longtask"});
let last = 0;
const frame = (now) => {
  if (last) {
    const took = now - last;
    found.frames += 1;
    if (took > slow) found.slow += 1;
    found.longest_frame = Math.max(found.longest_frame, took);
  }
  last = now;
  if (found.frames % 20 === 0) found.nodes = Math.max(found.nodes, document.querySelectorAll("*").length);
  if (found.frames === flicked + jumps * pause) {
    setTimeout(() => {
      observer.disconnect();
      window.scrolled = found;
    }, 500);
    return;
  }
  const jumped = (found.frames - flicked) / pause;
  const height = document.documentElement.scrollHeight;
  if (found.frames < flicked) window.scrollBy({top: flick, behavior: "instant"});
  else if (Number.isInteger(jumped)) window.scrollTo({top: height * jumped / jumps, behavior: "instant"});
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""


LAND = """
const [place, calm] = arguments;
const start = performance.now();
let [known, changed] = [0, start];
window.landed = null;
window.scrollTo({top: document.documentElement.scrollHeight * place, behavior: "instant"});
const frame = () => {
  const shown = [...document.querySelectorAll(".tiles img")].filter((image) => {
    const {top, bottom} = image.getBoundingClientRect();
    return bottom > 0 && top < innerHeight && image.complete && image.naturalWidth > 0;
  }).length;
  const now = performance.now();
  if (shown !== known) [known, changed] = [shown, now];
  if (known && now - changed > calm) window.landed = changed - start;
  else requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""


def scrolled(browser: Browser, density: str) -> dict[str, Any]:
    """Scroll through the whole timeline in one density; return the figures."""
    browser.run("localStorage.setItem('density', arguments[0])", density)
    browser.open()
    browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    try:
        browser.run(SCROLL, FLICK, FLICKED, JUMPS, PAUSE, SLOW_FRAME, LONG_TASK)
        found: dict[str, Any] = browser.wait(lambda: browser.run("return window.scrolled"), LONGEST, every=2.0)
        found["landings"] = [landed(browser, (7 * at % PLACES + 0.5) / PLACES) for at in range(PLACES)]
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 1})
    return found


def landed(browser: Browser, place: float) -> float:
    """Jump to a place, from 0 to 1; return the milliseconds until the last picture of the window was there."""
    browser.run(LAND, place, CALM)
    found: float = browser.wait(lambda: browser.run("return window.landed"), LONGEST, every=0.2)
    return found


def rows(density: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rows of the table."""
    share = 100 * found["slow"] / found["frames"]
    median = statistics.median(found["landings"])
    return [
        {"what": f"{density}: DOM nodes at most", "value": found["nodes"], "goal": MOST_NODES}
        | {"met": found["nodes"] <= MOST_NODES},
        {"what": f"{density}: frames over 33 ms, %", "value": round(share, 2), "goal": MOST_SLOW}
        | {"met": share < MOST_SLOW, "frames": found["frames"], "longest, ms": round(found["longest_frame"])},
        {"what": f"{density}: tasks over 100 ms", "value": found["long_tasks"], "goal": 0}
        | {"met": found["long_tasks"] == 0, "longest, ms": round(found["longest_task"])},
        {"what": f"{density}: from a jump to the last picture, ms", "value": round(median), "goal": LANDING}
        | {"met": median <= LANDING, "longest, ms": round(max(found["landings"]))},
    ]


def main(photos: int) -> int:
    """Measure and print."""
    missed = 0
    # Chromium comes before the gallery: it may not be installed
    with (
        tempfile.TemporaryDirectory() as folder,
        start(Path(folder)) as driver,
        page_gallery(photos) as running,
    ):
        browser = Browser(driver)
        browser.prepare(running.origin)
        browser.size(*PHONE, mobile=True)
        browser.open()
        load = {"what": "load of this machine", "value": round(os.getloadavg()[0], 1)}
        print(json.dumps(load), flush=True)
        for density in ("captions", "compact"):
            for row in rows(density, scrolled(browser, density)):
                print(json.dumps(row), flush=True)
                missed += not row["met"]
    return int(missed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="?", type=int, default=PHOTOS)
    sys.exit(main(parser.parse_args().photos))
