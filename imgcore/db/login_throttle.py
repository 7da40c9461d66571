"""How often something was tried, counted in the database so that every process of a fleet knows it."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.backoff import exponential
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import micros, moment

_FORGET = 3600.0  # seconds without a try
_FIRST = 15.0  # seconds that are waited after the last free try


class Throttles(Repository):
    """The part of the account store that counts tries."""

    def hit(self, tries: Sequence[tuple[str, int, float]]) -> float:
        """Count a try under each (name, free tries, longest wait in seconds), all or none.

        0 where it may go on; else the seconds to wait, and nothing is counted. It is counted before it is
        known whether it succeeds: many at the same moment would all pass otherwise.
        """
        ordered = sorted(tries)  # everybody locks in one order

        def work(tx: Transaction) -> float:
            found = [_look(tx, name) for name, _, _ in ordered]
            wait = max(wait for _, wait in found)
            if wait <= 0:
                for (name, free, longest), (count, _) in zip(ordered, found, strict=True):
                    _count(tx, name, count + 1, delay(count + 1, free, longest))
            return max(wait, 0.0)

        return self._database.run(work)

    def reset(self, forget: Sequence[str], refund: Sequence[str]) -> None:
        """Forget all tries under the one names, take one back under the others."""

        def work(tx: Transaction) -> None:
            for name in sorted({*forget, *refund}):
                if name in forget:
                    tx.execute("DELETE FROM throttles WHERE name = ?", name)
                else:
                    one_less = "UPDATE throttles SET tries = tries - 1, blocked_until = NULL"
                    tx.execute(f"{one_less} WHERE name = ? AND tries > 0", name)
            tx.execute("DELETE FROM throttles WHERE updated_at <= {ago}", micros(2 * _FORGET))

        self._database.run(work)


def delay(count: int, free: int, longest: float) -> float:
    """Seconds to wait after the ``count``-th try: none while free, then 15, 30, … up to ``longest``."""
    return exponential(count - free + 1, first=_FIRST, longest=longest) if count >= free else 0.0


def _look(tx: Transaction, name: str) -> tuple[int, float]:
    """AttemptCounter that are remembered, and seconds still to wait; the row is there and locked afterwards."""
    tx.execute("{insert_ignore} throttles (name, tries, updated_at) VALUES (?, 0, {now})", name)
    row = tx.row(
        "SELECT tries, blocked_until, updated_at <= {ago} AS stale, {now} AS clock FROM throttles"
        " WHERE name = ? {for_update}",
        micros(_FORGET),
        name,
    )
    assert row is not None
    until, clock = moment(row["blocked_until"]), moment(row["clock"])
    wait = (until - clock).total_seconds() if until and clock else 0.0
    return (0 if row["stale"] and wait <= 0 else row["tries"]), wait


def _count(tx: Transaction, name: str, count: int, wait: float) -> None:
    blocked = "{later}" if wait else "NULL"
    sql = f"UPDATE throttles SET tries = ?, updated_at = {{now}}, blocked_until = {blocked} WHERE name = ?"
    tx.execute(sql, count, *([micros(wait)] if wait else []), name)
