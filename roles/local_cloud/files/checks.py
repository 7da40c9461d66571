"""Check the settings of `make run`, and lock its data folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from emulator import read_settings
from prerequisites import Refused
from steps import WEB_SETTINGS, running_file

from imgcore import captioners
from imgcore.config import Config
from imgcore.errors import Misconfigured

# Settings of uploads, thumbnails and captions, which `make run` passes to the functions
IMAGE_SETTINGS = (
    "BATCH_QUIET_SECONDS",
    "CAPTIONER",
    "CAPTION_HINT",
    "CAPTION_INSTRUCTIONS",
    "CAPTION_LANGUAGE",
    "GEMINI_API_KEY",
    "GEMINI_BASE_URL",
    "GEMINI_FALLBACK_MODELS",
    "GEMINI_MODEL",
    "GOOGLE_API_KEY",
    "KEEP_LOCATION",
    "MAX_UPLOAD_BYTES",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "QUOTA_SPEND_DAY",
    "QUOTA_SPEND_MONTH",
    "SPEND_CAP_DAY",
    "SPEND_CAP_MONTH",
    "THUMBNAIL_FIT",
)


@contextmanager
def exclusive_lock(home: Path) -> Iterator[None]:
    """Hold the folder's lock. Raise Refused with its gallery's address if another process holds it."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"The folder {home} cannot be created ({error.strerror}): name another one with GALLERY_HOME."
        ) from error
    with (home / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise Refused(
                f"The gallery is already running{_address(home)}, with the data in {home}. Stop it first."
            ) from error
        yield


def _address(home: Path) -> str:
    """Return " at ADDRESS" for the gallery that holds the lock; empty if it has not written its address yet."""
    try:
        return f" at {read_settings(running_file(home))['PUBLIC_URL']}/"
    except (OSError, KeyError):
        return ""


def image_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the IMAGE_SETTINGS in ``environ``. Raise Refused if one of these or of WEB_SETTINGS is invalid."""
    found = {name: value for name in IMAGE_SETTINGS if (value := environ.get(name, "").strip())}
    try:
        captioners.check(
            Config.read({name: environ.get(name, "") for name in (*IMAGE_SETTINGS, *WEB_SETTINGS)})
        )
    except Misconfigured as error:
        raise Refused(error.message) from error
    return found


def describer(image_settings: Mapping[str, str]) -> str:
    """Return the display name of the configured captioner."""
    return captioners.describer(Config.read(image_settings))
