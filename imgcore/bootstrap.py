"""The composition root: which adapter stands behind which port, by configuration.

Each adapter is imported inside the function that needs it, so that a Lambda, a web host and a script
load only what they use, and a zip may leave out what it never asks for.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcore.config import Config, Secret
from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import MODEL_SIDE, Description, Picture, Source, TaskKind
from imgcore.gallery.ports import Captioner, Decode, Queues, Storage
from imgcore.pipeline.processing import Pipeline, Timing

if TYPE_CHECKING:
    from imgcore.accounts.service import Accounts
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.connection import Database
    from imgcore.db.images import ImageRepository
    from imgcore.gallery.service import Gallery
    from imgcore.notifications.models import NotificationSender
    from imgcore.notifications.subscriptions import SubscriptionService

LOCAL = "the local describer"


def database(config: Config) -> Database:
    """The database that the settings name. Misconfigured where they name none."""
    from imgcore.db.connection import open_database

    if config.database_url is not None:
        return open_database(config.database_url, ca=config.db_ca)
    if config.db_host is None:
        raise Misconfigured("DATABASE_URL is not set, and no DB_HOST either.")
    config.need("db_name")
    return open_database(
        host=config.db_host,
        port=config.db_port,
        name=config.db_name,
        credentials=lambda: _database_credentials(config),
        ca=config.db_ca,
    )


def images(config: Config) -> ImageRepository:
    """The images in that database."""
    from imgcore.db.images import ImageRepository

    return ImageRepository(database(config))


def breakers(config: Config) -> CircuitBreakers:
    """The circuit breakers in that database."""
    from imgcore.db.circuit_breaker import CircuitBreakers

    return CircuitBreakers(database(config))


def storage(config: Config, session: Any = None) -> Storage:
    """Both buckets. session: boto3's, so that one pipeline loads AWS's descriptions and credentials once."""
    from imgcore.aws.s3 import S3Storage

    config.need("uploads_bucket", "derived_bucket")
    assert config.uploads_bucket is not None
    assert config.derived_bucket is not None
    return S3Storage(_client("s3", session), config.uploads_bucket, config.derived_bucket)


def queues(config: Config, session: Any = None) -> Queues:
    """Both queues."""
    from imgcore.aws.sqs import SqsQueues

    config.need("uploads_bucket")
    assert config.uploads_bucket is not None
    urls = {
        TaskKind.THUMBNAIL: config.thumbnail_queue_url,
        TaskKind.CAPTION: config.caption_queue_url,
    }
    return SqsQueues(lambda: _client("sqs", session), urls, config.uploads_bucket)


def captioners(config: Config) -> tuple[Captioner, Captioner | None]:
    """Who describes, and who stands in while that one's settings are refused (``auto`` only)."""
    if config.captioner == "local" or (config.captioner == "auto" and not _has_key(config)):
        return _local(), None
    gemini = RenewedCaptioner(lambda: _gemini(config))
    if config.captioner == "gemini":
        return gemini, None
    try:
        return gemini, _local()
    except Misconfigured:  # without imgcore[local] photographs wait for the key instead
        return gemini, None


def describer(config: Config) -> str:
    """Who describes, in words for people."""
    if config.captioner == "local" or (config.captioner == "auto" and not _has_key(config)):
        return LOCAL
    return f"Gemini ({config.gemini_model})"


def pipeline(config: Config, captioner: Captioner | None = None, standby: Captioner | None = None) -> Pipeline:
    """Return what one Lambda function runs. The captioners are arguments: the thumbnail zip holds none."""
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.sweep import SweepRepository
    from imgcore.db.tasks import TaskRepository
    from imgcore.imaging.render import render

    session, known = _session(), database(config)
    return Pipeline(
        images=ImageRepository(known),
        tasks=TaskRepository(known),
        sweep_rows=SweepRepository(known),
        notifications=NotificationRepository(known),
        breakers=CircuitBreakers(known),
        storage=storage(config, session),
        queues=queues(config, session),
        decode=_decode(config),
        render=render,
        captioner=captioner or NoCaptioner(),
        standby=standby,
        uploads_bucket=config.uploads_bucket,
        thumbnail_fit=config.thumbnail_fit,
        max_bytes=config.max_upload_bytes,
        timing=Timing(
            thumbnail_lease=config.thumbnail_lease,
            caption_lease=config.caption_lease,
            lost_after=config.lost_after,
            max_attempts=config.max_attempts,
            quiet=config.batch_quiet,
        ),
        sender=notification_sender(config, session),
        public_url=config.public_url,
    )


def notification_sender(config: Config, session: Any = None) -> NotificationSender | None:
    """Return the configured senders of notifications; None where they are shown on the account page alone."""
    if config.mail_dir is None and config.notices_topic_arn is None:
        return None
    from imgcore.aws.sns import CompositeSender, FolderSender, SnsSender

    senders: list[NotificationSender] = []
    if config.mail_dir is not None:
        senders.append(FolderSender(Path(config.mail_dir)))
    if config.notices_topic_arn is not None:
        # No retries: a message whose answer was lost is then sent twice by the next sweep, not at once
        senders.append(SnsSender(lambda: _client("sns", session, retries=0), config.notices_topic_arn))
    return CompositeSender(senders)


def subscriptions(config: Config) -> SubscriptionService:
    """Return the service for e-mail subscriptions to notifications."""
    from imgcore.aws.sns import SnsTopic
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.subscriptions import SqlAddresses
    from imgcore.notifications.subscriptions import SubscriptionService

    known, arn = database(config), config.notices_topic_arn
    topic = SnsTopic(lambda: _client("sns"), arn) if arn is not None else None
    return SubscriptionService(SqlAddresses(known), NotificationRepository(known), topic)


