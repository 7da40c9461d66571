"""Simulated users: they browse, read, search, and sometimes upload a photo and wait for its caption."""

from __future__ import annotations

import html
import io
import logging
import random
import re
import secrets
import time
from typing import TYPE_CHECKING, Any, ClassVar

import gevent
import gevent.event
from locust import FastHttpUser, between, task
from locust.env import Environment
from locust.stats import get_error_report_summary, get_percentile_stats_summary, get_stats_summary
from PIL import Image

from imgload import outcome
from imgload.live import Progress
from imgload.session import each_second, interrupted

if TYPE_CHECKING:
    from imgload.options import Options

API = "/api/v1"
WORDS = (
    "photo",
    "light",
    "street",
    "blue",
    "dog",
    "mountain",
    "people",
    "water",
    "evening",
    "nothing like it",
)
RAMP = 10  # seconds in which the last of them has come
FINISH = 10  # seconds to finish what they are doing at the end
POLL, CAPTION_TIMEOUT = 0.5, 120.0  # seconds between two looks at an upload, and until its caption is given up
_MORE = re.compile(r'href="(/\?cursor=[^"]+)"')
_IMAGE_ID = re.compile(r'data-id="([0-9a-f]{32})"')
_THUMBNAIL = re.compile(r'class="thumb"[^>]* src="(http[^"]+)"')


class Visitor(FastHttpUser):
    """One of them. Thinks for one to three seconds before whatever comes next."""

    abstract = True
    options: ClassVar[Options]
    wait_time = between(1, 3)

    def on_start(self) -> None:
        """The headers of -H, for a gallery that wants a key."""
        self.headers = dict(line.split(": ", 1) for line in self.options.headers if ": " in line)

    @task(6)
    def browse(self) -> None:
        """Load the gallery, a few thumbnails, the next page, one photo."""
        page = self._page("/", "/")
        for url in _THUMBNAIL.findall(page)[:3]:
            self.client.get(html.unescape(url), name="thumbnail")
        if more := _MORE.search(page):
            page = self._page(html.unescape(more[1]), "/?cursor=…")
        if photos := _IMAGE_ID.findall(page):
            self._page(f"/images/{random.choice(photos)}", "/images/…")

    @task(2)
    def search(self) -> None:
        """Search for one word, first on the page, then as its script does."""
        word = random.choice(WORDS).replace(" ", "+")
        self._page(f"/?q={word}", "/?q=…")
        self.client.get(f"{API}/images?q={word}", name=f"{API}/images?q=…", headers=self.headers)

    @task(1)
    def upload(self) -> None:
        """Request a form, upload a photo with it, wait for the caption."""
        if self.options.read_only:
            return
        data = sample_photo()
        name = f"load-{secrets.token_hex(4)}.jpg"
        wish = {"name": name, "size": len(data), "type": "image/jpeg"}
        answer = self.client.post(f"{API}/uploads", json=wish, headers=self.headers)
        if answer.status_code != 201:
            return
        found = answer.json()
        body, kind = multipart(found["form"]["fields"], name, data)
        sent = self.client.post(found["form"]["url"], data=body, headers={"Content-Type": kind}, name="bucket")
        if sent.status_code in (200, 201, 204):
            self._await_caption(found["image"]["id"])

    def _page(self, path: str, name: str) -> str:
        return str(self.client.get(path, name=name, headers=self.headers).text or "")

    def _await_caption(self, public_id: str) -> None:
        """Measure from the end of the upload until the image has settled, as a request: WAIT caption."""
        begun = time.perf_counter()
        error: Exception | None = TimeoutError(f"no caption within {CAPTION_TIMEOUT:.0f} s")
        while time.perf_counter() < begun + CAPTION_TIMEOUT:
            gevent.sleep(POLL)
            path = f"{API}/images/{public_id}/status"
            answer = self.client.get(path, name=f"{API}/images/…/status", headers=self.headers)
            found = answer.json() if answer.status_code == 200 else {}
            if found.get("settled"):
                error = None if found["status"] == "done" else RuntimeError(found["message"] or found["status"])
                break
        self.environment.events.request.fire(
            request_type="WAIT",
            name="caption",
            response_time=(time.perf_counter() - begun) * 1000,
            response_length=0,
            exception=error,
            context={},
        )


def sample_photo() -> bytes:
    """A JPEG of about 60 kB that nobody has uploaded yet."""
    out = io.BytesIO()
    Image.effect_noise((640, 480), random.uniform(20, 60)).convert("RGB").save(out, "JPEG", quality=60)
    return out.getvalue()


def multipart(fields: dict[str, str], name: str, data: bytes) -> tuple[bytes, str]:
    """The body of a form with one file, and its content type; the file comes last, as S3 wants it."""
    mark = secrets.token_hex(16)
    part = f"--{mark}\r\nContent-Disposition: form-data; name="
    head = "".join(f'{part}"{key}"\r\n\r\n{value}\r\n' for key, value in fields.items())
    head += f'{part}"file"; filename="{name}"\r\n\r\n'
    body = head.encode() + data + f"\r\n--{mark}--\r\n".encode()
    return body, f"multipart/form-data; boundary={mark}"


def run(options: Options) -> int:
    """0 when nothing failed, 1 otherwise; locust's tables on standard output."""
    logging.getLogger("locust").setLevel(logging.ERROR)
    user_class = type("Visitor", (Visitor,), {"options": options})
    environment = Environment(user_classes=[user_class], host=options.target.origin)
    environment.stop_timeout = FINISH
    ended: list[tuple[float, float, bool]] = []
    begun = time.time()

    def note(response_time: float, exception: Exception | None, **_: Any) -> None:
        ended.append((time.time() - begun, response_time, exception is not None))

    environment.events.request.add_listener(note)
    runner = environment.create_local_runner()
    progress = Progress(options, environment)
    over = gevent.event.Event()
    assert options.users is not None
    runner.start(options.users, spawn_rate=max(1.0, options.users / RAMP))
    showing = gevent.spawn(each_second, progress.show)
    with interrupted(over.set):
        over.wait(options.time_limit)
    runner.quit()
    showing.kill()
    progress.end()
    stats = environment.stats
    for summary in (
        get_stats_summary(stats, current=False),
        get_percentile_stats_summary(stats),
        get_error_report_summary(stats),
    ):
        print(*summary, sep="\n")
    complaint = outcome.save(options, lambda: ended, begun)
    if complaint:
        print(complaint)
    return 1 if complaint or environment.stats.total.num_failures or not ended else 0
