"""The images that lack what earlier releases did not make: the timeline's picture, the perceptual hash."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Repository, Transaction
from imgcore.db.similar import store_hash
from imgcore.db.statements import sql
from imgcore.gallery.keys import GRID_ASPECTS, GRID_HEIGHT
from imgcore.pipeline.maintenance_models import IncompleteImage

_NEEDS_GRID = (
    "(i.grid_key IS NULL AND i.display_height > :height AND i.display_width >= :narrowest * i.display_height"
    " AND i.display_width <= :widest * i.display_height)"
)
# Of hashes without an owner, see m038
_MISSING = sql(
    "SELECT i.id, i.public_id, i.display_key, {needs_grid}, h.owner IS NULL"
    " FROM images i LEFT JOIN image_hashes h ON h.image_id = i.id"
    " WHERE i.id > :after AND i.id <= :until AND i.display_key IS NOT NULL AND i.deleted_at IS NULL"
    " AND (h.owner IS NULL OR {needs_grid}) ORDER BY i.id",
    needs_grid=_NEEDS_GRID,
)
_LOCK = (
    "SELECT id FROM images WHERE id = :image_id AND display_key = :display_key AND deleted_at IS NULL"
    " {for_update}"
)


class GridRepository(Repository):
    """Finds images without a grid_key or a hash, and stores them."""

    def newest(self) -> int:
        """Return the id of the newest image; 0 for an empty gallery."""
        [row] = self._database.read(lambda tx: tx.rows("SELECT MAX(id) AS newest FROM images"))
        return int(row["newest"] or 0)

    def missing(self, after: int, until: int) -> Sequence[IncompleteImage]:
        """Return those of the images with ids from ``after`` (exclusive) to ``until`` that lack something."""
        narrowest, widest = GRID_ASPECTS
        values = {"height": GRID_HEIGHT, "narrowest": narrowest, "widest": widest}
        rows = self._database.read(lambda tx: tx.tuples(_MISSING, after=after, until=until, **values))
        return [IncompleteImage(row[0], row[1], row[2], bool(row[3]), bool(row[4])) for row in rows]

    def store(self, image: IncompleteImage, grid_key: str | None, perceptual_hash: int | None) -> bool:
        """Store what was made; False where the image was deleted or rendered again since."""

        def work(tx: Transaction) -> bool:
            if tx.row(_LOCK, image_id=image.id, display_key=image.display_key) is None:
                return False
            if grid_key is not None:
                statement = "UPDATE images SET grid_key = :grid_key WHERE id = :image_id"
                tx.execute(statement, grid_key=grid_key, image_id=image.id)
            if perceptual_hash is not None:
                store_hash(tx, image.id, perceptual_hash)
            return True

        return self._database.run(work)
