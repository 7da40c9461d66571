"""Campaigns through the model's batch interface, at half the price."""

from __future__ import annotations

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from imgcore.campaigns.models import Batch, Campaign, CampaignStatus
from imgcore.errors import BadAnswer, ImgcoreError
from imgcore.gallery.models import Description, Image, Picture
from imgcore.pipeline.models import ModelCall, RecordCall

if TYPE_CHECKING:
    from imgcore.campaigns.service import Campaigns
    from imgcore.db.batches import BatchRepository
    from imgcore.db.images import ImageRepository
    from imgcore.spending.service import Spending

logger = logging.getLogger(__name__)

SIZE = 40  # images of one batch; Google takes 20 MB without a file
BYTES = 14_000_000  # of the images of one batch: a third more as text
OPEN = 90  # batches at once; Google takes 100
LEASE_SECONDS = 600.0  # within which a batch is sent or stored


class BatchModel(Protocol):
    """A model, as requests to it are made and its answers read. See ModelCaptioner."""

    @property
    def model(self) -> str: ...
    def request_for(self, picture: Picture, context: str = "") -> Any: ...
    def description_in(self, answer: Any, record: RecordCall) -> Description: ...


class BatchInterface(Protocol):
    """The model's batch interface. See GeminiBatches."""

    def submit(self, label: str, model: str, requests: Sequence[tuple[str, Any]]) -> str: ...
    def find(self, label: str) -> str | None: ...
    def answers(self, name: str) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True, slots=True)
class Batches:
    """Sends the images of a campaign in batches, and stores the results.

    Each step may be called at any time, by several processes, and be killed at any point. A batch has a label
    before it is sent, by which it is found again. An answer has one entry in the ledger, by batch and image;
    its words are stored in the transaction that ends the image's part in the campaign. An image without a
    usable answer is described by the queue.

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

    def step(self, campaign: Campaign) -> int:
        """Send what can be sent, store the results that are there, and return the number of open batches.

        Of a cancelled campaign, what was sent is stored and nothing is sent. Raises what the model raises.
        """
        for batch in sorted(self.rows.open(campaign), key=lambda batch: batch.name is None):  # answers first
            self._continue(batch, campaign)
        while self._status(campaign) is CampaignStatus.RUNNING and len(self.rows.open(campaign)) < OPEN:
            if not self.rows.add(campaign, SIZE):
                break
            self._continue(self.rows.open(campaign)[-1], campaign)
        self.campaigns.rows.settle(campaign.id)
        return len(self.rows.open(campaign))

    def _continue(self, batch: Batch, campaign: Campaign) -> None:
        if not self.rows.lease(batch, self.lease):
            return
        try:
            name = batch.name or self.interface.find(batch.label) or self._send(batch, campaign)
            if name is not None:
                self.rows.set_name(batch, name)
                self._store(batch, name, campaign)
        finally:
            self.rows.release(batch)

    def _send(self, batch: Batch, campaign: Campaign) -> str | None:
        """Submit a batch if the campaign runs; raise the cap that is reached."""
        status = self._status(campaign)
        if status is CampaignStatus.CANCELLED:
            self.rows.close(batch)
        if status is not CampaignStatus.RUNNING:
            return None
        if (cap := self.spending.reached_cap()) is not None:
            raise cap
        return self._submit(batch)

    def _status(self, campaign: Campaign) -> CampaignStatus:
        """Return the present status: a person may have changed it during the step."""
        found = self.campaigns.rows.get(campaign.public_id)
        return found.status if found else CampaignStatus.CANCELLED

    def _submit(self, batch: Batch) -> str | None:
        """Send a batch and return its name; None where none of its images can be sent."""
        waiting = dict(self.rows.waiting(batch))
        known = {image.id: image for image in self.images.get_many(list(waiting.values()))}
        requests: list[tuple[str, Any]] = []
        size, sent = 0, Counter[int | None]()
        for image_id, public_id in waiting.items():
            image = known[image_id]
            if image.deleted_at is not None or self._reached_quota(image, sent[image.owner_id]):
                self.campaigns.queue(batch.campaign_id, image_id)  # skips it, or lets it wait for the quota
                continue
            try:
                picture, context = self.load(image)
                request = self.model.request_for(picture, context)
            except ImgcoreError as error:
                logger.warning("Photo %s is not sent in a batch: %s", public_id, error.message)
            else:
                size += len(request.jpeg) + sum(map(len, request.parts))
                if size > BYTES and requests:
                    break
                requests.append((public_id, request))
                sent[image.owner_id] += 1
        if requests:
            return self.interface.submit(batch.label, self.model.model, requests)
        for image_id in waiting:
            self.campaigns.queue(batch.campaign_id, image_id)
        self.rows.close(batch)
        return None

    def _reached_quota(self, image: Image, sent: int) -> bool:
        return image.owner_id is not None and self.spending.reached_quota(image.owner_id, sent) is not None

    def _store(self, batch: Batch, name: str, campaign: Campaign) -> None:
        try:
            answers = self.interface.answers(name)
        except BadAnswer:
            self.rows.close(batch)  # its images wait for another one
            raise
        if answers is None:
            return
        for image_id, public_id in self.rows.waiting(batch):
            described = public_id in answers and self._described(batch, image_id, public_id, answers[public_id])
            if not described and campaign.status is not CampaignStatus.CANCELLED:
                self.campaigns.queue(batch.campaign_id, image_id)
        self.rows.close(batch)

    def _described(self, batch: Batch, image_id: int, public_id: str, answer: Any) -> bool:
        [image] = self.images.get_many([public_id])

        def record(call: ModelCall) -> None:
            entry = self.spending.entry(
                model=call.model,
                input_tokens=call.input_tokens,
                output_tokens=call.output_tokens,
                outcome=call.outcome,
                public_id=public_id,
                owner_id=image.owner_id,
                prompt_version=call.prompt_version,
                batch=True,
            )
            call_id = hashlib.sha256(f"{batch.label} {public_id}".encode()).hexdigest()[:32]
            self.spending.append(replace(entry, call_id=call_id))

        try:
            description = self.model.description_in(answer, record)
        except ImgcoreError:
            return False
        self.rows.store(batch, image_id, description)
        return True
