"""A campaign over 20,000 images: paused, resumed, capped, its workers killed; each image once, and the bill.

    python -m tests.drills.campaign [IMAGES [KILLS]]

A stand-in for the model, in this process, bills each answer. Worker processes advance the campaign, take due
tasks and describe the images, and are killed at random moments. The ledger equals the bill to the token, but
for the answers that a killed worker had asked for and not recorded: at most one for each kill.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from imgcore.campaigns.models import Campaign, CampaignStatus, Selection
from imgcore.campaigns.service import Campaigns
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Description, Picture, Source, TaskKind
from imgcore.pipeline.models import ModelCall, ObjectCreated, RecordCall, Timing, ignore_call
from imgcore.pipeline.processing import Processor
from imgcore.spending.models import Caps, Group, Period, Quote
from imgcore.spending.service import Spending
from tests.contract.images import described, multiply
from tests.support.repositories import Repositories
from tests.unit.fakes import BUCKET, FakeQueues, FakeStorage, decode, render

IMAGES, RATE, KILLS = 20_000, 6_000, 100
PRICE = 0.001  # dollars for each answer
LEASE = 20.0  # seconds after which the image of a killed worker is taken again
TIMING = Timing(LEASE, LEASE, lost_after=0.5, max_attempts=100)


class QuietServer(ThreadingHTTPServer):
    """Says nothing of a client that was killed before it had its answer."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print all but a cut connection."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class StandIn:
    """A model on the loopback that answers and bills: so many answers and tokens for each image."""

    def __init__(self) -> None:
        self.billed: Counter[str] = Counter()
        self.tokens = 0
        self._lock = threading.Lock()
        billing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(billing.bill(self.path[1:])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def bill(self, image: str) -> dict[str, int]:
        """Bill one answer; the tokens differ from image to image."""
        tokens = {"input": 1000 + int(image[:4], 36) % 97, "output": 80 + int(image[-4:], 36) % 41}
        with self._lock:
            self.billed[image] += 1
            self.tokens += sum(tokens.values())
        return tokens

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class AllImages(FakeStorage):
    """A storage in which every image is there; its bytes are its key."""

    def read(self, key: str, **_: Any) -> Any:
        self.uploads[key] = key.encode()
        return super().read(key, max_bytes=10_000)


class LoopbackCaptioner:
    """Asks the stand-in."""

    source, side = Source.GEMINI, 64

    def __init__(self, url: str) -> None:
        self._url = url
        self.image = ""

    def describe(
        self, picture: Picture, *, deadline: float, record: RecordCall = ignore_call, context: str = ""
    ) -> Description:
        """See Captioner.describe."""
        with urllib.request.urlopen(f"{self._url}/{self.image}") as answer:
            tokens = json.load(answer)
        record(ModelCall("drill", "1", tokens["input"], tokens["output"], "described"))
        return Description("New.", "New.", ("new",), Source.GEMINI, model="drill", prompt_version="1")


def name_of(image_key: str) -> str:
    """Return the name of an image at the stand-in: letters and digits."""
    return "".join(c for c in image_key.lower() if c.isalnum())


def spending(repositories: Repositories, cap: float | None) -> Spending:
    """Return a ledger in which each answer has one price."""
    return Spending(repositories.ledger, lambda *_: Quote(PRICE, "2026-11-28", PRICE), Caps(day=cap))


def work(url: str, model: str, cap: float | None) -> None:
    """Advance the campaign and describe what is due, until this process is killed."""
    database = open_database(url)
    repositories, captioner = Repositories(database), LoopbackCaptioner(model)
    money = spending(repositories, cap)
    processor = Processor(
        *repositories.of_processor(), AllImages(), decode, render, captioner, timing=TIMING, spending=money
    )
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: images * PRICE)
    while True:
        campaigns.advance()
        if money.reached_cap() is None:
            repositories.sweep.release({"spend_cap_day"}, within=0.0, limit=500)
        due = repositories.sweep.due_tasks(within=0.0, lost_after=0.5, again_after=5.0, limit=200)
        for task in due:
            if task.kind is TaskKind.CAPTION:
                captioner.image = name_of(task.image_key)
                event = ObjectCreated(BUCKET, task.image_key)
                processor.process(event, TaskKind.CAPTION, deadline=time.monotonic() + 60)
        if not due:
            time.sleep(0.1)


