"""The composition root: creates the services and their adapters from the settings.

Each adapter is imported inside the function that needs it: a function, a web host and a script load only what
they use, and their archives hold only that.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imgcore.captioners import breaker_name, describer, model_name
from imgcore.config import Config, Secret
from imgcore.errors import Misconfigured
from imgcore.gallery.limits import MODEL_SIDE
from imgcore.gallery.states import TaskKind
from imgcore.pipeline.models import Timing

if TYPE_CHECKING:
    from imgcore.aws.s3 import S3Storage
    from imgcore.campaigns.batches import Batches
    from imgcore.campaigns.service import Campaigns
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.connection import Database
    from imgcore.db.images import ImageRepository
    from imgcore.db.pages import PageRepository
    from imgcore.gallery.models import Image
    from imgcore.gallery.parts import PartUploads
    from imgcore.gallery.pictures import Picture
    from imgcore.gallery.ports import Queues
    from imgcore.gallery.service import Gallery
    from imgcore.notifications.models import NotificationSender
    from imgcore.pipeline.backfill import Backfill
    from imgcore.pipeline.ports import Captioner, Decode
    from imgcore.pipeline.processing import Processor
    from imgcore.pipeline.sweeper import Sweeper
    from imgcore.spending.service import Spending
    from imgcore.webhooks.service import Deliverer


# Of a web process. Six threads may wait for visitors without a credential and two for searches: two connections
# serve all else. The role preflight compares the sum of all hosts with what the database accepts.
CONNECTIONS = 10


def limited_database(config: Config) -> Database:
    """Return the database for what people wait for: its server ends each statement after two seconds.

    A process has one: its connections, CONNECTIONS at most, are those of the whole process.
    """
    from imgcore.db.connection import PEOPLE_WAIT

    return database(config).with_statement_limit(PEOPLE_WAIT, CONNECTIONS)


def database(config: Config) -> Database:
    """Return the database; it connects when it is first used. Misconfigured where none is configured."""
    from imgcore.db.connection import open_database

    if config.database_url is not None:
        return open_database(config.database_url, ca=config.db_ca)
    if config.db_host is None:
        raise Misconfigured("Neither DATABASE_URL nor DB_HOST is set.")
    config.need("db_name")
    return open_database(
        host=config.db_host,
        port=config.db_port,
        name=config.db_name,
        credentials=lambda: _database_credentials(config),
        ca=config.db_ca,
    )


def images(config: Config) -> ImageRepository:
    """Return the repository of images."""
    from imgcore.db.images import ImageRepository

    return ImageRepository(database(config))


def pages(config: Config) -> PageRepository:
    """Return the repository of the gallery's pages."""
    from imgcore.db.pages import PageRepository

    return PageRepository(database(config))


def breakers(config: Config) -> CircuitBreakers:
    """Return the circuit breakers."""
    from imgcore.db.circuit_breaker import CircuitBreakers

    return CircuitBreakers(database(config))


def spending(config: Config, known: Database | None = None) -> Spending:
    """Return the ledger of what the models cost, and the caps on it. known: the database, where it is open."""
    from imgcore.captioning.prices import quote
    from imgcore.db.ledger import LedgerRepository
    from imgcore.spending.models import Caps
    from imgcore.spending.service import Spending

    caps = Caps(day=config.spend_cap_day, month=config.spend_cap_month)
    quota = Caps(day=config.quota_spend_day, month=config.quota_spend_month)
    ledger = LedgerRepository(known or database(config))
    return Spending(ledger, quote, caps, quota=quota, batch_model=config.gemini_model)


def campaigns(config: Config, known: Database | None = None, session: Any = None) -> Campaigns:
    """Return the campaigns. known: the database, where it is open. session: see queues."""
    from imgcore.campaigns.service import Campaigns
    from imgcore.db.campaigns import CampaignRepository

    known = known or database(config)
    spent = spending(config, known)

    def estimate(images: int) -> float | None:
        model = model_name(config)
        return 0.0 if model is None else spent.estimate(model, images)

    return Campaigns(CampaignRepository(known), queues(config, session), estimate)


def batches(
    config: Config, known: Database | None = None, lease: float | None = None, **options: float
) -> Batches:
    """Return what sends campaigns through the model's batch interface. Misconfigured where it has none.

    known: the database, where it is open. lease: seconds within which a batch is sent or stored. options: those
    of GeminiBatches.
    """
    from imgcore import captioners
    from imgcore.aws.clients import create_session
    from imgcore.campaigns.batches import LEASE_SECONDS, Batches
    from imgcore.db.batches import BatchRepository
    from imgcore.db.images import ImageRepository
    from imgcore.pipeline.context import context

    interface, known = captioners.gemini_batches(config, **options), known or database(config)
    session = create_session()
    files, decoded = storage(config, session), _decode(config)

    def load(image: Image) -> tuple[Picture, str]:
        limit = config.max_upload_bytes
        stored = files.read(image.image_key, max_bytes=limit, version_id=image.version_id)
        picture = decoded(stored.data, max_side=MODEL_SIDE, max_bytes=limit)
        return picture, context(image, picture.facts, config.caption_hint)

    return Batches(
        rows=BatchRepository(known),
        images=ImageRepository(known),
        campaigns=campaigns(config, known, session),
        model=captioners.gemini(config),
        interface=interface,
        load=load,
        spending=spending(config, known),
        lease=LEASE_SECONDS if lease is None else lease,
    )


