"""MySQL's settings, credentials, TLS and error codes, on a real server."""

from __future__ import annotations

import logging
import secrets
import traceback
from urllib.parse import quote, urlsplit

import pymysql
import pytest

from imgcore.config import Secret
from imgcore.db.connection import Database, open_database
from imgcore.db.dialects import Fault
from imgcore.db.mysql import Mysql
from imgcore.errors import Misconfigured, Unavailable
from tests.contract.mysql.counters import increment
from tests.mariadb import MariaDb, certificate

# Settings


def test_a_session_is_in_utc_strict_and_reads_what_is_committed(database: Database) -> None:
    """The server's defaults do not matter."""
    (row,) = database.read(
        lambda tx: tx.rows(
            "SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode,"
            " @@session.character_set_client AS letters"
        )
    )
    # MariaDB 10.11 knows it by the first name, MySQL 8 by the second
    names = "'tx_isolation', 'transaction_isolation'"
    isolations = database.read(lambda tx: tx.rows(f"SHOW SESSION VARIABLES WHERE variable_name IN ({names})"))

    assert ("+00:00", "utf8mb4") == (row["zone"], row["letters"])
    assert {"READ-COMMITTED"} == {isolation["Value"] for isolation in isolations}
    assert "STRICT_ALL_TABLES" in row["mode"]


def test_every_part_of_an_address_is_decoded(server: MariaDb) -> None:
    """A password of all the letters that mean something in a URL."""
    name, password = f"t_{secrets.token_hex(4)}", "p@s:s/w?o#r%d é&=+"
    server.sql(f"CREATE DATABASE {name}", f"CREATE USER {name}@localhost IDENTIFIED BY '{password}'")
    server.sql(f"GRANT ALL ON {name}.* TO {name}@localhost")
    try:
        database = open_database(f"mysql://{name}:{quote(password, safe='')}@127.0.0.1:{server.port}/{name}")
        database.ping()
        database.close()
    finally:
        server.sql(f"DROP DATABASE {name}", f"DROP USER {name}@localhost")


# Who may


def test_a_rotated_password_is_fetched_again(server: MariaDb, url: str) -> None:
    """The password is fetched again once it is rejected; open connections continue until then."""
    parts = urlsplit(url)
    fetched: list[str] = []
    current = parts.password

    def credentials() -> tuple[str, Secret]:
        fetched.append(str(current))
        return str(parts.username), Secret(str(current))

    database = open_database(host="127.0.0.1", port=server.port, name=parts.path[1:], credentials=credentials)
    database.ping()
    current = secrets.token_urlsafe(12)
    server.sql(f"ALTER USER {parts.username}@localhost IDENTIFIED BY '{current}'")
    database.close()
    database.run(increment)
    database.close()
    database.ping()
    database.close()

    assert [parts.password, current] == fetched


def test_credentials_that_cannot_be_fetched_are_the_fetchers_matter(server: MariaDb) -> None:
    """What it raises comes out as it is; later it may work."""

    def credentials() -> tuple[str, Secret]:
        raise Misconfigured("DB_SECRET_ID names no secret.")

    with pytest.raises(Misconfigured, match="DB_SECRET_ID"):
        open_database(host="127.0.0.1", port=server.port, name="n", credentials=credentials).ping()


