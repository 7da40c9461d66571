"""Pauses: kinds of tasks that no worker claims until an administrator resumes them."""

from __future__ import annotations

from imgcore.db.connection import Transaction
from imgcore.db.mapping import NAME, moment
from imgcore.db.statements import sql
from imgcore.gallery.states import TaskKind
from imgcore.pipeline.maintenance_models import Pause
from imgcore.text import storable

# {task}: the table of tasks, or its alias
_NOT_PAUSED = (
    "NOT EXISTS (SELECT 1 FROM pauses p WHERE p.kind = {task}.kind"
    " AND (p.reason = '' OR (p.reason = {task}.error AND {task}.status = 'retry')))"
)


def not_paused(task: str) -> str:
    """Return the condition that a task is not paused. task: the table of tasks, or its alias."""
    return sql(_NOT_PAUSED, task=task)


def pause(tx: Transaction, kind: TaskKind, reason: str | None, account: str | None) -> None:
    """Pause a kind of tasks, or its retries with this error; nothing changes where they are paused."""
    tx.execute(
        "{insert_ignore} pauses (kind, reason, paused_at, account) VALUES (:kind, :reason, {now}, :account)",
        kind=kind.value,
        reason=reason or "",
        account=storable(account, NAME) if account else None,
    )


def resume(tx: Transaction, kind: TaskKind, reason: str | None) -> bool:
    """End a pause; False where there was none."""
    statement = "DELETE FROM pauses WHERE kind = :kind AND reason = :reason"
    return bool(tx.execute(statement, kind=kind.value, reason=reason or ""))


def read_pauses(tx: Transaction) -> tuple[Pause, ...]:
    """Return the pauses, by kind and reason."""
    rows = tx.rows("SELECT kind, reason, paused_at, account FROM pauses ORDER BY kind, reason")
    return tuple(
        Pause(TaskKind(row["kind"]), row["reason"] or None, moment(row["paused_at"]), row["account"])
        for row in rows
    )


def is_paused(tx: Transaction, kind: TaskKind) -> bool:
    """Return whether all tasks of a kind are paused."""
    statement = "SELECT 1 AS one FROM pauses WHERE kind = :kind AND reason = ''"
    return tx.row(statement, kind=kind.value) is not None
