"""Check this machine before an installation or a start; one sentence for the first thing that is missing.

prerequisites.sh runs it before an installation, `make run` calls its functions at every start. It uses the
standard library alone, because nothing is installed yet.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from emulator import HOST, listening_error
from steps import WORKERS

ROOT = Path(__file__).resolve().parents[3]
MEGABYTE = 2**20
INSTALLED_MEGABYTES = 600  # .venv and .local/tools
TESTED_MEGABYTES = 250  # added by the test tools
CACHED_MEGABYTES = 50  # files in uv's cache that are not linked into .venv
STATE_MEGABYTES = 200  # both zips twice, and the emulator's state
UNPACKED_MEGABYTES = 250  # the code of one worker of each function
DEFAULT_PORT = 8080


class Refused(Exception):
    """The command cannot start. The message is one sentence that says why and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Check what make's goals need. The first argument is the interpreter. Return 0, or 1 after a message."""
    goals = arguments[1:]
    home, cache = gallery_home(os.environ), cache_folder(os.environ)
    try:
        check_installation_folders(ROOT, cache)
        check_home(home)
        if "run" in goals:
            check_host(os.environ)
            port(os.environ)
        check_installation_space(ROOT, home, cache, goals)
    except Refused as error:
        print(f"make: {error}", file=sys.stderr)
        return 1
    return 0


def gallery_home(environ: Mapping[str, str]) -> Path:
    """Return the folder that holds the gallery's data."""
    return Path(environ.get("GALLERY_HOME") or ROOT / ".local").resolve()


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder of uv's download cache."""
    if named := environ.get("UV_CACHE_DIR"):
        return Path(named)
    if caches := environ.get("XDG_CACHE_HOME"):
        return Path(caches) / "uv"
    try:
        return Path.home() / ".cache" / "uv"
    except RuntimeError:  # neither HOME nor an entry in the system's list of users
        return ROOT / ".uv_cache"


def check_installation_folders(root: Path, cache: Path) -> None:
    """Raise Refused if the user may not write to the repository's folder or to uv's cache."""
    if not _writable(root):
        raise Refused(
            f"The folder {root} is not writable for {_user()}: clone the repository into a folder of your own."
        )
    if not _writable(cache):
        raise Refused(
            f"The package cache {cache} is not writable for {_user()}: name another folder with UV_CACHE_DIR."
        )
    for name in (".venv", ".local"):
        check_folder(root / name)
    check_owned(root / ".venv")


def check_folder(path: Path) -> None:
    """Raise Refused if there is something else than a folder, such as a link to a disk that is not there."""
    if path.is_symlink() and not path.exists():
        raise Refused(f"{path} is a link to {path.readlink()}, which is not there: remove it.")
    if path.exists() and not path.is_dir():
        raise Refused(f"{path} is not a folder: remove it.")


def check_home(home: Path) -> None:
    """Raise Refused if the gallery's data cannot be in that folder."""
    if not (found := _existing(home)).is_dir():
        raise Refused(f"{found} is not a folder: remove it, or name another folder with GALLERY_HOME.")
    check_owned(home)


def check_owned(folder: Path) -> None:
    """Raise Refused if the user may not write to a folder that make creates, or to its entries."""
    for path in (folder, *(folder.iterdir() if _readable(folder) else ())):
        if not _writable(path):
            owner = os.environ.get("USER") or os.getuid()
            raise Refused(
                f"{path} is not writable for {_user()}:"
                f" change its owner (sudo chown -R {owner} {shlex.quote(str(folder))}) or remove it."
            )


def _user() -> str:
    return os.environ.get("USER") or f"user {os.getuid()}"


def _writable(path: Path) -> bool:
    """Return whether the path, or its nearest parent that exists, may be written to."""
    return os.access(_existing(path), os.W_OK)


def _readable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.R_OK | os.X_OK)


