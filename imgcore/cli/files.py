"""The files and folders that a command names. Errors of the operating system become rows of its output."""

from __future__ import annotations

import argparse
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from imgcore.errors import ImgcoreError, Rejected, Unavailable
from imgcore.gallery.media_types import type_of_ending
from imgcore.text import too_large


def path(text: str) -> Path:
    """Return the path in an argument, as the ``type`` of argparse.

    An empty one, as of a variable of the shell that is not set, would be the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("The name is empty.")
    return Path(text)


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return a ``type`` of argparse for whole numbers from ``least`` to ``most``."""

    def number(text: str) -> int:
        found = int(text) if text.isascii() and text.removeprefix("-").isdigit() else None
        if found is None or found < least or (most is not None and found > most):
            wanted = f"from {least} to {most}" if most is not None else f"of at least {least}"
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number {wanted}.")
        return found

    return number


def images(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files, and of folders the images in them and below, in order.

    A folder without images, or one that cannot be read, is yielded itself: see ``folder_error``.
    """
    for one in paths:
        if os.path.isdir(one):  # noqa: PTH112 - Path.is_dir raises, for example where a name is too long
            yield from sorted(_below(one)) or [one]
        else:
            yield one


def _below(folder: Path) -> list[Path]:
    found: list[Path] = []

    def refused(error: OSError) -> None:
        found.append(Path(error.filename))

    for inner, _, names in os.walk(folder, onerror=refused):
        files = (Path(inner, name) for name in names if type_of_ending(name))
        found += filter(_is_regular_or_refused, files)
    return found


def _is_regular_or_refused(file: Path) -> bool:
    try:
        return stat.S_ISREG(file.stat().st_mode)
    except FileNotFoundError:  # a link to nothing
        return False
    except OSError:  # it is reported when it is read
        return True


def folder_error(folder: Path) -> ImgcoreError:
    """Return why ``images`` has yielded this folder."""
    try:
        os.listdir(folder)  # noqa: PTH208 - only whether it can be read
    except OSError as error:
        return Unavailable(f"This folder cannot be read: {error.strerror}.", code="unreadable")
    return Rejected("This folder holds no images.", code="no_images")


def read(file: Path) -> bytes:
    """Return the content of an image. Unavailable: it cannot be read. Rejected: too large, or not a file."""
    try:
        return _content(file)
    except OSError as error:
        raise Unavailable(f"This file cannot be read: {error.strerror}.", code="unreadable") from error


def _content(file: Path) -> bytes:
    """Return the content of a regular file: a pipe may never end, and a device has no end. OSError."""
    from imgcore.gallery.models import MAX_BYTES

    # Without O_NONBLOCK, opening a named pipe waits until somebody writes to it.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as opened:
        known = os.fstat(opened.fileno())
        if not stat.S_ISREG(known.st_mode):
            raise Rejected(f"{file.name} is not a regular file: copy it into one first.", code="not_a_file")
        if known.st_size > MAX_BYTES:
            raise Rejected(too_large(known.st_size, MAX_BYTES), code="too_large")
        data = opened.read(MAX_BYTES + 1)  # it may grow, and files of /proc have a size of 0
        if len(data) > MAX_BYTES:
            raise Rejected(too_large(len(data), MAX_BYTES), code="too_large")
        return data


def real_path(file: Path) -> Path:
    """Return the path without symbolic links, also of a file that is not there yet. OSError: links in a circle.

    Path.resolve raises RuntimeError for those up to Python 3.12, and without ``strict`` returns the link.
    """
    try:
        return Path(os.path.realpath(file, strict=True))
    except FileNotFoundError:
        return Path(os.path.realpath(file))


def content_if_present(file: Path) -> bytes:
    """Return the content of a file; empty where there is none. OSError. Rejected: as ``read``."""
    try:
        return _content(file)
    except FileNotFoundError:
        return b""


@contextmanager
def write_errors(target: Path) -> Iterator[None]:
    """Raise the operating system's errors as Unavailable (``unwritable``), so that the other files go on."""
    try:
        yield
    except OSError as error:
        message = f"{target.name} cannot be written: {error.strerror}."
        raise Unavailable(message, code="unwritable") from error


def replace(target: Path, data: bytes, *, like: Path) -> None:
    """Write a file beside its place and move it there; it gets the permissions of ``like``. OSError."""
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
