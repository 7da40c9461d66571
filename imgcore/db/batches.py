"""The batches of a campaign: which images are in which one, and their results."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict

from imgcore.campaigns.models import Batch, BatchImage, Campaign
from imgcore.db.campaigns import was_described
from imgcore.db.connection import Repository, Transaction
from imgcore.db.mapping import Row, in_list, micros, moment
from imgcore.db.pauses import is_paused
from imgcore.db.statements import sql
from imgcore.db.tasks import lock_image, store_description
from imgcore.gallery.models import Description, TaskKind
from imgcore.pipeline.models import PromptUsed

LONGEST_SECONDS = 48 * 3600  # after which Google ends a batch: https://ai.google.dev/gemini-api/docs/batch-api

_FREE = (
    "SELECT i.image_id FROM campaign_items i WHERE i.campaign_id = :campaign_id AND i.status = 'waiting'"
    " AND NOT EXISTS (SELECT 1 FROM batch_images b JOIN batches j ON j.id = b.batch_id"
    " WHERE b.image_id = i.image_id AND j.campaign_id = :campaign_id AND j.closed_at IS NULL)"
    " ORDER BY i.image_id LIMIT :size"
)

_ADD_IMAGE = (
    "INSERT INTO batch_images (batch_id, image_id, public_id, owner_id)"
    " SELECT :batch_id, id, public_id, owner_id FROM images WHERE id = :image_id"
)
_SEND = (
    "UPDATE batches SET sent_at = {now}, model = :model, language = :language,"
    " prompt_version = :prompt_version, lease_until = {later:lease}"
    " WHERE id = :id AND sent_at IS NULL AND closed_at IS NULL"
    " AND campaign_id IN (SELECT id FROM campaigns WHERE status = 'running')"
)

_END = (
    "UPDATE campaign_items SET status = :status WHERE campaign_id = :campaign_id AND image_id = :image_id"
    " AND status = :old"
)


class BatchRepository(Repository):
    """The batches. Each method is one transaction."""

    def add(self, campaign: Campaign, size: int, seconds: float) -> Batch | None:
        """Add a batch of up to ``size`` images that wait and are in no open one; None where there are none.

        Its lease is taken for so long: no other process can have sent it.
        """
        label = f"imgcore-{secrets.token_hex(16)}"

        def work(tx: Transaction) -> Batch | None:
            tx.row("SELECT id FROM campaigns WHERE id = :id {for_update}", id=campaign.id)
            image_ids = _take(tx, campaign.id, size)
            if not image_ids:
                return None
            batch_id = tx.insert(
                "INSERT INTO batches (campaign_id, label, lease_until)"
                " VALUES (:campaign_id, :label, {later:lease})",
                campaign_id=campaign.id,
                label=label,
                lease=micros(seconds),
            )
            for image_id in image_ids:
                tx.execute(_ADD_IMAGE, batch_id=batch_id, image_id=image_id)
            return Batch(batch_id, campaign.id, label, None)

        return self._database.run(work)

    def open(self, campaign: Campaign) -> Sequence[Batch]:
        """Return the batches whose results are not stored, the oldest first."""
        query = "SELECT * FROM batches WHERE campaign_id = :campaign_id AND closed_at IS NULL ORDER BY id"
        rows = self._database.read(lambda tx: tx.rows(query, campaign_id=campaign.id))
        return [_batch(row) for row in rows]

    def count_open(self) -> int:
        """Return how many batches of all campaigns may be at the model's interface: two days at most."""
        query = (
            "SELECT COUNT(*) AS n FROM batches WHERE closed_at IS NULL"
            " AND (sent_at IS NULL OR sent_at > {ago:longest})"
        )
        row = self._database.read(lambda tx: tx.row(query, longest=micros(LONGEST_SECONDS)))
        return row["n"] if row else 0

    def paused(self) -> bool:
        """Return whether an administrator has paused captions."""
        return self._database.read(lambda tx: is_paused(tx, TaskKind.CAPTION))

    def abandoned(self) -> Sequence[str]:
        """Return the public ids of the cancelled campaigns with batches whose results are not stored."""
        query = (
            "SELECT DISTINCT c.public_id FROM campaigns c JOIN batches j ON j.campaign_id = c.id"
            " WHERE c.status = 'cancelled' AND j.closed_at IS NULL ORDER BY c.public_id"
        )
        return [row["public_id"] for row in self._database.read(lambda tx: tx.rows(query))]

    def lease(self, batch: Batch, seconds: float) -> Batch | None:
        """Take a batch for so long, so that two processes do not send it, and return it as it is now.

        None where another process has it, or its results are stored.
        """
        statement = (
            "UPDATE batches SET lease_until = {later:lease} WHERE id = :id AND lease_until <= {now}"
            " AND closed_at IS NULL"
        )

        def work(tx: Transaction) -> Batch | None:
            if not tx.execute(statement, id=batch.id, lease=micros(seconds)):
                return None
            [row] = tx.rows("SELECT * FROM batches WHERE id = :id", id=batch.id)
            return _batch(row)

        return self._database.run(work)

    def release(self, batch: Batch) -> None:
        """End the lease of a batch."""
        statement = "UPDATE batches SET lease_until = {now} WHERE id = :id"
        self._database.run(lambda tx: tx.execute(statement, id=batch.id))

    def begin(self, batch: Batch, used: PromptUsed, seconds: float) -> bool:
        """Store that a batch is being sent from now on, and renew its lease.

        False where its campaign does not run any more, or its lease had expired: it must not be sent then.
        """
        values = asdict(used) | {"id": batch.id, "lease": micros(seconds)}
        return bool(self._database.run(lambda tx: tx.execute(_SEND, **values)))

    def set_name(self, batch: Batch, name: str) -> None:
        """Store the name that the model's interface gave a batch."""
        statement = "UPDATE batches SET name = :name WHERE id = :id"
        self._database.run(lambda tx: tx.execute(statement, id=batch.id, name=name))

    def keep(self, batch: Batch, image_ids: Sequence[int]) -> None:
        """Leave only these images in a batch; the others that wait are free for another one."""
        names, values = in_list("image_id", image_ids)
        statement = sql(
            "DELETE FROM batch_images WHERE batch_id = :id AND image_id NOT IN ({names})", names=names
        )
        if image_ids:
            self._database.run(lambda tx: tx.execute(statement, id=batch.id, **values))

    def close(self, batch: Batch) -> None:
        """Mark a batch as stored. Its images that still wait are free for another one."""
        statement = "UPDATE batches SET closed_at = {now} WHERE id = :id"
        self._database.run(lambda tx: tx.execute(statement, id=batch.id))

    def close_lost(self, batch: Batch, older_than: float) -> None:
        """Close a batch without a name whose sending began at least so many seconds ago."""
        statement = (
            "UPDATE batches SET closed_at = {now} WHERE id = :id AND name IS NULL AND sent_at <= {ago:age}"
        )
        self._database.run(lambda tx: tx.execute(statement, id=batch.id, age=micros(older_than)))

    def unanswered(self, batch: Batch) -> Sequence[BatchImage]:
        """Return the images of a batch whose answer is not stored, also those that were deleted for good."""
        query = (
            "SELECT b.* FROM batch_images b LEFT JOIN campaign_items c ON c.image_id = b.image_id"
            " AND c.campaign_id = :campaign_id"
            " WHERE b.batch_id = :id AND (c.status = 'waiting' OR c.status IS NULL) ORDER BY b.image_id"
        )
        rows = self._database.read(lambda tx: tx.rows(query, id=batch.id, campaign_id=batch.campaign_id))
        return [BatchImage(row["image_id"], row["public_id"], row["owner_id"]) for row in rows]

    def store(self, batch: Batch, image_id: int, description: Description) -> bool:
        """Store a description and end the image's part in the campaign, once; False where it has ended.

        An image that was deleted, or is or was described otherwise meanwhile, is skipped.
        """

        def work(tx: Transaction) -> bool:
            image = lock_image(tx, image_id)
            item = {"campaign_id": batch.campaign_id, "image_id": image_id}
            if not tx.execute(_END, status="done", old="waiting", **item):
                return False
            if image is None or was_described(tx, **item) or not store_description(tx, image, description):
                tx.execute(_END, status="skipped", old="done", **item)
            return True

        return self._database.run(work)


def _take(tx: Transaction, campaign_id: int, size: int) -> list[int]:
    """Return up to ``size`` images that wait and are in no open batch; skip those that were described."""
    while rows := tx.rows(_FREE, campaign_id=campaign_id, size=size):
        described = [row["image_id"] for row in rows if was_described(tx, campaign_id, row["image_id"])]
        for image_id in described:
            tx.execute(_END, status="skipped", old="waiting", campaign_id=campaign_id, image_id=image_id)
        if len(described) < len(rows):
            return [row["image_id"] for row in rows if row["image_id"] not in described]
    return []


def _batch(row: Row) -> Batch:
    used = PromptUsed(row["model"], row["language"], row["prompt_version"]) if row["model"] else None
    return Batch(row["id"], row["campaign_id"], row["label"], row["name"], moment(row["sent_at"]), used)
