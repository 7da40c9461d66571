"""The commands ``imgcore recaption`` and ``imgcore campaign``."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

from imgcore import bootstrap, captioners
from imgcore.campaigns import requests
from imgcore.campaigns.models import Campaign, CampaignStatus, Selection
from imgcore.campaigns.service import DEFAULT_RATE, MAX_RATE
from imgcore.cli import files
from imgcore.cli.caption import message_of
from imgcore.config import Config
from imgcore.errors import ImgcoreError, Invalid, RateLimited, Unavailable
from imgcore.gallery.models import Source

Emit = Callable[[dict[str, Any]], None]
_STORES = "To cancel the batches that have not ended ({}) and store their answers: imgcore campaign watch {}"
_WATCH_SECONDS, _BATCH_SECONDS = 5.0, 60.0


def add_recaption(parser: argparse.ArgumentParser, emit: Emit) -> None:
    """Add the options of ``recaption`` to ``parser``. emit: prints an object."""
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--source", choices=list(Source), help="only photos with words of this source")
    parser.add_argument("--model", help="only descriptions of this model")
    parser.add_argument("--before", metavar="TIME", help="only captions older than this: ISO 8601, UTC")
    parser.add_argument("--tag", help="only images with this tag")
    parser.add_argument("--query", help="only images that contain these words")
    parser.add_argument("--failed", action="store_true", help="only images whose description failed")
    parser.add_argument("--missing", action="store_true", help="only images without a caption")
    parser.add_argument("--dry-run", action="store_true", help="only print how many, the price and a sample")
    parser.add_argument(
        "--rate",
        type=files.whole_number(1, MAX_RATE),
        default=DEFAULT_RATE,
        help=f"images a minute; default {DEFAULT_RATE}",
    )
    parser.add_argument(
        "--batch", action="store_true", help="through Gemini's batch interface: half the price, within a day"
    )
    parser.add_argument("--watch", action="store_true", help="go on until it has ended, and print its progress")

    def run(parsed: argparse.Namespace) -> int:
        selection = _selection(parser, parsed)
        campaigns = bootstrap.campaigns(Config.read())
        if parsed.batch:
            captioners.gemini_batches(Config.read())  # a wrong setting is reported before the campaign starts
        if parsed.dry_run:
            emit(campaigns.preview(selection, batch=parsed.batch).as_json())
            return 0
        campaign = campaigns.start(selection, parsed.rate, batch=parsed.batch)
        emit(campaign.as_json())
        return _watch(campaign.public_id, emit, campaign) if parsed.watch or parsed.batch else 0

    parser.set_defaults(run=run)


def _selection(parser: argparse.ArgumentParser, parsed: argparse.Namespace) -> Selection:
    """Return the selection, checked as the API checks it: an empty variable of a shell selects no photos."""
    texts = {name: text for name in requests.TEXTS if (text := getattr(parsed, name)) is not None}
    try:
        return requests.selection(texts, parsed.ids, failed=parsed.failed, missing=parsed.missing)
    except Invalid as error:
        parser.error(error.message)


def add_campaign(parser: argparse.ArgumentParser, emit: Emit) -> None:
    """Add the actions of ``campaign`` to ``parser``."""
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    def action(
        name: str, run: Callable[[argparse.Namespace], int], help_text: str, *, one: bool = True
    ) -> None:
        found = actions.add_parser(name, help=help_text, description=help_text)
        if one:
            found.add_argument("id", metavar="ID")
        found.set_defaults(run=run)

    def changed(change: str) -> Callable[[argparse.Namespace], int]:
        def run(parsed: argparse.Namespace) -> int:
            emit(getattr(bootstrap.campaigns(Config.read()), change)(parsed.id).as_json())
            return 0

        return run

    def cancel(parsed: argparse.Namespace) -> int:
        campaign = bootstrap.campaigns(Config.read()).cancel(parsed.id)
        emit(campaign.as_json())
        return _cancel_batches(campaign) if campaign.batch else 0

    def list_all(_: argparse.Namespace) -> int:
        found = bootstrap.campaigns(Config.read()).all()
        if not found:
            _say("There is no campaign yet.")
        for campaign in found:
            emit(campaign.as_json())
        return 0

    action("list", list_all, "List the newest campaigns.", one=False)
    action("show", changed("get"), "Print the progress of a campaign.")
    action("watch", lambda parsed: _watch(parsed.id, emit), "Advance a campaign until it has ended.")
    action("pause", changed("pause"), "Stop queueing images.")
    action("resume", changed("resume"), "Go on with a paused campaign.")
    action("cancel", cancel, "End a campaign.")


def _cancel_batches(campaign: Campaign) -> int:
    """Cancel the batches of a cancelled campaign, and say how their answers are stored."""
    try:
        still_open = bootstrap.batches(Config.read()).step(campaign)
    except ImgcoreError as error:
        _say(f"{message_of(error)} {_STORES.format('unknown', campaign.public_id)}")
        return 1
    if still_open:
        _say(_STORES.format(still_open, campaign.public_id))
    return 0


def _watch(public_id: str, emit: Emit, shown: Campaign | None = None) -> int:
    """Advance and print the campaign until it has ended and the answers of its batches are stored.

    It goes on without this command as well, unless it is one in batches: then the command can be run again.
    shown: the campaign as it was printed before.
    """
    last, said = shown.as_json() if shown else None, ""
    campaign = shown or bootstrap.campaigns(Config.read()).get(public_id)
    batches = bootstrap.batches(Config.read()) if campaign.batch and not _is_done(campaign) else None
    while True:
        still_open = 0
        try:
            campaigns = bootstrap.campaigns(Config.read())
            campaigns.advance()
            campaign = campaigns.get(public_id)
            if batches is not None and not _is_done(campaign):
                still_open = batches.step(campaign)
                campaign = campaigns.get(public_id)
            said = ""
        except (Unavailable, RateLimited) as error:
            still_open = 1  # perhaps
            if error.code != said:
                _say(_waits(error.code, public_id))
            said = error.code
        except ImgcoreError as error:  # to be corrected first, or a batch that Google ended
            _say(f"{message_of(error)} ({error.code}) Continue with: imgcore campaign watch {public_id}")
            return 1
        if (now := campaign.as_json()) != last:
            emit(last := now)
        if _is_done(campaign) or (campaign.status is CampaignStatus.CANCELLED and not still_open):
            return 0
        time.sleep(_BATCH_SECONDS if campaign.batch else _WATCH_SECONDS)


def _say(text: str) -> None:
    print(f"imgcore: {text}", file=sys.stderr)


def _is_done(campaign: Campaign) -> bool:
    return campaign.status is CampaignStatus.DONE


def _waits(code: str, public_id: str) -> str:
    return (
        f"The campaign cannot go on now ({code}). This command tries again each minute. If it ends,"
        f" continue with: imgcore campaign watch {public_id}"
    )
