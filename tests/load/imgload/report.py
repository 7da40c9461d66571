"""ab's report, line by line, and its two files."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgload.job import Job

SHARES = (50, 66, 75, 80, 90, 95, 98, 99)


def report(job: Job) -> str:
    """The whole of what ab prints after a test."""
    return "\n".join((*_subject(job), *_figures(job), *_times(job))) + "\n"


def _subject(job: Job) -> Iterator[str]:
    target = job.options.target
    yield from ("", "", f"Server Software:        {job.server}", f"Server Hostname:        {target.host}")
    yield f"Server Port:            {target.port}"
    for name, value in job.tls.items():
        yield f"{f'{name}:':<24}{value}"
    length = "Variable" if job.options.any_length else f"{job.length} bytes"
    yield from ("", f"Document Path:          {target.path}", f"Document Length:        {length}", "")


def _figures(job: Job) -> Iterator[str]:
    options = job.options
    taken = job.last - job.begun
    yield f"Concurrency Level:      {options.concurrency}"
    yield f"Time taken for tests:   {taken:.3f} seconds"
    yield f"Complete requests:      {job.done}"
    yield f"Failed requests:        {job.bad}"
    if job.bad:
        yield (
            f"   (Connect: {job.connect_errors}, Receive: {job.receive_errors},"
            f" Length: {job.length_errors}, Exceptions: {job.exceptions})"
        )
    if job.write_errors:
        yield f"Write errors:           {job.write_errors}"
    if job.not_ok:
        yield f"Non-2xx responses:      {job.not_ok}"
    if options.keep_alive:
        yield f"Keep-Alive requests:    {job.kept}"
    yield f"Total transferred:      {job.read} bytes"
    if options.body is not None:
        yield f"Total body sent:        {job.sent}"
    yield f"HTML transferred:       {job.body_read} bytes"
    if taken > 0 and job.done:
        yield from _rates(job, taken)


def _rates(job: Job, taken: float) -> Iterator[str]:
    each = taken * 1000 / job.done
    yield f"Requests per second:    {job.done / taken:.2f} [#/sec] (mean)"
    yield f"Time per request:       {job.options.concurrency * each:.3f} [ms] (mean)"
    yield f"Time per request:       {each:.3f} [ms] (mean, across all concurrent requests)"
    yield f"Transfer rate:          {job.read / 1024 / taken:.2f} [Kbytes/sec] received"
    if job.options.body is not None:
        yield f"                        {job.sent / 1024 / taken:.2f} kb/s sent"
        yield f"                        {(job.read + job.sent) / 1024 / taken:.2f} kb/s total"


class Column:
    """Minimum, mean, deviation, median and maximum of times in microseconds; shown in milliseconds."""

    def __init__(self, times: list[int]) -> None:
        count, mean = len(times), sum(times) // len(times)
        times = sorted(times)
        middle = times[count // 2]
        if count > 1 and count % 2:  # the wrong way round, but what ab prints
            middle = (middle + times[count // 2 + 1]) // 2
        deviation = (sum((one - mean) ** 2 for one in times) / (count - 1)) ** 0.5 if count > 1 else 0.0
        self.least, self.mean, self.median, self.most = map(rounded, (times[0], mean, middle, times[-1]))
        self.deviation = deviation / 1000

    def doubt(self, what: str) -> str | None:
        """ab's warning where mean and median lie apart."""
        apart = abs(self.mean - self.median)
        if apart > 2 * self.deviation:
            return (
                f"ERROR: The median and mean for {what} are more than twice the standard\n"
                "       deviation apart. These results are NOT reliable."
            )
        if apart > self.deviation:
            return (
                f"WARNING: The median and mean for {what} are not within a normal deviation\n"
                "        These results are probably not that reliable."
            )
        return None


def _times(job: Job) -> Iterator[str]:
    if not job.done:
        return
    connect, total, wait = (micro(job.samples.column(name)) for name in ("connect", "total", "wait"))
    columns = {
        "Connect:": (Column(connect), "the initial connection time"),
        "Processing:": (Column([a - b for a, b in zip(total, connect, strict=True)]), "the processing time"),
        "Waiting:": (Column(wait), "the waiting time"),
        "Total:": (Column(total), "the total time"),
    }
    yield from ("", "Connection Times (ms)")
    if job.options.confidence:
        yield "              min  mean[+/-sd] median   max"
        for name, (c, _) in columns.items():
            yield f"{name:<12}{c.least:5d} {c.mean:4d} {c.deviation:5.1f} {c.median:6d} {c.most:7d}"
        doubts = (column.doubt(what) for column, what in columns.values())
        yield from (doubt for doubt in doubts if doubt)
    else:
        yield "              min   avg   max"
        for name, (c, _) in columns.items():
            yield f"{name:<12}{c.least:5d} {c.mean:5d}{c.most:5d}"
    if job.options.percentiles and job.done > 1:
        yield from _shares(sorted(total))


def _shares(total: list[int]) -> Iterator[str]:
    yield from ("", "Percentage of the requests served within a certain time (ms)")
    for share in SHARES:
        yield f"  {share}%  {rounded(total[len(total) * share // 100]):5d}"
    yield f" 100%  {rounded(total[-1]):5d} (longest request)"


def percentages(job: Job) -> str:
    """-e: for each percentage the milliseconds in which it was served."""
    total = sorted(micro(job.samples.column("total")))
    # ab reads one past the end for the highest ones of a short test; the longest request stands there here.
    places = [min(int(0.5 + len(total) * share / 100), len(total) - 1) for share in range(100)]
    rows = [f"{share},{total[place] / 1000:.3f}" for share, place in enumerate([*places, len(total) - 1])]
    return "\n".join(("Percentage served,Time in ms", *rows)) + "\n"


def gnuplot(job: Job) -> str:
    """-g: a row for each request, the fastest first."""
    times = (micro(job.samples.column(name)) for name in ("total", "connect", "wait"))
    rows = sorted(zip(*times, job.samples.column("start"), strict=True))
    lines = ["starttime\tseconds\tctime\tdtime\tttime\twait"]
    for total, connect, wait, start in rows:
        second = int(job.wall + start - job.begun)
        when = time.strftime("%a %b %d %H:%M:%S %Y", time.localtime(second))
        numbers = (second, *map(rounded, (connect, total - connect, total, wait)))
        lines.append("\t".join((when, *map(str, numbers))))
    return "\n".join(lines) + "\n"


def write_files(job: Job) -> str | None:
    """Write what -e and -g ask for; a sentence where one cannot be written."""
    asked: list[tuple[str | None, str, Callable[[Job], str]]] = [
        (job.options.percentages_file, "CSV", percentages),
        (job.options.gnuplot_file, "gnuplot", gnuplot),
    ]
    for name, what, text in asked:
        if name is None or not job.done:
            continue
        try:
            Path(name).write_text(text(job))
        except OSError as error:
            return f"Cannot open {what} output file: {error.strerror}"
    return None


def micro(times: Iterable[float]) -> list[int]:
    """Seconds in whole microseconds, as ab measures."""
    return [max(0, round(one * 1e6)) for one in times]


def rounded(microseconds: int) -> int:
    """Round to the nearest millisecond, halves up."""
    return (microseconds + 500) // 1000