def storage(config: Config, session: Any = None) -> S3Storage:
    """Return the buckets. session: a botocore session to share with other clients."""
    from imgcore.aws.clients import create_client
    from imgcore.aws.s3 import S3Storage

    config.need("uploads_bucket", "derived_bucket")
    assert config.uploads_bucket is not None
    assert config.derived_bucket is not None
    return S3Storage(create_client("s3", session), config.uploads_bucket, config.derived_bucket)


def queues(config: Config, session: Any = None) -> Queues:
    """Return the queues. session: a botocore session to share with other clients."""
    from imgcore.aws.clients import create_client
    from imgcore.aws.sqs import SqsQueues

    config.need("uploads_bucket")
    assert config.uploads_bucket is not None
    urls = {TaskKind.THUMBNAIL: config.thumbnail_queue_url, TaskKind.CAPTION: config.caption_queue_url}
    return SqsQueues(lambda: create_client("sqs", session), urls, config.uploads_bucket)


def processor(
    config: Config, captioner: Captioner | None = None, standby: Captioner | None = None
) -> Processor:
    """Return what a function processes tasks with. The thumbnail function has no captioners."""
    from imgcore.aws.clients import create_session
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.tasks import TaskRepository
    from imgcore.imaging.render import render
    from imgcore.pipeline.processing import Processor

    known = database(config)
    return Processor(
        images=ImageRepository(known),
        tasks=TaskRepository(known),
        breakers=CircuitBreakers(known),
        storage=storage(config, create_session()),
        decode=_decode(config),
        render=render,
        captioner=captioner,
        standby=standby,
        uploads_bucket=config.uploads_bucket,
        thumbnail_fit=config.thumbnail_fit,
        max_bytes=config.max_upload_bytes,
        timing=_timing(config),
        spending=spending(config, known) if captioner is not None else None,
        hint=config.caption_hint,
    )


def sweeper(config: Config) -> Sweeper:
    """Return what runs the sweep each minute."""
    from imgcore.aws.clients import create_session
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.images import ImageRepository
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.sweep import SweepRepository
    from imgcore.notifications.sender import Notifier
    from imgcore.pipeline.sweeper import Sweeper

    session, known = create_session(), database(config)
    notifier = Notifier(
        NotificationRepository(known),
        sender=notification_sender(config, session),
        public_url=config.public_url,
        quiet=config.batch_quiet,
        lease=config.caption_lease,
    )
    return Sweeper(
        images=ImageRepository(known),
        rows=SweepRepository(known),
        storage=(store := storage(config, session)),
        queues=queues(config, session),
        notify_owners=notifier.notify_owners,
        spending=spending(config, known),
        advance_campaigns=campaigns(config, known, session).advance,
        end_batches=partial(_end_batches, config, known),
        breakers=CircuitBreakers(known),
        breaker=breaker_name(config),
        abort_parts=part_uploads(config, known, store).abort,
        deliver_webhooks=_deliverer(config, known).deliver,
        upgrade=config.captioner == "auto" and breaker_name(config) is not None,
        timing=_timing(config),
    )


def _end_batches(config: Config, known: Database) -> None:
    """Cancel the batches of cancelled campaigns where there are any: most sweeps need no model."""
    from imgcore.campaigns.batches import SWEEP_CALL_SECONDS, SWEEP_LEASE_SECONDS
    from imgcore.db.batches import BatchRepository

    if BatchRepository(known).abandoned():
        batches(config, known, SWEEP_LEASE_SECONDS, seconds=SWEEP_CALL_SECONDS).end_cancelled()


def _deliverer(config: Config, known: Database) -> Deliverer:
    from imgcore.db.webhooks import WebhookRepository
    from imgcore.webhooks.sender import HttpSender
    from imgcore.webhooks.service import Deliverer

    sender = HttpSender(private=config.webhook_private == "1")
    return Deliverer(WebhookRepository(known), sender, config.public_url)


