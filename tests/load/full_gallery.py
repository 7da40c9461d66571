"""The gallery under load: python -m tests.load.full_gallery, which is ``make load``.

The real web process over a real MariaDB with ten thousand photos answers forty thousand requests for its
page at a hundred at a time, then for its API, then people who browse and search. Prints the figures, draws the
plots, and ends with 1 where a request failed or the web process grew beyond what it may.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from imgcore.db.connection import open_database
from imgcore.db.migrations import migrate
from tests.load.commands import figures
from tests.load.many_images import fill
from tests.mariadb import mariadb
from tests.web.fake_bucket import FakeBucket

MOST_MEMORY = 160  # megabytes of the web process
MOST_SLOWER = 5  # times the median: the 99th percentile
MOST_MS = 1000  # the same, whatever the median
API_SHARE = 10  # the API gets a tenth of the page's requests
ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Web:
    """The web process: where it is, and once it has ended the most memory that it had, in megabytes."""

    origin: str
    pid: int
    peak: float = 0.0


def environment(database_url: str, bucket_origin: str) -> dict[str, str]:
    """Return the settings of a web process whose pictures are in the bucket at ``bucket_origin``."""
    return {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": database_url,
        "UPLOADS_BUCKET": "uploads",
        "DERIVED_BUCKET": "derived",
        "AWS_ENDPOINT_URL": bucket_origin,
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": secrets.token_hex(8),
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16),
        "CAPTIONER": "local",
        "PORT": "0",
        "API_RATE": "1000000000",
    }


@contextmanager
def web(database_url: str, bucket_origin: str, processes: int | None = None) -> Iterator[Web]:
    """``python -m web`` in open mode on a free port. processes: by default as many as processors."""
    environ = environment(database_url, bucket_origin)
    if processes is not None:
        environ["WEB_PROCESSES"] = str(processes)
    process = subprocess.Popen(
        [sys.executable, "-m", "web"], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if " at " not in line:
        process.wait()
        raise RuntimeError("the gallery did not start")
    running = Web(line.rpartition(" at ")[2].strip().rstrip("/"), process.pid)
    try:
        yield running
    finally:
        process.terminate()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        running.peak = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def hammer(url: str, requests: int, concurrency: int, out: Path) -> list[str]:
    """ab's test by imgload; its report goes to standard output. What is wrong with it, in sentences."""
    plots = ("--csv", f"{out}.csv", "--plot", f"{out}.png", "-e", f"{out}.percentages.csv")
    done = subprocess.run(
        [sys.executable, "-m", "imgload", "-n", str(requests), "-c", str(concurrency), *plots, url],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    print(done.stdout, flush=True)
    found = figures(done.stdout)
    faults = [
        f"{url}: {name.lower()}: {found[name]}"
        for name in ("Failed requests", "Non-2xx responses", "Write errors")
        if found.get(name, "0") != "0"
    ]
    if done.returncode or found.get("Complete requests") != str(requests):
        faults.append(f"{url}: {found.get('Complete requests', 'no')} requests of {requests} were completed")
    return faults + [f"{url}: {slow}" for slow in slow_requests(done.stdout)]


def slow_requests(report: str) -> list[str]:
    """Return a sentence where the slowest hundredth of the requests in a report of imgload took too long."""
    took = {share: int(milliseconds) for share, milliseconds in re.findall(r"(?m)^ +(\d+)% +(\d+)", report)}
    if not {"50", "99"} <= took.keys():
        return ["the report has no percentiles"]
    slowest = f"99 % were answered within {took['99']} ms, more than"
    if took["99"] > MOST_MS:
        return [f"{slowest} {MOST_MS}"]
    if took["99"] > MOST_SLOWER * took["50"]:
        return [f"{slowest} {MOST_SLOWER} times the median, {took['50']} ms"]
    return []


def visit(url: str, people: int, seconds: int, out: Path) -> list[str]:
    """People by imgload; its tables go to standard output."""
    flags = ("--users", str(people), "-t", str(seconds), "--read-only")
    plots = ("--csv", f"{out}.csv", "--plot", f"{out}.png")
    done = subprocess.run([sys.executable, "-m", "imgload", *flags, *plots, url], check=False)
    return [f"{url}: something that people asked for failed"] if done.returncode else []


def main() -> int:
    """0 when nothing failed and the web process stayed small."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--concurrency", type=int, default=100)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=30, help="that the people stay")
    parser.add_argument("--out", type=Path, default=ROOT / ".local" / "load", help="folder of the plots")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}", flush=True)
    bucket = FakeBucket()
    try:
        with mariadb() as server, server.database() as url:
            database = open_database(url)
            migrate(database)
            with tqdm(total=options.images, desc="photos") as bar:
                for count in fill(database.with_timeout(600), bucket.objects, options.images):
                    bar.update(count - bar.n)
            database.close()
            faults, running = _tests(url, bucket.origin, options)
    finally:
        bucket.close()
    print(f"Peak memory of the web process: {running.peak:.0f} MB, may be {MOST_MEMORY}")
    if running.peak > MOST_MEMORY:
        faults.append("the web process grew too large")
    print(*(faults or ["Every request was answered well."]), sep="\n")
    return 1 if faults else 0


def _tests(url: str, bucket_origin: str, options: argparse.Namespace) -> tuple[list[str], Web]:
    out, requests = options.out, options.requests
    with web(url, bucket_origin) as running:
        faults = hammer(f"{running.origin}/", requests, options.concurrency, out / "page")
        api = f"{running.origin}/api/v1/images"
        faults += hammer(api, max(requests // API_SHARE, options.concurrency), options.concurrency, out / "api")
        if options.people:
            faults += visit(f"{running.origin}/", options.people, options.seconds, out / "people")
    return faults, running


if __name__ == "__main__":
    sys.exit(main())
