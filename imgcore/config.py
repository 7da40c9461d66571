"""Every setting there is, declared once and read from any mapping (os.environ by default)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from imgcore.errors import Misconfigured
from imgcore.gallery.models import MAX_BYTES

API_RATE = 1200  # requests a minute of one caller


class Secret:
    """A string that never prints itself; ``reveal()`` where it is really needed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<SECRET>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _setting(*names: str, default: Any = None, choices: tuple[str, ...] = (), minimum: float = 0) -> Any:
    return field(default=default, metadata={"names": names, "choices": choices, "minimum": minimum})


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings, each under the name of its environment variable in small letters."""

    # Database: one URL, or its parts
    database_url: Secret | None = _setting("DATABASE_URL")  # mysql://… or sqlite:///…
    db_host: str | None = _setting("DB_HOST")
    db_port: int = _setting("DB_PORT", default=3306, minimum=1)
    db_name: str | None = _setting("DB_NAME")
    db_user: str | None = _setting("DB_USER")
    db_password: Secret | None = _setting("DB_PASSWORD")
    db_secret_id: str | None = _setting("DB_SECRET_ID")  # Secrets Manager: {"username", "password"}
    db_ca: str | None = _setting("DB_CA")  # a file of certificates; TLS is verified against it

    # Buckets and queues
    uploads_bucket: str | None = _setting("UPLOADS_BUCKET")
    derived_bucket: str | None = _setting("DERIVED_BUCKET")
    thumbnail_queue_url: str | None = _setting("THUMBNAIL_QUEUE_URL")
    caption_queue_url: str | None = _setting("CAPTION_QUEUE_URL")

    # Captions
    captioner: str = _setting("CAPTIONER", default="auto", choices=("auto", "gemini", "local"))
    gemini_api_key: Secret | None = _setting("GEMINI_API_KEY", "GOOGLE_API_KEY")
    gemini_secret_id: str | None = _setting("GEMINI_SECRET_ID")  # Secrets Manager: the key as it is
    gemini_model: str = _setting("GEMINI_MODEL", default="gemini-3.5-flash-lite")
    gemini_fallback_models: tuple[str, ...] = _setting("GEMINI_FALLBACK_MODELS", default=())
    gemini_base_url: str | None = _setting("GEMINI_BASE_URL")
    caption_language: str = _setting("CAPTION_LANGUAGE", default="English")

    # Thumbnails and limits
    thumbnail_fit: str = _setting("THUMBNAIL_FIT", default="crop", choices=("crop", "fit"))
    max_upload_bytes: int = _setting("MAX_UPLOAD_BYTES", default=MAX_BYTES, minimum=1)

    # Time, in seconds
    upload_ttl: int = _setting("UPLOAD_TTL_SECONDS", default=3600, minimum=60)
    thumbnail_lease: float = _setting("THUMBNAIL_LEASE_SECONDS", default=75.0, minimum=1)
    caption_lease: float = _setting("CAPTION_LEASE_SECONDS", default=135.0, minimum=1)
    lost_after: float = _setting("LOST_AFTER_SECONDS", default=300.0, minimum=1)
    max_attempts: int = _setting("MAX_ATTEMPTS", default=5, minimum=1)
    batch_quiet: float = _setting("BATCH_QUIET_SECONDS", default=60.0)

    # Notices
    notices_topic_arn: str | None = _setting("NOTICES_TOPIC_ARN")
    mail_dir: str | None = _setting("MAIL_DIR")  # a folder that every notice is written to
    public_url: str | None = _setting("PUBLIC_URL")  # where the gallery is, as people reach it

    # People
    accounts: str = _setting("ACCOUNTS", default="off", choices=("off", "on"))  # off: this machine only
    gallery_visibility: str = _setting(
        "GALLERY_VISIBILITY", default="private", choices=("private", "shared", "public")
    )
    keep_location: str = _setting("KEEP_LOCATION", default="0", choices=("0", "1"))
    api_rate: int = _setting("API_RATE", default=API_RATE, minimum=1)

    release: str = _setting("RELEASE", default="dev")

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Read ``environ``. An empty value counts as absent. Misconfigured names the variable that is wrong."""
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(cls):
            for name in item.metadata["names"]:
                if text := source.get(name, "").strip():
                    values[item.name] = _parse(name, text, str(item.type), item.metadata)
                    break
        return cls(**values)

    def need(self, *names: str) -> Config:
        """This config, if every one of these fields is set. Misconfigured names the first that is not."""
        variables = {item.name: item.metadata["names"][0] for item in fields(self)}
        for name in names:
            if getattr(self, name) is None:
                raise Misconfigured(f"{variables[name]} is not set.")
        return self


def _parse(name: str, text: str, kind: str, metadata: Mapping[str, Any]) -> Any:
    if metadata["choices"] and text not in metadata["choices"]:
        raise Misconfigured(f"{name} must be one of {', '.join(metadata['choices'])}; it is {text!r}.")
    if kind.startswith("Secret"):
        return Secret(text)
    if kind.startswith("tuple"):
        return tuple(part for part in (part.strip() for part in text.split(",")) if part)
    if kind not in ("int", "float"):
        return text
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError as error:
        raise Misconfigured(f"{name} must be a number; it is {text!r}.") from error
    if not metadata["minimum"] <= number < float("inf"):
        raise Misconfigured(f"{name} must be at least {metadata['minimum']:g}; it is {text}.")
    return number
