"""Let the emulator's S3 acknowledge only what is on the disk.

ministack answers 2xx also where writing an object's file failed, which it only logs; it never syncs a file,
and it sends an object's event before it writes. ``install`` replaces some functions of its S3 module: each
request now writes, syncs, then sends its events and answers, or restores what was there and answers 503.
"""

from __future__ import annotations

import contextvars
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FAILURES = ("Failed to persist", "Failed to delete")  # how ministack's warnings begin


@dataclass
class _Request:
    """What one request has changed so far."""

    failures: list[str] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)
    events: list[Callable[[], None]] = field(default_factory=list)


_current: contextvars.ContextVar[_Request | None] = contextvars.ContextVar("request", default=None)


class _Failures(logging.Handler):
    """Adds ministack's warnings about files to the current request."""

    def emit(self, record: logging.LogRecord) -> None:
        request, message = _current.get(), record.getMessage()
        if request is not None and message.startswith(_FAILURES):
            request.failures.append(message)


def install(s3: Any) -> None:
    """Replace the functions of ministack's module ``s3`` that write files, send events and answer."""
    s3.logger.addHandler(_Failures(logging.WARNING))
    _write_synced(s3)
    _undo_failed_writes(s3)
    _send_events_last(s3)
    _answer_failures(s3)


def _write_synced(s3: Any) -> None:
    top = Path(s3.DATA_DIR).resolve()

    def write(path: str, data: bytes | str, *, text: bool = False) -> None:
        unfinished = Path(f"{path}.tmp")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "w" if text else "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(descriptor)
            unfinished.replace(path)
        except OSError:
            unfinished.unlink()
            raise
        _sync_folders(Path(path).parent, top)

    remove = s3._remove_key_files

    def remove_synced(path: str | None) -> None:
        remove(path)
        if path and Path(path).parent.is_dir():
            _sync_folders(Path(path).parent, top)

    s3._atomic_write, s3._remove_key_files = write, remove_synced


def _sync_folders(folder: Path, top: Path) -> None:
    """Sync ``folder`` and its parents up to ``top``, so that new names in them survive a power failure."""
    while folder.is_relative_to(top):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        folder = folder.parent


def _undo_failed_writes(s3: Any) -> None:
    record, persist = s3._record_object_version, s3._persist_object

    def record_version(bucket: str, key: str, prior: Any, stored: Any, data: Any) -> Any:
        if (request := _current.get()) is not None:
            context = contextvars.copy_context()  # it names the account
            request.undo.append(lambda: context.run(_restore, s3, bucket, key, prior, stored))
        return record(bucket, key, prior, stored, data)

    def persist_unless_failed(bucket: str, key: str, stored: Any) -> None:
        request = _current.get()
        # The version before may not have been copied: its file must not be replaced then
        if request is None or not request.failures:
            persist(bucket, key, stored)

    s3._record_object_version, s3._persist_object = record_version, persist_unless_failed


def _restore(s3: Any, bucket: str, key: str, prior: Any, stored: Any) -> None:
    """Make ``prior`` the current object again, in memory and on the disk, or none where it is None."""
    versions = s3._object_versions.get((bucket, key)) or []
    versions[:] = [each for each in versions if each["version_id"] != stored.get("version_id")]
    for each in versions[-1:]:
        each["is_latest"] = True
    objects, path = s3._buckets[bucket]["objects"], s3._object_disk_path(bucket, key)
    if prior is None:
        objects.pop(key, None)
        s3._remove_key_files(path)
        return
    objects[key] = prior
    copied = s3._version_disk_path(bucket, key, prior.get("version_id") or "null")
    if copied and Path(copied).is_file():
        Path(copied).replace(path)


def _send_events_last(s3: Any) -> None:
    fire = s3._fire_s3_event_async

    def fire_after_the_write(*arguments: Any, **options: Any) -> None:
        if (request := _current.get()) is None:
            fire(*arguments, **options)
            return
        context = contextvars.copy_context()
        context.run(_current.set, None)
        request.events.append(lambda: context.run(fire, *arguments, **options))

    s3._fire_s3_event_async = fire_after_the_write


def _answer_failures(s3: Any) -> None:
    handle = s3.handle_request

    async def handle_durably(*arguments: Any, **options: Any) -> Any:
        request = _Request()
        token = _current.set(request)
        try:
            answer = await handle(*arguments, **options)
        finally:
            _current.reset(token)
        if request.failures:
            for undo in reversed(request.undo):
                undo()
            return s3._error("ServiceUnavailable", "The object cannot be stored: is the disk full?", 503)
        for send in request.events:
            send()
        return answer

    s3.handle_request = handle_durably
