"""``imgcore recaption`` and ``imgcore campaign``: preview, start, progress, pause."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from imgcore import bootstrap
from imgcore.campaigns.models import Campaign, CampaignStatus, Selection
from imgcore.campaigns.service import Campaigns
from imgcore.cli import main as cli
from imgcore.cli import recaption
from imgcore.config import Config
from imgcore.errors import ImgcoreError, Invalid, Misconfigured, RateLimited, Unavailable
from imgcore.gallery.models import Source, TaskKind
from tests.contract.images import described, description
from tests.support.repositories import Repositories
from tests.unit.fakes import FakeQueues


class WorkingQueues(FakeQueues):
    """Queues whose messages are worked off at once."""

    def __init__(self, repositories: Repositories) -> None:
        super().__init__()
        self._tasks = repositories.tasks

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        super().send(kind, image_key, delay)
        claim = self._tasks.claim(image_key, kind, lease=60.0, max_attempts=5)
        assert claim is not None
        self._tasks.finish_caption(claim, description(source=Source.GEMINI, caption="New."))


@pytest.fixture
def queues(repositories: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeQueues:
    """A gallery of one local and one Gemini's description in the settings; its queues do nothing."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/gallery.db")
    described(repositories, "local.jpg")
    described(repositories, "gemini.jpg", source=Source.GEMINI)
    queues = FakeQueues()
    use(monkeypatch, repositories, queues)
    return queues


def use(monkeypatch: pytest.MonkeyPatch, repositories: Repositories, queues: FakeQueues) -> None:
    campaigns = Campaigns(repositories.campaigns, queues, lambda images: images * 0.25)
    monkeypatch.setattr(bootstrap, "campaigns", lambda config: campaigns)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    assert 0 == cli.main(list(arguments))
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_recaption_dry_run_prints_count_price_and_sample(
    queues: FakeQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,) = run(capsys, "recaption", "--source", "local", "--dry-run")

    assert (1, 0.25, ["local.jpg"], []) == (
        found["images"],
        found["price_usd"],
        [sample["name"] for sample in found["sample"]],
        queues.sent,
    )


def test_recaption_queues_what_matches(queues: FakeQueues, capsys: pytest.CaptureFixture[str]) -> None:
    (started,) = run(capsys, "recaption", "--source", "local")

    assert ("running", 1, 1) == (started["status"], started["images"], len(queues.sent))
    assert [started["id"]] == [found["id"] for found in run(capsys, "campaign", "list")]


