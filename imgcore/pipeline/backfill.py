"""Make the timeline's pictures and the perceptual hashes of photos that earlier releases have rendered."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.errors import NotFound, Rejected
from imgcore.gallery.models import Rendition
from imgcore.gallery.ports import Storage
from imgcore.pipeline.maintenance_models import BackfillProgress, IncompleteImage

if TYPE_CHECKING:
    from imgcore.db.grids import GridRepository

logger = logging.getLogger(__name__)

WINDOW = 1000  # ids that are looked at by one query
THREADS = 8  # most of the time is spent waiting for the bucket


@dataclass(frozen=True, slots=True)
class Backfill:
    """Reads display images, and makes of them what is missing.

    render: makes the smaller picture from the file and the public id. hash: computes the perceptual hash.
    Both raise Rejected for a file that cannot be decoded. window: ids between two reports of the progress.
    """

    rows: GridRepository
    storage: Storage
    render: Callable[[bytes, str], Rendition | None]
    hash: Callable[[bytes], int]
    threads: int = THREADS
    window: int = WINDOW

    def run(self, after: int = 0) -> Generator[BackfillProgress, None, None]:
        """Make all that are missing of the images with higher ids; yield the progress after each window of ids.

        It may be interrupted and run again: what was made is not made twice. Raises Unavailable.
        """
        newest, made, skipped = self.rows.newest(), 0, 0
        with ThreadPoolExecutor(self.threads) as pool:
            for start in range(after, newest, self.window):
                end = min(start + self.window, newest)
                results = list(pool.map(self._make, self.rows.missing(start, end)))
                made, skipped = made + sum(results), skipped + results.count(False)
                yield BackfillProgress(made, skipped, end if end < newest else None)

    def run_until(self, deadline: float, after: int = 0) -> BackfillProgress:
        """Run until a window of ids ends after ``deadline`` (monotonic), or to the end; return the progress."""
        last = BackfillProgress()
        with closing(self.run(after)) as windows:
            for progress in windows:
                last = progress
                if time.monotonic() >= deadline:
                    break
        return last

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
