"""A private MariaDB: its own folder, socket, loopback port and certificate; none of it outlives the tests."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymysql

from roles.local_cloud.files.emulator import free_port
from tests.support import guarded
from tests.support.programs import program

_START = 60.0  # seconds for the server to answer

# Nothing has to survive a power cut, everything a kill -9 of the server: what it wrote, the kernel has.
_INNODB = (
    "--innodb-flush-log-at-trx-commit=2",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-buffer-pool-size=128M",
)
_LOG = "--innodb-log-file-size=64M"
# What MySQL takes as well; tests/mysql.py adds its own to these.
SETTINGS = (
    "--bind-address=127.0.0.1",
    *_INNODB,
    "--performance-schema=off",
    "--skip-log-bin",
    "--character-set-server=latin1",  # the product must not lean on the server's default
    "--lower-case-table-names=0",
)


class MariaDb:
    """One server; ``start``, ``kill`` and ``stop`` may be called again and again.

    environ: added to its own. settings: more options of the server.
    """

    def __init__(
        self, folder: Path, environ: Mapping[str, str] | None = None, settings: Sequence[str] = ()
    ) -> None:
        self.folder = folder
        self._environ = {**os.environ, **(environ or {})}
        self._settings = (*SETTINGS, _LOG, *settings)
        self.port = free_port()
        self.ca = folder / "ca.pem"
        self._socket = folder / "s"
        self.root_password = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._user = _unprivileged_user()

    @property
    def pid(self) -> int:
        """The process's id, while it runs."""
        assert self._process is not None
        return self._process.pid

    def _server(self) -> list[str]:
        """Return the program and the settings of any of its servers."""
        return [_program("mariadbd"), "--no-defaults", *self._settings]

    def certify(self) -> None:
        """Make a new certificate."""
        certificate(self.folder, self.ca)
        if os.geteuid() == 0:
            for path in (self.folder, self.ca, self.folder / "key.pem"):
                shutil.chown(path, self._user)

    def install(self) -> None:
        """Make the data folder and the certificate, once."""
        self.certify()
        self._initialize()

    def _initialize(self) -> None:
        log = self.folder / "install.log"
        log.touch(mode=0o666)
        log.chmod(0o666)  # its writer is the server's user
        try:
            _run(
                "mariadb-install-db",
                "--no-defaults",
                f"--datadir={self.folder / 'data'}",
                f"--tmpdir={self.folder}",
                f"--user={self._user}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                f"--log-error={log}",
                *_INNODB,
                _LOG,
            )
        except RuntimeError as error:
            free = shutil.disk_usage(self.folder).free >> 20
            raise RuntimeError(
                f"{error}\n{log.read_text()[-4000:]}\n{free} MB free in {self.folder}"
            ) from error

    def start(self) -> None:
        """Start the server and wait for its first answer."""
        log = (self.folder / "log").open("ab")
        self._process = guarded.start(
            [
                *self._server(),
                f"--user={self._user}",
                f"--datadir={self.folder / 'data'}",
                f"--tmpdir={self.folder}",
                f"--socket={self._socket}",
                f"--pid-file={self.folder / 'pid'}",
                f"--port={self.port}",
                f"--ssl-ca={self.ca}",
                f"--ssl-cert={self.ca}",
                f"--ssl-key={self.folder / 'key.pem'}",
            ],
            stdout=log,
            stderr=log,
            env=self._environ,
        )
        log.close()
        end = time.monotonic() + _START
        while True:
            try:
                self.sql("SELECT 1")
                break
            except pymysql.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text()[-4000:]) from error
                time.sleep(0.05)
        if not self.root_password:
            password = secrets.token_urlsafe(16)
            self.sql(f"ALTER USER root@localhost IDENTIFIED BY '{password}'")
            self.root_password = password

    def stop(self, how: signal.Signals = signal.SIGTERM, wait: float = 60) -> None:
        """End the server, politely or not, and wait until it has ended. wait: seconds."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=wait)
            guarded.ended(self._process)
            self._process = None

    def kill(self) -> None:
        """End the server with kill -9."""
        self.stop(signal.SIGKILL)

    def sql(self, *statements: str, database: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements as root; the last one's rows."""
        with self.connected(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
            return list(cursor.fetchall())

    @contextmanager
    def connected(self, database: str | None = None) -> Iterator[Any]:
        """A connection of root."""
        connection = pymysql.connect(
            unix_socket=str(self._socket),
            user="root",
            password=self.root_password,
            database=database,
            autocommit=True,
            connect_timeout=5,
            read_timeout=60,
        )
        try:
            yield connection
        finally:
            connection.close()

    def url(self, name: str) -> str:
        """Return the URL of a database that stays, with a user of its own; create it where it is missing."""
        password = secrets.token_urlsafe(12)
        self.sql(
            f"CREATE DATABASE IF NOT EXISTS {name}",
            f"CREATE OR REPLACE USER {name}@localhost IDENTIFIED BY '{password}'",
            f"GRANT ALL ON {name}.* TO {name}@localhost",
        )
        return f"mysql://{name}:{password}@127.0.0.1:{self.port}/{name}"

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a new, empty database with a user of its own; both are gone afterwards."""
        name, password = f"t_{secrets.token_hex(6)}", secrets.token_urlsafe(12)
        self.sql(
            f"CREATE DATABASE {name}",
            f"CREATE USER {name}@localhost IDENTIFIED BY '{password}'",
            f"GRANT ALL ON {name}.* TO {name}@localhost",
            f"GRANT PROCESS ON *.* TO {name}@localhost",  # for what it has not purged yet
        )
        try:
            yield f"mysql://{name}:{password}@127.0.0.1:{self.port}/{name}"
        finally:
            self.sql(f"DROP DATABASE {name}", f"DROP USER {name}@localhost")


@contextmanager
def mariadb(environ: Mapping[str, str] | None = None, *, parent: Path | None = None) -> Iterator[MariaDb]:
    """Start a server in a new folder of ``parent``, by default of temporary files; remove both afterwards."""
    # Not below pytest's own folder: the server's user could not enter it, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="mariadb-", dir=parent))
    with running(MariaDb(folder, environ)) as server:
        yield server


@contextmanager
def running(server: MariaDb) -> Iterator[MariaDb]:
    """Install and start a server in its empty folder; kill it and remove the folder afterwards."""
    folder = server.folder
    guarded.remove_at_end(folder)
    try:
        server.install()
        server.start()
        yield server
    finally:
        server.kill()  # nothing of it is wanted any more
        shutil.rmtree(folder, ignore_errors=True)
        guarded.remove_at_end(folder, remove=False)


@contextmanager
def kept_mariadb(folder: Path, settings: Sequence[str]) -> Iterator[MariaDb]:
    """Start a server whose databases stay in ``folder`` for the next time; create it where it is missing.

    Its path must be short enough for that of a socket (108 characters), and its server's user may enter it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    server = MariaDb(folder, settings=settings)
    known = folder / "password"
    if known.exists():
        server.root_password = known.read_text()
        server.certify()
    else:
        server.install()
    server.start()
    known.touch(mode=0o600)
    known.write_text(server.root_password)
    try:
        yield server
    finally:
        server.stop(wait=600)


def certificate(folder: Path, ca: Path) -> None:
    """A self-signed certificate of 127.0.0.1 into ``ca``, its key beside it."""
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", str(folder / "key.pem"))
    _run("openssl", "req", "-x509", *key, *subject, "-days", "2", "-out", str(ca))


def _program(name: str) -> str:
    return program(name, package="mariadb-server")


def _run(name: str, *arguments: str) -> None:
    done = guarded.run([_program(name), *arguments], cwd=Path.cwd(), env=os.environ)
    if done.returncode:
        raise RuntimeError(f"{name}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _unprivileged_user() -> str:
    """Return the user of the server: the one who runs the tests, but never root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid()).pw_name
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "mysql" if "mysql" in known else "nobody"