def test_recaption_watch_ends_with_the_campaign(
    queues: FakeQueues,
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    use(monkeypatch, repositories, WorkingQueues(repositories))

    last = run(capsys, "recaption", "--source", "local", "--watch")[-1]

    assert ("done", 1, 1) == (last["status"], last["finished"], last["counts"]["done"])


def test_campaign_is_paused_resumed_and_cancelled(
    queues: FakeQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    (started,) = run(capsys, "recaption", "--source", "local", "--before", "2100-01-01", "--rate", "5")
    statuses = [
        run(capsys, "campaign", action, started["id"])[0]["status"]
        for action in ("pause", "show", "resume", "cancel")
    ]

    assert ["paused", "paused", "running", "cancelled"] == statuses
    assert 1 == cli.main(["campaign", "resume", started["id"]])
    assert "This campaign is cancelled." in capsys.readouterr().err


def test_recaption_that_selects_nothing_fails(queues: FakeQueues, capsys: pytest.CaptureFixture[str]) -> None:
    assert 1 == cli.main(["recaption"])
    assert "Name the photos" in capsys.readouterr().err
    assert 1 == cli.main(["recaption", "--tag", "nothing-has-this"])
    assert "No photo matches" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        *(("--failed", option, value) for option in ("--query", "--tag", "--model") for value in ("", " ")),
        ("--before", ""),
        ("--before", "yesterday"),
        ("--tag", "\udce9"),
        ("--query", "x" * 201),
        ("",),
        ("nonsense",),
    ],
)
def test_recaption_refuses_a_malformed_condition(
    queues: FakeQueues, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    """An empty variable of a shell never selects all photos."""
    for options in ((), ("--dry-run",)):
        with pytest.raises(SystemExit) as ended:
            cli.main(["recaption", *arguments, *options])
        assert (2, "") == (ended.value.code, capsys.readouterr().out)
    assert [] == queues.sent


@pytest.mark.parametrize("text", [{"query": ""}, {"model": ""}, {"tag": ""}])
def test_campaign_over_an_empty_text_is_refused_for_every_caller(
    queues: FakeQueues, text: dict[str, str]
) -> None:
    for selection in (Selection(**text), Selection(source=Source.LOCAL, **text)):
        with pytest.raises(Invalid):
            bootstrap.campaigns(Config.read({})).start(selection)


def test_recaption_before_a_time_with_an_offset_is_that_time_in_utc(
    queues: FakeQueues, capsys: pytest.CaptureFixture[str]
) -> None:
    """The captions are a moment old, so a wrong sign or none selects them or misses them."""
    for offset in (2, -2, 0):
        zone = timezone(timedelta(hours=offset))
        times = [(datetime.now(zone) + timedelta(hours=late)).isoformat() for late in (-1, 1)]
        counts = [
            run(capsys, "recaption", "--source", "local", "--before", when, "--dry-run")[0]["images"]
            for when in times
        ]
        assert [0, 1] == counts


@pytest.mark.parametrize("options", [(), ("--watch",)])
def test_recaption_whose_queue_is_away_runs_and_has_an_id(
    queues: FakeQueues,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
) -> None:
    """The sweep sends the message later; a command that watches goes on when the queue answers again."""
    queues.broken = Unavailable("The caption queue cannot be reached just now.", code="queue")

    def later(_: float) -> None:
        queues.broken = None
        campaigns = bootstrap.campaigns(Config.read({}))
        campaigns.cancel(campaigns.all()[0].public_id)

    monkeypatch.setattr(recaption.time, "sleep", later)
    first, *others = run(capsys, "recaption", "--source", "local", *options)

    assert ("running", 1) == (first["status"], first["images"])
    assert ["cancelled"] * len(options) == [row["status"] for row in others[-1:]]
    assert first["id"] == run(capsys, "campaign", "list")[0]["id"]


def test_recaption_in_batches_goes_on_until_the_campaign_has_ended(
    queues: FakeQueues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The queue gets no message, and without Gemini no campaign starts."""
    for options in ((), ("--dry-run",)):
        assert 1 == cli.main(["recaption", "--source", "local", "--batch", *options])
        assert "Only Gemini describes in batches" in capsys.readouterr().err
    assert 0 == cli.main(["campaign", "list"])
    assert ("", "imgcore: There is no campaign yet.\n") == capsys.readouterr()
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    monkeypatch.setattr(recaption, "_BATCH_SECONDS", 0.0)
    campaigns, steps = bootstrap.campaigns(Config.read({})), []

    class Batches:
        def step(self, campaign: Campaign) -> None:
            steps.append(campaign.public_id)
            if len(steps) == 2:
                campaigns.cancel(campaign.public_id)

    monkeypatch.setattr(bootstrap, "batches", lambda config: Batches())
    first, *_, last = run(capsys, "recaption", "--source", "local", "--batch")

    assert (True, "running", "cancelled", 2) == (first["batch"], first["status"], last["status"], len(steps))
    assert [] == queues.sent


class SteppedBatches:
    """Batches whose steps do what a test says; afterwards the campaign is cancelled."""

    def __init__(self, campaigns: Campaigns, *steps: Callable[[str], int]) -> None:
        self._campaigns, self._steps = campaigns, list(steps)

    def step(self, campaign: Campaign) -> int:
        if self._steps:
            return self._steps.pop(0)(campaign.public_id)
        self._campaigns.cancel(campaign.public_id)
        return 0


def recaption_in_batches(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], batches: Callable[[Campaigns], Any]
) -> tuple[list[dict[str, Any]], str]:
    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    monkeypatch.setattr(recaption, "_BATCH_SECONDS", 0.0)
    known = batches(bootstrap.campaigns(Config.read({})))
    monkeypatch.setattr(bootstrap, "batches", lambda config: known)
    assert 0 == cli.main(["recaption", "--source", "local", "--batch"])
    output = capsys.readouterr()
    return [json.loads(line) for line in output.out.splitlines()], output.err


def test_recaption_in_batches_survives_errors_and_a_pause(
    queues: FakeQueues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lasting error is named once, with the command that goes on."""

    def fail(error: ImgcoreError) -> int:
        raise error

    def batches(campaigns: Campaigns) -> SteppedBatches:
        return SteppedBatches(
            campaigns,
            lambda _: fail(Unavailable("Away.")),
            lambda _: fail(Unavailable("Away.")),
            lambda _: fail(RateLimited("The cap.", code="spend_cap_day")),
            lambda public_id: campaigns.pause(public_id) and 0,
        )

    rows, errors = recaption_in_batches(monkeypatch, capsys, batches)

    assert ["running", "paused", "cancelled"] == [row["status"] for row in rows]
    assert [1, 1] == [errors.count("(unavailable)"), errors.count("(spend_cap_day)")]
    assert f"imgcore campaign watch {rows[0]['id']}" in errors


def test_recaption_in_batches_goes_on_after_a_cancel_until_its_answers_are_stored(
    queues: FakeQueues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stored = []

    def batches(campaigns: Campaigns) -> SteppedBatches:
        return SteppedBatches(
            campaigns,
            lambda public_id: campaigns.cancel(public_id) and 2,
            lambda public_id: stored.append(public_id) or 0,
        )

    rows, _ = recaption_in_batches(monkeypatch, capsys, batches)

    assert ("cancelled", [rows[0]["id"]]) == (rows[-1]["status"], stored)


def test_recaption_in_batches_ends_with_the_code_of_what_has_to_be_corrected(
    queues: FakeQueues, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Batches:
        def step(self, campaign: Campaign) -> int:
            raise Misconfigured("This Gemini model is retired.", code="model_retired")

    monkeypatch.setenv("GEMINI_API_KEY", "made-up-for-this-test")
    monkeypatch.setattr(bootstrap, "batches", lambda config: Batches())

    assert 1 == cli.main(["recaption", "--source", "local", "--batch"])
    output = capsys.readouterr()
    assert "This Gemini model is retired. (model_retired)" in output.err
    assert f"imgcore campaign watch {json.loads(output.out)['id']}" in output.err


@pytest.mark.parametrize(
    ("steps", "code", "said"),
    [([0], 0, ""), ([3], 0, "that have not ended (3)"), ([], 1, "Away. To cancel the batches")],
)
def test_campaign_cancel_cancels_its_batches_at_once(
    queues: FakeQueues,
    repositories: Repositories,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    steps: list[int],
    code: int,
    said: str,
) -> None:
    """The campaign is cancelled in any case; the command that goes on is named where batches are left."""
    started = bootstrap.campaigns(Config.read({})).start(Selection(source=Source.LOCAL), batch=True)

    class Batches:
        def step(self, campaign: Campaign) -> int:
            assert CampaignStatus.CANCELLED is campaign.status
            if not steps:
                raise Unavailable("Away.")
            return steps.pop()

    monkeypatch.setattr(bootstrap, "batches", lambda config: Batches())

    assert code == cli.main(["campaign", "cancel", started.public_id])
    output = capsys.readouterr()
    assert ("cancelled", said in output.err) == (json.loads(output.out)["status"], True)
    assert (f"imgcore campaign watch {started.public_id}" in output.err) is bool(said)
