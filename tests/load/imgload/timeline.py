"""What happened in each second of a test: the rows of --csv and the curves of --plot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgload.job import Job
    from imgload.scaling import Scaling

Ended = tuple[float, float, bool]  # second of the test in which a request ended, milliseconds it took, failed


@dataclass(frozen=True)
class Second:
    """The requests that ended in one second; times in milliseconds."""

    second: int
    requests: int
    failures: int
    p50: float
    p95: float
    p99: float
    longest: float


def of_job(job: Job) -> list[Ended]:
    """Record when each request of ``job`` ended and how."""
    samples = job.samples
    rows = zip(samples.column("start"), samples.column("total"), samples.failed, strict=True)
    return [(start + total - job.begun, total * 1000, bool(failed)) for start, total, failed in rows]


def seconds(ended: Iterable[Ended]) -> list[Second]:
    """A row for each second, from the first to the last; one without requests has zeros."""
    by_second: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for when, took, failed in ended:
        by_second[int(max(when, 0))].append((took, failed))
    return [_second(number, by_second[number]) for number in range(max(by_second, default=-1) + 1)]


def _second(number: int, rows: list[tuple[float, bool]]) -> Second:
    times = sorted(took for took, _ in rows)
    p50, p95, p99 = (times[len(times) * share // 100] if times else 0.0 for share in (50, 95, 99))
    failures = sum(failed for _, failed in rows)
    return Second(number, len(rows), failures, p50, p95, p99, times[-1] if times else 0.0)


def write_csv(path: Path, rows: list[Second], scaling: Scaling | None = None) -> None:
    """A line for each second; with a group, its instances and CPU as they were known by then."""
    names = ["second", "requests", "failures", "p50_ms", "p95_ms", "p99_ms", "max_ms"]
    lines = [",".join(names + (["instances", "cpu_percent"] if scaling else []))]
    for row in rows:
        values = [f"{row.second},{row.requests},{row.failures}"]
        values += [f"{time:.3f}" for time in (row.p50, row.p95, row.p99, row.longest)]
        if scaling:
            known = (scaling.at(curve, row.second) for curve in (scaling.instances, scaling.cpu))
            values += ["" if value is None else f"{value:g}" for value in known]
        lines.append(",".join(values))
    path.write_text("\n".join(lines) + "\n")
