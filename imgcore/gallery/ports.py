"""What the use cases need from the outside, as protocols; adapters fit them without knowing of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from imgcore.gallery.models import (
    EVERYBODY,
    MAX_BYTES,
    Description,
    Edit,
    Image,
    NewImage,
    Page,
    PhotoFacts,
    Picture,
    Renditions,
    Source,
    TaskKind,
    TaskStatus,
    UploadForm,
    Viewer,
)
from imgcore.notifications.models import FinishedBatch, NotificationMessage
from imgcore.pipeline.models import Claim, DueTask, Gate, ObjectCreated, StoredObject


class Repository(Protocol):
    """Photographs and their tasks. Every method is one transaction on the database's own clock.

    All raise Unavailable where the database cannot be reached.
    """

    def ping(self) -> None:
        """The database answers and its schema is up to date."""
        ...

    # The gallery
    def add(self, new: NewImage) -> Image:
        """Make the row ``awaiting`` with both tasks ``pending``."""
        ...

    def get(self, public_id: str) -> Image | None:
        """One photograph, deleted ones included."""
        ...

    def get_many(self, public_ids: Sequence[str]) -> Sequence[Image]:
        """Those that exist, in no order."""
        ...

    def page(self, *, cursor: str | None, limit: int, query: str | None, viewer: Viewer = EVERYBODY) -> Page:
        """Newest first by key, never by offset; no deleted or expired ones, and none that ``viewer`` does
        not see. Invalid: a cursor not ours."""
        ...

    def edit(self, public_id: str, edit: Edit) -> Image | None:
        """Store a person's words with source human."""
        ...

    def reopen(
        self, public_id: str, kinds: Sequence[TaskKind] | None = None, *, also_done: bool = False
    ) -> Sequence[TaskKind]:
        """failed or blocked (and done, if asked) → pending with attempts 0; the kinds reopened."""
        ...

    def delete(self, public_id: str) -> bool:
        """Into the trash; False where there is no such photograph or it is there already."""
        ...

    def restore(self, public_id: str) -> bool:
        """Out of the trash again."""
        ...

    # The pipeline
    def receive(self, event: ObjectCreated, new: NewImage) -> Image:
        """Mark the row of ``event.key`` received; note size, etag, version. Make it from ``new`` if none is.

        A rejected or deleted row stays so. An expired one is received after all.
        """
        ...

    def claim(self, image_key: str, kind: TaskKind, *, lease: float, max_attempts: int) -> Claim | None:
        """attempts + 1, a fresh token, ``lease`` seconds; None where the task is not claimable now.

        Claimable: pending; retry that is due; processing whose lease ended. A task at ``max_attempts``
        already (it crashed every time) is failed with code ``crashed`` instead, and None returned.
        """
        ...

    def finish_thumbnail(self, claim: Claim, facts: PhotoFacts, renditions: Renditions) -> bool:
        """done; False where the claim was fenced off. The outbox row goes with the last terminal task."""
        ...

    def finish_caption(self, claim: Claim, description: Description) -> bool:
        """done; a description of lower rank than the stored one leaves the words as they are."""
        ...

    def park(self, claim: Claim, *, code: str, message: str, delay: float, refund: bool) -> bool:
        """retry in ``delay`` seconds; ``refund`` takes the attempt back."""
        ...

    def fail(self, claim: Claim, status: TaskStatus, *, code: str, message: str) -> bool:
        """failed or blocked, with the outbox row where it was the last."""
        ...

    def reject(self, claim: Claim, *, code: str, message: str) -> bool:
        """The file cannot be accepted: upload rejected, this task and every open one of it skipped."""
        ...

    # The sweeper
    def due(self, *, within: float, lost_after: float, again_after: float, limit: int) -> Sequence[DueTask]:
        """Tasks to hand to their queues, each marked as handed over now.

        retry due within ``within`` seconds; processing whose lease ended; pending on a received row for
        ``lost_after`` seconds; none that was handed over less than ``again_after`` seconds ago.
        """
        ...

    def exhaust(self, *, max_attempts: int) -> int:
        """Fail (code ``crashed``) what is processing with a dead lease and no attempt left."""
        ...

    def unheard(self, *, lost_after: float, again_after: float, limit: int) -> Sequence[Image]:
        """Rows awaiting for ``lost_after`` seconds, not looked at for ``again_after``; marked as looked at."""
        ...

    def expire(self, public_id: str) -> bool:
        """awaiting → expired, where the form has ended (with five minutes' grace)."""
        ...

    def trash(self, *, older_than: float, limit: int) -> Sequence[Image]:
        """Deleted at least ``older_than`` seconds ago, then what was announced by then and never came."""
        ...

    def purge(self, public_id: str) -> bool:
        """Remove the row and all that hangs on it, unless it was restored or has come since."""
        ...

    # Notices: each batch has one, written with its first photograph
    def take_notice(self, *, after: int, quiet: float, lease: float) -> FinishedBatch | None:
        """The next batch, by number beyond ``after``, that has ended and whose owner has not been told.

        It has ended where nothing of it is open, and nothing has been announced or has come for ``quiet``
        seconds. Nobody else gets it for ``lease`` seconds. None where there is none.
        """
        ...

    def close_notice(self, ended: FinishedBatch, letter: NotificationMessage | None) -> bool:
        """The owner has been told that, or there was nothing to tell. False where it was fenced off."""
        ...

    def postpone_notice(self, ended: FinishedBatch, delay: float) -> bool:
        """It could not be sent: to be taken again in ``delay`` seconds."""
        ...

    def forget_notices(self, *, older_than: float) -> int:
        """Remove those whose owners were told at least ``older_than`` seconds ago; how many they were."""
        ...

    # Gates: one for everybody who talks to the same rate-limited service
    def gate(self, name: str) -> Gate:
        """How it stands, changing nothing."""
        ...

    def enter_gate(self, name: str, *, probe: float) -> Gate:
        """Open: go. Closed: wait. Just ended: one caller passes, the rest wait ``probe`` seconds more."""
        ...

    def close_gate(self, name: str, *, wait: float, reason: str, message: str) -> None:
        """Nobody passes for ``wait`` seconds; an earlier, longer closure stands."""
        ...

    def open_gate(self, name: str) -> None:
        """Everybody passes."""
        ...


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