class Workers:
    """Worker processes: started, and killed at random moments."""

    def __init__(self, url: str, model: str, count: int = 2) -> None:
        self._arguments, self._count = [url, model], count
        self._running: list[subprocess.Popen[bytes]] = []
        self.cap: float | None = None

    def fill(self) -> None:
        """Start what is missing."""
        self._running = [one for one in self._running if one.poll() is None]
        while len(self._running) < self._count:
            command = [sys.executable, "-m", "tests.drills.campaign", "--work", *self._arguments, str(self.cap)]
            self._running.append(subprocess.Popen(command))

    def kill(self, one: bool = True) -> None:
        """Kill one worker, or all."""
        for process in self._running[: 1 if one else None]:
            process.send_signal(signal.SIGKILL)
            process.wait()


def main(count: int = IMAGES, kills: int = KILLS) -> int:
    """Run the campaign; return 1 where an image was not described, or the ledger differs from the bill."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/gallery.db"
        database = open_database(url)
        migrate(database)
        try:
            return _drill(database, url, count, kills)
        finally:
            database.close()


def _drill(database: Database, url: str, count: int, kills: int) -> int:
    repositories, stand_in = Repositories(database), StandIn()
    for number in range(20):
        described(repositories, f"{number}.jpg")
    for _ in multiply(database, count):
        pass
    database.run(lambda tx: tx.execute("UPDATE images SET image_key = 'raw/' || public_id || '.jpg'"))
    campaigns = Campaigns(repositories.campaigns, FakeQueues(), lambda images: images * PRICE)
    campaign = campaigns.start(Selection(source=Source.LOCAL), RATE)
    print(f"{campaign.total} images", flush=True)
    workers = Workers(url, stand_in.url)
    try:
        _supervise(campaigns, campaign, workers, repositories, count, kills)
    finally:
        workers.kill(one=False)
        stand_in.close()
    return _compare(campaigns.get(campaign.public_id), repositories, stand_in, kills)


def _supervise(
    campaigns: Campaigns,
    campaign: Campaign,
    workers: Workers,
    repositories: Repositories,
    count: int,
    kills: int,
) -> None:
    """Kill workers at even distances, pause once, and let the cap be reached once."""
    workers.cap = round(count * PRICE * 0.6, 6)
    left, paused = kills, False
    while (now := campaigns.get(campaign.public_id)).status is not CampaignStatus.DONE:
        workers.fill()
        time.sleep(0.3 + random.random() / 3)
        if now.finished >= count * (kills - left + 1) // (kills + 1) and left:
            workers.kill()
            left -= 1
        if not paused and now.finished >= count // 4:
            campaigns.pause(campaign.public_id)
            time.sleep(2)
            campaigns.resume(campaign.public_id)
            paused = True
            print(f"paused and resumed at {now.finished}", flush=True)
        if workers.cap is not None and repositories.ledger.counted(_today()) >= workers.cap:
            print(f"cap reached at {now.finished}; raised", flush=True)
            workers.cap = None
            workers.kill(one=False)
        campaigns.advance()


def _today() -> datetime:
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _compare(campaign: Campaign, repositories: Repositories, stand_in: StandIn, kills: int) -> int:
    (ledger,) = repositories.ledger.usage(Period(), Group.MODEL)
    answers = sum(stand_in.billed.values())
    lost = answers - ledger.calls
    tokens = stand_in.tokens - ledger.input_tokens - ledger.output_tokens
    print(f"{dict(campaign.counts)}; answers billed {answers}, in the ledger {ledger.calls}")
    print(f"images asked about more than once: {sum(n > 1 for n in stand_in.billed.values())}")
    print(f"answers lost by {kills} kills between the answer and the ledger: {lost}, of {tokens} tokens")
    each = len(stand_in.billed) == campaign.total == campaign.counts.get("done")  # type: ignore[call-overload]
    repeated = answers - campaign.total
    exact = tokens == 0 if lost == 0 else 0 < lost <= kills + 2 and 1080 * lost <= tokens <= 1217 * lost
    return 0 if each and exact and repeated <= 2 * (kills + 2) else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        given = sys.argv[2:]
        try:
            work(given[0], given[1], None if given[2] == "None" else float(given[2]))
        except ImgcoreError as error:
            print(f"worker ended: {error.message}", file=sys.stderr)
            os._exit(1)
    sys.exit(main(*(int(number) for number in sys.argv[1:])))
