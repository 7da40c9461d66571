"""Uploads in parts: the parts of a file, and what the storage does with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

PART_BYTES = 8 * 1024 * 1024  # S3 takes 5 MiB to 5 GiB, and up to 10,000 parts
PARTS_SECONDS = 86_400.0  # how long an upload can be continued
PARTS_LIMIT = 100  # parts that one request may ask for


@dataclass(frozen=True, slots=True)
class Part:
    """A part that the storage holds. size: bytes. sha256: hexadecimal. etag: as the storage named it."""

    number: int  # from 1
    size: int
    sha256: str
    etag: str


@dataclass(frozen=True, slots=True)
class PartRequest:
    """A presigned PUT of one part; ``headers`` are signed, so they have to be sent as they are."""

    number: int
    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class PartPlan:
    """How a file is divided: all parts have ``size`` bytes but the last, which has the rest."""

    size: int
    count: int
    received: tuple[Part, ...] = ()


class PartStorage(Protocol):
    """Multipart uploads to the bucket of originals. Every method raises Unavailable."""

    def start(self, key: str, media_type: str) -> str:
        """Start an upload of this key and return its id."""
        ...

    def request(
        self, key: str, upload: str, number: int, *, size: int, sha256: str, expires_in: int
    ) -> PartRequest:
        """Return the request that uploads exactly this part. size: bytes. sha256: hexadecimal."""
        ...

    def received(self, key: str, upload: str) -> Sequence[Part] | None:
        """Return the parts that have arrived; None where the upload has ended."""
        ...

    def finish(self, key: str, upload: str, parts: Sequence[Part]) -> None:
        """Join the parts into the object. NotFound where the upload has ended."""
        ...

    def abort(self, key: str, upload: str) -> None:
        """Delete the parts; harmless where the upload has ended."""
        ...
