"""The ledger of the models' calls. A row is added before a call, completed once, and never deleted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.ledger_months import (
    UNSETTLED_STATES,
    dollars,
    forget_months,
    read_total,
    read_unsettled,
    store_months,
)
from imgcore.db.mapping import NAME, WORD, Row, local_time
from imgcore.db.statements import sql
from imgcore.spending.models import Caps, Group, LedgerEntry, Period, Unsettled, Usage
from imgcore.text import storable

_APPEND = (
    "{insert_ignore} model_calls (call_id, called_at, public_id, owner_id, model, prompt_version, input_tokens,"
    " output_tokens, price_usd, price_date, counted_usd, outcome, batch) VALUES (:call_id, {now}, :public_id,"
    " :owner_id, :model, :prompt_version, :input_tokens, :output_tokens, :price_usd, :price_date, :counted_usd,"
    " :outcome, :batch)"
)
_OPEN = (
    "{insert_ignore} model_calls (call_id, called_at, public_id, owner_id, model, prompt_version, input_tokens,"
    " output_tokens, price_usd, price_date, counted_usd, outcome, batch, state, most_input_tokens,"
    " most_output_tokens, most_price_usd) VALUES (:call_id, {now}, :public_id, :owner_id, :model,"
    " :prompt_version, 0, 0, NULL, NULL, :counted_usd, :outcome, :batch, 'open', :input_tokens, :output_tokens,"
    " :price_usd)"
)
_SETTLE = (
    "UPDATE model_calls SET model = :model, prompt_version = :prompt_version, input_tokens = :input_tokens,"
    " output_tokens = :output_tokens, price_usd = :price_usd, price_date = :price_date,"
    " counted_usd = :counted_usd, outcome = :outcome, state = NULL"
    " WHERE call_id = :call_id AND state IN {states}"
)
_NOT_BILLED = "('not_billed')"
_CLOSE = (
    "UPDATE model_calls SET outcome = :outcome, price_usd = 0, counted_usd = 0, state = 'not_billed'"
    " WHERE call_id = :call_id AND state IN {states}"
)
_LOSE = (
    "UPDATE model_calls SET outcome = :outcome, state = 'unknown' WHERE call_id = :call_id AND state = 'open'"
)
_GROUPS = {
    Group.MODEL: "c.model",
    Group.OWNER: "a.name",
    Group.DAY: "SUBSTR(CAST(c.called_at AS CHAR), 1, 10)",
}
_USAGE = sql(
    "SELECT {group} AS name, COUNT(*) - COUNT(c.state) AS calls,"
    " COUNT(DISTINCT CASE WHEN c.state IS NULL THEN c.public_id END) AS images,"
    " SUM(c.input_tokens) AS input_tokens, SUM(c.output_tokens) AS output_tokens,"
    " SUM(c.price_usd) AS price_usd,"
    " SUM(CASE WHEN c.state IS NULL AND c.price_usd IS NULL THEN 1 ELSE 0 END) AS unpriced,"
    " COUNT(c.state) AS unsettled,"
    " SUM(CASE WHEN c.state IS NOT NULL THEN c.most_input_tokens ELSE 0 END) AS most_input_tokens,"
    " SUM(CASE WHEN c.state IS NOT NULL THEN c.most_output_tokens ELSE 0 END) AS most_output_tokens,"
    " SUM(CASE WHEN c.state IS NOT NULL THEN c.most_price_usd END) AS most_price_usd,"
    " SUM(CASE WHEN c.state IS NOT NULL AND c.most_price_usd IS NULL THEN 1 ELSE 0 END) AS most_unpriced"
    " FROM model_calls c {join} WHERE {conditions} AND (c.state IS NULL OR c.state <> 'not_billed')"
    " GROUP BY {group} ORDER BY name",
)

# The images of open batches are few; SQLite would begin with those of all
_IN_BATCHES = (
    "SELECT COUNT(*) AS n FROM batches j {then_join} batch_images b ON b.batch_id = j.id"
    " LEFT JOIN campaign_items c ON c.campaign_id = j.campaign_id AND c.image_id = b.image_id"
    " WHERE j.closed_at IS NULL AND j.sent_at IS NOT NULL AND (c.status = 'waiting' OR c.status IS NULL)"
)


class LedgerRepository(Repository):
    """The ledger. Each method is one transaction."""

    def open(self, entry: LedgerEntry) -> None:
        """Add the entry of a call that is about to be sent, at the database's time.

        Its tokens and price are upper bounds, which stay beside those of the answer.
        """
        values = _values(entry)
        del values["price_date"]
        self._database.run(lambda tx: tx.execute(_OPEN, **values))

    def close(self, call_id: str, outcome: str) -> None:
        """Complete the entry of a call that was not billed."""
        self._change(sql(_CLOSE, states=UNSETTLED_STATES), call_id, outcome)

    def lose(self, call_id: str, outcome: str) -> None:
        """Note why an open call has no answer; it counts as before."""
        self._change(_LOSE, call_id, outcome)

    def _change(self, statement: str, call_id: str, outcome: str) -> None:
        values = {"call_id": call_id, "outcome": storable(outcome, WORD)}
        self._database.run(lambda tx: tx.execute(statement, **values))

    def append(self, entry: LedgerEntry) -> None:
        """Complete the entry of a call that was answered; add it, at the database's time, where it is missing.

        One that is complete is left as it is.
        """
        values = _values(entry)
        same = ("public_id", "owner_id", "batch")  # as in the open entry
        settled = {name: value for name, value in values.items() if name not in same}

        def append(tx: Transaction) -> None:
            if tx.execute(sql(_SETTLE, states=UNSETTLED_STATES), **settled):
                return
            if tx.execute(sql(_SETTLE, states=_NOT_BILLED), **settled):  # answered although it was refused
                forget_months(tx, entry.call_id)
            else:
                tx.execute(_APPEND, **values)

        self._database.run(append)

    def usage(
        self,
        period: Period,
        group: Group | None = None,
        *,
        owner_id: int | None = None,
        batch: bool | None = None,
    ) -> Sequence[Usage]:
        """Return the sums of a period for each value of ``group``, in its order; one sum where it is None.

        batch: only entries of batches, or only others.
        """
        conditions, values = _conditions(period, owner_id, batch)
        statement = sql(
            _USAGE,
            join="LEFT JOIN accounts a ON a.id = c.owner_id" if group is Group.OWNER else "",
            group=_GROUPS[group] if group else "NULL",
            conditions=conditions,
        )
        return [_usage(row) for row in self._database.read(lambda tx: tx.rows(statement, **values))]

    def total(self, owner_id: int | None = None) -> Usage:
        """Return the sum of all entries; it reads those of months whose sums are not stored.

        owner_id: only of this account's images.
        """
        return self._database.read(lambda tx: read_total(tx, owner_id))

    def unsettled(self, owner_id: int | None = None) -> Unsettled | None:
        """Return the sum of the calls without an answer; None where there are none. owner_id: as above."""
        return self._database.read(lambda tx: read_unsettled(tx, owner_id))

    def store_months(self, now: datetime, *, limit: int) -> int:
        """Store the sums of up to ``limit`` months that are over and have none; return how many."""
        return store_months(self._database, now, limit)

    def described(self, since: datetime) -> Sequence[tuple[str, int, float]]:
        """Return each model, how often it described an image since then, and what all answers to that cost.

        Without batches, probes (which are for no image), and answers whose price is unknown.
        """
        query = (
            "SELECT model, SUM(outcome = 'described') AS described, SUM(price_usd) AS price_usd"
            " FROM model_calls WHERE called_at >= :since AND batch = 0 AND public_id IS NOT NULL"
            " AND price_usd IS NOT NULL GROUP BY model"
        )
        rows = self._database.read(lambda tx: tx.rows(query, since=local_time(since)))
        return [(row["model"], int(row["described"]), float(row["price_usd"])) for row in rows]

    def counted(self, since: datetime, *, owner_id: int | None = None) -> float:
        """Return the sum that caps count, from ``since`` on, in US dollars.

        owner_id: only of this account's images, which its quota counts.
        """
        statement = "SELECT SUM(counted_usd) AS spent FROM model_calls WHERE called_at >= :since"
        values: dict[str, Any] = {"since": local_time(since)}
        if owner_id is not None:
            statement += " AND owner_id = :owner_id"
            values["owner_id"] = owner_id
        row = self._database.read(lambda tx: tx.row(statement, **values))
        return float(row["spent"] or 0.0) if row else 0.0

    def in_batches(self, owner_id: int | None = None) -> int:
        """Return how many images are in batches that were sent and whose answers are not stored.

        owner_id: only of this account's images.
        """
        statement = _IN_BATCHES + (" AND b.owner_id = :owner_id" if owner_id is not None else "")
        values = {} if owner_id is None else {"owner_id": owner_id}
        row = self._database.read(lambda tx: tx.row(statement, **values))
        return int(row["n"]) if row else 0

    def quota(self, owner_id: int) -> Caps:
        """Return the quota of spending that an administrator has set for an account; None: the default."""
        statement = "SELECT quota_spend_day, quota_spend_month FROM accounts WHERE id = :owner_id"
        row = self._database.read(lambda tx: tx.row(statement, owner_id=owner_id)) or {}
        return Caps(row.get("quota_spend_day"), row.get("quota_spend_month"))


def _values(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "call_id": entry.call_id,
        "public_id": entry.public_id,
        "owner_id": entry.owner_id,
        "model": storable(entry.model, NAME),
        "prompt_version": storable(entry.prompt_version, WORD) if entry.prompt_version else None,
        "input_tokens": entry.input_tokens,
        "output_tokens": entry.output_tokens,
        "price_usd": entry.quote.price_usd,
        "price_date": entry.quote.price_date,
        "counted_usd": entry.quote.counted_usd,
        "outcome": storable(entry.outcome, WORD),
        "batch": int(entry.batch),
    }


def _conditions(period: Period, owner_id: int | None, batch: bool | None) -> tuple[str, dict[str, Any]]:
    conditions: dict[str, Any] = {}
    if period.since is not None:
        conditions["c.called_at >= :since"] = ("since", local_time(period.since))
    if period.until is not None:
        conditions["c.called_at < :until"] = ("until", local_time(period.until))
    if owner_id is not None:
        conditions["c.owner_id = :owner_id"] = ("owner_id", owner_id)
    if batch is not None:
        conditions["c.batch = :batch"] = ("batch", int(batch))
    return " AND ".join(conditions) or "1 = 1", dict(conditions.values())


def _usage(row: Row) -> Usage:
    unsettled = Unsettled(
        calls=row["unsettled"],
        input_tokens_at_most=int(row["most_input_tokens"]),
        output_tokens_at_most=int(row["most_output_tokens"]),
        price_usd_at_most=dollars(row["most_price_usd"]),
        unpriced=int(row["most_unpriced"]),
    )
    return Usage(
        group=row["name"],
        calls=row["calls"],
        images=row["images"],
        input_tokens=int(row["input_tokens"]),
        output_tokens=int(row["output_tokens"]),
        price_usd=dollars(row["price_usd"]),
        unpriced=int(row["unpriced"]),
        unsettled=unsettled if unsettled.calls else None,
    )
