"""The ids of the storage's multipart uploads, for the images that are uploaded in parts."""

from __future__ import annotations

from imgcore.db.connection import Repository
from imgcore.db.mapping import KEY
from imgcore.text import storable


class PartUploadRepository(Repository):
    """One row for each image whose upload was started in parts. Methods raise Unavailable."""

    def add(self, image_id: int, upload: str) -> None:
        """Store the id of an image's upload."""
        statement = "INSERT INTO part_uploads (image_id, upload_id) VALUES (:image_id, :upload)"
        self._database.run(lambda tx: tx.execute(statement, image_id=image_id, upload=storable(upload, KEY)))

    def get(self, image_id: int) -> str | None:
        """Return the id of an image's upload; None where it has none."""
        query = "SELECT upload_id FROM part_uploads WHERE image_id = :image_id"
        row = self._database.read(lambda tx: tx.row(query, image_id=image_id))
        return row["upload_id"] if row else None

    def expire(self, image_id: int) -> None:
        """Let a cancelled upload expire now: it has no parts, and none can arrive any more."""
        statement = (
            "UPDATE images SET upload_expires_at = {now} WHERE id = :image_id AND upload_status = 'awaiting'"
            " AND deleted_at IS NOT NULL AND upload_expires_at > {now}"
        )
        self._database.run(lambda tx: tx.execute(statement, image_id=image_id))
