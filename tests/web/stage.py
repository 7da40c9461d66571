"""The gallery on its feet: the real application under its real server, over fakes, with a small pipeline."""

from __future__ import annotations

import base64
import functools
import io
import tempfile
import threading
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image as Pillow
from PIL import ImageOps

from imgcore.accounts.service import Accounts
from imgcore.db.changes import ChangeRepository
from imgcore.gallery.languages import parse
from imgcore.gallery.models import Image, Source, TaskKind, TaskStatus, UploadStatus
from tests.web.fake_bucket import FakeBucket
from tests.web.fakes import fake_gallery
from web.app import create_app
from web.server import Server, listen


@dataclass
class Words:
    """What the pipeline here says of a photo, by its name; anything else gets a plain sentence."""

    caption: str
    alt_text: str
    tags: tuple[str, ...]
    source: Source = Source.LOCAL
    model: str | None = None


class Stage:
    """Server, bucket and pipeline on free ports of 127.0.0.1 until ``close``.

    pace: seconds that each step of the pipeline takes.
    accounts: who may come in; open mode without. folder: of the database of these accounts.
    words: name of a file → Words, or the sentence why its caption fails (once: a retry succeeds).
    """

    def __init__(
        self,
        *,
        pace: float = 0.05,
        max_bytes: int = 20 * 2**20,
        port: int = 0,
        accounts: Accounts | None = None,
        folder: Path | None = None,
        languages: str = "English",
    ) -> None:
        self.pace = pace
        self.words: dict[str, Words | str] = {}
        self._stopped = threading.Event()
        self._working: set[threading.Thread] = set()
        self._starting = threading.Lock()
        self.bucket = FakeBucket(self._received)
        self._folder = tempfile.TemporaryDirectory(prefix="gallery-stage-")
        gallery = fake_gallery(folder or Path(self._folder.name), self.bucket.origin, max_bytes=max_bytes)
        changes = ChangeRepository(gallery.images.database)  # by the real clock
        self.gallery = replace(gallery, languages=parse(languages), changes=changes)
        self.images = self.gallery.images
        self.gallery.queues.listener = self._queued
        parts = self.gallery.parts.storage
        self.bucket.on_part, parts.on_object = parts.receive, self._joined
        self.app = create_app(self.gallery, accounts=accounts)
        listener = listen("127.0.0.1", port)
        self.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.server = Server(self.app, listener)
        self._thread = threading.Thread(target=self.server.run, kwargs={"drain": 0.0}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop everything that was started."""
        self.server.stop(drain=0.0)
        self._thread.join()
        self.bucket.close()
        with self._starting:
            self._stopped.set()
        for thread in self._working:
            thread.join()  # a thread that used a closed connection of SQLite would end the process
        self.images.database.close()
        self._folder.cleanup()

    def add(self, name: str, data: bytes, words: Words | None = None) -> Image:
        """A photo that is done already."""
        image, _ = self.gallery.request_upload(name, len(data), "image/jpeg")
        self.bucket.objects[image.image_key] = data
        self.images.change(image.public_id, upload_status=UploadStatus.RECEIVED)
        self._thumbnail(image.public_id, data)
        return self._describe(image.public_id, words or _plain(name))

    def _received(self, key: str, data: bytes) -> None:
        with self._starting:
            if self._stopped.is_set():
                return
            thread = threading.Thread(target=self._pipeline, args=(key, data), daemon=True)
            thread.start()
            self._working.add(thread)

    def _joined(self, key: str, data: bytes) -> None:
        """What S3 does once the parts of a file are joined."""
        self.bucket.objects[key] = data
        self._received(key, data)

    def _queued(self, kind: TaskKind, image_key: str) -> None:
        self._received(image_key, self.bucket.objects[image_key])

    def _pipeline(self, key: str, data: bytes) -> None:
        """Go through the states of a photo; end early where the stage is closed."""
        public_id = key.removeprefix("raw/").partition(".")[0]
        if self._stopped.wait(self.pace):
            return
        image = self.images.change(public_id, upload_status=UploadStatus.RECEIVED)
        if self._stopped.wait(self.pace):
            return
        for kind in TaskKind:
            if image.task(kind).status is TaskStatus.PENDING:
                self.images.set_task(public_id, kind, TaskStatus.PROCESSING)
        if self._stopped.wait(self.pace):
            return
        try:
            self._thumbnail(public_id, data)
        except OSError:
            message = "This file is damaged, so it cannot be shown."
            self.images.set_task(public_id, TaskKind.THUMBNAIL, TaskStatus.SKIPPED, message=message)
            self.images.set_task(public_id, TaskKind.CAPTION, TaskStatus.SKIPPED)
            self.images.change(public_id, upload_status=UploadStatus.REJECTED)
            return
        if self._stopped.wait(self.pace):
            return
        words = self.words.get(image.name) or _plain(image.name)
        if isinstance(words, str):
            del self.words[image.name]
            self.images.set_task(
                public_id, TaskKind.CAPTION, TaskStatus.FAILED, error="bad_answer", message=words
            )
            return
        self._describe(public_id, words)

    def _thumbnail(self, public_id: str, data: bytes) -> None:
        derived = _derived(data)
        keys = {
            "thumbnail_key": f"thumbnails/{public_id}/200.webp",
            "thumbnail_2x_key": f"thumbnails/{public_id}/400.webp",
            "display_key": f"display/{public_id}/1600.webp",
            "grid_key": f"thumbnails/{public_id}/grid.webp",
        }
        self.bucket.objects |= dict(zip(keys.values(), derived.files, strict=True))
        width, height = derived.size
        self.images.change(
            public_id, **keys, placeholder=derived.placeholder, width=width, height=height, format="JPEG"
        )
        self.images.set_task(public_id, TaskKind.THUMBNAIL, TaskStatus.DONE)

    def _describe(self, public_id: str, words: Words) -> Image:
        self.images.change(
            public_id,
            caption=words.caption,
            alt_text=words.alt_text,
            tags=words.tags,
            source=words.source,
            model=words.model,
        )
        return self.images.set_task(public_id, TaskKind.CAPTION, TaskStatus.DONE)


@dataclass(frozen=True)
class Derived:
    """What one decode gives: thumbnail, the same for dense screens, display image, picture of the timeline."""

    files: tuple[bytes, bytes, bytes, bytes]
    placeholder: str
    size: tuple[int, int]


@functools.lru_cache
def _derived(data: bytes) -> Derived:
    picture = ImageOps.exif_transpose(Pillow.open(io.BytesIO(data))).convert("RGB")
    squares = [_encoded(ImageOps.fit(picture, (side, side))) for side in (200, 400)]
    tiny = base64.b64encode(_encoded(_within(picture, 12))).decode()
    display = _within(picture, 1600)
    grid = display.resize((round(360 * display.width / display.height), 360))
    files = (*squares, _encoded(display), _encoded(grid))
    return Derived(files, f"data:image/webp;base64,{tiny}", picture.size)


def _plain(name: str) -> Words:
    stem = name.rpartition(".")[0] or name
    return Words(f"A photo that somebody named {stem}.", f"The photo {stem}", (stem, "photo"))


def _within(picture: Pillow.Image, side: int) -> Pillow.Image:
    copy = picture.copy()
    copy.thumbnail((side, side))
    return copy


def _encoded(picture: Pillow.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=80)
    return out.getvalue()


def photo(number: int = 0, size: tuple[int, int] = (640, 480)) -> bytes:
    """A JPEG in a colour of its own."""
    hue = (37 * number) % 256
    out = io.BytesIO()
    Pillow.new("HSV", size, (hue, 120, 180)).convert("RGB").save(out, "JPEG")
    return out.getvalue()
