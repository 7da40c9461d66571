"""Make the timeline's pictures and the perceptual hashes of photos that earlier releases have rendered."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.errors import NotFound, Rejected
from imgcore.gallery.models import Rendition
from imgcore.gallery.ports import Storage
from imgcore.pipeline.maintenance_models import IncompleteImage

if TYPE_CHECKING:
    from imgcore.db.grids import GridRepository

logger = logging.getLogger(__name__)

_WINDOW = 1000  # ids that are looked at by one query
THREADS = 8  # most of the time is spent waiting for the bucket


@dataclass(frozen=True, slots=True)
class Backfill:
    """Reads display images, and makes of them what is missing.

    render: makes the smaller picture from the file and the public id. hash: computes the perceptual hash.
    Both raise Rejected for a file that cannot be decoded.
    """

    rows: GridRepository
    storage: Storage
    render: Callable[[bytes, str], Rendition | None]
    hash: Callable[[bytes], int]
    threads: int = THREADS

    def run(self) -> Iterator[Mapping[str, int]]:
        """Make all that are missing; yield the counts of ``made`` and ``skipped`` after each thousand ids.

        It may be interrupted and run again: what was made is not made twice. Raises Unavailable.
        """
        counts = Counter(made=0, skipped=0)
        newest = self.rows.newest()
        with ThreadPoolExecutor(self.threads) as pool:
            for after in range(0, newest, _WINDOW):
                images = self.rows.missing(after, min(after + _WINDOW, newest))
                counts.update("made" if made else "skipped" for made in pool.map(self._make, images))
                yield dict(counts)

    def _make(self, image: IncompleteImage) -> bool:
        """Return False for a photo that is left as it is.

        Its display image is gone, which the sweep repairs, or cannot be decoded, or the photo was deleted.
        """
        try:
            data = b"".join(self.storage.chunks(image.display_key, derived=True))
            grid = self.render(data, image.public_id) if image.needs_grid else None
            perceptual_hash = self.hash(data) if image.needs_hash else None
        except NotFound:
            return False
        except Rejected as error:
            logger.warning(
                "The display image %s of photo %s is skipped: %s",
                image.display_key,
                image.public_id,
                error.message,
            )
            return False
        if grid is None and perceptual_hash is None:
            return False
        if grid is not None:
            self.storage.write(grid.key, grid.data, grid.media_type)
        return self.rows.store(image, grid.key if grid else None, perceptual_hash)
