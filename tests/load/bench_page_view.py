"""What the first view of the gallery costs a phone: python -m tests.load.bench_page_view [RUNS]

The real web process over 1,000 photos, whose pictures are on another origin as they are in production.
Lighthouse (its mobile preset: a simulated slow 4G connection and a processor slowed four times) loads the page
in Chromium with an empty cache. Prints a JSON object a line, medians of the runs, and whether the goals
are met; ends with 1 where one is missed, and with 2 where Lighthouse cannot run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import FLAGS
from tests.load.page_gallery import page_gallery
from tests.support.node import install, missing

ROOT = Path(__file__).resolve().parents[2]
SOURCE = Path(__file__).parent / "lighthouse"
TARGET = ROOT / ".local" / "lighthouse"
PHOTOS, RUNS = 1000, 5
ATTEMPTS = 3  # Chromium does not always record the load, which Lighthouse says and asks to run it again
TIMINGS = {
    "first contentful paint, s": "first-contentful-paint",
    "largest contentful paint, s": "largest-contentful-paint",
    "speed index, s": "speed-index",
    "blocked by scripts, s": "total-blocking-time",
    "layout shift": "cumulative-layout-shift",
}
CODE = ("Document", "Stylesheet", "Script")
MOST = {
    "largest contentful paint, s": 2.0,
    "layout shift": 0.0,
    "with pictures, kB": 400.0,
}
LEAST = {"performance": 95.0, "accessibility": 100.0}
PER_SECOND = 1000  # Lighthouse gives milliseconds


def lighthouse(origin: str, folder: Path) -> dict[str, Any]:
    """Load the page; return Lighthouse's report. CalledProcessError where it fails again and again."""
    out = folder / "report.json"
    command = [
        str(TARGET / "node_modules" / ".bin" / "lighthouse"),
        f"{origin}/",
        "--quiet",
        "--output=json",
        f"--output-path={out}",
        "--only-categories=performance,accessibility",
        f"--chrome-flags={' '.join(FLAGS)}",
    ]
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "CHROME_PATH": chromium}
    for left in reversed(range(ATTEMPTS)):
        done = subprocess.run(command, cwd=folder, env=environ, check=left == 0)
        if done.returncode == 0:
            break
    return dict(json.loads(out.read_text()))


def figures(report: dict[str, Any]) -> dict[str, float]:
    """Return the figures of one report by their names."""
    audits, categories = report["audits"], report["categories"]
    found = {name: round(100 * categories[name]["score"], 1) for name in ("performance", "accessibility")}
    for name, audit in TIMINGS.items():
        value = audits[audit]["numericValue"]
        found[name] = value / PER_SECOND if name.endswith(", s") else value
    requests = audits["network-requests"]["details"]["items"]
    code = [each for each in requests if each["resourceType"] in CODE]
    found["HTML, CSS and JS with their headers, kB"] = sum(each["transferSize"] for each in code) / 1000
    found["with pictures, kB"] = sum(each["transferSize"] for each in requests) / 1000
    found["requests"] = len(requests)
    found["speed of this machine"] = report["environment"]["benchmarkIndex"]  # under 1,000 it is busy, or slow
    return found


def met(name: str, value: float) -> bool:
    """Whether a figure meets its goal; one without a goal does."""
    return LEAST.get(name, value) <= value <= MOST.get(name, value)


def main(runs: int) -> int:
    """Measure and print."""
    if reason := missing():
        print(f"Lighthouse cannot run: {reason}.")
        return 2
    install(SOURCE, TARGET)
    found = []
    with page_gallery(PHOTOS) as running, tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            found.append(figures(lighthouse(running.origin, Path(folder))))
    missed = 0
    for name in found[0]:
        values = [each[name] for each in found]
        value = round(statistics.median(values), 3)
        row: dict[str, Any] = {"what": name, "median": value}
        row |= {"least": round(min(values), 3), "most": round(max(values), 3)}
        if name in LEAST or name in MOST:
            row |= {"goal": LEAST.get(name, MOST.get(name)), "met": met(name, value)}
            missed += not row["met"]
        print(json.dumps(row), flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=RUNS)
    sys.exit(main(parser.parse_args().runs))
