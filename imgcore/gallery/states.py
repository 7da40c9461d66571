"""The states of an upload and of the tasks of an image. Pure data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MISSING = "missing"  # error code of a task whose stored file has vanished


class TaskKind(StrEnum):
    """The two tasks of each image."""

    THUMBNAIL = "thumbnail"
    CAPTION = "caption"


class TaskStatus(StrEnum):
    """The status of one task of one image."""

    PENDING = "pending"
    PROCESSING = "processing"
    RETRY = "retry"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"  # the model refused to describe the image
    SKIPPED = "skipped"  # the file was rejected

    @property
    def terminal(self) -> bool:
        """True where nothing more happens without a person's request."""
        return self in _TERMINAL


_TERMINAL = frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.BLOCKED, TaskStatus.SKIPPED})


class UploadStatus(StrEnum):
    """The status of the upload."""

    AWAITING = "awaiting"
    RECEIVED = "received"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Task:
    """One task of one image."""

    kind: TaskKind
    status: TaskStatus
    attempts: int = 0
    error: str | None = None  # a code
    message: str | None = None  # a sentence for people
    next_at: datetime | None = None  # UTC; when the retry is due
