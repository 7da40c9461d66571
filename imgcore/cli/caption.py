"""The command ``imgcore caption``: describe files and folders, and write the words into them or beside them."""

from __future__ import annotations

import argparse
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcore import captioners
from imgcore.cli import files
from imgcore.config import Config
from imgcore.errors import Conflict, ImgcoreError, Misconfigured, RateLimited
from imgcore.gallery import embedded, languages
from imgcore.gallery.models import Description, Source
from imgcore.text import one_line

if TYPE_CHECKING:
    from imgcore.gallery.models import PhotoFacts, Picture
    from imgcore.pipeline.ports import Captioner

Emit = Callable[[dict[str, Any]], None]
Progress = Callable[[Iterable[Any]], Iterable[Any]]

FILE_SECONDS = 120.0  # for one file, including the waits for the model
JOBS = 4  # files at once, where a model describes
LONGEST_PAUSE = 900.0  # seconds; a longer one, as until tomorrow's quota, ends the command


def add_to(parser: argparse.ArgumentParser, emit: Emit, progress: Progress) -> None:
    """Add the options of ``caption`` to ``parser``. emit: prints an object."""
    parser.add_argument(
        "files", nargs="+", type=files.path, metavar="FILE", help="an image, or a folder of images"
    )
    parser.add_argument(
        "--captioner", choices=("auto", "gemini", "openai", "local"), help="default: CAPTIONER, or auto"
    )
    parser.add_argument(
        "--jobs", type=files.whole_number(1), metavar="N", help="files at once; default 4, local 1"
    )
    parser.add_argument(
        "--write",
        choices=("sidecar", "embedded"),
        help="write the words as XMP, into NAME.xmp or into the file; skip what has an alt text",
    )
    parser.add_argument("--again", action="store_true", help="with --write: also those that have an alt text")

    def run(parsed: argparse.Namespace) -> int:
        config = Config.read()
        languages.parse(config.caption_language)  # raises Misconfigured, also for the local describer
        if parsed.captioner:
            config = replace(config, captioner=parsed.captioner)
        worker = _Worker(config, parsed.write, again=parsed.again)
        failed = False
        pool = ThreadPoolExecutor(parsed.jobs or worker.jobs)
        try:
            for row in progress(pool.map(worker.work, files.images(parsed.files))):
                failed |= "error" in row
                emit(row)
        except KeyboardInterrupt:
            print("imgcore: Interrupted. Requests in progress are completed first.", file=sys.stderr)
            raise
        finally:
            worker.stop()
            pool.shutdown(cancel_futures=True)
        return int(failed)

    parser.set_defaults(run=run)


def message_of(error: ImgcoreError) -> str:
    """Return the sentence of an error for a command, which describes nothing later by itself."""
    from imgcore.captioning.answers import LATER

    return error.message.replace(LATER, "Run the command again later.")


