"""What the gallery and the pipeline need from adapters: the buckets and the queues."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from imgcore.gallery.models import TaskKind, UploadForm
from imgcore.pipeline.maintenance_models import DeadLetters
from imgcore.pipeline.models import ObjectCreated, StoredObject


class Storage(Protocol):
    """The buckets of originals and of derived images. Every method raises Unavailable."""

    def form(
        self,
        key: str,
        *,
        media_type: str,
        min_bytes: int,
        max_bytes: int,
        expires_in: int,
        redirect: str | None = None,
    ) -> UploadForm:
        """Return a presigned POST form for exactly this key and media type, and a size in that range.

        expires_in: seconds. redirect: where S3 redirects a browser that posts without JavaScript.
        """
        ...

    def origins(self) -> Sequence[str]:
        """Return scheme://host[:port] of every address that forms and links lead to."""
        ...

    def ping(self) -> None:
        """Check that both buckets are reachable. Unavailable names the one that is not."""
        ...

    def find(self, key: str, *, version_id: str | None = None) -> ObjectCreated | None:
        """Return the original's event as S3 would send it; None where the object does not exist."""
        ...

    def has_derived(self, keys: Sequence[str]) -> bool:
        """Return whether all of these derived images exist."""
        ...

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> StoredObject:
        """Return the original. NotFound; Rejected (``too_large``) before more than ``max_bytes`` are read."""
        ...

    def chunks(self, key: str, *, derived: bool, version_id: str | None = None) -> Iterator[bytes]:
        """Return the content of an original or a derived image in parts. NotFound before the first part."""
        ...

    def write(self, key: str, data: bytes, media_type: str) -> None:
        """Store a derived image."""
        ...

    def url(self, key: str, *, download_as: str | None = None) -> str:
        """Return a presigned GET URL of a derived image; the same one within a time window."""
        ...

    def original_url(self, key: str, *, download_as: str, version_id: str | None = None) -> str:
        """Return a presigned GET URL of the original, served as an attachment of that name."""
        ...

    def expires_at(self) -> datetime:
        """Return until when the URLs are valid that ``url`` returns now."""
        ...

    def period(self, *, originals: bool = False) -> str:
        """Return a name of the time window and the credentials whose URLs ``url`` returns now.

        originals: also of the URLs of ``original_url``.
        """
        ...

    def remove(self, upload_keys: Sequence[str], derived_keys: Sequence[str]) -> None:
        """Delete originals, in all versions, and derived images; missing ones are no error."""
        ...

    def remove_version(self, key: str, version_id: str) -> None:
        """Delete one version of an original; a missing one is no error."""
        ...

    def hide(self, key: str) -> None:
        """Delete an original whose versions stay for as long as the bucket keeps noncurrent ones."""
        ...


class Queues(Protocol):
    """Redelivers tasks to the functions."""

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        """Queue one task of one image, for delivery after ``delay`` seconds (at most 900). Unavailable."""
        ...

    def postpone(self, kind: TaskKind, body: str, *, postponed: int, delay: float) -> None:
        """Send a copy of a received message, whose text is ``body``, for delivery after ``delay`` seconds.

        postponed: how many times the message was postponed, this time included. Unavailable.
        """
        ...

    def dead_letters(self) -> Sequence[DeadLetters]:
        """Return the approximate number of messages in each dead-letter queue. Unavailable; Misconfigured."""
        ...
