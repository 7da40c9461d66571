"""Circuit breakers: while a service asks for a pause or refuses the settings, no process calls it."""

from __future__ import annotations

from datetime import datetime

from imgcore.backoff import exponential
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import MESSAGE, WORD, Row, micros, moment
from imgcore.pipeline.models import BreakerState
from imgcore.text import storable

FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 30.0, 900.0

# Part of a statement that reads more: the reason, the message, and whether calls pass
FOR_NOTICE = (
    "SELECT 'breaker', reason, message, closed_until IS NULL OR closed_until <= {now} FROM gates"
    " WHERE name = :breaker"
)
_LOOK = "SELECT closed_until, reason, message, failures, {now} AS clock FROM gates WHERE name = :name"


class CircuitBreakers(Repository):
    """One circuit breaker a service, shared by all processes. The table is named ``gates``.

    Closed: calls pass. Open: no call passes until its time is over; then one caller probes the service.

    Its time is stored here alone: 100,000 tasks may wait for it, and one transaction cannot change them all.
    imgcore.pipeline.models.next_attempt tells when one of them is tried again.
    """

    def state(self, name: str) -> BreakerState:
        """Return the state without changing it. The reason stays until a probe has succeeded."""
        return self._database.read(lambda tx: _state(name, _look(tx, name)))

    def open_until(self, name: str) -> datetime | None:
        """Return the time of the next probe, perhaps a past one; None while the breaker is closed."""
        return self._database.read(lambda tx: open_until(tx, name))

    def acquire(self, name: str, *, probe: float) -> BreakerState:
        """Ask to call the service: ``closed`` of the answer says whether the caller may.

        When the time of an open breaker is over, one caller gets through with ``probing`` set; the others wait
        ``probe`` seconds more.
        """
        row = self._database.read(lambda tx: _look(tx, name))
        if row is None or row["closed_until"] is None or not _state(name, row).closed:
            return _state(name, row)

        def take(tx: Transaction) -> BreakerState:
            taken = tx.execute(
                "UPDATE gates SET closed_until = {later:probe} WHERE name = :name AND closed_until <= {now}",
                probe=micros(probe),
                name=name,
            )
            return BreakerState(name, probing=True) if taken else _state(name, _look(tx, name))

        return self._database.run(take)

    def open(self, name: str, *, wait: float, reason: str, message: str) -> None:
        """Let no call pass for ``wait`` seconds, unless the breaker is open for longer already.

        reason: a code, such as "key_refused". message: a sentence for people.
        """
        values = {"reason": storable(reason, WORD), "message": storable(message, MESSAGE)}

        def store(tx: Transaction) -> None:
            tx.execute("{insert_ignore} gates (name) VALUES (:name)", name=name)
            tx.execute(
                "UPDATE gates SET closed_until = {later:wait}, reason = :reason, message = :message"
                " WHERE name = :name AND (closed_until IS NULL OR closed_until < {later:wait})",
                name=name,
                wait=micros(wait),
                **values,
            )

        self._database.run(store)

    def back_off(self, name: str, *, probing: bool, reason: str, message: str) -> float:
        """Open the breaker of a service that is away: 30 s, doubled with each failed probe, to 15 minutes.

        probing: the caller has probed. Other callers find a breaker that is open already and leave it as it is.
        Returns the seconds until the next probe.
        """
        values = {"reason": storable(reason, WORD), "message": storable(message, MESSAGE)}

        def store(tx: Transaction) -> float:
            tx.execute("{insert_ignore} gates (name) VALUES (:name)", name=name)
            row = tx.row(_LOOK + " {for_update}", name=name)
            known = _state(name, row)
            if row is None or not (probing or known.closed):
                return known.wait
            failures = (row["failures"] or 0) + 1
            wait = exponential(failures, first=FIRST_BACKOFF_SECONDS, longest=LONGEST_BACKOFF_SECONDS)
            tx.execute(
                "UPDATE gates SET closed_until = {later:wait}, failures = :failures, reason = :reason,"
                " message = :message WHERE name = :name",
                name=name,
                wait=micros(wait),
                failures=failures,
                **values,
            )
            return wait

        return self._database.run(store)

    def close(self, name: str) -> None:
        """Let every call pass again."""
        if self.state(name).reason is not None:  # most of the time there is nothing to write
            self._database.run(
                lambda tx: tx.execute(
                    "UPDATE gates SET closed_until = NULL, reason = NULL, message = NULL, failures = NULL"
                    " WHERE name = :name",
                    name=name,
                )
            )

    def allow_probe(self, name: str) -> None:
        """Let the next caller probe an open breaker at once, because a person expects that it works again."""
        if not self.state(name).closed:
            statement = "UPDATE gates SET closed_until = {now} WHERE name = :name AND closed_until > {now}"
            self._database.run(lambda tx: tx.execute(statement, name=name))


def read_breakers(tx: Transaction) -> list[BreakerState]:
    """Return the state of every circuit breaker that was ever open, by name."""
    rows = tx.rows("SELECT name, closed_until, reason, message, {now} AS clock FROM gates ORDER BY name")
    return [_state(row["name"], row) for row in rows]


def open_until(tx: Transaction, name: str) -> datetime | None:
    """Return the time of a breaker's next probe, perhaps a past one; None while it is closed."""
    row = tx.row("SELECT closed_until FROM gates WHERE name = :name", name=name)
    return moment(row["closed_until"]) if row else None


def _look(tx: Transaction, name: str) -> Row | None:
    return tx.row(_LOOK, name=name)


def _state(name: str, row: Row | None) -> BreakerState:
    until, clock = (moment(row["closed_until"]), moment(row["clock"])) if row else (None, None)
    if row is None or until is None or clock is None:
        return BreakerState(name)
    return BreakerState(name, max(0.0, (until - clock).total_seconds()), row["reason"], row["message"])
