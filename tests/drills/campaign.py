"""A campaign over 20,000 images: paused, resumed, capped, its workers killed; each image once, and the bill.

    python -m tests.drills.campaign [IMAGES [KILLS]]

A stand-in for the model, in this process, bills each answer under the id of its call. Worker processes advance
the campaign, take due tasks and describe the images, and are killed at random moments. Each billed call has its
row in the ledger, whatever was killed. The rows of answered calls equal the bill to the token; a row that a
killed worker left open holds at least what its call was billed.
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
from imgcore.captioning.answers import Answer
from imgcore.captioning.model import CALL_ID_HEADER, ModelCaptioner, Request
from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.migrations import migrate
from imgcore.errors import ImgcoreError
from imgcore.gallery.models import Source, TaskKind
from imgcore.pipeline.models import ObjectCreated, Timing
from imgcore.pipeline.processing import Processor
from imgcore.spending.models import Caps, Quote
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
    """A model on the loopback that answers and bills. bill: by the id of each call, its image and tokens."""

    def __init__(self) -> None:
        self.bill: dict[str, tuple[str, int, int]] = {}
        self._lock = threading.Lock()
        billing = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(billing.answer(self.headers[CALL_ID_HEADER], self.path[1:])).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = QuietServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def answer(self, call_id: str, image: str) -> dict[str, int]:
        """Bill one answer; the tokens differ from image to image."""
        tokens = {"input": 1000 + int(image[:4], 36) % 97, "output": 80 + int(image[-4:], 36) % 41}
        with self._lock:
            assert call_id not in self.bill
            self.bill[call_id] = (image, tokens["input"], tokens["output"])
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


class Loopback:
    """Sends requests to the stand-in. image: the name of the one that is described now."""

    def __init__(self, url: str) -> None:
        self._url, self.image = url, ""

    def ask(self, request: Request) -> Answer:
        """Send one request."""
        http = urllib.request.Request(
            f"{self._url}/{self.image}", headers={CALL_ID_HEADER: request.call_id or ""}
        )
        with urllib.request.urlopen(http) as answer:
            tokens = json.load(answer)
        words = {"caption": "A new caption.", "alt_text": "A new text.", "tags": ["new", "one"], "safety": "ok"}
        text = json.dumps(words | {"visible_text": ""})
        return Answer(text, "STOP", None, "drill", tokens["input"], tokens["output"])


def name_of(image_key: str) -> str:
    """Return the name of an image at the stand-in: letters and digits."""
    return "".join(c for c in image_key.lower() if c.isalnum())


def spending(repositories: Repositories, cap: float | None) -> Spending:
    """Return a ledger in which each answer has one price."""
    return Spending(repositories.ledger, lambda *_: Quote(PRICE, "2026-11-28", PRICE), Caps(day=cap))


def work(url: str, model: str, cap: float | None) -> None:
    """Advance the campaign and describe what is due, until this process is killed."""
    database = open_database(url)
    repositories, loopback = Repositories(database), Loopback(model)
    captioner = ModelCaptioner(Source.GEMINI, "The drill's model", ["drill"], loopback.ask)
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
                loopback.image = name_of(task.image_key)
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
    """Print what was described and billed, and each difference between the ledger and the bill."""
    bill = stand_in.bill
    each = Counter(image for image, _, _ in bill.values())
    print(f"{dict(campaign.counts)}; {len(bill)} answers billed")
    print(f"images asked about more than once: {sum(n > 1 for n in each.values())}")
    differences = _differences(repositories, bill, kills)
    if not len(each) == campaign.total == campaign.counts.get("done"):  # type: ignore[call-overload]
        differences.append("an image was not described")
    if len(bill) - campaign.total > 2 * (kills + 2):
        differences.append(f"{len(bill)} answers for {campaign.total} images")
    for difference in differences:
        print(f"DIFFERENCE: {difference}")
    return 1 if differences else 0


def _differences(repositories: Repositories, bill: dict[str, tuple[str, int, int]], kills: int) -> list[str]:
    """Return what is wrong with the ledger."""
    rows = {row["call_id"]: row for row in repositories.database.read(_calls)}
    settled = {call_id for call_id, row in rows.items() if row["state"] is None}
    open_ = {call_id for call_id, row in rows.items() if row["state"] in ("open", "unknown")}
    sums = [sum(bill[call_id][n] for call_id in bill) for n in (1, 2)]
    exact = [sum(rows[call_id][name] for call_id in settled) for name in ("input_tokens", "output_tokens")]
    most = [sum(rows[one][name] for one in open_) for name in ("most_input_tokens", "most_output_tokens")]
    print(f"ledger: {len(rows)} rows, {len(settled)} answered, {len(open_)} open after {kills} kills")
    print(f"tokens in and out: billed {sums}, answered {exact}, open at most {most}")
    missing, free = bill.keys() - rows.keys(), bill.keys() & (rows.keys() - settled - open_)
    unequal = [one for one in settled & bill.keys() if bill[one][1:] != _tokens(rows[one])]
    beyond = [one for one in open_ & bill.keys() if not _bounds(rows[one], bill[one][1:])]
    found = {
        "billed calls without a row": missing,
        "billed calls that the ledger calls not billed": free,
        "answered calls that were not billed": settled - bill.keys(),
        "answered calls with other tokens than billed": unequal,
        "open calls whose bound is below the bill": beyond,
        "more open calls than kills": list(open_)[2 * (kills + 2) :],  # all workers are killed twice more
    }
    return [f"{len(calls)} {name}" for name, calls in found.items() if calls]


def _calls(tx: Transaction) -> list[Any]:
    return tx.rows(
        "SELECT call_id, state, input_tokens, output_tokens, most_input_tokens, most_output_tokens"
        " FROM model_calls"
    )


def _tokens(row: Any) -> tuple[int, int]:
    return row["input_tokens"], row["output_tokens"]


def _bounds(row: Any, billed: tuple[int, int]) -> bool:
    return row["most_input_tokens"] >= billed[0] and row["most_output_tokens"] >= billed[1]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        given = sys.argv[2:]
        try:
            work(given[0], given[1], None if given[2] == "None" else float(given[2]))
        except ImgcoreError as error:
            print(f"worker ended: {error.message}", file=sys.stderr)
            os._exit(1)
    sys.exit(main(*(int(number) for number in sys.argv[1:])))
