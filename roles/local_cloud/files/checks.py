"""What has to be right before anything is started; each thing that is not gets one sentence."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulator import is_free

from imgcore.bootstrap import describer as imgcore_describer
from imgcore.config import Config
from imgcore.errors import Misconfigured

DISK_MEGABYTES = 500
WISHES = (
    "BATCH_QUIET_SECONDS",
    "CAPTIONER",
    "CAPTION_LANGUAGE",
    "GEMINI_API_KEY",
    "GEMINI_BASE_URL",
    "GEMINI_FALLBACK_MODELS",
    "GEMINI_MODEL",
    "GOOGLE_API_KEY",
    "KEEP_LOCATION",
    "MAX_UPLOAD_BYTES",
    "THUMBNAIL_FIT",
)


class Refused(Exception):
    """It cannot start. Its text is one sentence for the person at the terminal."""


def port(environ: Mapping[str, str]) -> int:
    """The gallery's port, which is free. Refused where it is no port or in use."""
    text = environ.get("PORT", "").strip() or "8080"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65_536):
        raise Refused(f"PORT must be a number from 1 to 65535; it is {text!r}.")
    if not is_free(int(text)):
        raise Refused(
            f"Port {text} is in use or not allowed; choose another, such as PORT={int(text) % 60_000 + 1}."
        )
    return int(text)


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the folder's lock. Refused where another process holds it."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(f"It is running already, with the data in {home}; stop that one first.") from error
        yield


def room(home: Path) -> None:
    """Refused where the disk is nearly full."""
    free = shutil.disk_usage(home).free // 2**20
    if free < DISK_MEGABYTES:
        raise Refused(f"The disk of {home} has {free} MB left; {DISK_MEGABYTES} MB are needed.")


def wishes(environ: Mapping[str, str]) -> dict[str, str]:
    """What a person has set about photographs and captions. Refused where the settings are wrong."""
    found = {name: value for name in WISHES if (value := environ.get(name, "").strip())}
    try:
        Config.read(found)
    except Misconfigured as error:
        raise Refused(error.message) from error
    return found


def describer(wishes: Mapping[str, str]) -> str:
    """Who describes photographs, in words."""
    return imgcore_describer(Config.read(wishes))
