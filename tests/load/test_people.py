"""--users: people in the gallery on its feet."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.load.commands import Ended, Warm
from tests.support.waiting import wait_for
from tests.web.stage import Stage, photo


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Serve a gallery with enough photos for two pages."""
    stage = Stage()
    for number in range(45):
        stage.add(f"{number}.jpg", photo(number, (64, 48)))
    try:
        yield stage
    finally:
        stage.close()


@pytest.fixture(scope="module")
def visit(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ended, Path]:
    """A hundred of them until some have uploaded; then they finish what they are doing."""
    out = tmp_path_factory.mktemp("visit") / "seconds.csv"
    flags = ["--users", "100", "-t", "600", "--live", "--csv", str(out), f"{stage.origin}/"]
    process = subprocess.Popen(
        [sys.executable, "-m", "imgload", *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: stage.bucket.posts >= 5, seconds=300)
    process.send_signal(signal.SIGINT)
    report, progress = process.communicate(timeout=120)
    return Ended(process.returncode, report, progress), out


def _counts(report: str) -> dict[str, int]:
    """Requests by their names, from locust's first table."""
    rows = (
        line.split() for line in report.partition("Response time percentiles")[0].splitlines() if "(" in line
    )
    return {row[1]: int(row[2]) for row in rows if len(row) > 3 and row[2].isdigit()}


def test_people_browse_search_and_upload(visit: tuple[Ended, Path]) -> None:
    """Everything that they do is in the table, and nothing failed."""
    ended, _ = visit

    counts = _counts(ended.out)
    expected = {"/", "/?cursor=…", "/images/…", "thumbnail", "/?q=…", "/api/v1/images?q=…", "/api/v1/uploads"}
    assert set() == (expected | {"bucket", "/api/v1/images/…/status", "caption"}) - set(counts)
    assert 0 == ended.code


def test_the_wait_for_a_caption_is_measured(visit: tuple[Ended, Path], stage: Stage) -> None:
    """Each finished upload has a caption time, and its photo is in the gallery."""
    counts = _counts(visit[0].out)

    assert 0 < counts["caption"] <= counts["bucket"]
    names = [image.name for image in stage.gallery.pages.page(cursor=None, limit=100, query="load").images]
    assert len(names) >= counts["caption"]


def test_the_seconds_add_up(visit: tuple[Ended, Path]) -> None:
    """The rows of --csv hold every request of the table."""
    ended, out = visit

    rows = list(csv.DictReader(out.open()))
    total = next(line for line in ended.out.splitlines() if "Aggregated" in line).split()
    assert int(total[1]) == sum(int(row["requests"]) for row in rows)


def test_a_line_says_how_it_goes(visit: tuple[Ended, Path]) -> None:
    """--live prints a line a second."""
    lines = [line for line in visit[0].err.splitlines() if " requests " in line]

    assert lines
    assert all("p95" in line and line.endswith("0 failed") for line in lines)


def test_readers_upload_nothing(stage: Stage, imgload: Warm) -> None:
    """--read-only."""
    ended = imgload("--users", "10", "-t", "2", "--read-only", f"{stage.origin}/")

    assert 0 == ended.code
    assert set() == {"bucket", "/api/v1/uploads"} & set(_counts(ended.out))


def test_a_gallery_that_fails_is_said(imgload: Warm, stage: Stage) -> None:
    """1 where something that they asked for failed."""
    ended = imgload("--users", "5", "-t", "2", f"{stage.origin.replace('127.0.0.1', '127.0.0.2')}/")

    assert 1 == ended.code
