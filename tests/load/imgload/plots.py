"""The test as a picture: percentiles over time, requests a second, and the group under the same axis."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgload.scaling import Scaling
    from imgload.timeline import Second

_COLOURS = {"p50": "#2a6f97", "p95": "#e09f3e", "p99": "#9e2a2b"}


def draw(path: Path, rows: list[Second], title: str, scaling: Scaling | None = None) -> None:
    """Write a PNG of 900 by 600 pixels, or 900 by 800 with a group."""
    import matplotlib

    matplotlib.use("Agg")  # no screen is needed
    from matplotlib import pyplot

    count = 3 if scaling else 2
    figure, axes = pyplot.subplots(
        count,
        sharex=True,
        figsize=(9, 2 + 2 * count),
        height_ratios=[2, *[1] * (count - 1)],
        layout="constrained",
    )
    figure.suptitle(title, fontsize=10)
    _latencies(axes[0], rows)
    _rates(axes[1], rows)
    if scaling:
        _group(axes[2], scaling, rows[-1].second + 1)
    axes[-1].set_xlabel("seconds")
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.set_ylim(bottom=0)
    try:
        figure.savefig(path, format="png", dpi=100, metadata={"Software": None})
    finally:
        pyplot.close(figure)


def _latencies(axis: Any, rows: list[Second]) -> None:
    """A second without requests has no latency: the curve is broken there."""
    for name, colour in _COLOURS.items():
        values = [getattr(row, name) if row.requests else float("nan") for row in rows]
        axis.plot([row.second for row in rows], values, label=name, color=colour, linewidth=1.2)
    axis.set_ylabel("milliseconds")
    axis.legend(loc="upper right", fontsize=8)


def _rates(axis: Any, rows: list[Second]) -> None:
    when = [row.second for row in rows]
    axis.step(when, [row.requests for row in rows], where="mid", color="#335c67", linewidth=1, label="requests")
    axis.fill_between(when, [row.failures for row in rows], step="mid", color="#9e2a2b", label="failed")
    axis.set_ylabel("a second")
    axis.legend(loc="lower right", fontsize=8)


def _group(axis: Any, scaling: Scaling, end: float) -> None:
    """Instances as steps on the left, CPU in percent on the right."""
    if scaling.instances:
        points = [*scaling.instances, (max(end, scaling.instances[-1][0]), scaling.instances[-1][1])]
        axis.step(*zip(*points, strict=True), where="post", color="#335c67")
        axis.set_yticks(range(int(max(value for _, value in points)) + 2))
    axis.set_ylabel("instances", color="#335c67")
    axis.set_xlim(0, end)
    percent = axis.twinx()
    if scaling.cpu:
        percent.plot(*zip(*scaling.cpu, strict=True), color="#e09f3e", marker=".")
    percent.set_ylim(0, 100)
    percent.set_ylabel("CPU %", color="#b07715")
