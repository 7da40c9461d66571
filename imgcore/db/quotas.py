"""What an account uses of its quota, and the quota that an administrator has set for it."""

from __future__ import annotations

from contextlib import suppress

from imgcore.accounts.models import Account, Quota, Usage
from imgcore.db.account_rows import lock_verified
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row
from imgcore.db.statements import sql
from imgcore.db.waiting import release
from imgcore.errors import Conflict, Unavailable
from imgcore.spending.models import QUOTAS
from imgcore.text import file_size

# Answered by the index images_usage alone. Expired uploads use nothing; the trash counts until it is emptied.
_SUMS = (
    "COUNT(*) AS images, COALESCE(SUM(size), 0) AS bytes,"
    " COALESCE(SUM(CASE WHEN upload_status = 'awaiting' THEN 1 ELSE 0 END), 0) AS uploads,"
    " COALESCE(SUM(CASE WHEN upload_status = 'awaiting' AND size IS NULL THEN 1 ELSE 0 END), 0) AS unsized"
)
_USING = "upload_status IN ('awaiting', 'received', 'rejected')"
_USAGE = sql("SELECT {sums} FROM images WHERE owner_id = :account_id AND {using}", sums=_SUMS, using=_USING)
# CASE, because SQLite would read the rows of all photos by an index of upload_status
_USAGES = sql(
    "SELECT owner_id, {sums} FROM images WHERE owner_id IS NOT NULL AND CASE WHEN {using} THEN 1 ELSE 0 END = 1"
    " GROUP BY owner_id",
    sums=_SUMS,
    using=_USING,
)
_SET = (
    "SELECT quota_images, quota_bytes, quota_uploads, quota_spend_day, quota_spend_month"
    " FROM accounts WHERE id = :account_id"
)
_RELEASED = 500  # photos that a change of a quota releases; the sweeps release the others


class QuotaRepository(Repository):
    """The quotas of accounts."""

    def usage(self, account_id: int) -> Usage:
        """Return what the account uses."""
        return self._database.read(lambda tx: _usage(tx, account_id))

    def usages(self) -> dict[int, Usage]:
        """Return what each account uses, by its id; those that use nothing are left out."""
        rows = self._database.read_heavy(lambda tx: tx.rows(_USAGES))
        return {row["owner_id"]: _used(row) for row in rows}

    def quota(self, account_id: int, default: Quota) -> Quota:
        """Return the account's quota: what an administrator has set, else ``default``."""
        return self._database.read(lambda tx: _quota(tx, account_id, default))

    def set_quota(
        self,
        account_id: int,
        *,
        images: int | None,
        bytes_: int | None,
        uploads: int | None,
        spend_day: float | None = None,
        spend_month: float | None = None,
        by: Account | None = None,
    ) -> None:
        """Set the account's quota; None stands for the default. Photos that wait for it are tried again.

        by: the account whose password confirmed it; see ``lock_verified``.
        """

        def work(tx: Transaction) -> None:
            lock_verified(tx, by)
            tx.execute(
                "UPDATE accounts SET quota_images = :images, quota_bytes = :bytes, quota_uploads = :uploads,"
                " quota_spend_day = :day, quota_spend_month = :month WHERE id = :account_id",
                account_id=account_id,
                images=images,
                bytes=bytes_,
                uploads=uploads,
                day=spend_day,
                month=spend_month,
            )

        self._database.run(work)
        with suppress(Unavailable):  # the sweep releases them as well. If it is still reached, they wait again
            release(self._database, QUOTAS, within=0.0, limit=_RELEASED, owner_id=account_id)


def check_quota(tx: Transaction, account_id: int, size: int | None, default: Quota, *, largest: int) -> None:
    """Check that the account may have one more upload of ``size`` bytes. The caller has locked the account.

    largest: bytes that an upload of unknown size may take; those that are awaited count as much. Conflict
    (``quota_images``, ``quota_bytes``, ``quota_uploads``) where it may not.
    """
    used, quota = _usage(tx, account_id), _quota(tx, account_id, default)
    if used.uploads >= quota.uploads:
        raise Conflict(
            f"{used.uploads:,} uploads of this account are in progress, as many as it may have."
            " Wait until they are done; unused upload forms end after about an hour.",
            code="quota_uploads",
        )
    if used.images >= quota.images:
        raise Conflict(
            f"This account has {used.images:,} photos, as many as it may have. {_REMEDY}", code="quota_images"
        )
    taken, more = used.bytes + used.unsized * largest, largest if size is None else size
    if taken + more > quota.bytes:
        raise Conflict(
            f"The photos of this account take {file_size(taken)} of {file_size(quota.bytes)}, too much for"
            f" another {file_size(more)}. {_REMEDY}",
            code="quota_bytes",
        )


_NAMES = ("images", "bytes", "uploads", "spend_day", "spend_month")
_REMEDY = "Photos in the trash count for 30 days. An administrator can raise the quota."


def _usage(tx: Transaction, account_id: int) -> Usage:
    [row] = tx.rows(_USAGE, account_id=account_id)
    return _used(row)


def _used(row: Row) -> Usage:
    return Usage(int(row["images"]), int(row["bytes"]), int(row["uploads"]), int(row["unsized"]))


def _quota(tx: Transaction, account_id: int, default: Quota) -> Quota:
    row = tx.row(_SET, account_id=account_id) or {}
    found = {name: row.get(f"quota_{name}") for name in _NAMES}
    return Quota(**{name: getattr(default, name) if set_ is None else set_ for name, set_ in found.items()})