def test_a_wrong_password_is_an_outage_and_never_shown(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """The message, the traceback, the repr of its locals and the log do not contain it."""
    caplog.set_level(logging.DEBUG)
    wrong = secrets.token_urlsafe(12)
    database = open_database(Secret(url.replace(str(urlsplit(url).password), wrong)))

    with pytest.raises(Unavailable, match="refuses the user name or password") as caught:
        database.ping()

    assert "database_refused" == caught.value.code
    printed = "".join(traceback.format_exception(caught.value)) + caplog.text + "".join(capfd.readouterr())
    assert wrong not in printed + repr(database) + repr(caught.value)


def test_a_database_that_is_not_there_is_an_outage(server: MariaDb, url: str) -> None:
    """Dropped, or its name mistyped: to a user without rights it is refused, to another it is missing."""
    name = urlsplit(url).path[1:]
    missing = url.removesuffix(name) + "no_such_database"
    with pytest.raises(Unavailable, match="may not use"):
        open_database(missing).ping()
    server.sql(f"GRANT SELECT ON no_such_database.* TO {name}@localhost")
    with pytest.raises(Unavailable, match="no database of that name"):
        open_database(missing).ping()


def test_a_missing_permission_is_an_outage(server: MariaDb, url: str, database: Database) -> None:
    """The application's user may not write, say."""
    name = urlsplit(url).path[1:]
    server.sql(f"REVOKE ALL ON {name}.* FROM {name}@localhost", f"GRANT SELECT ON {name}.* TO {name}@localhost")

    with pytest.raises(Unavailable, match="lacks a permission"):
        database.run(increment)


def test_tables_that_are_missing_are_an_outage(database: Database) -> None:
    """The sentence names the command that makes them."""
    with pytest.raises(Unavailable, match="imgcore migrate"):
        database.read(lambda tx: tx.rows("SELECT * FROM images"))


# TLS


def test_with_its_certificate_the_server_is_verified(server: MariaDb, url: str) -> None:
    """The session is encrypted."""
    for database in (
        open_database(f"{url}?ssl_ca={quote(str(server.ca))}"),
        open_database(url, ca=str(server.ca)),
    ):
        (row,) = database.read(lambda tx: tx.rows("SHOW STATUS LIKE 'Ssl_cipher'"))
        database.close()

        assert row["Value"]


def test_another_certificate_is_refused(
    server: MariaDb, url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A server that cannot prove who it is gets no password."""
    folder = tmp_path_factory.mktemp("tls")
    certificate(folder, folder / "ca.pem")

    with pytest.raises(Unavailable, match="cannot be reached"):
        open_database(url, ca=str(folder / "ca.pem")).ping()


def test_another_name_than_the_certificates_is_refused(server: MariaDb, url: str) -> None:
    """The certificate is 127.0.0.1's, not localhost's."""
    with pytest.raises(Unavailable, match="cannot be reached"):
        open_database(url.replace("@127.0.0.1:", "@localhost:"), ca=str(server.ca)).ping()


# Error codes


_KINDS = [pymysql.OperationalError, pymysql.ProgrammingError, pymysql.IntegrityError, pymysql.DataError]


@pytest.mark.parametrize("kind", _KINDS)
def test_every_error_code_of_mysql_and_mariadb_has_a_meaning(kind: type[pymysql.Error]) -> None:
    """All codes that either server's reference has room for; an unlisted one is named in the message.

    https://dev.mysql.com/doc/mysql-errors/9.4/en/ has 1 to 9999 and 10000 to 15000; MariaDB has 1000 to 1999
    and 3000 to 4999; the client 2000 to 2999; SIGNAL gives any number up to 65535.
    """
    dialect = Mysql("127.0.0.1", 1, "gallery", lambda: ("u", Secret("p")), None)
    found = {code: dialect.diagnose(kind(code, "text of the server")) for code in range(65_536)}

    assert [] == [code for code, diagnosis in found.items() if diagnosis is None]
    unlisted = {code: each for code, each in found.items() if each and each.code == "database_error"}
    assert len(unlisted) > 65_000
    assert {Fault.UNAVAILABLE} == {each.fault for each in unlisted.values()}
    expected = {code: f"The database reports error {code}." for code in unlisted}
    assert expected == {code: each.message for code, each in unlisted.items()}


def test_error_code_that_is_not_listed_is_unavailable(database: Database) -> None:
    """The server raises one of its own: SIGNAL takes any number."""
    signal = "SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 4711, MESSAGE_TEXT = 'secret text'"
    with pytest.raises(Unavailable, match=r"^The database reports error 4711\.$"):
        database.run(lambda tx: tx.execute(signal))
    assert 1 == database.run(increment)
