"""Uploads of large files in parts, which continue after an interruption (Amazon S3 multipart upload)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.errors import Conflict, ImgcoreError, Invalid, NotFound
from imgcore.gallery.checks import checked_sha256
from imgcore.gallery.media_types import form_type
from imgcore.gallery.models import Image, UploadStatus
from imgcore.gallery.part_models import PART_BYTES, PARTS_SECONDS, Part, PartPlan, PartRequest, PartStorage

if TYPE_CHECKING:
    from imgcore.db.part_uploads import PartUploadRepository
    from imgcore.gallery.service import Gallery

_ARRIVED = frozenset({UploadStatus.RECEIVED, UploadStatus.REJECTED})  # with the whole file


@dataclass(frozen=True, slots=True)
class PartUploads:
    """Uploads in parts. find: Storage.find. url_seconds: validity of the requests for parts."""

    rows: PartUploadRepository
    storage: PartStorage
    find: Callable[[str], object | None]
    url_seconds: int = 3600

    def start(
        self, gallery: Gallery, name: str, size: int, media_type: str, **options: object
    ) -> tuple[Image, PartPlan]:
        """Insert the image's row, start its upload and return both. options: those of ``request_upload``."""
        image = gallery.add_upload(name, size, media_type, expires_in=PARTS_SECONDS, **options)  # type: ignore[arg-type]
        try:
            upload = self.storage.start(image.image_key, form_type(media_type))
        except ImgcoreError:
            gallery.images.delete(image.public_id)  # else it would wait for a day
            self.rows.expire(image.id)
            raise
        self.rows.add(image.id, upload)
        return image, _plan(image)

    def plan(self, image: Image) -> PartPlan | None:
        """Return how an upload continues; None where all has arrived. Conflict where it has ended otherwise."""
        if image.upload_status in _ARRIVED:
            return None
        received = self.storage.received(image.image_key, self._upload(image))
        if received is None and self.find(image.image_key) is None:
            raise _ended()
        return None if received is None else _plan(image, received)

    def requests(self, image: Image, first: int, hashes: Sequence[str]) -> list[PartRequest]:
        """Return the requests for the parts from number ``first`` on, of these SHA-256.

        Invalid: sha256, first. Conflict where the image has no upload that can be continued.
        """
        upload, plan = self._upload(image), _plan(image)
        if not 1 <= first <= first + len(hashes) - 1 <= plan.count:
            raise Invalid(f"This upload has the parts 1 to {plan.count}.", code="first")
        return [
            self.storage.request(
                image.image_key,
                upload,
                number,
                size=_size(image, number),
                sha256=sha256,
                expires_in=self.url_seconds,
            )
            for number, sha256 in enumerate(map(checked_sha256, hashes), first)
        ]

    def finish(self, image: Image) -> None:
        """Join the parts, after which the upload's event arrives; harmless where that has happened.

        Conflict: parts_missing, or the upload has ended.
        """
        found = self.plan(image)
        if found is None:
            return
        whole = [part for part in found.received if part.size == _size(image, part.number)]
        if len(whole) < found.count:
            missing = f"{found.count - len(whole)} of {found.count} parts have not arrived."
            raise Conflict(f"{missing} Continue the upload.", code="parts_missing")
        try:
            self.storage.finish(image.image_key, self._upload(image), whole)
        except NotFound:
            if self.find(image.image_key) is None:  # else another request has joined them since
                raise

    def abort(self, image: Image) -> None:
        """Delete the parts of an upload that will not be continued; harmless where there is none."""
        upload = self.rows.get(image.id)
        if upload is not None and image.upload_status not in _ARRIVED:
            self.storage.abort(image.image_key, upload)
            self.rows.expire(image.id)

    def _upload(self, image: Image) -> str:
        upload = self.rows.get(image.id)
        if upload is None or image.upload_status is not UploadStatus.AWAITING or image.deleted_at is not None:
            raise _ended()
        return upload


def _ended() -> Conflict:
    return Conflict("This upload has ended. Upload the file again.", code="upload_ended")


def _plan(image: Image, received: Sequence[Part] = ()) -> PartPlan:
    assert image.size is not None  # the size is required for an upload in parts
    return PartPlan(PART_BYTES, -(-image.size // PART_BYTES), tuple(received))


def _size(image: Image, number: int) -> int:
    """Return the size of a part in bytes; 0 beyond the last one."""
    assert image.size is not None
    return max(0, min(PART_BYTES, image.size - (number - 1) * PART_BYTES))
