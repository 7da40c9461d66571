"""Which images a campaign describes again, and how far it is. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Source
from imgcore.pipeline.models import PromptUsed
from imgcore.text import utc


class CampaignStatus(StrEnum):
    """The status of a campaign."""

    RUNNING = "running"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    DONE = "done"


class ItemStatus(StrEnum):
    """The status of one image in a campaign."""

    WAITING = "waiting"
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"  # failed, or declined by the model
    SKIPPED = "skipped"  # deleted, rejected, or being described already when its turn came


@dataclass(frozen=True, slots=True)
class Selection:
    """The images that match all given conditions; those that are waiting to be described are left out.

    ids: public ids. query: words of a search. source: of the caption, the alt text or the tags. model: of the
    present description. before: the caption is older, UTC. tag: one of the tags. failed: the description
    failed. missing: there is no caption.
    """

    ids: tuple[str, ...] = ()
    query: str | None = None
    source: Source | None = None
    model: str | None = None
    before: datetime | None = None
    tag: str | None = None
    failed: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign and its progress. rate: images a minute. counts: images by status. Times are UTC.

    batch: it uses the model's batch interface, at any rate.
    """

    id: int
    public_id: str
    status: CampaignStatus
    rate: int
    total: int
    created_at: datetime
    selection: str  # the conditions, for people
    account_id: int | None = None
    account: str | None = None
    finished_at: datetime | None = None
    counts: Mapping[ItemStatus, int] = field(default_factory=dict)
    batch: bool = False

    @property
    def finished(self) -> int:
        """The number of images that are neither waiting nor queued."""
        return sum(self.counts.get(status, 0) for status in _ENDED)

    def as_json(self) -> dict[str, Any]:
        """Return what the API answers and the command prints; times in RFC 3339."""
        return {
            "id": self.public_id,
            "status": self.status,
            "rate": self.rate,
            "batch": self.batch,
            "images": self.total,
            "finished": self.finished,
            "counts": {str(status): count for status, count in sorted(self.counts.items())},
            "selection": self.selection,
            "account": self.account,
            "created_at": utc(self.created_at),
            "finished_at": utc(self.finished_at) if self.finished_at else None,
        }


_ENDED = (ItemStatus.DONE, ItemStatus.FAILED, ItemStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class Batch:
    """Images of a campaign that are sent to the model together.

    label: ours, by which it is found again. name: the model's; None where it may not have been sent.
    sent_at: when sending it began; None before. used: what its requests were made with, where that is known.
    """

    id: int
    campaign_id: int
    label: str
    name: str | None
    sent_at: datetime | None = None
    used: PromptUsed | None = None


@dataclass(frozen=True, slots=True)
class BatchImage:
    """An image of a batch, as it was when it was sent: it may be deleted since."""

    id: int
    public_id: str
    owner_id: int | None


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What the model's interface answers to a batch that has ended.

    answers: by key, without those of requests that failed. failure: why the batch ended before it was complete.
    """

    answers: Mapping[str, Any]
    failure: ImgcoreError | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a selection, to show before a campaign starts."""

    public_id: str
    name: str
    caption: str | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a campaign would do. price_usd: an estimate; None where the price is unknown."""

    images: int
    price_usd: float | None
    sample: tuple[Sample, ...]

    def as_json(self) -> dict[str, Any]:
        """Return what the API answers and the command prints."""
        sample = [{"id": one.public_id, "name": one.name, "caption": one.caption} for one in self.sample]
        return {"images": self.images, "price_usd": self.price_usd, "sample": sample}
