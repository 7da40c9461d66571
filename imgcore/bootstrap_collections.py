"""The part of the composition root that creates albums, share links, downloads and webhooks."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from imgcore.config import Config
from imgcore.gallery.models import EVERYBODY, Image
from imgcore.gallery.ports import Storage

if TYPE_CHECKING:
    from imgcore.collections.albums import Albums
    from imgcore.collections.downloads import Downloads
    from imgcore.collections.shares import Shares
    from imgcore.db.connection import Database
    from imgcore.webhooks.service import Webhooks


def albums(known: Database) -> Albums:
    """Return the albums."""
    from imgcore.collections.albums import Albums
    from imgcore.db.albums import AlbumRepository
    from imgcore.db.images import ImageRepository

    return Albums(AlbumRepository(known), ImageRepository(known))


def shares(known: Database, known_albums: Albums) -> Shares:
    """Return the share links. Argon2 is loaded with the first password."""
    from imgcore.bootstrap_accounts import hasher
    from imgcore.collections.shares import Shares
    from imgcore.db.login_throttle import LoginThrottle
    from imgcore.db.shares import ShareRepository

    rows, attempts = ShareRepository(known), LoginThrottle(known)
    return Shares(rows, known_albums, known_albums.images, attempts, cache(hasher))


def downloads(config: Config, known: Database, store: Storage) -> Downloads:
    """Return the downloads. store: the buckets."""
    from imgcore.collections.downloads import Downloads
    from imgcore.db.images import ImageRepository
    from imgcore.imaging.stripping import without_metadata
    from imgcore.imaging.xmp_writing import FileWords, embedded_packet, embedded_parts, packet

    def xmp(image: Image, present: bytes = b"") -> bytes:
        return packet(FileWords(image.caption, image.alt_text or "", image.tags), present)

    def with_words(data: bytes, image: Image) -> list[bytes | memoryview]:
        return embedded_parts(data, xmp(image, embedded_packet(data)))

    return Downloads(ImageRepository(known), store, xmp, with_words, without_metadata, config.max_upload_bytes)


def webhooks(config: Config, known: Database) -> Webhooks:
    """Return the webhooks."""
    from imgcore.db.webhooks import WebhookRepository
    from imgcore.webhooks.sender import HttpSender
    from imgcore.webhooks.service import Webhooks

    return Webhooks(WebhookRepository(known), HttpSender(private=config.webhook_private == "1"), EVERYBODY)
