"""--rate: requests that are due whether or not the server keeps up."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.load.commands import Warm, figures
from tests.load.odd_server import OddServer


def test_each_request_is_sent_when_it_is_due(odd: OddServer, imgload: Warm) -> None:
    """A server that keeps up gets all of them, and no more."""
    odd.forget()

    ended = imgload("--rate", "100", "-n", "50", f"{odd.origin}/ok")

    found = figures(ended.out)
    assert (0, 50) == (ended.code, len(odd.requests))
    assert ("50", "0") == (found["Complete requests"], found["Failed requests"])
    assert ("50 at 100.00 [#/sec]", "0", "0") == tuple(
        found[name] for name in ("Requests due", "Due but not sent", "Sent but not answered")
    )


def test_what_could_not_be_sent_counts_with_the_time_it_waited(
    odd: OddServer, imgload: Warm, tmp_path: Path
) -> None:
    """A server that is silent has the two connections in its hand; the other requests are not left out."""
    shares = tmp_path / "shares.csv"
    flags = ("--rate", "50", "-t", "1", "-c", "2", "-s", "0.5", "-e", str(shares))

    found = figures(imgload(*flags, f"{odd.origin}/silent").out)

    assert ("50", "50") == (found["Complete requests"], found["Failed requests"])
    assert ("48", "2") == (found["Due but not sent"], found["Sent but not answered"])
    rows = list(csv.reader(shares.open()))[1:]
    least, longest = float(rows[0][1]), float(rows[-1][1])
    # The first was due at the start, the last 0.98 s later, and all of them waited until the end.
    assert least > 500
    assert round((longest - least) / 1000, 1) == 1.0


def test_it_keeps_on_through_failures(odd: OddServer, imgload: Warm) -> None:
    """A closed loop would give up here; an open one counts."""
    found = figures(imgload("--rate", "100", "-n", "20", f"{odd.origin}/reset").out)

    assert "20" == found["Complete requests"]
    assert "Receive: 20" in found["(Connect"]
