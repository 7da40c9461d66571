"""The sweep ends the batches of cancelled campaigns, and needs no model where there are none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imgcore import bootstrap
from imgcore.campaigns.batches import Batches
from imgcore.campaigns.models import Selection
from imgcore.campaigns.service import Campaigns
from imgcore.config import Config
from imgcore.db.batches import BatchRepository
from imgcore.db.connection import open_database
from imgcore.db.migrations import migrate
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import Source
from imgcore.pipeline.sweeper import Sweeper
from tests.contract.images import described
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues


def test_sweep_ends_batches_after_all_else_and_without_them_where_the_model_is_away(
    sweeper: Sweeper, caplog: pytest.LogCaptureFixture
) -> None:
    called = []

    def away() -> None:
        called.append(True)
        raise Unavailable("Gemini cannot be reached at the moment.")

    report = replace(sweeper, end_batches=away).sweep()

    assert (0, [True]) == (report.missing, called)
    assert "Batches of a cancelled campaign are still open" in caplog.text


def test_sweeper_of_the_settings_uses_the_model_only_where_a_cancelled_campaign_has_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing key is an error of the settings then, which the sweep logs."""
    url = f"sqlite:///{tmp_path}/gallery.db"
    buckets = {"UPLOADS_BUCKET": "u", "DERIVED_BUCKET": "d"}
    aws = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    for name, value in ({"DATABASE_URL": url} | buckets | aws).items():
        monkeypatch.setenv(name, value)
    ended = []
    monkeypatch.setattr(Batches, "end_cancelled", lambda self: ended.append(self.lease))
    database = open_database(url)
    migrate(database)
    repositories = Repositories(database)
    described(repositories, "a.jpg")
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: None)
    campaign = campaigns.start(Selection(source=Source.LOCAL), batch=True)
    BatchRepository(database).add(campaign, 40, 0.0)

    def end_batches() -> None:
        found = bootstrap.sweeper(Config.read()).end_batches
        assert found is not None
        found()

    end_batches()
    assert [] == ended
    campaigns.cancel(campaign.public_id)
    with pytest.raises(Misconfigured, match="batches"):
        end_batches()
    monkeypatch.setenv("GEMINI_API_KEY", "made-up")
    end_batches()
    assert [300.0] == ended
    database.close()