def port(environ: Mapping[str, str]) -> int:
    """Return the gallery's port. Raise Refused if HOST and PORT are not an address to listen on."""
    text = environ.get("PORT", "").strip() or str(DEFAULT_PORT)
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise Refused(f"PORT must be a number from 1 to 65535; it is {text!r}.")
    number, host = int(text), listening_host(environ)
    if (error := listening_error(number, host)) is None:
        return number
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        raise Refused(f"HOST is {host}, which is no address of this machine ({error.strerror}).")
    others = range(max(DEFAULT_PORT, number + 1), 65_536)
    other = next((free for free in others if listening_error(free, host) is None), DEFAULT_PORT)
    if error.errno in (errno.EACCES, errno.EPERM):
        raise Refused(
            f"Port {number} is reserved for root on this machine;"
            f" choose one from 1024 on, such as PORT={other}."
        )
    if error.errno == errno.EADDRINUSE:
        raise Refused(f"Port {number} is in use by another program; choose another, such as PORT={other}.")
    raise Refused(f"Port {number} cannot be used ({error.strerror}); choose another, such as PORT={other}.")


def listening_host(environ: Mapping[str, str]) -> str:
    """Return the address that the gallery listens on, as the web process reads it from HOST."""
    host = environ.get("HOST", "").strip() or HOST
    return HOST if host.lower() == "localhost" else host.strip("[]")


def gallery_url(host: str, port: int) -> str:
    """Return the URL at which this machine reaches a gallery that listens on ``host``."""
    reached = {"0.0.0.0": HOST, "::": "::1"}.get(host, host)  # noqa: S104 - every address, also loopback
    return f"http://[{reached}]:{port}" if ":" in reached else f"http://{reached}:{port}"


def check_host(environ: Mapping[str, str]) -> None:
    """Raise Refused if other machines could reach a gallery without accounts; the web process checks it too."""
    host = listening_host(environ)
    if environ.get("ACCOUNTS", "").strip() == "on":
        return
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise Refused(
            f"HOST is {host}, but without accounts the gallery serves this machine only:"
            f" leave HOST at {HOST}, or set ACCOUNTS=on."
        )


def check_installation_space(root: Path, home: Path, cache: Path, goals: Sequence[str]) -> None:
    """Raise Refused if a disk is too full for the installation and, with the goal ``run``, for the gallery."""
    installed = INSTALLED_MEGABYTES + (TESTED_MEGABYTES if set(goals) - {"run", "venv"} else 0)
    if (root / ".venv" / ".run").exists():
        installed = 0  # an update replaces what is there
    # uv links the files of its cache into .venv; on another disk it copies them.
    cached = CACHED_MEGABYTES if _device(cache) == _device(root) else installed
    started = started_megabytes(home) if "run" in goals else 0
    needed: dict[int, int] = {}
    for folder, megabytes in ((root, installed), (cache, cached), (home, started)):
        needed[_device(folder)] = needed.get(_device(folder), 0) + megabytes
    for folder in (root, cache, home):
        _check_space(folder, needed[_device(folder)])


def check_space(home: Path) -> None:
    """Raise Refused if the disk of the gallery's data is too full for a start."""
    _check_space(home, started_megabytes(home))


def started_megabytes(home: Path) -> int:
    """Return the megabytes that a start needs; each function worker replaces the last start's unpacked code."""
    return STATE_MEGABYTES + (0 if (home / "tmp").exists() else WORKERS * UNPACKED_MEGABYTES)


def _check_space(folder: Path, megabytes: int) -> None:
    free = shutil.disk_usage(_existing(folder)).free // MEGABYTE
    if free < megabytes:
        raise Refused(f"The disk of {folder} has {free:,} MB left; {megabytes:,} MB are needed.")


def _device(folder: Path) -> int:
    return _existing(folder).stat().st_dev


def _existing(path: Path) -> Path:
    """Return the path or its nearest parent that exists."""
    return next(found for found in (path, *path.parents) if found.exists())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
