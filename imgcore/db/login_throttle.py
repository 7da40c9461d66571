"""The login throttle: attempts counted in the database, so that all processes of a fleet count together."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.backoff import exponential
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import in_list, micros, moment
from imgcore.db.statements import sql

_FORGET = 3600.0  # seconds without an attempt after which the count starts again
_FIRST = 15.0  # seconds to wait after the last free attempt


class LoginThrottle(Repository):
    """Counts attempts under names; after the free ones, each attempt doubles the wait until the next."""

    def hit(self, tries: Sequence[tuple[str, int, float]]) -> float:
        """Count an attempt under each (name, free attempts, longest wait in seconds): all of them or none.

        Return 0 where the attempt may go on; else the seconds to wait, and nothing is counted. An attempt is
        counted before its outcome is known, because many at the same moment would all pass otherwise.
        An attempt that has to wait only reads, so that a flood of them does not lock rows.
        """
        if (wait := self._database.read(lambda tx: _longest_wait(tx, [name for name, _, _ in tries]))) > 0:
            return wait
        ordered = sorted(tries)  # one order of locks for all callers

        def work(tx: Transaction) -> float:
            found = [_lock(tx, name) for name, _, _ in ordered]
            wait = max(wait for _, wait in found)
            if wait <= 0:
                for (name, free, longest), (count, _) in zip(ordered, found, strict=True):
                    _store(tx, name, count + 1, delay(count + 1, free, longest))
            return max(wait, 0.0)

        return self._database.run(work)

    def reset(self, forget: Sequence[str], refund: Sequence[str]) -> None:
        """Delete the counts of the names ``forget``; take one attempt back from the names ``refund``."""

        def work(tx: Transaction) -> None:
            for name in sorted({*forget, *refund}):
                if name in forget:
                    tx.execute("DELETE FROM throttles WHERE name = :name", name=name)
                else:
                    tx.execute(
                        "UPDATE throttles SET tries = tries - 1, blocked_until = NULL"
                        " WHERE name = :name AND tries > 0",
                        name=name,
                    )
            tx.execute("DELETE FROM throttles WHERE updated_at <= {ago:age}", age=micros(2 * _FORGET))

        self._database.run(work)


def delay(count: int, free: int, longest: float) -> float:
    """Return the seconds to wait after attempt ``count``: 0 while free, then 15, 30, … to ``longest``."""
    return exponential(count - free + 1, first=_FIRST, longest=longest) if count >= free else 0.0


def _longest_wait(tx: Transaction, names: Sequence[str]) -> float:
    """Return the seconds until none of the names has to wait any more; 0 where none has to."""
    listed, values = in_list("name", names)
    query = sql(
        "SELECT blocked_until, {now} AS clock FROM throttles WHERE name IN ({names}) AND blocked_until > {now}",
        names=listed,
    )
    waits = [0.0]
    for row in tx.rows(query, **values):
        until, clock = moment(row["blocked_until"]), moment(row["clock"])
        assert until is not None
        assert clock is not None
        waits.append((until - clock).total_seconds())
    return max(waits)


def _lock(tx: Transaction, name: str) -> tuple[int, float]:
    """Lock the row of ``name``, which is added if needed; return its attempts and the seconds still to wait."""
    tx.execute("{insert_ignore} throttles (name, tries, updated_at) VALUES (:name, 0, {now})", name=name)
    row = tx.row(
        "SELECT tries, blocked_until, updated_at <= {ago:age} AS stale, {now} AS clock FROM throttles"
        " WHERE name = :name {for_update}",
        name=name,
        age=micros(_FORGET),
    )
    assert row is not None
    until, clock = moment(row["blocked_until"]), moment(row["clock"])
    wait = (until - clock).total_seconds() if until and clock else 0.0
    return (0 if row["stale"] and wait <= 0 else row["tries"]), wait


def _store(tx: Transaction, name: str, count: int, wait: float) -> None:
    tx.execute(
        "UPDATE throttles SET tries = :count, updated_at = {now},"
        " blocked_until = CASE WHEN :wait > 0 THEN {later:wait} END WHERE name = :name",
        name=name,
        count=count,
        wait=micros(wait),
    )
