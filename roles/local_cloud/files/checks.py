"""What has to be right before anything is started; each thing that is not gets one sentence."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulator import read_settings
from prerequisites import Refused
from steps import WEB, running_file

from imgcore.bootstrap import describer as imgcore_describer
from imgcore.config import Config
from imgcore.errors import Misconfigured

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


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the folder's lock. Refused where another process holds it; the text names its gallery's address."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(
                f"It is running already{_address(home)}, with the data in {home}; stop that one first."
            ) from error
        yield


def _address(home: Path) -> str:
    """Return " at ADDRESS" of the gallery that holds the lock; empty before it has chosen a port."""
    try:
        return f" at {read_settings(running_file(home))['PUBLIC_URL']}/"
    except (OSError, KeyError):
        return ""


def wishes(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings for photos and captions in the environment. Refused where the settings are wrong."""
    found = {name: value for name in WISHES if (value := environ.get(name, "").strip())}
    try:
        Config.read({name: environ.get(name, "") for name in (*WISHES, *WEB)})
    except Misconfigured as error:
        raise Refused(error.message) from error
    return found


def describer(wishes: Mapping[str, str]) -> str:
    """Return who describes photos, in words for people."""
    return imgcore_describer(Config.read(wishes))
