"""The migrator's handler against a real server: its users, their privileges, and doing it again."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pymysql
import pytest
from botocore.session import Session

from tests.loading import module_at
from tests.mariadb import MariaDb

HANDLER = Path(__file__).parents[2] / "roles/database/files/migrator/migrator.py"
TASK = {"task": "migrate"}


class Secrets:
    """What the handler asks Secrets Manager for."""

    def __init__(self) -> None:
        self.users = {
            f"{name}-{secrets.token_hex(3)}": f"u_{secrets.token_hex(4)}"
            for name in ("master", "migrate", "app")
        }
        self.passwords = {user: secrets.token_hex(20) for user in self.users.values()}
        self.schema = f"s_{secrets.token_hex(4)}"

    def name(self, start: str) -> str:
        """The secret of the master, the migrator or the application."""
        return next(name for name in self.users if name.startswith(f"{start}-"))

    def get_secret_value(self, **asked: str) -> dict[str, str]:
        """Behave as the client of the SDK."""
        user = self.users[asked["SecretId"]]
        return {"SecretString": json.dumps({"username": user, "password": self.passwords[user]})}


@pytest.fixture
def server(mariadb_server: MariaDb) -> MariaDb:
    """A server with TLS."""
    return mariadb_server


@pytest.fixture
def kept(server: MariaDb, monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    """A new database with a master, as RDS makes them, and the settings that the function gets."""
    kept = Secrets()
    schema = kept.schema
    master = kept.users[kept.name("master")]
    server.sql(
        f"CREATE DATABASE {schema}",
        f"CREATE USER {master}@'%' IDENTIFIED BY '{kept.passwords[master]}'",
        f"GRANT ALL ON *.* TO {master}@'%' WITH GRANT OPTION",
    )
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # as Lambda sets it
    monkeypatch.setattr(Session, "create_client", lambda *_, **__: kept)
    for name in ("master", "migrate", "app"):
        monkeypatch.setenv(f"{name.upper()}_SECRET_ID", kept.name(name))
    settings = {"DB_HOST": "127.0.0.1", "DB_PORT": str(server.port), "DB_NAME": schema, "DB_CA": str(server.ca)}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    yield kept
    server.sql(f"DROP DATABASE {schema}", *(f"DROP USER IF EXISTS {user}@'%'" for user in kept.users.values()))


@pytest.fixture
def migrator(kept: Secrets) -> ModuleType:
    """The handler's module, as Lambda loads it."""
    return module_at(HANDLER)


@contextmanager
def connection(kept: Secrets, server: MariaDb, name: str, *, tls: bool = True) -> Iterator[Any]:
    """A cursor as the user of that secret."""
    user = kept.users[kept.name(name)]
    ca = {"ssl_ca": str(server.ca), "ssl_verify_cert": True} if tls else {"ssl_disabled": True}
    password = kept.passwords[user]
    link = pymysql.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, database=kept.schema, **ca
    )
    with closing(link), link.cursor() as cursor:
        yield cursor


def test_first_call_creates_users_and_schema(migrator: ModuleType, kept: Secrets) -> None:
    done = migrator.handler(TASK, None)
    assert [kept.users[kept.name("migrate")], kept.users[kept.name("app")]] == done["users"]
    assert "m001_images_and_tasks" == done["applied"][0]


def test_second_call_changes_nothing(migrator: ModuleType, kept: Secrets) -> None:
    migrator.handler(TASK, None)
    assert {"users": [], "applied": []} == migrator.handler(TASK, None)


def test_app_user_reads_and_writes_rows(migrator: ModuleType, kept: Secrets, server: MariaDb) -> None:
    migrator.handler(TASK, None)
    with connection(kept, server, "app") as cursor:
        cursor.execute("INSERT INTO gates (name) VALUES ('x')")
        assert 1 == cursor.rowcount


@pytest.mark.parametrize(
    "statement",
    ["DROP TABLE images", "CREATE TABLE t (a INT)", "ALTER TABLE images ADD x INT", "SELECT * FROM mysql.user"],
)
def test_app_user_cannot_change_the_schema(
    migrator: ModuleType, kept: Secrets, server: MariaDb, statement: str
) -> None:
    migrator.handler(TASK, None)
    with (
        connection(kept, server, "app") as cursor,
        pytest.raises(pymysql.OperationalError, match="denied"),
    ):
        cursor.execute(statement)


@pytest.mark.parametrize(
    "statement", ["CREATE USER x IDENTIFIED BY 'y'", "SELECT * FROM mysql.user", "SHUTDOWN"]
)
def test_migrate_user_has_no_master_privileges(
    migrator: ModuleType, kept: Secrets, server: MariaDb, statement: str
) -> None:
    migrator.handler(TASK, None)
    with (
        connection(kept, server, "migrate") as cursor,
        pytest.raises(pymysql.OperationalError, match="denied"),
    ):
        cursor.execute(statement)


@pytest.mark.parametrize("name", ["migrate", "app"])
def test_users_without_tls_are_denied(migrator: ModuleType, kept: Secrets, server: MariaDb, name: str) -> None:
    migrator.handler(TASK, None)
    with pytest.raises(pymysql.OperationalError, match="denied"), connection(kept, server, name, tls=False):
        pass


def test_rotated_password_is_applied(migrator: ModuleType, kept: Secrets, server: MariaDb) -> None:
    migrator.handler(TASK, None)
    user = kept.users[kept.name("app")]
    kept.passwords[user] = secrets.token_hex(20)
    assert {"users": [user], "applied": []} == migrator.handler(TASK, None)
    with connection(kept, server, "app") as cursor:
        assert 1 == cursor.execute("SELECT 1")


def test_additional_privilege_is_revoked(migrator: ModuleType, kept: Secrets, server: MariaDb) -> None:
    migrator.handler(TASK, None)
    user = kept.users[kept.name("app")]
    server.sql(f"GRANT DROP ON `{kept.schema}`.* TO {user}@'%'")
    assert {"users": [user], "applied": []} == migrator.handler(TASK, None)
    assert {"users": [], "applied": []} == migrator.handler(TASK, None)


def test_unknown_task_raises_invalid(migrator: ModuleType) -> None:
    with pytest.raises(Exception, match="accepts only"):
        migrator.handler({"task": "drop"}, None)
