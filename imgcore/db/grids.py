"""The images whose picture for the timeline was never made: those of releases before 0.2.0."""

from __future__ import annotations

from collections.abc import Sequence

from imgcore.db.connection import Repository
from imgcore.gallery.keys import GRID_ASPECTS, GRID_HEIGHT
from imgcore.pipeline.maintenance_models import GridlessImage

_MISSING = (
    "SELECT id, public_id, display_key FROM images WHERE id > :after AND id <= :until AND grid_key IS NULL"
    " AND display_key IS NOT NULL AND deleted_at IS NULL AND display_height > :height"
    " AND display_width >= :narrowest * display_height AND display_width <= :widest * display_height"
    " ORDER BY id"
)
_STORE = (
    "UPDATE images SET grid_key = :grid_key"
    " WHERE id = :image_id AND display_key = :display_key AND deleted_at IS NULL"
)


class GridRepository(Repository):
    """Finds images without a grid_key, and stores it."""

    def newest(self) -> int:
        """Return the id of the newest image; 0 for an empty gallery."""
        [row] = self._database.read(lambda tx: tx.rows("SELECT MAX(id) AS newest FROM images"))
        return int(row["newest"] or 0)

    def missing(self, after: int, until: int) -> Sequence[GridlessImage]:
        """Return those of the images with ids from ``after`` (exclusive) to ``until`` that lack the picture."""
        narrowest, widest = GRID_ASPECTS
        values = {"height": GRID_HEIGHT, "narrowest": narrowest, "widest": widest}
        rows = self._database.read(lambda tx: tx.tuples(_MISSING, after=after, until=until, **values))
        return [GridlessImage(*row) for row in rows]

    def store(self, image: GridlessImage, grid_key: str) -> bool:
        """Store the key; False where the image was deleted or rendered again since."""
        values = {"image_id": image.id, "display_key": image.display_key, "grid_key": grid_key}
        return bool(self._database.run(lambda tx: tx.execute(_STORE, **values)))
