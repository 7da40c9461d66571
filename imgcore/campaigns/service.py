"""Use cases of campaigns: preview, start, pause, resume, cancel, and the step of each minute's sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imgcore.campaigns.models import Campaign, CampaignStatus, Preview, Selection
from imgcore.errors import Conflict, Invalid, NotFound, Unavailable
from imgcore.gallery.keys import is_public_id
from imgcore.gallery.models import EVERYBODY, TaskKind, Viewer
from imgcore.gallery.ports import Queues

if TYPE_CHECKING:
    from imgcore.db.campaigns import CampaignRepository

DEFAULT_RATE, MAX_RATE = 60, 6000  # images a minute
SAMPLE = 5
LISTED = 50  # campaigns
STEP_SECONDS = 60.0  # the longest time that one step makes up for
IN_REQUEST, IN_SWEEP = 2.0, 20.0  # seconds that may pass until the last image of a step is queued
AHEAD = 3  # minutes of work that may be queued at once: more would only wait in the queue

_NO_MATCH = "No photo matches, so there is nothing to describe again."


@dataclass(frozen=True, slots=True)
class Campaigns:
    """The campaigns.

    estimate: returns the price in US dollars of describing so many images, or None where it is unknown.
    viewer: the rights of the current user, whose campaigns contain only images that they may change.
    """

    rows: CampaignRepository
    queues: Queues
    estimate: Callable[[int], float | None]
    viewer: Viewer = EVERYBODY
    clock: Callable[[], float] = time.monotonic

    def preview(self, selection: Selection, *, batch: bool = False) -> Preview:
        """Return how many images match, what describing them costs, and a sample of five."""
        images, sample = self.rows.preview(_checked(selection), self.viewer, SAMPLE)
        price = self.estimate(images) if images else 0.0
        return Preview(images, price / 2 if price and batch else price, tuple(sample))

    def start(
        self,
        selection: Selection,
        rate: int = DEFAULT_RATE,
        *,
        batch: bool = False,
        most: int | None = None,
    ) -> Campaign:
        """Start a campaign over the images that match now. Invalid: rate. Conflict where none match.

        batch: for Batches; ``advance`` does not queue its images. most: the number of a preview; where more
        images match by now, the newest are left out.
        """
        if not 1 <= rate <= MAX_RATE:
            raise Invalid(f"rate must be a whole number from 1 to {MAX_RATE}.", code="rate")
        campaign = self.rows.add(_checked(selection), rate, self.viewer, batch=batch, most=most)
        if campaign is None:
            raise Conflict(_NO_MATCH, code="no_match")
        try:
            self.advance(IN_REQUEST)
            return self.get(campaign.public_id)
        except Unavailable:  # the campaign runs: the next sweep queues its images
            return campaign

    def extend(self, public_id: str, selection: Selection) -> Campaign:
        """Add the images that match now to a campaign that runs; start another one where it has ended.

        NotFound. Conflict where none match.
        """
        campaign = self.get(public_id)
        added = self.rows.extend(campaign.id, _checked(selection), self.viewer)
        if added is None:
            return self.start(selection, campaign.rate)
        if not added:
            raise Conflict(_NO_MATCH, code="no_match")
        return self.get(public_id)

    def get(self, public_id: str) -> Campaign:
        """Return a campaign of the viewer's. NotFound."""
        campaign = self.rows.get(public_id) if is_public_id(public_id) else None
        if campaign is None or not self._may_see(campaign):
            raise NotFound("There is no such campaign.")
        return campaign

    def all(self) -> Sequence[Campaign]:
        """Return the newest campaigns of the viewer's, the newest first."""
        return self.rows.newest(LISTED, self.viewer)

    def pause(self, public_id: str) -> Campaign:
        """Stop queueing images; those that are queued are finished."""
        return self._move(public_id, CampaignStatus.RUNNING, CampaignStatus.PAUSED)

    def resume(self, public_id: str) -> Campaign:
        """Go on with a paused campaign."""
        return self._move(public_id, CampaignStatus.PAUSED, CampaignStatus.RUNNING)

    def cancel(self, public_id: str) -> Campaign:
        """End a campaign; images that are queued are finished."""
        campaign = self.get(public_id)
        return self._move(public_id, campaign.status, CampaignStatus.CANCELLED)

    def advance(self, seconds: float = IN_SWEEP) -> int:
        """Queue the images whose turn has come in all running campaigns; return how many.

        It may be called at any time, by several processes, and be killed at any point: an image is queued in
        the transaction that takes it from the campaign, and a message that was not sent is sent by the sweep.
        seconds: shared by the campaigns. Images for which no time is left wait for a later turn, so that a high
        rate delays no request and no other work of the sweep.
        """
        queued, running, end = 0, self.rows.running(), self.clock() + seconds
        for number, campaign in enumerate(running):
            turn = () if campaign.batch else self.rows.take_turn(campaign, STEP_SECONDS, AHEAD)
            now = self.clock()
            until = now + (end - now) / (len(running) - number)
            for image_id in turn:
                queued += self.queue(campaign.id, image_id)
                if self.clock() >= until:
                    break
            self.rows.settle(campaign.id)
        for campaign_id in self.rows.unsettled():
            self.rows.settle(campaign_id)
        return queued

    def queue(self, campaign_id: int, image_id: int) -> bool:
        """Queue a waiting image of a campaign; False where that is not possible."""
        image_key = self.rows.queue(campaign_id, image_id)
        if image_key is None:
            return False
        self.queues.send(TaskKind.CAPTION, image_key)
        return True

    def _may_see(self, campaign: Campaign) -> bool:
        return self.viewer.changes_others or (
            self.viewer.account_id is not None and campaign.account_id == self.viewer.account_id
        )

    def _move(self, public_id: str, old: CampaignStatus, new: CampaignStatus) -> Campaign:
        campaign = self.get(public_id)
        ended = campaign.status in (CampaignStatus.DONE, CampaignStatus.CANCELLED)
        if ended or not self.rows.set_status(campaign.id, old, new):
            raise Conflict(f"This campaign is {campaign.status}.", code="status")
        return self.get(public_id)


def _checked(selection: Selection) -> Selection:
    if "" in (selection.query, selection.model, selection.tag) or selection == Selection():
        raise Invalid("Name the photos: ids, a search, or another condition.", code="selection")
    return selection
