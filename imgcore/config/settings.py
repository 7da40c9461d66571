"""All settings, declared once: name, default, meaning. They are read from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from imgcore.config.declaration import Secret, parse, setting
from imgcore.errors import Misconfigured
from imgcore.gallery.limits import MAX_BYTES

API_RATE = 1200  # requests a minute
DRAIN_SECONDS = 25.0
THUMBNAIL_LEASE_SECONDS, CAPTION_LEASE_SECONDS = 75.0, 135.0  # longer than the functions' timeouts
LOST_AFTER_SECONDS = 300.0
MAX_ATTEMPTS = 5
BATCH_QUIET_SECONDS = 60.0

_DATABASE, _STORAGE, _CAPTIONS = "Database", "Buckets and queues", "Captions"
_UPLOADS, _PIPELINE, _NOTIFICATIONS = "Uploads and thumbnails", "Retries and leases", "Notifications"
_ACCOUNTS, _WEB = "Accounts", "Web server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The settings. Each field's metadata hold its environment variables, unit, choices, bounds and help."""

    database_url: Secret | None = setting(
        "DATABASE_URL",
        group=_DATABASE,
        help="`mysql://user:password@host:3306/name` or `sqlite:////absolute/path.db`.",
    )
    db_host: str | None = setting("DB_HOST", group=_DATABASE, help="Host, where `DATABASE_URL` is not set.")
    db_port: int = setting("DB_PORT", group=_DATABASE, default=3306, minimum=1, help="Port of `DB_HOST`.")
    db_name: str | None = setting("DB_NAME", group=_DATABASE, help="Name of the database on `DB_HOST`.")
    db_user: str | None = setting("DB_USER", group=_DATABASE, help="User, where `DB_SECRET_ID` is not set.")
    db_password: Secret | None = setting("DB_PASSWORD", group=_DATABASE, help="Password of `DB_USER`.")
    db_secret_id: str | None = setting(
        "DB_SECRET_ID",
        group=_DATABASE,
        help="Secret in AWS Secrets Manager with `username` and `password`; fetched again after a rotation.",
    )
    db_ca: str | None = setting(
        "DB_CA", group=_DATABASE, help="File of CA certificates that the server's TLS is verified with."
    )

    uploads_bucket: str | None = setting("UPLOADS_BUCKET", group=_STORAGE, help="Bucket of the originals.")
    derived_bucket: str | None = setting(
        "DERIVED_BUCKET", group=_STORAGE, help="Bucket of thumbnails and display images."
    )
    thumbnail_queue_url: str | None = setting(
        "THUMBNAIL_QUEUE_URL", group=_STORAGE, help="SQS queue of the thumbnail function."
    )
    caption_queue_url: str | None = setting(
        "CAPTION_QUEUE_URL", group=_STORAGE, help="SQS queue of the caption function."
    )

    captioner: str = setting(
        "CAPTIONER",
        group=_CAPTIONS,
        default="auto",
        choices=("auto", "gemini", "openai", "local"),
        help="`gemini`, `openai` ([a model of your own](captions.md)), `local`, or `auto`: Gemini if a key is"
        " set, else the local describer.",
    )
    gemini_api_key: Secret | None = setting(
        "GEMINI_API_KEY", "GOOGLE_API_KEY", group=_CAPTIONS, help="API key of Gemini."
    )
    gemini_secret_id: str | None = setting(
        "GEMINI_SECRET_ID", group=_CAPTIONS, help="Secret in AWS Secrets Manager that holds the key alone."
    )
    gemini_model: str = setting(
        "GEMINI_MODEL", group=_CAPTIONS, default="gemini-3.5-flash-lite", help="Model that describes photos."
    )
    gemini_fallback_models: tuple[str, ...] = setting(
        "GEMINI_FALLBACK_MODELS",
        group=_CAPTIONS,
        default=(),
        help="Models to use once `GEMINI_MODEL` is retired, separated by commas.",
    )
    gemini_base_url: str | None = setting(
        "GEMINI_BASE_URL", group=_CAPTIONS, help="Another address of the Gemini API."
    )
    openai_base_url: str | None = setting(
        "OPENAI_BASE_URL",
        group=_CAPTIONS,
        help="Address of an OpenAI-compatible API, such as `http://127.0.0.1:11434/v1`.",
    )
    openai_model: str | None = setting(
        "OPENAI_MODEL", group=_CAPTIONS, help="Model of that API that describes photos, such as `qwen2.5vl:7b`."
    )
    openai_api_key: Secret | None = setting("OPENAI_API_KEY", group=_CAPTIONS, help="Key of that API, if any.")
    caption_language: str = setting(
        "CAPTION_LANGUAGE",
        group=_CAPTIONS,
        default="English",
        help="Language of captions, alt texts and tags: a code or an English name; or several codes, `en,de`,"
        " of which [each reader chooses](captions.md#several-languages).",
    )
    caption_hint: str | None = setting(
        "CAPTION_HINT",
        group=_CAPTIONS,
        help="What all photos are about, for models: `Anna's wedding in Split`. Names in it may be used.",
    )
    caption_instructions: str | None = setting(
        "CAPTION_INSTRUCTIONS",
        group=_CAPTIONS,
        help="Addition to the prompt of models. It becomes part of the prompt version of each description.",
    )
    spend_cap_day: float | None = setting(
        "SPEND_CAP_DAY",
        group=_CAPTIONS,
        unit="US dollars",
        help="What models may cost a day (UTC). Photos beyond it wait for the next day.",
    )
    spend_cap_month: float | None = setting(
        "SPEND_CAP_MONTH",
        group=_CAPTIONS,
        unit="US dollars",
        help="What models may cost a month (UTC). Photos beyond it wait for the next month.",
    )

    max_upload_bytes: int = setting(
        "MAX_UPLOAD_BYTES",
        group=_UPLOADS,
        default=MAX_BYTES,
        minimum=1,
        unit="bytes",
        help="Largest file that is accepted. The memory of the functions is measured for the default.",
    )
    upload_ttl: int = setting(
        "UPLOAD_TTL_SECONDS",
        group=_UPLOADS,
        default=3600,
        minimum=60,
        unit="s",
        help="Validity of an upload form.",
    )
    thumbnail_fit: str = setting(
        "THUMBNAIL_FIT",
        group=_UPLOADS,
        default="crop",
        choices=("crop", "fit"),
        help="`crop` cuts a square around the subject, `fit` keeps the whole photo.",
    )
    keep_location: str = setting(
        "KEEP_LOCATION",
        group=_UPLOADS,
        default="0",
        choices=("0", "1"),
        help="`1` stores where a photo was taken and shows it to its owner. Read by the thumbnail function.",
    )

    thumbnail_lease: float = setting(
        "THUMBNAIL_LEASE_SECONDS",
        group=_PIPELINE,
        default=THUMBNAIL_LEASE_SECONDS,
        minimum=1,
        unit="s",
        help="Lease of a thumbnail task; longer than the function's timeout.",
    )
    caption_lease: float = setting(
        "CAPTION_LEASE_SECONDS",
        group=_PIPELINE,
        default=CAPTION_LEASE_SECONDS,
        minimum=1,
        unit="s",
        help="Lease of a caption task; longer than the function's timeout.",
    )
    lost_after: float = setting(
        "LOST_AFTER_SECONDS",
        group=_PIPELINE,
        default=LOST_AFTER_SECONDS,
        minimum=1,
        unit="s",
        help="Age from which the sweep looks for an upload whose event has not arrived.",
    )
    max_attempts: int = setting(
        "MAX_ATTEMPTS", group=_PIPELINE, default=MAX_ATTEMPTS, minimum=1, help="Attempts for one task."
    )

    notices_topic_arn: str | None = setting(
        "NOTICES_TOPIC_ARN",
        group=_NOTIFICATIONS,
        help="SNS topic that [notifications](notifications.md) are published to and people subscribe to.",
    )
    mail_dir: str | None = setting(
        "MAIL_DIR",
        group=_NOTIFICATIONS,
        help="Folder that every notification is also written to, as an `.eml` file.",
    )
    public_url: str | None = setting(
        "PUBLIC_URL", group=_NOTIFICATIONS, help="Address of the gallery, for links in notifications."
    )
    batch_quiet: float = setting(
        "BATCH_QUIET_SECONDS",
        group=_NOTIFICATIONS,
        default=BATCH_QUIET_SECONDS,
        unit="s",
        help="Time without a new upload after which a batch counts as complete.",
    )

    webhook_private: str = setting(
        "WEBHOOK_PRIVATE",
        group=_NOTIFICATIONS,
        default="0",
        choices=("0", "1"),
        help="`1` lets [webhooks](webhooks.md) call private addresses and plain HTTP. Every account may"
        " add one, so it may then call everything that the gallery can reach.",
    )

    accounts: str = setting(
        "ACCOUNTS",
        group=_ACCOUNTS,
        default="off",
        choices=("off", "on"),
        help="`on` requires an [account](accounts.md); `off` serves everybody, on this machine only.",
    )
    gallery_visibility: str = setting(
        "GALLERY_VISIBILITY",
        group=_ACCOUNTS,
        default="private",
        choices=("private", "shared", "public"),
        help="Who sees a photo: `private` its owner, `shared` every account, `public` everybody.",
    )
    secret_key: Secret | None = setting(
        "SECRET_KEY",
        group=_ACCOUNTS,
        help="Encrypts the secrets of authenticator apps in the database: at least 32 random characters, as"
        " `openssl rand -base64 32` prints. Of several, separated by commas, the first encrypts, all decrypt.",
    )
    secret_key_id: str | None = setting(
        "SECRET_KEY_ID",
        group=_ACCOUNTS,
        help="Secret in AWS Secrets Manager that holds this key, alone or as `password`.",
    )
    api_rate: int = setting(
        "API_RATE",
        group=_ACCOUNTS,
        default=API_RATE,
        minimum=1,
        unit="requests a minute",
        help="With accounts: rate limit of the API for one client, in all web processes of a host together.",
    )

    quota_images: int = setting(
        "QUOTA_IMAGES",
        group=_ACCOUNTS,
        default=100_000,
        help="Photos of one account, with those in the trash. Administrators may set another number for it.",
    )
    quota_bytes: int = setting(
        "QUOTA_BYTES",
        group=_ACCOUNTS,
        default=2**40,
        unit="bytes",
        help="Size of all originals of one account, in the same way.",
    )
    quota_uploads: int = setting(
        "QUOTA_UPLOADS",
        group=_ACCOUNTS,
        default=1_000,
        help="Uploads of one account that are requested and not yet received, in the same way.",
    )
    quota_spend_day: float | None = setting(
        "QUOTA_SPEND_DAY",
        group=_ACCOUNTS,
        unit="US dollars",
        help="What models may cost a day (UTC) for the photos of one account, in the same way.",
    )
    quota_spend_month: float | None = setting(
        "QUOTA_SPEND_MONTH",
        group=_ACCOUNTS,
        unit="US dollars",
        help="What models may cost a month (UTC) for the photos of one account, in the same way.",
    )

    host: str = setting(
        "HOST",
        group=_WEB,
        default="127.0.0.1",
        help="Address to listen on; without accounts it must be a loopback address.",
    )
    port: int = setting(
        "PORT",
        group=_WEB,
        default=8000,
        maximum=65535,
        help="Port to listen on; 0 takes a free one and prints it.",
    )
    web_processes: int = setting(
        "WEB_PROCESSES",
        group=_WEB,
        default=0,
        maximum=64,
        help="Web processes that share the port; 0: one for each processor. Each opens up to ten connections to"
        " the database.",
    )
    gallery_hosts: tuple[str, ...] = setting(
        "GALLERY_HOSTS",
        group=_WEB,
        default=(),
        help="Further host names that requests may name, separated by commas.",
    )
    trusted_proxy: str | None = setting(
        "TRUSTED_PROXY",
        group=_WEB,
        help="Address of the proxy whose `X-Forwarded-For` and `X-Forwarded-Proto` are trusted. `*` trusts"
        " every client: only where a firewall lets nobody but the proxy connect.",
    )
    trusted_proxy_count: int = setting(
        "TRUSTED_PROXY_COUNT",
        group=_WEB,
        default=1,
        minimum=1,
        maximum=9,
        help="Proxies in front, each of which appends an address to `X-Forwarded-For`. The visitor's is that"
        " many from the end; those before it are the visitor's own claim. With more than there are, or where"
        " somebody can go round one of them, visitors choose their address.",
    )
    forwarded_proto_header: str = setting(
        "FORWARDED_PROTO_HEADER",
        group=_WEB,
        default="X-Forwarded-Proto",
        choices=("X-Forwarded-Proto", "CloudFront-Forwarded-Proto"),
        help="Header with the scheme of the visitor's request, from the proxy that the visitor connects to."
        " `CloudFront-Forwarded-Proto`: only where nobody but CloudFront reaches the load balancer.",
    )
    drain_delay: float = setting(
        "DRAIN_DELAY_SECONDS",
        group=_WEB,
        default=0.0,
        maximum=3600,
        unit="s",
        help="After SIGTERM: time to go on serving while `/healthz` fails, so that a load balancer notices.",
    )
    drain: float = setting(
        "DRAIN_SECONDS",
        group=_WEB,
        default=DRAIN_SECONDS,
        maximum=3600,
        unit="s",
        help="After that: time for requests in progress.",
    )
    release: str = setting("RELEASE", group=_WEB, default="dev", help="Version shown on the page About.")

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
                    values[item.name] = parse(name, text, str(item.type), item.metadata)
                    break
        return cls(**values)

    def need(self, *names: str) -> Config:
        """Return these settings if all fields ``names`` are set. Misconfigured names the first missing one."""
        variables = {item.name: item.metadata["names"][0] for item in fields(self)}
        for name in names:
            if getattr(self, name) is None:
                raise Misconfigured(f"{variables[name]} is not set.")
        return self
