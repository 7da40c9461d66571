"""A private MySQL of a newer Debian, with the interface of tests/mariadb.py; it is unpacked, not installed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.debian_sources import unpacked_program
from tests.mariadb import SETTINGS, MariaDb, running
from tests.support import guarded

SUITE = "sid"
_LIBRARIES = "usr/lib/x86_64-linux-gnu"

_SETTINGS = (*SETTINGS, "--innodb-redo-log-capacity=64M", "--mysqlx=OFF", "--secure-file-priv=NULL")


class MySql(MariaDb):
    """One server, whose users sign in by ``caching_sha2_password``."""

    def _server(self) -> list[str]:
        root = unpacked_program("mysql-server-core", SUITE)
        linker = root / _LIBRARIES / "ld-linux-x86-64.so.2"
        return [
            *(str(linker), "--library-path", str(root / _LIBRARIES)),
            *(str(root / "usr/sbin/mysqld"), "--no-defaults", f"--basedir={root / 'usr'}"),
            *_SETTINGS,
        ]

    def _initialize(self) -> None:
        words = ["--initialize-insecure", f"--user={self._user}", f"--datadir={self.folder / 'data'}"]
        done = guarded.run([*self._server(), *words], cwd=self.folder, env=self._environ)
        if done.returncode:
            raise RuntimeError(f"mysqld --initialize-insecure: {done.stdout[-2000:]}{done.stderr[-2000:]}")


@contextmanager
def mysql(*, parent: Path | None = None) -> Iterator[MariaDb]:
    """Start a server in a new folder of ``parent``, by default of temporary files; remove both afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mysql-", dir=parent))
    with running(MySql(folder)) as server:
        yield server
