"""The command ``imgcore cost``: sums of the ledger."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.spending.models import Group, Period

Emit = Callable[[dict[str, Any]], None]


def add_to(parser: argparse.ArgumentParser, emit: Emit) -> None:
    """Add the options of ``cost`` to ``parser``. emit: prints an object."""
    period = parser.add_mutually_exclusive_group()
    period.add_argument("--today", action="store_true", help="only this day (UTC)")
    period.add_argument("--month", action="store_true", help="only this month (UTC)")
    period.add_argument(
        "--from", dest="since", type=_day, metavar="DAY", help="from this day on: YYYY-MM-DD, UTC"
    )
    parser.add_argument("--to", dest="until", type=_day, metavar="DAY", help="up to this day, included")
    parser.add_argument(
        "--by",
        choices=[*(group.value for group in Group), "all"],
        default="model",
        help="what to sum by; default: model",
    )

    def run(parsed: argparse.Namespace) -> int:
        if parsed.until and (parsed.today or parsed.month):
            parser.error("--to goes with --from, not with --today or --month.")
        if parsed.since and parsed.until and parsed.until < parsed.since:
            parser.error("--to is before --from.")
        group = None if parsed.by == "all" else Group(parsed.by)
        spending = bootstrap.spending(Config.read())
        period = spending.today() if parsed.today else spending.month() if parsed.month else _period(parsed)
        rows = spending.usage(period, group)
        if not rows:
            print("imgcore: the ledger has no answer of a model in this period.", file=sys.stderr)
        for usage in rows:
            row = asdict(usage)
            name = row.pop("group")
            emit(({group.value: name} if group else {}) | row)
        return 0

    parser.set_defaults(run=run)


def _period(parsed: argparse.Namespace) -> Period:
    since, until = parsed.since, parsed.until
    after = until + timedelta(days=1) if until and until < date.max else None
    return Period(_midnight(since), _midnight(after))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day: write YYYY-MM-DD.") from None


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), UTC) if day else None
