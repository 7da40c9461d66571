"""The command ``imgcore caption``: describe files and folders, and write the words into them or beside them."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcore import captioners
from imgcore.config import Config
from imgcore.errors import ImgcoreError, Misconfigured, RateLimited
from imgcore.gallery import embedded
from imgcore.gallery.models import MEDIA_TYPES, Description, Source
from imgcore.text import one_line

if TYPE_CHECKING:
    from imgcore.gallery.models import Picture
    from imgcore.pipeline.ports import Captioner

Emit = Callable[[dict[str, Any]], None]
Read = Callable[[Path], bytes]
Progress = Callable[[Iterable[Any]], Iterable[Any]]

FILE_SECONDS = 120.0  # for one file, including the waits for the model
JOBS = 4  # files at once, where a model describes
LONGEST_PAUSE = 900.0  # seconds; a longer one, as until tomorrow's quota, ends the command
_ENDINGS = {f".{ending}" for ending in MEDIA_TYPES.values()} | {".jpeg"}


def add_to(parser: argparse.ArgumentParser, emit: Emit, read: Read, progress: Progress) -> None:
    """Add the options of ``caption`` to ``parser``. emit: prints an object. read: returns a file's content."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="an image, or a folder of images")
    parser.add_argument("--captioner", choices=("auto", "gemini", "local"), help="default: CAPTIONER, or auto")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help="files at once; default 4, local 1")
    parser.add_argument(
        "--write",
        choices=("sidecar", "embedded"),
        help="write the words as XMP, into NAME.xmp or into the file; skip what has an alt text",
    )
    parser.add_argument("--again", action="store_true", help="with --write: also those that have an alt text")

    def run(parsed: argparse.Namespace) -> int:
        config = Config.read()
        if parsed.captioner:
            config = replace(config, captioner=parsed.captioner)
        worker = _Worker(config, read, parsed.write, again=parsed.again)
        jobs = parsed.jobs if parsed.jobs > 0 else worker.jobs
        failed = False
        with ThreadPoolExecutor(jobs) as pool:
            for row in progress(pool.map(worker.work, _images(parsed.files))):
                failed |= "error" in row
                emit(row)
        return int(failed)

    parser.set_defaults(run=run)


def _images(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and of folders the images in them and in their folders, in order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(
                found for found in path.rglob("*") if found.suffix.lower() in _ENDINGS and found.is_file()
            )
        else:
            yield path


class _Worker:
    """Describes one file at a time in each thread; all pause while the model's rate limit lasts."""

    def __init__(self, config: Config, read: Read, write: str | None, *, again: bool) -> None:
        self._captioner, standby = captioners.create(config)
        self._standby = standby if config.captioner == "auto" else None  # a chosen model is not replaced
        self._hint, self._read, self._write, self._again = config.caption_hint, read, write, again
        self._until = 0.0
        self._lock = threading.Lock()

    @property
    def jobs(self) -> int:
        return 1 if self._captioner.source is Source.LOCAL else JOBS

    def work(self, file: Path) -> dict[str, Any]:
        """Return the row of a file: its description, that it was skipped, or its error."""
        try:
            data = self._read(file)
            if self._write and not self._again and _is_done(file, data, self._write):
                return {"file": str(file), "skipped": "it has an alt text"}
            return {"file": str(file)} | self._describe(file, data)
        except ImgcoreError as error:
            return {"file": str(file), "error": error.code, "message": error.message}

    def _describe(self, file: Path, data: bytes) -> dict[str, Any]:
        from imgcore.imaging.decode import decode

        picture = decode(data, max_side=self._captioner.side)
        found, own = self._described(picture), embedded.description(picture.facts)
        if own is not None:
            found = replace(found, caption=own.caption)
        if self._write:
            write_words(file, data, found, self._write, keep_caption=own is not None)
        row = {name: value for name, value in asdict(found).items() if value is not None}
        return row if found.translations else {name: row[name] for name in row if name != "translations"}

    def _described(self, picture: Picture) -> Description:
        while True:
            time.sleep(max(0.0, self._until - time.monotonic()))
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


def write_words(file: Path, data: bytes, found: Description, how: str, *, keep_caption: bool) -> None:
    """Write the words into the file or its sidecar, as a whole or not at all."""
    from imgcore.imaging.xmp_writing import FileWords, embed, embedded_packet, packet

    words = FileWords(None if keep_caption else found.caption, found.alt_text, found.tags)
    if how == "embedded":
        _replace(file, embed(data, packet(words, embedded_packet(data))), like=file)
        return
    target = sidecar(file)
    words = replace(words, caption=found.caption)
    _replace(target, packet(words, target.read_bytes() if target.exists() else b""), like=file)


def _is_done(file: Path, data: bytes, how: str) -> bool:
    from imgcore.imaging.xmp_writing import embedded_packet, has_alt_text

    if how == "embedded":
        return has_alt_text(embedded_packet(data))
    return sidecar(file).exists() and has_alt_text(sidecar(file).read_bytes())


def _replace(target: Path, data: bytes, *, like: Path) -> None:
    """Write a file beside its place and move it there; it gets the permissions of ``like``."""
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".imgcore-", delete=False) as temporary:
        try:
            temporary.write(data)
            temporary.flush()
            os.fsync(temporary.fileno())
            shutil.copymode(like, temporary.name)
            Path(temporary.name).replace(target)
        except BaseException:
            Path(temporary.name).unlink(missing_ok=True)
            raise
