"""What the tests of batches share: a campaign in batches of two before Google's batch interface."""

from __future__ import annotations

from typing import Any

import pytest

from imgcore.campaigns.batches import Batches
from imgcore.campaigns.models import Campaign, Selection
from imgcore.campaigns.service import Campaigns
from imgcore.captioning.gemini import GeminiCaptioner
from imgcore.captioning.gemini.batches import GeminiBatches
from imgcore.captioning.prices import price, quote
from imgcore.config import Secret
from imgcore.db.batches import BatchRepository
from imgcore.db.connection import Database
from imgcore.gallery.models import Image, Source
from imgcore.spending.models import Caps, Group, Period
from imgcore.spending.service import Spending
from tests.contract.captioning_tools import MODEL, Photo
from tests.fake_batches import FakeBatches
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues

KEY = Secret("made-up-for-this-test")


class Bench:
    """A campaign in batches, and what a test wants to know of it. models: the first one and its fallbacks."""

    def __init__(
        self,
        repositories: Repositories,
        database: Database,
        google: FakeBatches,
        models: tuple[str, ...] = (MODEL,),
        **caps: float,
    ) -> None:
        self.repositories, self.google, self.queues = repositories, google, FakeQueues()
        self.campaigns = Campaigns(repositories.campaigns, self.queues, lambda images: images * 1.0)
        self.spending = Spending(repositories.ledger, quote, Caps(**caps), batch_model=models[0])
        self._database, self._models = database, models
        self._interface = GeminiBatches(KEY.reveal(), google.url)
        self.process = self.batches()

    def batches(self, **changes: Any) -> Batches:
        """A process that was just started."""
        changes.setdefault("model", self.captioner())
        changes.setdefault("load", lambda image: (Photo(), f"File name: {image.name}"))
        return Batches(
            rows=BatchRepository(self._database),
            images=self.repositories.images,
            campaigns=self.campaigns,
            interface=self._interface,
            spending=self.spending,
            **({"lease": 0.0, "lost_after": 0.0} | changes),
        )

    def captioner(self, **options: Any) -> GeminiCaptioner:
        """The model, with other settings."""
        first, *others = self._models
        return GeminiCaptioner(KEY, model=first, fallback_models=others, base_url=self.google.url, **options)

    def start(self, **selection: Any) -> Campaign:
        return self.campaigns.start(Selection(**(selection or {"source": Source.LOCAL})), batch=True)

    def step(self, campaign: Campaign) -> Campaign:
        """A step of one process that goes on."""
        self.process.step(self.campaigns.get(campaign.public_id))
        return self.campaigns.get(campaign.public_id)

    def captions(self, photos: list[Image]) -> list[str | None]:
        found = [self.repositories.images.get(photo.public_id) for photo in photos]
        return [image.caption if image else None for image in found]


def same_bill(bench: Bench, google: FakeBatches) -> None:
    """The ledger equals the bill to the token: of batches at half the price, and of probes."""
    answers = [tokens for tokens in google.billed if tokens != (0, 0)]
    assert billed(answers, 0.5) == _recorded(bench, batch=True)
    assert billed([(700, 90)] * len(google.probed), 1.0) == _recorded(bench, batch=False)


def billed(answers: list[tuple[int, int]], share: float) -> tuple[int, int, int, Any]:
    """Return what the ledger has to hold of answers of MODEL: their number, tokens and price."""
    cost = share * sum(price(MODEL, *tokens) or 0.0 for tokens in answers)
    return len(answers), sum(i for i, _ in answers), sum(o for _, o in answers), pytest.approx(cost)


def _recorded(bench: Bench, *, batch: bool) -> tuple[int, int, int, float]:
    usage = bench.repositories.ledger.usage(Period(), Group.MODEL, batch=batch)
    for one in usage:
        if one.group == MODEL:
            return one.calls, one.input_tokens, one.output_tokens, one.price_usd or 0.0
    return 0, 0, 0, 0.0
