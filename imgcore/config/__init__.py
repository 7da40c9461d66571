"""The settings: declared in ``settings``, read from the environment by ``Config.read()``."""

from imgcore.config.declaration import Secret, is_loopback
from imgcore.config.settings import (
    API_RATE,
    BATCH_QUIET_SECONDS,
    CAPTION_LEASE_SECONDS,
    DRAIN_SECONDS,
    LOST_AFTER_SECONDS,
    MAX_ATTEMPTS,
    THUMBNAIL_LEASE_SECONDS,
    Config,
)

__all__ = [
    "API_RATE",
    "BATCH_QUIET_SECONDS",
    "CAPTION_LEASE_SECONDS",
    "DRAIN_SECONDS",
    "LOST_AFTER_SECONDS",
    "MAX_ATTEMPTS",
    "THUMBNAIL_LEASE_SECONDS",
    "Config",
    "Secret",
    "is_loopback",
]