class _Worker:
    """Describes one file at a time in each thread; all pause while the model's rate limit lasts."""

    def __init__(self, config: Config, write: str | None, *, again: bool) -> None:
        self._stopped = threading.Event()
        self._captioner, standby = captioners.create(config, sleep=self._sleep)
        self._standby = standby if config.captioner == "auto" else None  # a chosen model is not replaced
        self._hint, self._write, self._again = config.caption_hint, write, again
        self._targets: set[Path] = set()
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def jobs(self) -> int:
        return 1 if self._captioner.source is Source.LOCAL else JOBS

    def stop(self) -> None:
        """End all waits, and begin no further request."""
        self._stopped.set()

    def _sleep(self, seconds: float) -> None:
        """Wait. CancelledError: the command ends."""
        if self._stopped.wait(seconds):
            raise CancelledError

    def work(self, file: Path) -> dict[str, Any]:
        """Return the row of a file: its description, that it was skipped, or its error."""
        try:
            if os.path.isdir(file):  # noqa: PTH112 - Path.is_dir raises where a name is too long
                raise files.folder_error(file)
            data = files.read(file)
            if not self._write:
                return {"file": str(file)} | self._describe(file, data, None)
            target = XmpTarget.read(file, data, self._write)
            if target.alt_text and not self._again:
                return {"file": str(file), "skipped": "it has an alt text"}
            if not self._is_first(target.path):
                return {"file": str(file), "skipped": "it is named twice"}
            return {"file": str(file)} | self._describe(file, data, target)
        except ImgcoreError as error:
            return {"file": str(file), "error": error.code, "message": message_of(error)}

    def _is_first(self, target: Path) -> bool:
        with self._lock:
            known = target in self._targets
            self._targets.add(target)
        return not known

    def _describe(self, file: Path, data: bytes, target: XmpTarget | None) -> dict[str, Any]:
        from imgcore.imaging.decode import decode

        picture = decode(data, max_side=self._captioner.side)
        found, own = self._described(picture), embedded.description(picture.facts)
        if target is not None:
            own = target.own_description(picture.facts) or own
            if found.source is Source.EMBEDDED and target.alt_text:  # else the beginning of the caption
                found = replace(found, alt_text=target.alt_text)
        if own is not None:
            found = replace(found, caption=own.caption)
        if target is not None:
            target.write(data, found, picture.facts)
        row = {name: value for name, value in asdict(found).items() if value is not None}
        return row if found.translations else {name: row[name] for name in row if name != "translations"}

    def _described(self, picture: Picture) -> Description:
        while True:
            self._sleep(max(0.0, self._until - time.monotonic()))
            try:
                return self._ask(self._captioner, picture)
            except RateLimited as error:
                if (error.retry_after or 0.0) > LONGEST_PAUSE:
                    raise
                with self._lock:
                    self._until = max(self._until, time.monotonic() + (error.retry_after or 30.0))
            except Misconfigured as error:
                if self._standby is None:
                    raise
                print(f"imgcore: {error.message}", file=sys.stderr)
                return self._ask(self._standby, picture)

    def _ask(self, captioner: Captioner, picture: Picture) -> Description:
        hint = f"About all photos of this gallery: {one_line(self._hint)}" if self._hint else ""
        return captioner.describe(picture, deadline=time.monotonic() + FILE_SECONDS, context=hint)


def sidecar(file: Path) -> Path:
    """Return the path of a file's sidecar: ``photo.jpg.xmp``, which photo.png does not share."""
    return file.with_name(f"{file.name}.xmp")


@dataclass(frozen=True, slots=True)
class XmpTarget:
    """The target of the words of ``file``, and the XMP packet that is there, whose own words stay.

    path: the sidecar, or the image itself where ``embedded``. Symbolic links are resolved, so that they stay.
    """

    file: Path
    path: Path
    embedded: bool
    packet: bytes
    caption: str
    keywords: tuple[str, ...]
    alt_text: str

    @classmethod
    def read(cls, file: Path, data: bytes, how: str) -> XmpTarget:
        """Read the packet. Raises, before a model is paid, where it cannot be read or words not be written."""
        from imgcore.imaging.xmp_writing import (
            FileWords,
            alt_text_in,
            embed,
            embedded_packet,
            packet,
            words_in,
        )

        named = file if how == "embedded" else sidecar(file)
        with files.write_errors(named):
            path = files.real_path(named)
            if how == "embedded":
                known = embedded_packet(data)
                embed(data, packet(FileWords(None, "", ()), known))  # raises where the file cannot hold it
            else:
                known = files.content_if_present(path)
            if not os.access(path.parent, os.W_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return cls(file, path, how == "embedded", known, *words_in(known), alt_text_in(known))

    def own_description(self, facts: PhotoFacts) -> Description | None:
        """Return the packet's own caption as a description; None as of embedded.description."""
        return embedded.description(replace(facts, embedded_caption=self.caption))

    def write(self, data: bytes, found: Description, facts: PhotoFacts) -> None:
        """Write the words as a whole or not at all. A caption that is there stays; tags join the keywords.

        Conflict: the image or its packet was changed while the model was asked, which takes up to minutes.
        """
        from imgcore.imaging.xmp_writing import FileWords, embed, packet

        own = self.own_description(facts) or (embedded.description(facts) if self.embedded else None)
        tags: dict[str, str] = {}
        for tag in (*self.keywords, *facts.embedded_keywords, *found.tags):
            tags.setdefault(tag.casefold(), tag)
        words = FileWords(None if own else found.caption, found.alt_text, tuple(tags.values()))
        written = packet(words, self.packet)
        self._check_unchanged(data)
        with files.write_errors(self.path):
            files.replace(self.path, embed(data, written) if self.embedded else written, like=self.file)

    def _check_unchanged(self, data: bytes) -> None:
        now = files.read(self.file)
        if now != data or self != XmpTarget.read(self.file, now, "embedded" if self.embedded else "sidecar"):
            message = f"{self.path.name} or its image was changed meanwhile. Run the command again."
            raise Conflict(message, code="changed")
