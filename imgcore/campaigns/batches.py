"""Campaigns through the model's batch interface, at half the price."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from imgcore.campaigns.models import Batch, BatchImage, BatchResult, Campaign, CampaignStatus
from imgcore.errors import BadAnswer, ImgcoreError, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Description, Image, Picture
from imgcore.pipeline.models import ModelCall, PromptUsed, RecordCall

if TYPE_CHECKING:
    from datetime import datetime

    from imgcore.campaigns.service import Campaigns
    from imgcore.db.batches import BatchRepository
    from imgcore.db.images import ImageRepository
    from imgcore.spending.service import Spending

logger = logging.getLogger(__name__)

SIZE = 40  # images of one batch; Google takes 20 MB without a file
BYTES = 14_000_000  # of the images of one batch: a third more as text
OPEN = 90  # batches of all campaigns at once; Google takes 100, so that several processes may add one more each
SWEEP_SECONDS = 30.0  # after which a sweep leaves the other batches of cancelled campaigns to the next one
SWEEP_CALL_SECONDS = 15.0  # for one call in a sweep, whose function ends after two minutes
SWEEP_LEASE_SECONDS = 300.0  # of a batch in a sweep
LEASE_SECONDS = 1800.0  # within which a batch is sent or stored
LOST_SECONDS = 1800.0  # after which a batch that is not found was not sent: longer than an upload can take

_PAUSED = (
    "An administrator has paused captions: no batch is sent until they are resumed on the page /admin/jobs."
)


class BatchModel(Protocol):
    """A model, as requests to it are made and its answers read. See ModelCaptioner."""

    @property
    def model(self) -> str: ...
    def probe(self, record: RecordCall) -> None: ...
    def request_for(self, picture: Picture, context: str = "") -> Any: ...
    @property
    def prompt_used(self) -> PromptUsed: ...
    def description_in(
        self, answer: Any, record: RecordCall, used: PromptUsed | None = None
    ) -> Description: ...


class BatchInterface(Protocol):
    """The model's batch interface. See GeminiBatches."""

    def submit(
        self, label: str, model: str, requests: Sequence[tuple[str, Any]], late: Callable[[str], object]
    ) -> str: ...
    def find(self, label: str, since: datetime) -> str | None: ...
    def result(self, name: str) -> BatchResult | None: ...
    def cancel(self, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Batches:
    """Sends the images of a campaign in batches, and stores the results.

    Each step may be called at any time, by several processes, and be killed at any point. A batch has a label
    and a time before it is sent, by which it is found again; until it may be in the list of the interface, its
    images are in no other one. An answer has one entry in the ledger, by batch and image;
    its words are stored in the transaction that ends the image's part in the campaign. An image without a
    usable answer is described by the queue; where the campaign is paused, it waits for another batch. A model
    is probed before its first batch, so that options which it refuses are left out of each request.

    load: returns the decoded picture of an image, and the lines that are known about it.
    """

    rows: BatchRepository
    images: ImageRepository
    campaigns: Campaigns
    model: BatchModel
    interface: BatchInterface
    load: Callable[[Image], tuple[Picture, str]]
    spending: Spending
    lease: float = LEASE_SECONDS
    lost_after: float = LOST_SECONDS
    clock: Callable[[], float] = time.monotonic
    _probed: set[str] = field(default_factory=set, init=False, compare=False)  # models

    def step(self, campaign: Campaign) -> int:
        """Send what can be sent, store the results that are there, and return the number of open batches.

        The batches of a cancelled campaign are cancelled too; what was answered is stored, and nothing is sent.
        Raises what the model raises.
        """
        for batch in sorted(self.rows.open(campaign), key=lambda batch: batch.name is None):  # answers first
            self._continue(batch, campaign)
        while self._status(campaign) is CampaignStatus.RUNNING and self.rows.count_open() < OPEN:
            added = self.rows.add(campaign, SIZE, self.lease)
            if added is None:
                break
            self._send(added)
        self.campaigns.rows.settle(campaign.id)
        return len(self.rows.open(campaign))

    def end_cancelled(self) -> None:
        """Cancel the batches of cancelled campaigns, and store the answers of those that have ended.

        Nothing is sent. What is left after SWEEP_SECONDS waits for the next call. One that fails does not keep
        the others open; the first failure is raised at the end.
        """
        until, failures = self.clock() + SWEEP_SECONDS, list[ImgcoreError]()
        for public_id in self.rows.abandoned():
            campaign = self.campaigns.rows.get(public_id)
            if campaign is None:
                continue
            for batch in self.rows.open(campaign):
                if self.clock() > until:
                    break
                try:
                    self._continue(batch, campaign)
                except ImgcoreError as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    def _continue(self, opened: Batch, campaign: Campaign) -> None:
        """Store the answers of a batch that was sent; the images of one that was not wait for another one.

        Whether one was sent may be unknown, and it may be on its way still.
        """
        batch = self.rows.lease(opened, self.lease)
        if batch is None:
            return
        with self._released(batch):
            if batch.sent_at is None:
                self.rows.close(batch)
                return
            name = batch.name or self.interface.find(batch.label, batch.sent_at)
            if name is None:
                self.rows.close_lost(batch, self.lost_after)
            else:
                self._store(batch, name, campaign)

    def _send(self, batch: Batch) -> None:
        """Send a new batch. Raise the cap that is reached, the pause, or why the model cannot be used."""
        with self._released(batch):
            with self._closed_on(batch, ImgcoreError):
                self._check_model()
                requests = self._requests(batch)
            used = self.model.prompt_used
            if not requests or not self.rows.begin(batch, used, self.lease):
                self.rows.close(batch)
                return

            def named(name: str) -> None:
                self.rows.set_name(batch, name)

            refusals = (RateLimited, Misconfigured, BadAnswer)  # after any other error it may have been created
            with self._closed_on(batch, *refusals):
                name = self.interface.submit(batch.label, used.model, requests, named)
            named(name)

    @contextmanager
    def _closed_on(self, batch: Batch, *errors: type[ImgcoreError]) -> Iterator[None]:
        """Close a batch that was not sent for such an error: its images wait for another one."""
        try:
            yield
        except errors:
            self.rows.close(batch)
            raise

    @contextmanager
    def _released(self, batch: Batch) -> Iterator[None]:
        try:
            yield
        finally:
            self.rows.release(batch)

    def _check_model(self) -> None:
        """Probe the model, once; return where a batch may be sent to it."""
        if self.rows.paused():
            raise Unavailable(_PAUSED, code="captions_paused")
        self._check_cap()
        if self.model.model not in self._probed:
            self.model.probe(self.spending.record)
            self._probed.add(self.model.model)
            self._check_cap()  # the probe was paid

    def _check_cap(self) -> None:
        if (cap := self.spending.reached_cap()) is not None:
            raise cap

    def _status(self, campaign: Campaign) -> CampaignStatus:
        """Return the present status: a person may have changed it during the step."""
        found = self.campaigns.rows.get(campaign.public_id)
        return found.status if found else CampaignStatus.CANCELLED

    def _requests(self, batch: Batch) -> list[tuple[str, Any]]:
        """Return the requests for the images of a batch by their public ids, up to BYTES in all.

        The other images leave the batch: for the queue where they cannot be sent, else for another one.
        """
        waiting = {image.id: image.public_id for image in self.rows.unanswered(batch)}
        known = {image.id: image for image in self.images.get_many(list(waiting.values()))}
        requests: dict[int, Any] = {}
        size, sent = 0, Counter[int | None]()
        for image_id, image in known.items():
            request = None if self._reached_quota(image, sent[image.owner_id]) else self._request(image)
            if request is None:
                self.campaigns.queue(batch.campaign_id, image_id)  # skips it, or lets it wait for the quota
                continue
            size += len(request.jpeg) + sum(map(len, request.parts))
            if size > BYTES and requests:
                break
            requests[image_id] = request
            sent[image.owner_id] += 1
        self.rows.keep(batch, list(requests))
        return [(waiting[image_id], request) for image_id, request in requests.items()]

    def _request(self, image: Image) -> Any | None:
        """Return the request for an image; None where none can be made."""
        if image.deleted_at is not None:
            return None
        try:
            return self.model.request_for(*self.load(image))
        except Unavailable:
            raise  # the storage is: it is not the image's failure
        except ImgcoreError as error:
            logger.warning("Photo %s is not sent in a batch: %s", image.public_id, error.message)
            return None

    def _reached_quota(self, image: Image, sent: int) -> bool:
        return image.owner_id is not None and self.spending.reached_quota(image.owner_id, sent) is not None

    def _store(self, batch: Batch, name: str, campaign: Campaign) -> None:
        self.rows.set_name(batch, name)
        cancelled = self._status(campaign) is CampaignStatus.CANCELLED
        result = self.interface.result(name)
        if result is None:
            if cancelled:
                self.interface.cancel(name)
            return
        for image in self.rows.unanswered(batch):
            answer = result.answers.get(image.public_id)
            described = answer is not None and self._described(batch, image, answer)
            if not (described or result.failure):
                self.campaigns.queue(batch.campaign_id, image.id)
        self.rows.close(batch)  # of one that failed, the other images wait for another one
        if result.failure and not cancelled:
            raise result.failure

    def _described(self, batch: Batch, image: BatchImage, answer: Any) -> bool:
        """Store what an answer costs, and its description; return whether it has one. Unavailable."""
        calls: list[ModelCall] = []
        description: Description | None = None
        with suppress(ImgcoreError):  # the answer is unusable, but has its price
            description = self.model.description_in(answer, calls.append, batch.used)
        for call in calls:
            public_id = image.public_id
            entry = self.spending.entry_of(call, public_id=public_id, owner_id=image.owner_id, batch=True)
            call_id = hashlib.sha256(f"{batch.label} {public_id}".encode()).hexdigest()[:32]
            self.spending.append(replace(entry, call_id=call_id))
        if description is None:
            return False
        self.rows.store(batch, image.id, description)
        return True
