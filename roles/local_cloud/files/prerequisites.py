"""What this machine must provide before anything is installed or started: one sentence for what is missing.

prerequisites.sh runs it before an installation, `make run` calls its functions at every start. It uses the
standard library alone, because nothing is installed yet.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator import HOST, is_free, listening_error

ROOT = Path(__file__).resolve().parents[3]
MEGABYTE = 2**20
INSTALLED_MEGABYTES = 900  # .venv for `make run`: 650 MB, and uv's cache, which shares its files with .venv
TESTED_MEGABYTES = 400  # what the tests need besides
STARTED_MEGABYTES = 200  # the zips, the functions' unpacked code and the emulator's state
DEFAULT_PORT = 8080


class Refused(Exception):
    """It cannot start. The text is one sentence for the person at the terminal."""


def main(arguments: Sequence[str]) -> int:
    """Check what these goals of make need (the first argument is the interpreter); 0, or 1 with a sentence."""
    goals = arguments[1:]
    home = gallery_home(os.environ)
    try:
        check_installation_folders(ROOT, cache_folder(os.environ))
        check_owned(home)
        if "run" in goals:
            port(os.environ)
            check_host(os.environ)
        check_installation_space(home, goals)
    except Refused as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    return 0


def gallery_home(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the gallery's data."""
    return Path(environ.get("GALLERY_HOME") or ROOT / ".local").resolve()


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return where uv keeps what it has downloaded."""
    if named := environ.get("UV_CACHE_DIR"):
        return Path(named)
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uv"


def check_installation_folders(root: Path, cache: Path) -> None:
    """Raise Refused where the user may not write to the repository's folder or to uv's cache."""
    if not _writable(root):
        raise Refused(
            f"The folder {root} is not writable for {_user()}: clone the repository into a folder of your own."
        )
    if not _writable(cache):
        raise Refused(
            f"The package cache {cache} is not writable for {_user()}: name another folder with UV_CACHE_DIR."
        )
    check_owned(root / ".venv")


def check_owned(folder: Path) -> None:
    """Raise Refused where the user may not write to a folder that make creates, or to what is in it."""
    for path in (folder, *(folder.iterdir() if _readable(folder) else ())):
        if not _writable(path):
            user = _user()
            raise Refused(
                f"{path} is not writable for {user}: change its owner (sudo chown -R {user} {folder})"
                " or remove it."
            )


def _user() -> str:
    return os.environ.get("USER") or f"user {os.getuid()}"


def _writable(path: Path) -> bool:
    """Return whether the path, or its nearest parent that exists, may be written to."""
    while not os.path.lexists(path):
        path = path.parent
    return path.is_symlink() or os.access(path, os.W_OK)


def _readable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def port(environ: Mapping[str, str]) -> int:
    """Return the gallery's port. Refused where it is no port number, in use, or reserved for root."""
    text = environ.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise Refused(f"PORT must be a number from 1 to 65535; it is {text!r}.")
    number = int(text)
    if (error := listening_error(number)) is None:
        return number
    other = next((free for free in range(max(DEFAULT_PORT, number + 1), 65_536) if is_free(free)), DEFAULT_PORT)
    if error.errno in (errno.EACCES, errno.EPERM):
        raise Refused(
            f"Port {number} is reserved for root on this machine;"
            f" choose one from 1024 on, such as PORT={other}."
        )
    if error.errno == errno.EADDRINUSE:
        raise Refused(f"Port {number} is in use by another program; choose another, such as PORT={other}.")
    raise Refused(f"Port {number} cannot be used ({error.strerror}); choose another, such as PORT={other}.")


def check_host(environ: Mapping[str, str]) -> None:
    """Raise Refused where other machines could reach a gallery without accounts, as the web process does."""
    host = environ.get("HOST", "").strip() or HOST
    if environ.get("ACCOUNTS", "").strip() == "on" or host.lower() == "localhost":
        return
    try:
        loopback = ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Refused(
            f"HOST is {host}, but without accounts the gallery serves this machine only:"
            f" leave HOST at {HOST}, or set ACCOUNTS=on."
        )


def check_installation_space(home: Path, goals: Sequence[str]) -> None:
    """Raise Refused where the disks of the folder and of uv's cache are too full for what make installs."""
    tested = any(goal not in ("run", "venv") for goal in goals)
    needed = INSTALLED_MEGABYTES + (TESTED_MEGABYTES if tested else 0)
    for folder, what in ((ROOT, "the installation"), (cache_folder(os.environ), "the package cache")):
        _check_space(folder, needed, what)
    check_space(home)


def check_space(home: Path) -> None:
    """Raise Refused where the disk of the gallery's data is nearly full."""
    _check_space(home, STARTED_MEGABYTES, "the gallery")


def _check_space(folder: Path, megabytes: int, what: str) -> None:
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free // MEGABYTE
    if free < megabytes:
        raise Refused(f"The disk of {folder} has {free:,} MB left; {what} needs {megabytes:,} MB.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
