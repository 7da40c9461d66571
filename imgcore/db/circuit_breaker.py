"""Gates: when a service asks everybody to wait, everybody does, whatever process they are in."""

from __future__ import annotations

from imgcore.db.connection import Store, Transaction
from imgcore.db.mapping import MESSAGE, WORD, Row, micros, moment, storable
from imgcore.pipeline.models import Gate


class Gates(Store):
    """The part of the repository that keeps the gates."""

    def gate(self, name: str) -> Gate:
        """How it stands, changing nothing. The reason stays until somebody has passed and opened it."""
        return self._database.read(lambda tx: _gate(name, _look(tx, name)))

    def enter_gate(self, name: str, *, probe: float) -> Gate:
        """Open: go. Closed: wait. Just ended: one caller passes, the rest wait ``probe`` seconds more."""
        row = self._database.read(lambda tx: _look(tx, name))
        if row is None or row["closed_until"] is None or not _gate(name, row).open:
            return _gate(name, row)

        def take(tx: Transaction) -> Gate:
            taken = tx.execute(
                "UPDATE gates SET closed_until = {later} WHERE name = ? AND closed_until <= {now}",
                micros(probe),
                name,
            )
            return Gate(name, probing=True) if taken else _gate(name, _look(tx, name))

        return self._database.run(take)

    def close_gate(self, name: str, *, wait: float, reason: str, message: str) -> None:
        """Nobody passes for ``wait`` seconds; an earlier, longer closure stands."""
        values = storable(reason, WORD), storable(message, MESSAGE)

        def close(tx: Transaction) -> None:
            tx.execute("{insert_ignore} gates (name) VALUES (?)", name)
            tx.execute(
                "UPDATE gates SET closed_until = {later}, reason = ?, message = ?"
                " WHERE name = ? AND (closed_until IS NULL OR closed_until < {later})",
                micros(wait),
                *values,
                name,
                micros(wait),
            )

        self._database.run(close)

    def open_gate(self, name: str) -> None:
        """Everybody passes."""
        if self.gate(name).reason is not None:  # most of the time there is nothing to write
            self._database.run(
                lambda tx: tx.execute(
                    "UPDATE gates SET closed_until = NULL, reason = NULL, message = NULL WHERE name = ?", name
                )
            )


def _look(tx: Transaction, name: str) -> Row | None:
    return tx.row("SELECT closed_until, reason, message, {now} AS clock FROM gates WHERE name = ?", name)


def _gate(name: str, row: Row | None) -> Gate:
    until, clock = (moment(row["closed_until"]), moment(row["clock"])) if row else (None, None)
    if row is None or until is None or clock is None:
        return Gate(name)
    return Gate(name, max(0.0, (until - clock).total_seconds()), row["reason"], row["message"])
