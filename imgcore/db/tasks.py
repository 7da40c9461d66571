"""Claims and commits: who may work on a task, and whose result counts.

Every transaction here locks the image's row first. So two workers that finish the two tasks of one image at the
same moment see each other, and exactly one of them finds both ended. The fence is the token: a commit changes
the task only where the row still holds the token of its claim.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import (
    ALT_TEXT,
    CAPTION,
    MESSAGE,
    NAME,
    VISIBLE_TEXT,
    WORD,
    Row,
    local_time,
    micros,
    searchable,
    storable,
    storable_tags,
)
from imgcore.gallery.models import Description, PhotoFacts, Renditions, Source, TaskKind, TaskStatus
from imgcore.pipeline.models import Claim

CRASHED = "crashed"
CRASHED_MESSAGE = "This photograph could not be processed: every attempt ended before it was done."

_LEASE_OVER = "(status = 'processing' AND lease_until <= {now})"
_CLAIMABLE = f"(status = 'pending' OR (status = 'retry' AND next_at <= {{now}}) OR {_LEASE_OVER})"
_FREE = "lease_token = NULL, lease_until = NULL, dispatched_at = NULL"


class TaskRepository(Repository):
    """Tasks as the workers claim and finish them."""

    def claim(self, image_key: str, kind: TaskKind, *, lease: float, max_attempts: int) -> Claim | None:
        """attempts + 1, a fresh token, ``lease`` seconds; None where the task is not claimable now."""
        return self._database.run(lambda tx: _claim(tx, image_key, kind, lease, max_attempts))

    def finish_thumbnail(self, claim: Claim, facts: PhotoFacts, renditions: Renditions) -> bool:
        """done; False where the claim was fenced off."""

        def store(tx: Transaction, image: Row) -> None:
            tx.execute(
                "UPDATE images SET format = ?, width = ?, height = ?, size = ?, sha256 = ?, taken_at = ?,"
                " camera = ?, latitude = ?, longitude = ?, thumbnail_key = ?, thumbnail_2x_key = ?,"
                " display_key = ?, display_width = ?,"
                " display_height = ?, placeholder = ?, thumbnail_generated_at = {now} WHERE id = ?",
                facts.format,
                facts.width,
                facts.height,
                facts.size,
                facts.sha256,
                local_time(facts.taken_at),
                storable(facts.camera, NAME) if facts.camera else None,
                *(facts.location or (None, None)),
                renditions.thumbnail.key,
                renditions.thumbnail_2x.key,
                renditions.display.key,
                renditions.display.width,
                renditions.display.height,
                renditions.placeholder,
                image["id"],
            )

        return self._commit(claim, TaskStatus.DONE, store=store)

    def finish_caption(self, claim: Claim, description: Description) -> bool:
        """done; a description of lower rank than the stored one leaves the words as they are."""
        return self._commit(claim, TaskStatus.DONE, store=lambda tx, image: _describe(tx, image, description))

    def park(self, claim: Claim, *, code: str, message: str, delay: float, refund: bool) -> bool:
        """retry in ``delay`` seconds; ``refund`` takes the attempt back."""

        def work(tx: Transaction) -> bool:
            parked = _lock(tx, claim) is not None and tx.execute(
                "UPDATE tasks SET status = 'retry', attempts = attempts - ?, next_at = {later}, error = ?,"
                f" message = ?, {_FREE} WHERE image_id = ? AND kind = ? AND lease_token = ?",
                int(refund),
                micros(delay),
                storable(code, WORD),
                storable(message, MESSAGE),
                *_fence(claim),
            )
            return bool(parked)

        return self._database.run(work)

    def fail(self, claim: Claim, status: TaskStatus, *, code: str, message: str) -> bool:
        """failed or blocked, with the outbox row where it was the last."""
        return self._commit(claim, status, code, message)

    def reject(self, claim: Claim, *, code: str, message: str) -> bool:
        """The file cannot be accepted: upload rejected, this task and every open one of it skipped."""

        def spread(tx: Transaction, image: Row) -> None:
            tx.execute("UPDATE images SET upload_status = 'rejected' WHERE id = ?", image["id"])
            tx.execute(
                f"UPDATE tasks SET status = 'skipped', error = ?, message = ?, finished_at = {{now}}, {_FREE}"
                " WHERE image_id = ? AND status IN ('pending', 'processing', 'retry')",
                storable(code, WORD),
                storable(message, MESSAGE),
                image["id"],
            )

        return self._commit(claim, TaskStatus.SKIPPED, code, message, store=spread)

    def _commit(
        self,
        claim: Claim,
        status: TaskStatus,
        code: str | None = None,
        message: str | None = None,
        store: Callable[[Transaction, Row], Any] | None = None,
    ) -> bool:
        """End the claimed task, store its result and settle the image: all of it or, where fenced, nothing."""

        def work(tx: Transaction) -> bool:
            image = _lock(tx, claim)
            if image is None or not end(tx, claim.image_id, claim.kind, status, code, message, claim.token):
                return False
            if store is not None:
                store(tx, image)
            settle(tx, claim.image_id)
            return True

        return self._database.run(work)


def _claim(tx: Transaction, image_key: str, kind: TaskKind, lease: float, max_attempts: int) -> Claim | None:
    image = tx.row(
        "SELECT id, public_id, version_id FROM images"
        " WHERE image_key = ? AND upload_status = 'received' AND deleted_at IS NULL {for_update}",
        image_key,
    )
    if image is None:
        return None
    token = secrets.token_hex(16)
    claimed = tx.execute(
        "UPDATE tasks SET status = 'processing', attempts = attempts + 1, lease_token = ?,"
        " lease_until = {later}, next_at = NULL, dispatched_at = NULL, error = NULL, message = NULL,"
        f" started_at = {{now}} WHERE image_id = ? AND kind = ? AND attempts < ? AND {_CLAIMABLE}",
        token,
        micros(lease),
        image["id"],
        kind.value,
        max_attempts,
    )
    if not claimed:
        give_up(tx, image["id"], kind, max_attempts, _CLAIMABLE)
        return None
    task = tx.rows("SELECT attempts FROM tasks WHERE image_id = ? AND kind = ?", image["id"], kind.value)[0]
    return Claim(
        image["id"],
        image["public_id"],
        image_key,
        kind,
        token,
        task["attempts"],
        version_id=image["version_id"],
    )


def give_up(
    tx: Transaction, image_id: int, kind: TaskKind, max_attempts: int, condition: str = _LEASE_OVER
) -> bool:
    """Fail a task that has no attempt left; the image's row must be locked."""
    given_up = tx.execute(
        "UPDATE tasks SET status = 'failed', error = ?, message = ?, next_at = NULL, finished_at = {now},"
        f" {_FREE} WHERE image_id = ? AND kind = ? AND attempts >= ? AND {condition}",
        CRASHED,
        CRASHED_MESSAGE,
        image_id,
        kind.value,
        max_attempts,
    )
    if given_up:
        settle(tx, image_id)
    return bool(given_up)


