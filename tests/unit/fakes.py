"""Small classes in place of S3, SQS, SNS and the models."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from imgcore.errors import Conflict, ImgcoreError, NotFound, Rejected
from imgcore.gallery.models import (
    MAX_BYTES,
    Description,
    PhotoFacts,
    Picture,
    Rendition,
    Renditions,
    Source,
    TaskKind,
    UploadForm,
)
from imgcore.notifications.models import NotificationMessage
from imgcore.notifications.subscriptions import SubscriptionState
from imgcore.pipeline.maintenance_models import DeadLetters
from imgcore.pipeline.models import ModelCall, ObjectCreated, RecordCall, StoredObject, ignore_call

BUCKET = "uploads"


@dataclass
class FakeStorage:
    """Two dictionaries; ``broken`` is raised by everything."""

    uploads: dict[str, bytes] = field(default_factory=dict)
    derived: dict[str, bytes] = field(default_factory=dict)
    removed_versions: list[tuple[str, str]] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    broken: ImgcoreError | None = None

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def form(self, key: str, *, media_type: str, min_bytes: int, max_bytes: int, expires_in: int,
             redirect: str | None = None) -> UploadForm:  # fmt: skip
        self._check()
        fields = {"key": key, "Content-Type": media_type, "range": f"{min_bytes}-{max_bytes}"}
        return UploadForm("http://bucket.test/", fields | ({"redirect": redirect} if redirect else {}))

    def origins(self) -> Sequence[str]:
        return ["http://bucket.test"]

    def ping(self) -> None:
        self._check()

    def chunks(self, key: str, *, derived: bool, version_id: str | None = None) -> Iterator[bytes]:
        self._check()
        objects = self.derived if derived else self.uploads
        if key not in objects:
            raise NotFound("It does not exist any more.")
        return iter([objects[key]])

    def has_derived(self, keys: Sequence[str]) -> bool:
        self._check()
        return set(keys) <= self.derived.keys()

    def find(self, key: str, *, version_id: str | None = None) -> ObjectCreated | None:
        self._check()
        if key not in self.uploads:
            return None
        return ObjectCreated(BUCKET, key, size=len(self.uploads[key]), etag="etag")

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None) -> StoredObject:
        self._check()
        if key not in self.uploads:
            raise NotFound("The uploaded file does not exist any more. Upload it again.")
        if len(self.uploads[key]) > max_bytes:
            raise Rejected("Too large.", code="too_large")
        return StoredObject(self.uploads[key], "etag", version_id)

    def write(self, key: str, data: bytes, media_type: str) -> None:
        self._check()
        self.derived[key] = data

    def url(self, key: str, *, download_as: str | None = None) -> str:
        return f"http://bucket.test/{key}"

    def original_url(self, key: str, *, download_as: str, version_id: str | None = None) -> str:
        return f"http://bucket.test/{key}?name={download_as}&version={version_id}"

    def remove_version(self, key: str, version_id: str) -> None:
        self._check()
        self.removed_versions.append((key, version_id))

    def hide(self, key: str) -> None:
        self._check()
        self.hidden.append(key)

    def remove(self, upload_keys: Sequence[str], derived_keys: Sequence[str]) -> None:
        self._check()
        for key in upload_keys:
            self.uploads.pop(key, None)
        for key in derived_keys:
            self.derived.pop(key, None)


@dataclass
class FakeQueues:
    """Remembers what was sent."""

    sent: list[tuple[TaskKind, str, float]] = field(default_factory=list)
    postponed: list[tuple[TaskKind, str, int, float]] = field(default_factory=list)
    broken: ImgcoreError | None = None

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        if self.broken is not None:
            raise self.broken
        self.sent.append((kind, image_key, delay))

    def postpone(self, kind: TaskKind, body: str, *, postponed: int, delay: float) -> None:
        if self.broken is not None:
            raise self.broken
        self.postponed.append((kind, body, postponed, delay))

    def dead_letters(self) -> list[DeadLetters]:
        return []


@dataclass
class FakeCaptioner:
    """Answers from a list: an exception is raised, a text becomes the caption; the last one stays."""

    answers: list[BaseException | str] = field(default_factory=lambda: ["A red barn."])
    source: Source = Source.GEMINI
    side: int = 1536
    deadlines: list[float] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    tokens: tuple[int, int] | None = None  # of each answer, input and output

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        self.deadlines.append(deadline)
        self.contexts.append(context)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        used: dict[str, int] = {}
        if self.tokens:
            used = dict(zip(("input_tokens", "output_tokens"), self.tokens, strict=True))
            record(ModelCall("fake-1", "1", *self.tokens, "described"))
        words = (answer, f"Alt: {answer}", ("barn", "red", "field"))
        return Description(*words, self.source, model="fake-1", **used)


@dataclass
class FakeSender:
    """Keeps every letter; ``broken`` is raised instead, or after the letter was taken where ``late``."""

    sent: list[NotificationMessage] = field(default_factory=list)
    broken: BaseException | None = None
    late: bool = False

    def send(self, letter: NotificationMessage) -> None:
        if self.broken is None or self.late:
            self.sent.append(letter)
        if self.broken is not None:
            raise self.broken


@dataclass
class FakeTopic:
    """Addresses by name; each waits for ``confirm``. As SNS does, it keeps those that wait."""

    known: dict[str, tuple[str, str]] = field(default_factory=dict)  # ARN → address, owner
    confirmed: set[str] = field(default_factory=set)
    broken: ImgcoreError | None = None

    def _check(self) -> None:
        if self.broken is not None:
            raise self.broken

    def subscribe(self, address: str, owner: str) -> str:
        self._check()
        for arn, (known, whose) in self.known.items():
            if known == address:
                if whose != owner:
                    raise Conflict(
                        "This address receives the notifications of another account.", code="address"
                    )
                return arn
        arn = f"arn:{len(self.known)}:{address}"
        self.known[arn] = (address, owner)
        return arn

    def confirm(self, address: str) -> None:
        self.confirmed |= {arn for arn, (known, _) in self.known.items() if known == address}

    def forget(self, address: str) -> None:
        """Delete the subscriptions of ``address``, as SNS does after two days without confirmation."""
        self.known = {arn: each for arn, each in self.known.items() if each[0] != address}

    def state(self, arn: str) -> SubscriptionState | None:
        self._check()
        if arn not in self.known:
            return None
        return SubscriptionState.CONFIRMED if arn in self.confirmed else SubscriptionState.PENDING

    def unsubscribe(self, arn: str) -> bool:
        self._check()
        if arn in self.known and arn not in self.confirmed:
            return False
        self.known.pop(arn, None)
        return True


@dataclass(frozen=True)
class FakePicture:
    """A picture of no pixels."""

    facts: PhotoFacts
    size: tuple[int, int] = (40, 30)

    def jpeg(self, max_side: int, quality: int = 85) -> bytes:
        return b"\xff\xd8\xff\xe0 no more than the beginning"

    def jpegs(self, max_side: int, quality: int = 85) -> list[bytes]:
        return [self.jpeg(max_side, quality)]

    def rgb(self, size: tuple[int, int], box: tuple[float, float, float, float] | None = None) -> bytes:
        return bytes(3 * size[0] * size[1])


def decode(
    data: bytes, *, max_side: int, declared: str | None = None, max_bytes: int = MAX_BYTES
) -> FakePicture:
    """``bad…`` is not an image, ``bug…`` is a bug of ours, anything else is fine."""
    if data.startswith(b"bad"):
        raise Rejected("This file is not an image.", code="not_an_image")
    if data.startswith(b"bug"):
        raise ZeroDivisionError("a bug")
    return FakePicture(PhotoFacts("JPEG", 400, 300, len(data), hashlib.sha256(data).hexdigest()))


def render(picture: Picture, public_id: str, *, fit: str) -> Renditions:
    """Four renditions that say what they are."""

    def rendition(key: str, side: int) -> Rendition:
        return Rendition(key, f"{key} {fit}".encode(), "image/webp", side, side)

    return Renditions(
        rendition(f"thumbnails/{public_id}/200.webp", 200),
        rendition(f"thumbnails/{public_id}/400.webp", 400),
        rendition(f"display/{public_id}/1600.webp", 1600),
        "data:image/webp;base64,AA==",
        rendition(f"thumbnails/{public_id}/grid.webp", 360),
    )
