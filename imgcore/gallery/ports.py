"""What the use cases need from the outside, as protocols; adapters fit them without knowing of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imgcore.gallery.models import (
    MAX_BYTES,
    Description,
    Picture,
    Renditions,
    Source,
    TaskKind,
    UploadForm,
)
from imgcore.pipeline.models import ObjectCreated, StoredObject


class Storage(Protocol):
    """The two buckets. All raise Unavailable where S3 cannot be reached or refuses."""

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
        """A presigned POST for exactly this key and type, and a size in that range.

        ``expires_in``: seconds. ``redirect``: where S3 sends a browser that posted without JavaScript.
        """
        ...

    def origins(self) -> Sequence[str]:
        """scheme://host[:port] of every address that forms and links lead to."""
        ...

    def ping(self) -> None:
        """Both buckets answer. Unavailable names the one that does not."""
        ...

    def find(self, key: str) -> ObjectCreated | None:
        """The uploaded object as if its event had come; None where there is none."""
        ...

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> StoredObject:
        """The uploaded object. NotFound; Rejected (``too_large``) before a byte over the limit is read."""
        ...

    def write(self, key: str, data: bytes, media_type: str) -> None:
        """Into the derived bucket."""
        ...

    def url(self, key: str, *, download_as: str | None = None) -> str:
        """A presigned GET from the derived bucket; the same within one time window."""
        ...

    def original_url(self, key: str, *, download_as: str) -> str:
        """A presigned GET of the original, as an attachment, never inline."""
        ...

    def remove(self, upload_keys: Sequence[str], derived_keys: Sequence[str]) -> None:
        """Gone for good; what is not there is no error."""
        ...


class Queues(Protocol):
    """Hands one task of one photograph to its Lambda again."""

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        """Deliver after ``delay`` seconds (at most 900). Unavailable."""
        ...


class Captioner(Protocol):
    """Describes a picture.

    Raises Blocked, BadAnswer, RateLimited, Misconfigured or Unavailable.
    """

    @property
    def source(self) -> Source:
        """Who it is."""
        ...

    @property
    def side(self) -> int:
        """The longer side, in pixels, beyond which more of a picture is of no use to it."""
        ...

    def describe(self, picture: Picture, *, deadline: float) -> Description:
        """``deadline``: on time.monotonic()'s clock, no work goes on past it."""
        ...


class Decode(Protocol):
    """images.decode."""

    def __call__(
        self, data: bytes, *, max_side: int, declared: str | None = None, max_bytes: int = MAX_BYTES
    ) -> Picture:
        """Upright, sRGB, its longer side at most ``max_side`` pixels, never enlarged.

        ``declared``: the media type it was sent as. Rejected where the bytes are not an acceptable
        photograph, are of another accepted type than declared, or are more than ``max_bytes``.
        """
        ...


class Render(Protocol):
    """thumbnails.render."""

    def __call__(self, picture: Picture, public_id: str, *, fit: str) -> Renditions:
        """``fit``: "crop" keeps the subject in a square, "fit" keeps the whole picture."""
        ...
