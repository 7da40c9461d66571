"""Files that an owner has uploaded before, by their SHA-256."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Transaction
from imgcore.db.mapping import in_list, lock_account
from imgcore.db.statements import sql
from imgcore.errors import AlreadyPresent
from imgcore.gallery.models import NewImage

# The images outside the trash that are there or on their way, those that are there first. The hash of one on
# its way is the declared one; the pipeline replaces it by that of the content. CASE, because SQLite prefers an
# index of one of these columns, and so every photo of the owner, to the hashes
_PRESENT = (
    "SELECT public_id, sha256 FROM images WHERE sha256 IN ({hashes}) AND CASE WHEN {owner}"
    " AND deleted_at IS NULL AND (upload_status = 'received' OR (upload_status = 'awaiting'"
    " AND upload_expires_at > {now})) THEN 1 ELSE 0 END = 1"
    " ORDER BY CASE upload_status WHEN 'received' THEN 0 ELSE 1 END, id"
)


def refuse_duplicate(tx: Transaction, new: NewImage) -> None:
    """Raise AlreadyPresent where the owner has an image with the hash of ``new``.

    Two requests at the same moment wait for each other: for the account's row, or without accounts for a row
    that each database has. A missing row cannot be waited for, because READ COMMITTED locks no gaps.
    """
    if new.sha256 is None:
        return
    if new.owner_id is not None:
        lock_account(tx, new.owner_id)
    else:
        tx.row("SELECT name FROM migrations ORDER BY name LIMIT 1 {for_update}")
    found = present(tx, [new.sha256], new.owner_id, lock=True)
    if found:
        raise AlreadyPresent(found[new.sha256])


def present(
    tx: Transaction, hashes: Sequence[str], owner_id: int | None, *, lock: bool = False
) -> dict[str, str]:
    """Return the public id of the owner's image for each of these hashes that has one. lock: until the end."""
    if not hashes:
        return {}
    names, values = in_list("sha256", dict.fromkeys(hashes))
    owner = "owner_id IS NULL" if owner_id is None else "owner_id = :owner_id"
    statement = sql(_PRESENT, hashes=names, owner=owner) + (" {for_update}" if lock else "")
    rows = tx.rows(statement, **values, **({} if owner_id is None else {"owner_id": owner_id}))
    return {row["sha256"]: row["public_id"] for row in reversed(rows)}
