"""The sums of the ledger's past months, kept so that a total does not read the whole ledger.

A month is stored a day after its end. Its answered calls change only when a call without an answer gets one, so
its sums hold while as many of its calls have none as when it was stored. A month that lost one is read from the
ledger again, with all that follow: which answer was the first for an image may have changed. A call that
counted as not billed is not among them: who stores its answer calls ``forget_months``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from imgcore.db.connection import Database, Transaction
from imgcore.db.mapping import Row, local_time
from imgcore.db.statements import sql
from imgcore.spending.models import Unsettled, Usage

EVERYBODY = -1  # in place of an owner: the sums of all calls
_SETTLING = timedelta(days=1)  # after a month's end: the clocks of processes and of the database differ

_COLUMNS = ("calls", "images", "input_tokens", "output_tokens", "price_usd", "unpriced")
_SUMS = (
    "COUNT(*) AS calls, SUM(c.input_tokens) AS input_tokens, SUM(c.output_tokens) AS output_tokens,"
    " SUM(c.price_usd) AS price_usd, COUNT(*) - COUNT(c.price_usd) AS unpriced"
)
_ANSWERED = "FROM model_calls c WHERE c.state IS NULL AND c.called_at >= :since AND c.called_at < :until"
_OWN = " AND c.owner_id = :owner_id"
# Images that had no answer before this period
_FIRST = (
    "COUNT(DISTINCT c.public_id) AS images {answered} AND c.public_id IS NOT NULL AND NOT EXISTS (SELECT 1"
    " FROM model_calls e WHERE e.public_id = c.public_id AND e.state IS NULL AND e.called_at < :since{same})"
)
_SAME = " AND e.owner_id = c.owner_id"
UNSETTLED_STATES = "('open', 'unknown')"  # of calls whose answer has not arrived
_WITHOUT_ANSWER = "FROM model_calls c WHERE c.state IN " + UNSETTLED_STATES
_UNSETTLED = (
    "SELECT COUNT(*) AS calls, SUM(c.most_input_tokens) AS input_tokens, SUM(c.most_output_tokens) AS"
    " output_tokens, SUM(c.most_price_usd) AS price_usd, COUNT(*) - COUNT(c.most_price_usd) AS unpriced "
)
_OPEN_BY_MONTH = (
    "SELECT SUBSTR(CAST(c.called_at AS CHAR), 1, 7) AS month, COUNT(*) AS n {calls} GROUP BY"
    " SUBSTR(CAST(c.called_at AS CHAR), 1, 7)"
)
_STORED = "SELECT month, unsettled FROM ledger_months WHERE owner_id = :owner_id ORDER BY month"
_ADD = (
    "{insert_ignore} ledger_months (month, owner_id, calls, images, input_tokens, output_tokens, price_usd,"
    " unpriced, unsettled) VALUES (:month, :owner_id, :calls, :images, :input_tokens, :output_tokens,"
    " :price_usd, :unpriced, :unsettled)"
)


def read_unsettled(tx: Transaction, owner_id: int | None) -> Unsettled | None:
    """Return the sum of the calls without an answer; None where there are none. owner_id: of one account."""
    own, values = (_OWN, {"owner_id": owner_id}) if owner_id is not None else ("", {})
    row = tx.row(_UNSETTLED + _WITHOUT_ANSWER + own, **values)
    if row is None or not row["calls"]:
        return None
    return Unsettled(
        calls=row["calls"],
        input_tokens_at_most=int(row["input_tokens"]),
        output_tokens_at_most=int(row["output_tokens"]),
        price_usd_at_most=dollars(row["price_usd"]),
        unpriced=int(row["unpriced"]),
    )


def read_total(tx: Transaction, owner_id: int | None) -> Usage:
    """Return the sum of all calls: of the stored months, and of what was called since. owner_id: as above."""
    months = _valid_months(tx)
    values = {"owner_id": EVERYBODY if owner_id is None else owner_id, "last": months[-1] if months else ""}
    sums = ", ".join(f"SUM({name}) AS {name}" for name in _COLUMNS)
    statement = sql("SELECT {sums} FROM ledger_months WHERE owner_id = :owner_id AND month <= :last", sums=sums)
    stored = tx.row(statement, **values) or {}
    since = _end(months[-1]) if months else _FIRST_DAY
    found = [stored, _read(tx, since, _LAST_DAY, owner_id)]

    def of(name: str) -> int:
        return sum(int(each[name] or 0) for each in found)

    prices = [float(each["price_usd"]) for each in found if each["price_usd"] is not None]
    return Usage(
        None,
        calls=of("calls"),
        images=of("images"),
        input_tokens=of("input_tokens"),
        output_tokens=of("output_tokens"),
        price_usd=dollars(sum(prices)) if prices else None,
        unpriced=of("unpriced"),
        unsettled=read_unsettled(tx, owner_id),
    )


def store_months(database: Database, now: datetime, limit: int) -> int:
    """Store the sums of up to ``limit`` months that ended and have none that hold; return how many.

    They are read before the transaction that writes them, which would else keep others waiting.
    """
    return next((stored for stored in range(limit) if not _store_next(database, now)), limit)


def _store_next(database: Database, now: datetime) -> bool:
    """Store the sums of one month; return whether there was one."""
    month = database.read(_next_unstored)
    if month is None or _next(month) + _SETTLING > now:
        return False
    sums = database.read(lambda tx: _sums(tx, month))
    database.run(lambda tx: _store(tx, month, sums))
    return True


def _next_unstored(tx: Transaction) -> datetime | None:
    """Return the first month without sums that hold, from that of the first call on; None without a call."""
    if valid := _valid_months(tx):
        return _end(valid[-1])
    first = tx.row("SELECT MIN(called_at) AS at FROM model_calls")
    return _start(str(first["at"])[:7]) if first and first["at"] else None


def forget_months(tx: Transaction, call_id: str) -> None:
    """Delete the sums of the month of this call, and of all that follow."""
    tx.execute(
        "DELETE FROM ledger_months WHERE month >= (SELECT SUBSTR(CAST(c.called_at AS CHAR), 1, 7)"
        " FROM model_calls c WHERE c.call_id = :call_id)",
        call_id=call_id,
    )


def _sums(tx: Transaction, month: datetime) -> Sequence[Row]:
    """Return the rows to be stored for a month: of all calls, and of each account that has some."""
    end = _next(month)
    bounds = {"since": local_time(month), "until": local_time(end)}
    unsettled = _unsettled(tx, bounds)
    owners = tx.rows(sql("SELECT DISTINCT c.owner_id AS owner_id {answered}", answered=_ANSWERED), **bounds)
    rows = []
    for owner_id in (EVERYBODY, *(each["owner_id"] for each in owners if each["owner_id"] is not None)):
        sums = _read(tx, month, end, None if owner_id == EVERYBODY else owner_id)
        row: Row = {column: int(sums[column] or 0) for column in _COLUMNS if column != "price_usd"}
        row |= {"owner_id": owner_id, "price_usd": dollars(sums["price_usd"]), "unsettled": unsettled}
        rows.append(row)
    return rows


def _store(tx: Transaction, month: datetime, sums: Sequence[Row]) -> None:
    """Store the rows, unless a call or another sweep has changed what they follow since they were read."""
    if _next_unstored(tx) != month:
        return
    bounds = {"since": local_time(month), "until": local_time(_next(month))}
    answered = tx.row(sql("SELECT COUNT(*) AS n {answered}", answered=_ANSWERED), **bounds) or {"n": 0}
    if (answered["n"], _unsettled(tx, bounds)) != (sums[0]["calls"], sums[0]["unsettled"]):
        return
    name = f"{month:%Y-%m}"
    tx.execute("DELETE FROM ledger_months WHERE month >= :month", month=name)
    for row in sums:
        tx.execute(_ADD, month=name, **row)


def _unsettled(tx: Transaction, bounds: Row) -> int:
    row = tx.row(
        sql(
            "SELECT COUNT(*) AS n {calls} AND c.called_at >= :since AND c.called_at < :until",
            calls=_WITHOUT_ANSWER,
        ),
        **bounds,
    )
    return int(row["n"]) if row else 0


def _valid_months(tx: Transaction) -> Sequence[str]:
    """Return the stored months whose sums hold, in order: all before the first that changed or is missing."""
    opened = {row["month"]: row["n"] for row in tx.rows(sql(_OPEN_BY_MONTH, calls=_WITHOUT_ANSWER))}
    valid: list[str] = []
    for row in tx.rows(_STORED, owner_id=EVERYBODY):
        follows = not valid or row["month"] == f"{_end(valid[-1]):%Y-%m}"
        if not follows or opened.get(row["month"], 0) != row["unsettled"]:
            break
        valid.append(row["month"])
    return valid


def _read(tx: Transaction, since: datetime, until: datetime, owner_id: int | None) -> Row:
    """Return the sums of the answered calls of a time; images: those that had no answer before it."""
    own, named = (_OWN, {"owner_id": owner_id}) if owner_id is not None else ("", {})
    values: dict[str, Any] = {"since": local_time(since), "until": local_time(until), **named}
    answered = _ANSWERED + own
    sums = tx.row(sql("SELECT {sums} {answered}", sums=_SUMS, answered=answered), **values) or {}
    first = sql(_FIRST, answered=answered, same=_SAME if named else "")
    images = tx.row(sql("SELECT {first}", first=first), **values) or {}
    return sums | images


_FIRST_DAY, _LAST_DAY = datetime(2000, 1, 1, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)


def _start(month: str) -> datetime:
    return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)


def _end(month: str) -> datetime:
    return _next(_start(month))


def _next(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def dollars(price: float | None) -> float | None:
    """Return a price with the nine decimals that are kept."""
    return None if price is None else round(float(price), 9)