def _decode(config: Config) -> Decode:
    """decode, which reads where a photograph was taken only if that is to be kept."""
    from imgcore.imaging.decode import decode

    if config.keep_location != "1":
        return decode
    return partial(decode, with_location=True)


def gallery(config: Config) -> Gallery:
    """What the web application serves."""
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.gallery.models import MAX_PIXELS, MEDIA_TYPES, Limits
    from imgcore.gallery.service import Gallery

    session, known = _session(), database(config)
    return Gallery(
        images=ImageRepository(known),
        breakers=CircuitBreakers(known),
        storage=storage(config, session),
        queues=queues(config, session),
        limits=Limits(config.max_upload_bytes, MAX_PIXELS, MEDIA_TYPES),
        upload_ttl=config.upload_ttl,
        release=config.release,
        describer=describer(config),
    )


def accounts(config: Config) -> Accounts | None:
    """Who may use the gallery; None in open mode."""
    return people(config) if config.accounts == "on" else None


def people(config: Config) -> Accounts:
    """The accounts in the database, whether the gallery asks for them or not."""
    from imgcore.accounts.service import Accounts
    from imgcore.db.accounts import SqlAccounts

    try:
        from imgcore.accounts.passwords import Argon2Hasher
    except ModuleNotFoundError as error:
        raise Misconfigured("Accounts need argon2-cffi, which imgcore[web] brings along.") from error
    return Accounts(SqlAccounts(database(config)), Argon2Hasher())


def migrate(config: Config) -> list[str]:
    """Bring the schema up to date; the names of the steps that were taken."""
    from imgcore.db.migrations import migrate as run

    return run(database(config))


class RenewedCaptioner:
    """Gemini, made at first use and made anew (its key fetched again) after the key was refused."""

    source = Source.GEMINI
    side = MODEL_SIDE

    def __init__(self, make: Callable[[], Captioner]) -> None:
        self._make = make
        self._made: Captioner | None = None
        self._lock = threading.Lock()

    def describe(self, picture: Picture, *, deadline: float) -> Description:
        """As GeminiCaptioner.describe."""
        with self._lock:
            captioner = self._made = self._made or self._make()
        try:
            return captioner.describe(picture, deadline=deadline)
        except Misconfigured:
            self._made = None
            raise

    def warm(self) -> None:
        """Import the SDK and fetch the key before the first photograph comes."""
        with self._lock:
            self._made = self._made or self._make()


class NoCaptioner:
    """For a function that describes nothing."""

    source = Source.LOCAL
    side = 1

    def describe(self, picture: Picture, *, deadline: float) -> Description:
        """Misconfigured, always."""
        raise Misconfigured("This function does not describe photographs.")


def gemini(config: Config) -> Any:
    """The GeminiCaptioner itself, for a probe. Misconfigured without a key."""
    return _gemini(config)


def _gemini(config: Config) -> Any:
    from imgcore.captioning.gemini import GeminiCaptioner

    key = config.gemini_api_key
    if key is None and config.gemini_secret_id is not None:
        key = Secret(_secret(config.gemini_secret_id).strip())
    if key is None or not key.reveal():
        raise Misconfigured("No Gemini key is set.", code="key_missing")
    return GeminiCaptioner(
        key,
        model=config.gemini_model,
        fallback_models=config.gemini_fallback_models,
        base_url=config.gemini_base_url,
        language=config.caption_language,
    )


def _local() -> Captioner:
    try:
        from imgcore.captioning.local import LocalDescriber
    except ModuleNotFoundError as error:  # the zip of the function that uses Gemini leaves it out
        raise Misconfigured("The local describer is not installed here.") from error
    return LocalDescriber()


def _has_key(config: Config) -> bool:
    return config.gemini_api_key is not None or config.gemini_secret_id is not None


def _database_credentials(config: Config) -> tuple[str, Secret]:
    """User and password: from Secrets Manager where a secret is named, so that a rotation is followed."""
    if config.db_secret_id is not None:
        try:
            found = json.loads(_secret(config.db_secret_id))
            return str(found["username"]), Secret(str(found["password"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Misconfigured("The secret that DB_SECRET_ID names has no username and password.") from error
    config.need("db_user", "db_password")
    assert config.db_user is not None
    assert config.db_password is not None
    return config.db_user, config.db_password


def _secret(secret_id: str) -> str:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(_client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"])
    except (BotoCoreError, ClientError, KeyError) as error:
        raise Unavailable("Secrets Manager does not give the secret just now.", code="secret") from error


def _session() -> Any:
    """boto3's own reading of AWS's variables, and AWS_REGION, which every other SDK reads."""
    import boto3

    session = boto3.session.Session(
        region_name=os.environ.get("AWS_DEFAULT_REGION") or os.environ.get("AWS_REGION")
    )
    if session.region_name is None:
        raise Misconfigured("AWS_REGION is not set.")
    return session


def _client(service: Any, session: Any = None, retries: int = 3) -> Any:
    """A boto3 client with timeouts.

    boto3 reads region, credentials and endpoint from AWS's own variables. retries: of a call that fails.
    """
    from botocore.config import Config as BotoConfig

    return (session or _session()).client(
        service,
        config=BotoConfig(
            connect_timeout=3,
            read_timeout=20,
            retries={"mode": "standard", "max_attempts": retries},
            signature_version="s3v4" if service == "s3" else None,
            max_pool_connections=20,
        ),
    )