def reset(tx: Transaction, id_: int, kind: TaskKind, ended: Sequence[str]) -> bool:
    """A task in one of the states ``ended`` becomes pending, as if new; the image's row must be locked."""
    marks = ", ".join("?" * len(ended))
    return bool(
        tx.execute(
            "UPDATE tasks SET status = 'pending', attempts = 0, lease_token = NULL, lease_until = NULL,"
            " next_at = {now}, dispatched_at = NULL, error = NULL, message = NULL, started_at = NULL,"
            f" finished_at = NULL WHERE image_id = ? AND kind = ? AND status IN ({marks})",
            id_,
            kind.value,
            *ended,
        )
    )


def settle(tx: Transaction, image_id: int) -> None:
    """Where no task of the image is open any more, say so in the outbox, once. The row must be locked."""
    tx.execute(
        "INSERT INTO outbox (image_id, kind, created_at)"
        " SELECT id, 'settled', {now} FROM images WHERE id = ?"
        " AND NOT EXISTS"
        " (SELECT 1 FROM tasks WHERE image_id = ? AND status IN ('pending', 'processing', 'retry'))"
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE image_id = ? AND kind = 'settled')",
        image_id,
        image_id,
        image_id,
    )


def end(
    tx: Transaction,
    image_id: int,
    kind: TaskKind,
    status: TaskStatus,
    code: str | None,
    message: str | None,
    token: str,
) -> bool:
    """Give a claimed task its terminal status; False where another holds it by now."""
    return bool(
        tx.execute(
            "UPDATE tasks SET status = ?, error = ?, message = ?, next_at = NULL, finished_at = {now},"
            f" {_FREE} WHERE image_id = ? AND kind = ? AND lease_token = ?",
            status.value,
            storable(code, WORD) if code else None,
            storable(message, MESSAGE) if message else None,
            image_id,
            kind.value,
            token,
        )
    )


def _fence(claim: Claim) -> tuple[int, str, str]:
    return claim.image_id, claim.kind.value, claim.token


def _lock(tx: Transaction, claim: Claim) -> Row | None:
    return tx.row(
        "SELECT id, name, source, model FROM images WHERE id = ? AND deleted_at IS NULL {for_update}",
        claim.image_id,
    )


def _describe(tx: Transaction, image: Row, description: Description) -> None:
    stored = Source(image["source"]) if image["source"] else None
    outranked = stored is not None and description.source.rank < stored.rank
    if not outranked:
        tx.execute(
            "UPDATE images SET caption = ?, alt_text = ?, tags = ?, source = ?, caption_generated_at = {now}"
            " WHERE id = ?",
            storable(description.caption, CAPTION),
            storable(description.alt_text, ALT_TEXT),
            storable_tags(description.tags),
            description.source.value,
            image["id"],
        )
    # Under a person's words, what only a model says (the text in the picture, its safety) is still wanted once.
    if not outranked or (stored is Source.HUMAN and image["model"] is None):
        tx.execute(
            "UPDATE images SET visible_text = ?, safety = ?, model = ?, prompt_version = ?, input_tokens = ?,"
            " output_tokens = ?, price_usd = ? WHERE id = ?",
            storable(description.visible_text, VISIBLE_TEXT),
            description.safety.value if description.safety else None,
            storable(description.model, NAME) if description.model else None,
            storable(description.prompt_version, WORD) if description.prompt_version else None,
            description.input_tokens,
            description.output_tokens,
            description.price_usd,
            image["id"],
        )
    searchable(tx, image["id"])
