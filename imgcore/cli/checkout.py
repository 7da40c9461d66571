"""The gallery that ``make run`` serves from this checkout: its settings, for a command that was given none."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import MutableMapping
from pathlib import Path

from imgcore.errors import Misconfigured

# Both are made by `make run`, in roles/local_cloud/files.
LOCK = "lock"  # locked as long as it runs
SETTINGS = "running.env"  # NAME=value lines; before the gallery is ready, PUBLIC_URL alone
GALLERY_SETTINGS = ("DATABASE_URL", "DB_HOST", "UPLOADS_BUCKET")  # each of them names a gallery
ROOT = Path(__file__).resolve().parents[2]


def use_running_gallery(environ: MutableMapping[str, str], *, required: bool = True) -> None:
    """Add the settings of the gallery that is running to ``environ``, unless that names a gallery already.

    Settings in ``environ`` win, except for AWS's: a real account's must not be mixed with the emulator's.
    Says on standard error which gallery it is. Misconfigured where there is one that is not running,
    unless it is not ``required``.
    """
    if any(environ.get(name, "").strip() for name in GALLERY_SETTINGS):
        return
    home = Path(os.path.realpath(environ.get("GALLERY_HOME") or ROOT / ".local"))  # resolve() may raise
    try:
        settings = _running_settings(home)
    except Misconfigured:
        if required:
            raise
        return
    except PermissionError as error:
        raise Misconfigured(f"Only the owner of {home} can use the gallery of `make run`.") from error
    except OSError as error:
        raise Misconfigured(f"{home} cannot be read: {error.strerror}.") from error
    if settings is None:
        return
    for name in [name for name in environ if name.startswith("AWS_")]:
        del environ[name]
    for name, value in settings.items():
        if name.startswith("AWS_") or name.lower() == "no_proxy" or not environ.get(name, "").strip():
            environ[name] = value
    print(f"imgcore: using the gallery at {settings['PUBLIC_URL']}/, with the data in {home}.", file=sys.stderr)


def _running_settings(home: Path) -> dict[str, str] | None:
    """Return the settings; None where there is no checkout, or `make run` was never used in it."""
    if not (home / LOCK).exists():
        return None
    if not _is_locked(home / LOCK):
        raise Misconfigured(
            "The gallery of `make run` is stopped. Start it, or name another with DATABASE_URL."
        )
    settings = _read(home / SETTINGS)
    if "DATABASE_URL" not in settings:
        raise Misconfigured("The gallery of `make run` is starting. Try again when it has printed its address.")
    return settings


def _is_locked(path: Path) -> bool:
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line)
