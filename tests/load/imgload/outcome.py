"""What is written after a test, whichever it was: --csv, --plot, and for both the group of --aws."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from imgload import scaling, timeline

if TYPE_CHECKING:
    from imgload.options import Options


def missing(options: Options) -> str | None:
    """A sentence where a library that this test needs is not installed; asked before it begins."""
    wanted = {"locust": True, "matplotlib": bool(options.plot), "boto3": bool(options.group)}
    for name, needed in wanted.items():
        if needed and importlib.util.find_spec(name) is None:
            extra = "aws" if name == "boto3" else "load"
            return f"imgload: {name} is not installed: pip install 'imgcore[{extra}]'"
    return None


def save(options: Options, ended: Callable[[], list[timeline.Ended]], begun: float) -> str | None:
    """Write the files that were asked for; a sentence where that did not work.

    begun: when the test began, in seconds since 1970.
    """
    rows = timeline.seconds(ended()) if options.csv or options.plot else []
    if not rows:
        return None
    curves, complaint = _curves(options.group, begun, begun + len(rows))
    try:
        if options.csv:
            timeline.write_csv(Path(options.csv), rows, curves)
        if options.plot:
            from imgload import plots

            plots.draw(Path(options.plot), rows, _title(options), curves)
    except OSError as error:
        return f"imgload: cannot write {error.filename}: {error.strerror}"
    return complaint


def _curves(group: str | None, begun: float, ended: float) -> tuple[scaling.Scaling | None, str | None]:
    """The group's curves, or why there are none: that must not cost the test's own."""
    if group is None:
        return None, None
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    moments = (datetime.fromtimestamp(moment, UTC) for moment in (begun, ended))
    try:
        return scaling.await_curves(boto3.client("cloudwatch"), group, *moments), None
    except (BotoCoreError, ClientError) as error:
        return None, f"imgload: CloudWatch does not tell of {group}: {error}"


def _title(options: Options) -> str:
    url = options.target.origin + options.target.path
    if options.users is not None:
        return f"{url}: {options.users} people"
    if options.rate is not None:
        return f"{url}: {options.rate:g} requests a second, timed from when they were due"
    return f"{url}: {options.concurrency} connections"
