"""A campaign over photos that a preview has counted, on both databases."""

from __future__ import annotations

import pytest

from imgcore.campaigns.models import Selection
from imgcore.campaigns.service import Campaigns
from imgcore.db import campaigns as campaigns_module
from imgcore.gallery.models import Image
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues


@pytest.mark.parametrize("chunk", [2, 500])
def test_no_more_photos_than_were_counted_are_described(
    repositories: Repositories, photos: list[Image], monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """The newest are left out; so it is where the photos of a search are too many for one statement."""
    monkeypatch.setattr(campaigns_module, "_CHUNK", chunk)
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: images * 0.5)
    ids = tuple(image.public_id for image in photos)
    counted = campaigns.preview(Selection(ids=ids[:3])).images
    assert 3 == campaigns.start(Selection(ids=ids), most=counted).total
    assert 2 == campaigns.preview(Selection(ids=ids)).images
    assert 2 == campaigns.preview(Selection(ids=ids[3:])).images