def notification_sender(config: Config, session: Any = None) -> NotificationSender | None:
    """Return the configured senders; None where notifications are only shown on the account page."""
    if config.mail_dir is None and config.notices_topic_arn is None:
        return None
    from imgcore.aws.clients import create_client
    from imgcore.aws.sns import CompositeSender, FolderSender, SnsSender

    senders: list[NotificationSender] = []
    if config.mail_dir is not None:
        senders.append(FolderSender(Path(config.mail_dir)))
    if config.notices_topic_arn is not None:
        # Without retries: where only the answer was lost, the next sweep repeats the message, not the SDK
        client = partial(create_client, "sns", session, retries=0)
        senders.append(SnsSender(client, config.notices_topic_arn))
    return CompositeSender(senders)


def gallery(config: Config, known: Database | None = None) -> Gallery:
    """Return the gallery that the web application serves. known: the database, where it is open."""
    from imgcore.aws.clients import create_session
    from imgcore.bootstrap_accounts import quota
    from imgcore.bootstrap_collections import albums, downloads, shares, webhooks
    from imgcore.db.changes import ChangeRepository
    from imgcore.db.circuit_breaker import CircuitBreakers
    from imgcore.db.front import FrontRepository
    from imgcore.db.images import ImageRepository
    from imgcore.db.jobs import JobRepository
    from imgcore.db.pages import PageRepository
    from imgcore.db.tag_list import TagListRepository
    from imgcore.db.tags import TagRepository
    from imgcore.db.timeline import TimelineRepository
    from imgcore.db.trash import TrashRepository
    from imgcore.gallery.descriptions import Source
    from imgcore.gallery.languages import parse
    from imgcore.gallery.models import MEDIA_TYPES, Limits
    from imgcore.gallery.service import Gallery
    from imgcore.pipeline.jobs import Jobs

    session, known = create_session(), known or limited_database(config)
    store = storage(config, session)
    return Gallery(
        spending=spending(config, known),
        campaigns=campaigns(config, known, session),
        albums=(known_albums := albums(known)),
        shares=shares(known, known_albums),
        downloads=downloads(config, known, store),
        tags=TagRepository(known),
        jobs=Jobs(JobRepository(known), sqs := queues(config, session), breaker_name(config)),
        parts=part_uploads(config, known, store),
        webhooks=webhooks(config, known),
        images=ImageRepository(known),
        pages=PageRepository(known),
        front=FrontRepository(known),
        timeline=TimelineRepository(known),
        tag_list=TagListRepository(known),
        trash=TrashRepository(known),
        changes=ChangeRepository(known),
        breakers=CircuitBreakers(known),
        storage=store,
        queues=sqs,
        limits=Limits(config.max_upload_bytes, MEDIA_TYPES),
        upload_ttl=config.upload_ttl,
        release=config.release,
        breaker=breaker_name(config) or str(Source.GEMINI),
        describer=describer(config),
        languages=parse(config.caption_language),
        quota=quota(config),
    )


def part_uploads(config: Config, known: Database, store: S3Storage) -> PartUploads:
    """Return the uploads in parts. store: the buckets."""
    from imgcore.db.part_uploads import PartUploadRepository
    from imgcore.gallery.parts import PartUploads

    return PartUploads(PartUploadRepository(known), store.parts, store.find, config.upload_ttl)


def backfill(config: Config, **further: int) -> Backfill:
    """Return what makes what photos of earlier releases lack. further: threads, window."""
    from imgcore.db.grids import GridRepository
    from imgcore.imaging.perceptual import hash_of_file
    from imgcore.imaging.render import grid_of_file
    from imgcore.pipeline.backfill import Backfill

    return Backfill(GridRepository(database(config)), storage(config), grid_of_file, hash_of_file, **further)


def migrate(config: Config) -> list[str]:
    """Migrate the database to the current schema and return the names of the migrations that ran."""
    from imgcore.db.migrations import migrate as run

    return run(database(config))


def _decode(config: Config) -> Decode:
    """Return decode; it reads the location only where KEEP_LOCATION is 1."""
    from imgcore.imaging.decode import decode

    return partial(decode, with_location=True) if config.keep_location == "1" else decode


def _timing(config: Config) -> Timing:
    return Timing(
        thumbnail_lease=config.thumbnail_lease,
        caption_lease=config.caption_lease,
        lost_after=config.lost_after,
        max_attempts=config.max_attempts,
    )


def _database_credentials(config: Config) -> tuple[str, Secret]:
    """Return user and password. From Secrets Manager they are fetched each time, because they are rotated."""
    if config.db_secret_id is not None:
        from imgcore.aws.clients import get_secret

        try:
            secret = json.loads(get_secret(config.db_secret_id))
            return str(secret["username"]), Secret(str(secret["password"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Misconfigured("The secret DB_SECRET_ID has no username and password.") from error
    config.need("db_user", "db_password")
    assert config.db_user is not None
    assert config.db_password is not None
    return config.db_user, config.db_password
