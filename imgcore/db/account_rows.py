"""Rows of accounts, sessions and API keys: the statements that select them, and their mapping to the model."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from datetime import timedelta

from imgcore.accounts.models import (
    KEY_DAYS,
    Account,
    ApiKey,
    Passkey,
    Role,
    Scope,
    Session,
    wrong_password,
)
from imgcore.db.connection import Transaction
from imgcore.db.mapping import Row, lock_account, moment
from imgcore.db.statements import sql

_ACCOUNT = "a.id, a.public_id, a.name, a.role, a.created_at, a.password_at"
_SESSION = "s.public_id AS session_id, s.created_at AS started_at, s.seen_at, s.address, s.agent"
# expires_at: NULL where the previous release made the key while this one was rolled out
_VALID_KEY = (
    "(k.expires_at > {now} OR (k.expires_at IS NULL AND k.created_at > {ago:lifetime}))"  # lifetime: KEY_DAYS
)
_API_KEY = sql(
    "k.public_id AS key_id, k.label, k.scopes, k.hint, k.created_at AS made_at, k.expires_at, k.used_at,"
    " k.used_address, {valid} AS valid",
    valid=_VALID_KEY,
)
_PASSKEY = (
    "p.id AS passkey_row, p.public_id AS passkey_id, p.label, p.created_at AS made_at, p.used_at,"
    " p.credential_id, p.public_key, p.sign_count"
)

ALL = sql(
    "SELECT {account}, (SELECT COUNT(*) FROM images WHERE owner_id = a.id AND listed_id IS NOT NULL) AS images"
    " FROM accounts a ORDER BY a.name",
    account=_ACCOUNT,
)
NAMED = sql("SELECT {account}, a.password FROM accounts a WHERE a.name = :name", account=_ACCOUNT)
BY_PUBLIC_ID = sql("SELECT {account} FROM accounts a WHERE a.public_id = :public_id", account=_ACCOUNT)
_BY_ID = sql("SELECT {account} FROM accounts a WHERE a.id = :account_id", account=_ACCOUNT)
PENDING_SIGN_IN = sql(
    "SELECT {account} FROM pending_sign_ins p JOIN accounts a ON a.id = p.account_id"
    " WHERE p.token = :token AND p.expires_at > {now}",
    account=_ACCOUNT,
)
OPEN_SESSION = sql(
    "SELECT {account}, {session}, s.id AS row_id, s.seen_at <= {ago:touch} AS stale"
    " FROM sessions s JOIN accounts a ON a.id = s.account_id"
    " WHERE s.token = :token AND s.expires_at > {now} AND s.created_at > {ago:longest}",
    account=_ACCOUNT,
    session=_SESSION,
)
SESSIONS = sql(
    "SELECT {session} FROM sessions s WHERE s.account_id = :account_id AND s.expires_at > {now}"
    " ORDER BY s.seen_at DESC, s.id DESC LIMIT 200",
    session=_SESSION,
)
KEY_BY_TOKEN = sql(
    "SELECT {account}, {key}, k.id AS row_id, (k.used_at IS NULL OR k.used_at <= {ago:touch}) AS stale"
    " FROM api_keys k JOIN accounts a ON a.id = k.account_id WHERE k.token = :token AND {valid}",
    account=_ACCOUNT,
    key=_API_KEY,
    valid=_VALID_KEY,
)
KEYS = sql("SELECT {key} FROM api_keys k WHERE k.account_id = :account_id ORDER BY k.id DESC", key=_API_KEY)

PASSKEYS = sql(
    "SELECT {passkey} FROM passkeys p WHERE p.account_id = :account_id ORDER BY p.id", passkey=_PASSKEY
)
PASSKEY_BY_CREDENTIAL = sql(
    "SELECT {account}, {passkey} FROM passkeys p JOIN accounts a ON a.id = p.account_id"
    " WHERE p.credential = :credential",
    account=_ACCOUNT,
    passkey=_PASSKEY,
)


def to_account(row: Row) -> Account:
    """Return the account of a row with its columns."""
    created_at, password_at = moment(row["created_at"]), moment(row["password_at"])
    assert created_at is not None
    assert password_at is not None
    return Account(row["id"], row["public_id"], row["name"], Role(row["role"]), created_at, password_at)


def locked_account(tx: Transaction, account_id: int) -> Account:
    """Lock the account's row and return it. NotFound where the account was deleted."""
    lock_account(tx, account_id)
    [row] = tx.rows(_BY_ID, account_id=account_id)
    return to_account(row)


def is_unchanged(tx: Transaction, account: Account) -> bool:
    """Lock the account's row; return whether it has the password and the rights that ``account`` was read with.

    The time of the password stands for the password: ``set_password`` stores a later one each time.
    NotFound where the account was deleted.
    """
    now = locked_account(tx, account.id)
    return now.password_at == account.password_at and account.scopes <= now.scopes


def lock_verified(tx: Transaction, account: Account | None) -> None:
    """Lock the row of the account whose password confirmed what ``tx`` writes; None where none was asked for.

    Forbidden (``password``) where its password was changed, or its role lowered, since ``account`` was read.
    """
    if account is not None and not is_unchanged(tx, account):
        raise wrong_password()


def to_session(row: Row) -> Session:
    """Return the session of a row with its columns."""
    started_at, seen_at = moment(row["started_at"]), moment(row["seen_at"])
    assert started_at is not None
    assert seen_at is not None
    return Session(row["session_id"], started_at, seen_at, row["address"], row["agent"])


def to_key(row: Row) -> ApiKey:
    """Return the API key of a row with its columns."""
    made_at = moment(row["made_at"])
    assert made_at is not None
    return ApiKey(
        row["key_id"],
        row["label"],
        frozenset(Scope(name) for name in row["scopes"].split()),
        row["hint"],
        made_at,
        moment(row["expires_at"]) or made_at + timedelta(days=KEY_DAYS),
        moment(row["used_at"]),
        row["used_address"],
        expired=not row["valid"],
    )


def to_passkey(row: Row) -> Passkey:
    """Return the passkey of a row with its columns."""
    made_at = moment(row["made_at"])
    assert made_at is not None
    return Passkey(
        row["passkey_row"],
        row["passkey_id"],
        row["label"],
        made_at,
        moment(row["used_at"]),
        urlsafe_b64decode(row["credential_id"]),
        urlsafe_b64decode(row["public_key"]),
        row["sign_count"],
    )
