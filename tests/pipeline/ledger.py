"""What was acknowledged to people in a random history, and whether the gallery at its end agrees with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from imgcore.gallery.models import Image


@dataclass
class Photo:
    """What is possible for a photo: what was acknowledged last, and what was tried since without an answer.

    words: of captions; None: those of the model, which hold ``described``. uploaded: whether the upload was
    acknowledged.
    """

    described: str
    words: set[str | None] = field(default_factory=lambda: {None})
    deleted: set[bool] = field(default_factory=lambda: {False})
    rejected: bool = False
    uploaded: bool = True

    def violations(
        self, public_id: str, image: Image | None, stored: Callable[[Sequence[str]], bool]
    ) -> Iterator[str]:
        """Yield what is not as acknowledged. image: the photo at the end. stored: whether these files exist."""
        if image is None:
            yield f"{public_id} is lost"
            return
        yield from self.lost(public_id, image)
        expected = {"rejected" if self.rejected else "done"} | (
            set() if self.uploaded else {"expired", "awaiting"}
        )
        if image.deleted_at is None and image.status not in expected:
            yield f"{public_id} is {image.status}: {image.tasks}"
        if image.status == "done" and image.caption is None:
            yield f"{public_id} lacks a caption"
        if image.status == "done" and not stored(image.derived_keys):
            yield f"{public_id} lacks thumbnails"

    def lost(self, public_id: str, image: Image) -> Iterator[str]:
        """Yield what a person did that the photo does not show: other words, or its place in the trash."""
        if not self._possible(image.caption):
            yield f"{public_id}: the words are {image.caption!r}, not {self.words}"
        if (image.deleted_at is not None) not in self.deleted:
            yield f"{public_id}: in the trash {image.deleted_at is not None}, not {self.deleted}"

    def _possible(self, caption: str | None) -> bool:
        if caption in self.words:
            return True
        return None in self.words and caption is not None and self.described in caption


@dataclass
class Tally:
    """How often something was acknowledged, and how often it was tried without an answer."""

    acknowledged: int = 0
    unanswered: int = 0

    def violation(self, what: str, found: int) -> str | None:
        """Return a sentence where it was found less often than acknowledged, or more often than tried."""
        if self.acknowledged <= found <= self.acknowledged + self.unanswered:
            return None
        return f"{what}: {found} times, acknowledged {self.acknowledged}, unanswered {self.unanswered}"
