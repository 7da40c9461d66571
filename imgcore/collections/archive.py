"""Zip archives that are sent while they are made, in constant memory. Pure.

Python's zipfile writes to a stream that cannot seek: sizes and checksums follow each file (APPNOTE.TXT 4.3.9),
and the directory is in Zip64 where the archive has more than 4 GiB or 65,535 files.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, cast

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the format has no earlier time
_CHUNK = 64 * 1024  # bytes that are collected before they are sent


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of an archive. chunks: its content. at: its time, without a zone. compress: not for pictures."""

    name: str
    chunks: Iterable[bytes]
    at: datetime | None = None
    compress: bool = False


def zip_stream(files: Iterable[ArchiveFile]) -> Iterator[bytes]:
    """Yield the bytes of a zip archive. An error while a file is read is raised, and ends the archive."""
    sink = _Sink()
    with zipfile.ZipFile(cast("IO[bytes]", sink), "w", allowZip64=True) as archive:
        for file in files:
            with archive.open(_info(file), "w", force_zip64=True) as target:
                for chunk in file.chunks:
                    target.write(chunk)
                    if sink.size >= _CHUNK:
                        yield sink.take()
    yield sink.take()


def _info(file: ArchiveFile) -> zipfile.ZipInfo:
    at = file.at.timetuple()[:6] if file.at is not None else _EARLIEST
    info = zipfile.ZipInfo(file.name, max(at, _EARLIEST) if at[0] < 2108 else _EARLIEST)
    info.compress_type = zipfile.ZIP_DEFLATED if file.compress else zipfile.ZIP_STORED
    info.external_attr = 0o100644 << 16  # a regular file that its owner may write
    return info


class _Sink:
    """A stream that cannot seek and keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        """Do nothing: zipfile calls it."""

    def take(self) -> bytes:
        """Return what was written since the last call."""
        taken, self._parts, self.size = b"".join(self._parts), [], 0
        return taken
