"""Create the database users and apply the migrations, as a Lambda function inside the VPC.

It is the only reader of the master password. A second call changes nothing.
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
    """Handle ``{"task": "migrate"}``; return the users that were changed and the migrations that were applied.

    Raises Invalid for any other task.
    """
    if event.get("task") != "migrate":
        raise Invalid('The migrator accepts only {"task": "migrate"}.')
    changed = [user for user in map(update_user, GRANTS) if user]
    return {"users": changed, "applied": bootstrap.migrate(settings("MIGRATE_SECRET_ID"))}


def settings(secret: str) -> Config:
    """Return the settings with the database user of a secret, given by the name of its environment variable."""
    return Config.read({**os.environ, "DB_SECRET_ID": os.environ[secret]})


def update_user(secret: str) -> str | None:
    """Create or update the user of a secret with password and grants; return its name if anything changed."""
    master = bootstrap.database(settings("MASTER_SECRET_ID"))
    user, password = credentials(os.environ[secret])
    try:
        created = master.read(lambda transaction: create(transaction, user, password))
        outdated = not created and not accepts_password(bootstrap.database(settings(secret)))
        if outdated:
            master.read(lambda transaction: set_password(transaction, "ALTER USER", user, password))
        granted = master.read(lambda transaction: grant(transaction, user, set(GRANTS[secret])))
    finally:
        master.close()
    return user if created or outdated or granted else None


def credentials(secret_id: str) -> tuple[str, str]:
    """Return the user name and the password in a secret."""
    found = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)
    secret = json.loads(found["SecretString"])
    return secret["username"], secret["password"]


def create(transaction: Transaction, user: str, password: str) -> bool:
    """Create the user if it does not exist; return whether it was created."""
    if transaction.rows("SELECT 1 AS one FROM mysql.user WHERE user = :user AND host = '%'", user=user):
        return False
    set_password(transaction, "CREATE USER IF NOT EXISTS", user, password)
    return True


def set_password(transaction: Transaction, verb: str, user: str, password: str) -> None:
    """Set the password and require TLS; verb is CREATE USER or ALTER USER."""
    transaction.execute(f"{verb} :user@'%' IDENTIFIED BY :password REQUIRE SSL", user=user, password=password)


def accepts_password(database: Database) -> bool:
    """Return whether the server accepts the password in the secret."""
    try:
        database.read(lambda transaction: transaction.rows("SELECT 1 AS one"))
    except Unavailable as error:
        # MySQL authenticates a user without grants, then denies access to the database: the password is right.
        return error.code != "database_refused"
    finally:
        database.close()
    return True


def grant(transaction: Transaction, user: str, wanted: set[str]) -> bool:
    """Grant and revoke privileges on the database; return whether they differed."""
    database = os.environ["DB_NAME"]
    rows = transaction.rows(
        "SELECT privilege_type AS privilege FROM information_schema.schema_privileges"
        " WHERE grantee = CONCAT('''', :user, '''@''%''') AND table_schema = :database",
        user=user,
        database=database,
    )
    current = {row["privilege"] for row in rows}
    for surplus in sorted(current - wanted):
        transaction.execute(f"REVOKE {surplus} ON `{database}`.* FROM :user@'%'", user=user)
    for missing in sorted(wanted - current):
        transaction.execute(f"GRANT {missing} ON `{database}`.* TO :user@'%'", user=user)
    return current != wanted
