"""What a photo costs both workers of ``make run``: ``python -m tests.load.bench_pipeline [PHOTOS]``.

Both processors work in one thread, as a function does: SQLite, botocore, Pillow and the local describer are the
real ones. The object store is a server of this process that remembers bytes; its threads do not count, and nor
do the web process, the emulator and the uploads. Each photo is sent as an event; the first loads the libraries.
Prints one JSON object for each size of photo, with milliseconds of processor time: medians, and those of the
cheapest photo, because work beside it makes them longer, never shorter. The exit code is 1 if the goal is
missed.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from imgcore import bootstrap, captioners
from imgcore.config import Config
from imgcore.gallery.keys import new_public_id, raw_key
from imgcore.gallery.models import NewImage, TaskKind
from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.processing import Outcome, Processor
from tests import images as samples
from tests.support.sqlite import migrated

PHOTOS = 10
GOAL = 180  # ms of CPU for a photo of 12 megapixels, both tasks together
SIZES = {"JPEG of 3 MP": (2048, 1536), "JPEG of 12 MP": (4032, 3024), "JPEG of 24 MP": (6000, 4000)}
WATCHED = "JPEG of 12 MP"


class Store(ThreadingHTTPServer):
    """The PUT and GET of S3, without checks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, bytes] = {}
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Store

    def do_PUT(self) -> None:
        if self.headers.get("Expect"):
            self.send_response_only(100)
            self.end_headers()
        self.server.objects[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.server.objects[self.path.partition("?")[0]])

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("ETag", '"0"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing."""


def photo_cost(thumbnails: Processor, captions: Processor, image: ObjectCreated) -> tuple[float, float]:
    """Return the milliseconds of CPU of this thread for both tasks of an uploaded photo."""
    spent = []
    for processor, kind in ((thumbnails, TaskKind.THUMBNAIL), (captions, TaskKind.CAPTION)):
        before = time.thread_time()
        outcome = processor.process(image, kind, deadline=time.monotonic() + 300)
        spent.append(1000 * (time.thread_time() - before))
        assert outcome is Outcome.DONE
    return spent[0], spent[1]


def settings(store: Store, folder: Path) -> Config:
    """Return the settings of both functions, as ``make run`` makes them."""
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.server_port}",
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DATABASE_URL": f"sqlite:///{folder}/gallery.db",
        "UPLOADS_BUCKET": "uploads",
        "DERIVED_BUCKET": "derived",
        "CAPTIONER": "local",
    }
    return Config.read()


def main(photos: int) -> int:
    """Measure and print; return the exit code."""
    waiting = os.getloadavg()[0]
    print(f"{waiting:.1f} processes wanted a processor before it began, of {os.cpu_count()}", file=sys.stderr)
    met = True
    with tempfile.TemporaryDirectory() as folder, Store() as store:
        database = migrated(Path(folder))
        config = settings(store, Path(folder))
        thumbnails = bootstrap.processor(config)
        captions = bootstrap.processor(config, *captioners.create(config))
        rows = bootstrap.images(config)
        for what, size in SIZES.items():
            data = samples.encode(samples.photo(*size), "JPEG", quality=88)
            spent = []
            for _ in range(photos + 1):
                public_id = new_public_id()
                key = raw_key(public_id, "image/jpeg")
                store.objects[f"/uploads/{key}"] = data
                rows.add(NewImage(public_id, key, "photo.jpg", "image/jpeg", len(data), 3600.0))
                event = ObjectCreated("uploads", key, size=len(data), etag="0")
                spent.append(photo_cost(thumbnails, captions, event))
            thumbnail, caption = (statistics.median(column) for column in zip(*spent[1:], strict=True))
            best = min(map(sum, spent[1:]))
            row = {"what": what, "thumbnail": thumbnail, "caption": caption, "both": thumbnail + caption}
            row = {name: value if isinstance(value, str) else round(value, 1) for name, value in row.items()}
            row |= {"best": round(best, 1), "unit": "ms of CPU"}
            if what == WATCHED:
                met = best <= GOAL
                row |= {"goal": GOAL, "met": met}
            print(json.dumps(row), flush=True)
        database.close()
    return int(not met)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else PHOTOS))
