"""The part of the composition root that creates accounts and their subscriptions to notifications."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.errors import Misconfigured

if TYPE_CHECKING:
    from imgcore.accounts.models import Cipher, Hasher, Quota
    from imgcore.accounts.service import Accounts
    from imgcore.db.connection import Database
    from imgcore.notifications.subscriptions import SubscriptionService


def subscriptions(config: Config, known: Database | None = None) -> SubscriptionService:
    """Return the service for e-mail subscriptions to notifications. known: the database, where it is open."""
    from imgcore.aws.clients import create_client
    from imgcore.aws.sns import SnsTopic
    from imgcore.db.notifications import NotificationRepository
    from imgcore.db.subscriptions import SubscriptionRepository
    from imgcore.notifications.subscriptions import SubscriptionService

    known, arn = known or bootstrap.limited_database(config), config.notices_topic_arn
    topic = SnsTopic(lambda: create_client("sns"), arn) if arn is not None else None
    return SubscriptionService(SubscriptionRepository(known), NotificationRepository(known), topic)


def hasher() -> Hasher:
    """Return what hashes passwords. Misconfigured where its package is missing."""
    try:
        from imgcore.accounts.passwords import Argon2Hasher
    except ModuleNotFoundError as error:
        raise Misconfigured("Passwords need argon2-cffi: install imgcore[web].") from error
    return Argon2Hasher()


def accounts(config: Config, known: Database | None = None) -> Accounts | None:
    """Return the accounts; None where the gallery does not require one (ACCOUNTS=off). known: the database."""
    return account_service(config, known) if config.accounts == "on" else None


def account_service(config: Config, known: Database | None = None) -> Accounts:
    """Return the accounts in the database, also where the gallery does not require one.

    known: the database, where it is open.
    """
    from imgcore.accounts.service import Accounts
    from imgcore.db.accounts import AccountRepository

    hashes = hasher()
    store = AccountRepository(known or bootstrap.limited_database(config))
    return Accounts(store, hashes, default_quota=quota(config), cipher=cipher(config))


def cipher(config: Config) -> Cipher | None:
    """Return what encrypts the secrets of authenticator apps; None where no key is set."""
    if config.secret_key is None and config.secret_key_id is None:
        return None
    from imgcore.accounts.encryption import FernetCipher

    return FernetCipher(lambda: _secret_keys(config))


def _secret_keys(config: Config) -> str:
    """Return SECRET_KEY, or the text or the password of the secret SECRET_KEY_ID."""
    if config.secret_key is not None:
        return config.secret_key.reveal()
    from imgcore.aws.clients import get_secret

    assert config.secret_key_id is not None
    text = get_secret(config.secret_key_id)
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["password"])
    except (KeyError, ValueError) as error:
        raise Misconfigured(f"The secret {config.secret_key_id} is JSON without a password.") from error


def quota(config: Config) -> Quota:
    """Return the quota of an account for which an administrator has set none."""
    from imgcore.accounts.models import Quota

    spend = config.quota_spend_day, config.quota_spend_month
    return Quota(config.quota_images, config.quota_bytes, config.quota_uploads, *spend)
