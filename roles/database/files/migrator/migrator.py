"""Runs inside the VPC: makes the database's users, then brings the schema up to date. Lambda calls ``handler``.

It alone reads the master's password. Doing it again changes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import boto3

from imgcore import bootstrap
from imgcore.config import Config
from imgcore.db.connection import Database, Transaction
from imgcore.errors import Invalid, Unavailable

MIGRATE = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES")
MIGRATE_VIEWS = ("CREATE VIEW", "SHOW VIEW")
APP = ("SELECT", "INSERT", "UPDATE", "DELETE")
GRANTS = {"MIGRATE_SECRET_ID": MIGRATE + MIGRATE_VIEWS, "APP_SECRET_ID": APP}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, list[str]]:
    """Answer ``{"task": "migrate"}``: the users that were changed, and the steps that were taken."""
    if event.get("task") != "migrate":
        raise Invalid('The migrator does one thing: {"task": "migrate"}.')
    changed = [user for user in map(bring_in_line, GRANTS) if user]
    return {"users": changed, "applied": bootstrap.migrate(settings("MIGRATE_SECRET_ID"))}


def settings(secret: str) -> Config:
    """The settings of whoever's secret that is."""
    return Config.read({**os.environ, "DB_SECRET_ID": os.environ[secret]})


def bring_in_line(secret: str) -> str | None:
    """Make the user of that secret, with its password and its grants; its name if that changed anything."""
    master = bootstrap.database(settings("MASTER_SECRET_ID"))
    user, password = credentials(os.environ[secret])
    try:
        made = master.read(lambda transaction: make(transaction, user, password))
        renewed = not made and not may_enter(bootstrap.database(settings(secret)))
        if renewed:
            master.read(lambda transaction: identify(transaction, "ALTER USER", user, password))
        granted = master.read(lambda transaction: grant(transaction, user, set(GRANTS[secret])))
    finally:
        master.close()
    return user if made or renewed or granted else None


def credentials(secret_id: str) -> tuple[str, str]:
    """User and password of a secret."""
    found = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    secret = json.loads(found["SecretString"])
    return secret["username"], secret["password"]


def make(transaction: Transaction, user: str, password: str) -> bool:
    """Make the user where there is none; whether there was none."""
    if transaction.rows("SELECT 1 AS one FROM mysql.user WHERE user = ? AND host = '%'", user):
        return False
    identify(transaction, "CREATE USER IF NOT EXISTS", user, password)
    return True


def identify(transaction: Transaction, verb: str, user: str, password: str) -> None:
    """Set the password, and let the user in over TLS only."""
    transaction.execute(f"{verb} ?@'%' IDENTIFIED BY ? REQUIRE SSL", user, password)


def may_enter(database: Database) -> bool:
    """Whether the server takes the password that the secret holds."""
    try:
        database.read(lambda transaction: transaction.rows("SELECT 1 AS one"))
    except Unavailable as error:
        # A user without any grant is let in by the server and refused by the database.
        return error.code != "database_refused"
    finally:
        database.close()
    return True


def grant(transaction: Transaction, user: str, wanted: set[str]) -> bool:
    """Bring the user's privileges on the database in line; whether they were not."""
    database = os.environ["DB_NAME"]
    rows = transaction.rows(
        "SELECT privilege_type AS privilege FROM information_schema.schema_privileges"
        " WHERE grantee = CONCAT('''', ?, '''@''%''') AND table_schema = ?",
        user,
        database,
    )
    has = {row["privilege"] for row in rows}
    for surplus in sorted(has - wanted):
        transaction.execute(f"REVOKE {surplus} ON `{database}`.* FROM ?@'%'", user)
    for missing in sorted(wanted - has):
        transaction.execute(f"GRANT {missing} ON `{database}`.* TO ?@'%'", user)
    return has != wanted
