"""All settings, declared once: name, default, meaning. They are read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address
from math import inf
from typing import Any

from imgcore.errors import Misconfigured
from imgcore.gallery.models import MAX_BYTES

API_RATE = 1200  # requests a minute
DRAIN_SECONDS = 25.0
THUMBNAIL_LEASE_SECONDS, CAPTION_LEASE_SECONDS = 75.0, 135.0  # longer than the functions' timeouts
LOST_AFTER_SECONDS = 300.0
MAX_ATTEMPTS = 5
BATCH_QUIET_SECONDS = 60.0


class Secret:
    """A string that does not print itself; ``reveal()`` returns it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "<SECRET>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


def _setting(
    *names: str,
    group: str,
    help: str,
    default: Any = None,
    unit: str = "",
    choices: tuple[str, ...] = (),
    minimum: float = 0,
    maximum: float = inf,
) -> Any:
    """Declare one setting.

    names: environment variables, of which the first that is set counts. help: Markdown. minimum, maximum: of a
    number.
    """
    metadata = {
        "names": names,
        "group": group,
        "help": help,
        "unit": unit,
        "choices": choices,
        "minimum": minimum,
        "maximum": maximum,
    }
    return field(default=default, metadata=metadata)


_DATABASE, _STORAGE, _CAPTIONS = "Database", "Buckets and queues", "Captions"
_UPLOADS, _PIPELINE, _NOTIFICATIONS = "Uploads and thumbnails", "Retries and leases", "Notifications"
_ACCOUNTS, _WEB = "Accounts", "Web server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings. Each field's metadata hold its environment variables, unit, choices, bounds and help."""

    database_url: Secret | None = _setting(
        "DATABASE_URL",
        group=_DATABASE,
        help="`mysql://user:password@host:3306/name` or `sqlite:////absolute/path.db`.",
    )
    db_host: str | None = _setting("DB_HOST", group=_DATABASE, help="Host, where `DATABASE_URL` is not set.")
    db_port: int = _setting("DB_PORT", group=_DATABASE, default=3306, minimum=1, help="Port of `DB_HOST`.")
    db_name: str | None = _setting("DB_NAME", group=_DATABASE, help="Name of the database on `DB_HOST`.")
    db_user: str | None = _setting("DB_USER", group=_DATABASE, help="User, where `DB_SECRET_ID` is not set.")
    db_password: Secret | None = _setting("DB_PASSWORD", group=_DATABASE, help="Password of `DB_USER`.")
    db_secret_id: str | None = _setting(
        "DB_SECRET_ID",
        group=_DATABASE,
        help="Secret in AWS Secrets Manager with `username` and `password`; fetched again after a rotation.",
    )
    db_ca: str | None = _setting(
        "DB_CA", group=_DATABASE, help="File of CA certificates that the server's TLS is verified with."
    )

    uploads_bucket: str | None = _setting("UPLOADS_BUCKET", group=_STORAGE, help="Bucket of the originals.")
    derived_bucket: str | None = _setting(
        "DERIVED_BUCKET", group=_STORAGE, help="Bucket of thumbnails and display images."
    )
    thumbnail_queue_url: str | None = _setting(
        "THUMBNAIL_QUEUE_URL", group=_STORAGE, help="SQS queue of the thumbnail function."
    )
    caption_queue_url: str | None = _setting(
        "CAPTION_QUEUE_URL", group=_STORAGE, help="SQS queue of the caption function."
    )

    captioner: str = _setting(
        "CAPTIONER",
        group=_CAPTIONS,
        default="auto",
        choices=("auto", "gemini", "local"),
        help="`gemini`, `local`, or `auto`: Gemini if a key is set, else the local describer.",
    )
    gemini_api_key: Secret | None = _setting(
        "GEMINI_API_KEY", "GOOGLE_API_KEY", group=_CAPTIONS, help="API key of Gemini."
    )
    gemini_secret_id: str | None = _setting(
        "GEMINI_SECRET_ID", group=_CAPTIONS, help="Secret in AWS Secrets Manager that holds the key alone."
    )
    gemini_model: str = _setting(
        "GEMINI_MODEL", group=_CAPTIONS, default="gemini-3.5-flash-lite", help="Model that describes photos."
    )
    gemini_fallback_models: tuple[str, ...] = _setting(
        "GEMINI_FALLBACK_MODELS",
        group=_CAPTIONS,
        default=(),
        help="Models to use once `GEMINI_MODEL` is retired, separated by commas.",
    )
    gemini_base_url: str | None = _setting(
        "GEMINI_BASE_URL", group=_CAPTIONS, help="Another address of the Gemini API."
    )
    caption_language: str = _setting(
        "CAPTION_LANGUAGE",
        group=_CAPTIONS,
        default="English",
        help="Language of captions, alt texts and tags.",
    )
    caption_hint: str | None = _setting(
        "CAPTION_HINT",
        group=_CAPTIONS,
        help="What all photos are about, for models: `Anna's wedding in Split`. Names in it may be used.",
    )
    caption_instructions: str | None = _setting(
        "CAPTION_INSTRUCTIONS",
        group=_CAPTIONS,
        help="Addition to the prompt of models. It becomes part of the prompt version of each description.",
    )
    spend_cap_day: float | None = _setting(
        "SPEND_CAP_DAY",
        group=_CAPTIONS,
        unit="US dollars",
        help="What models may cost a day (UTC). Photos beyond it wait for the next day.",
    )
    spend_cap_month: float | None = _setting(
        "SPEND_CAP_MONTH",
        group=_CAPTIONS,
        unit="US dollars",
        help="What models may cost a month (UTC). Photos beyond it wait for the next month.",
    )

    max_upload_bytes: int = _setting(
        "MAX_UPLOAD_BYTES",
        group=_UPLOADS,
        default=MAX_BYTES,
        minimum=1,
        unit="bytes",
        help="Largest file that is accepted.",
    )
    upload_ttl: int = _setting(
        "UPLOAD_TTL_SECONDS",
        group=_UPLOADS,
        default=3600,
        minimum=60,
        unit="s",
        help="Validity of an upload form.",
    )
    thumbnail_fit: str = _setting(
        "THUMBNAIL_FIT",
        group=_UPLOADS,
        default="crop",
        choices=("crop", "fit"),
        help="`crop` cuts a square around the subject, `fit` keeps the whole photo.",
    )
    keep_location: str = _setting(
        "KEEP_LOCATION",
        group=_UPLOADS,
        default="0",
        choices=("0", "1"),
        help="`1` stores where a photo was taken and shows it to its owner. Read by the thumbnail function.",
    )

    thumbnail_lease: float = _setting(
        "THUMBNAIL_LEASE_SECONDS",
        group=_PIPELINE,
        default=THUMBNAIL_LEASE_SECONDS,
        minimum=1,
        unit="s",
        help="Lease of a thumbnail task; longer than the function's timeout.",
    )
    caption_lease: float = _setting(
        "CAPTION_LEASE_SECONDS",
        group=_PIPELINE,
        default=CAPTION_LEASE_SECONDS,
        minimum=1,
        unit="s",
        help="Lease of a caption task; longer than the function's timeout.",
    )
    lost_after: float = _setting(
        "LOST_AFTER_SECONDS",
        group=_PIPELINE,
        default=LOST_AFTER_SECONDS,
        minimum=1,
        unit="s",
        help="Age from which the sweep looks for an upload whose event has not arrived.",
    )
    max_attempts: int = _setting(
        "MAX_ATTEMPTS", group=_PIPELINE, default=MAX_ATTEMPTS, minimum=1, help="Attempts for one task."
    )

    notices_topic_arn: str | None = _setting(
        "NOTICES_TOPIC_ARN",
        group=_NOTIFICATIONS,
        help="SNS topic that [notifications](notifications.md) are published to and people subscribe to.",
    )
    mail_dir: str | None = _setting(
        "MAIL_DIR",
        group=_NOTIFICATIONS,
        help="Folder that every notification is also written to, as an `.eml` file.",
    )
    public_url: str | None = _setting(
        "PUBLIC_URL", group=_NOTIFICATIONS, help="Address of the gallery, for links in notifications."
    )
    batch_quiet: float = _setting(
        "BATCH_QUIET_SECONDS",
        group=_NOTIFICATIONS,
        default=BATCH_QUIET_SECONDS,
        unit="s",
        help="Time without a new upload after which a batch counts as complete.",
    )

    accounts: str = _setting(
        "ACCOUNTS",
        group=_ACCOUNTS,
        default="off",
        choices=("off", "on"),
        help="`on` requires an [account](accounts.md); `off` serves everybody, on this machine only.",
    )
    gallery_visibility: str = _setting(
        "GALLERY_VISIBILITY",
        group=_ACCOUNTS,
        default="private",
        choices=("private", "shared", "public"),
        help="Who sees a photo: `private` its owner, `shared` every account, `public` everybody.",
    )
    api_rate: int = _setting(
        "API_RATE",
        group=_ACCOUNTS,
        default=API_RATE,
        minimum=1,
        unit="requests a minute",
        help="With accounts: rate limit of the API for one client, in all web processes of a host together.",
    )

    quota_images: int = _setting(
        "QUOTA_IMAGES",
        group=_ACCOUNTS,
        default=100_000,
        help="Photos of one account, with those in the trash. Administrators may set another number for it.",
    )
    quota_bytes: int = _setting(
        "QUOTA_BYTES",
        group=_ACCOUNTS,
        default=2**40,
        unit="bytes",
        help="Size of all originals of one account, in the same way.",
    )
    quota_uploads: int = _setting(
        "QUOTA_UPLOADS",
        group=_ACCOUNTS,
        default=1_000,
        help="Uploads of one account that are requested and not yet received, in the same way.",
    )

    host: str = _setting(
        "HOST",
        group=_WEB,
        default="127.0.0.1",
        help="Address to listen on; without accounts it must be a loopback address.",
    )
    port: int = _setting(
        "PORT",
        group=_WEB,
        default=8000,
        maximum=65535,
        help="Port to listen on; 0 takes a free one and prints it.",
    )
    web_processes: int = _setting(
        "WEB_PROCESSES",
        group=_WEB,
        default=0,
        maximum=64,
        help="Web processes that share the port; 0: one for each processor.",
    )
    gallery_hosts: tuple[str, ...] = _setting(
        "GALLERY_HOSTS",
        group=_WEB,
        default=(),
        help="Further host names that requests may name, separated by commas.",
    )
    trusted_proxy: str | None = _setting(
        "TRUSTED_PROXY",
        group=_WEB,
        help="Address of the proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. `*` trusts"
        " every client: only where a firewall lets nobody but the proxy connect.",
    )
    drain_delay: float = _setting(
        "DRAIN_DELAY_SECONDS",
        group=_WEB,
        default=0.0,
        maximum=3600,
        unit="s",
        help="After SIGTERM: time to go on serving while `/healthz` fails, so that a load balancer notices.",
    )
    drain: float = _setting(
        "DRAIN_SECONDS",
        group=_WEB,
        default=DRAIN_SECONDS,
        maximum=3600,
        unit="s",
        help="After that: time for requests in progress.",
    )
    release: str = _setting("RELEASE", group=_WEB, default="dev", help="Version shown at the foot of the page.")

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Config:
        """Return the settings in ``environ`` (default: os.environ); an empty value counts as absent.

        Misconfigured names the variable whose value is not acceptable.
        """
        source = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(cls):
            for name in item.metadata["names"]:
                if text := source.get(name, "").strip():
                    values[item.name] = _parse(name, text, str(item.type), item.metadata)
                    break
        return cls(**values)

    def need(self, *names: str) -> Config:
        """Return these settings if all fields ``names`` are set. Misconfigured names the first missing one."""
        variables = {item.name: item.metadata["names"][0] for item in fields(self)}
        for name in names:
            if getattr(self, name) is None:
                raise Misconfigured(f"{variables[name]} is not set.")
        return self


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or an address, is reachable from this machine only."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _parse(name: str, text: str, kind: str, metadata: Mapping[str, Any]) -> Any:
    if metadata["choices"] and text not in metadata["choices"]:
        raise Misconfigured(f"{name} must be one of {', '.join(metadata['choices'])}; it is {text!r}.")
    if kind.startswith("Secret"):
        return Secret(text)
    if kind.startswith("tuple"):
        return tuple(part for part in (part.strip() for part in text.split(",")) if part)
    kind = kind.removesuffix(" | None")
    return _number(name, text, kind, metadata) if kind in ("int", "float") else text


def _number(name: str, text: str, kind: str, metadata: Mapping[str, Any]) -> float:
    minimum, maximum = metadata["minimum"], metadata["maximum"]
    try:
        number = int(text) if kind == "int" else float(text)
    except ValueError:
        number = None
    if number is not None and minimum <= number <= maximum and number < inf:
        return number
    if maximum < inf:
        raise Misconfigured(f"{name} must be a number from {minimum:g} to {maximum:g}; it is {text!r}.")
    if number is None:
        raise Misconfigured(f"{name} must be a number; it is {text!r}.")
    raise Misconfigured(f"{name} must be at least {minimum:g}; it is {text}.")
