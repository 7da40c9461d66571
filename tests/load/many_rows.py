"""Databases of up to a million photos, built once and kept under .local/bench for later runs.

A thousand photos with words, dates of ten years, cameras and sources are written as the product writes them;
the others are copies of their rows with numbers, keys, hashes and one word of their own. Of a thousand photos
one could not be decoded, one waits for its caption, one shows a windmill, ten a lighthouse, a hundred have an
owner and ten are in an album. A million of them take 7 GB, and some ten minutes of processor time once.
Forty photos more of each of these, and two hundred of one month, are in a database of any size: what a question
costs is compared among answers of the same length.
"""

from __future__ import annotations

import fcntl
import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imgcore.db.connection import Database, Transaction, open_database
from imgcore.db.mapping import in_list
from imgcore.db.migrations import migrate
from imgcore.db.schema import Schema
from imgcore.db.statements import sql
from imgcore.db.word_index import index_images
from tests.load.many_images import fill
from tests.mariadb import MariaDb, kept_mariadb

BASE = 1000  # photos that are not copies
MONTH_OF = 500  # the id of a photo in the month that has two hundred more than others
ALBUM = "a" * 32  # the public id of the album
FOLDER = Path(__file__).resolve().parents[2] / ".local" / "bench"

_VERSION = 2  # of these rows: a database of another one is built anew
_SETTINGS = ("--innodb-buffer-pool-size=512M", "--innodb-log-file-size=1G", "--innodb-sort-buffer-size=16M")
_OF_MONTH = range(401, 601)  # the ids of photos that are moved into one month
_MORE = range(101, 401)  # the ids of those that get a state, a word or the album; of each the seventh part
_FAILED, _WAITING, _WINDMILL, _LIGHTHOUSE, _IN_ALBUM = range(5)  # the remainders of their ids
_CAMERAS = ("Contoso Phone 7", "Fabrikam D 850", "Northwind X", None)


@contextmanager
def bench_server() -> Iterator[MariaDb]:
    """Start the MariaDB that keeps its databases. One process uses it at a time; others wait."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with kept_mariadb(FOLDER / "mariadb", _SETTINGS) as server:
            yield server


def photos_in(server: MariaDb, rows: int) -> str:
    """Return the URL of a database of ``rows`` photos, a multiple of a thousand; build a missing one."""
    name = f"photos_{rows}"
    query = "SELECT 1 FROM information_schema.tables WHERE table_schema = '{}' AND table_name = 'built_{}'"
    built = bool(server.sql(query.format(name, _VERSION)))
    if not built:
        server.sql(f"DROP DATABASE IF EXISTS {name}")
    url = server.url(name)
    _prepare(open_database(url), rows, built=built)
    return url


def photos_in_file(rows: int) -> str:
    """Return the URL of an SQLite database of ``rows`` photos; build it where it is missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"photos_{rows}_{_VERSION}.db"
    url, built = f"sqlite:///{path}", path.exists()
    if not built:
        unfinished = path.with_suffix(".unfinished")
        for each in FOLDER.glob(f"{unfinished.name}*"):
            each.unlink()
        _prepare(open_database(f"sqlite:///{unfinished}"), rows, built=False)
        unfinished.rename(path)
    _prepare(open_database(url), rows, built=True)
    return url


def _prepare(database: Database, rows: int, *, built: bool) -> None:
    migrate(database)
    if not built:
        build(database, rows)
    if database.dialect.name == "mysql":  # a server that ended soon after it was built knows empty tables
        tables = "images, tasks, words, vocabulary, image_hashes, album_images"
        database.read(lambda tx: tx.rows(f"ANALYZE TABLE {tables}"))
    database.close()


def build(database: Database, rows: int) -> None:
    """Fill an empty, migrated database with ``rows`` photos, a multiple of a thousand."""
    unlimited = database.with_timeout(3600)
    for _ in fill(unlimited, {}, BASE):
        pass
    unlimited.run(_vary)
    if rows > BASE:
        unlimited.read(lambda tx: _multiply(tx, rows // BASE))  # each statement commits
    unlimited.run(functools.partial(_finish, rows))
    unlimited.close()


def _vary(tx: Transaction) -> None:
    """Give the first photos dates, cameras, sources and states."""
    owner = tx.insert(
        "INSERT INTO accounts (public_id, name, role, password, created_at, password_at)"
        " VALUES ('olive', 'olive', 'person', '', {now}, {now})"
    )
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    for number in range(1, BASE + 1):
        before = timedelta(days=3.6 * (BASE - number), minutes=number)
        tx.execute(
            "UPDATE images SET taken_at = :taken, uploaded_at = :uploaded, camera = :camera, source = :source,"
            " owner_id = :owner WHERE id = :image_id",
            taken=f"{now - before - timedelta(hours=5)}.000000",
            uploaded=f"{now - before}.000000",
            camera=_CAMERAS[number % len(_CAMERAS)],
            source="local" if number % 5 == 0 else "gemini",
            owner=owner if number % 10 == 0 else None,
            image_id=number,
        )
    tx.execute("UPDATE images SET caption = alt_text WHERE caption IS NOT NULL")
    _change(tx, failed=[500], waiting=[501], lighthouse=range(50, BASE, 100), windmill=[600])
    index_images(tx, range(1, BASE + 1))


def _change(
    tx: Transaction,
    *,
    failed: Sequence[int],
    waiting: Sequence[int],
    lighthouse: Sequence[int],
    windmill: Sequence[int],
) -> None:
    """Give photos of these ids a state or a word."""
    for numbers, set_ in (
        (failed, "status = 'failed', error = 'decode' WHERE kind = 'thumbnail'"),
        (waiting, "status = 'pending', finished_at = NULL WHERE kind = 'caption'"),
    ):
        names, values = in_list("image_id", numbers)
        tx.execute(sql("UPDATE tasks SET {set} AND image_id IN ({names})", set=set_, names=names), **values)
    names, values = in_list("image_id", [*failed, *waiting])
    tx.execute(
        sql(
            "UPDATE images SET source = NULL, caption = NULL, alt_text = NULL, tags = NULL,"
            " caption_generated_at = NULL WHERE id IN ({names})",
            names=names,
        ),
        **values,
    )
    for numbers, text in ((lighthouse, "A lighthouse"), (windmill, "A windmill")):
        names, values = in_list("image_id", numbers)
        statement = sql("UPDATE images SET alt_text = :text WHERE id IN ({names})", names=names)
        tx.execute(statement, text=text, **values)


def _fill_answers(tx: Transaction) -> None:
    """Let the rarest photos, and those of one month, fill an answer over any number of photos."""
    parts = [[number for number in _MORE if number % 7 == remainder] for remainder in range(7)]
    _change(
        tx,
        failed=parts[_FAILED],
        waiting=parts[_WAITING],
        lighthouse=parts[_LIGHTHOUSE],
        windmill=parts[_WINDMILL],
    )
    [middle] = tx.rows("SELECT taken_at FROM images WHERE id = :middle", middle=MONTH_OF)
    taken = f"{middle['taken_at']}"[:8] + "15"
    for number in _OF_MONTH:
        minute = number - _OF_MONTH.start
        tx.execute(
            "UPDATE images SET taken_at = :taken WHERE id = :image_id",
            taken=f"{taken} {8 + minute // 60:02}:{minute % 60:02}:00.000000",
            image_id=number,
        )
    index_images(tx, [*_MORE, *_OF_MONTH])


def _multiply(tx: Transaction, times: int) -> None:
    """Replace the photos by ``times`` as many: each table, empty, is written by one statement in its order."""
    mysql = tx.dialect.name == "mysql"
    if mysql:  # without checks InnoDB sorts what an empty table gets, and writes it at once
        tx.execute("SET SESSION foreign_key_checks = 0, unique_checks = 0")
    else:
        tx.execute("PRAGMA foreign_keys = OFF")
        tx.execute("PRAGMA cache_size = -1000000")
    tx.execute("CREATE TABLE copies (n INTEGER NOT NULL PRIMARY KEY)")
    for first in range(0, times, 500):
        values = ", ".join(f"({n})" for n in range(first, min(first + 500, times)))
        tx.execute(sql("INSERT INTO copies (n) VALUES {values}", values=values))
    for table in ("images", "tasks", "words"):
        names = _columns(tx, table)
        tx.execute(sql("CREATE TABLE base AS SELECT {names} FROM {table}", names=", ".join(names), table=table))
        tx.execute(sql("TRUNCATE TABLE {table}" if mysql else "DELETE FROM {table}", table=table))
        if table == "words":  # its second index is made at once, from all rows
            Schema(tx).drop_index("words_of", "words")
        tx.execute(_copy(table, names, mysql=mysql))
        tx.execute("DROP TABLE base")
    tx.execute("DROP TABLE copies")
    Schema(tx).index("words_of", "words", "image_id, word")


def _columns(tx: Transaction, table: str) -> list[str]:
    """Return the names of the columns that are not computed."""
    if tx.dialect.name == "sqlite":
        return [row["name"] for row in tx.rows(f"PRAGMA table_xinfo({table})") if not row["hidden"]]
    query = (
        "SELECT column_name AS name FROM information_schema.columns WHERE table_schema = DATABASE()"
        " AND table_name = :table AND extra NOT LIKE '%GENERATED%'"
    )
    return [row["name"] for row in tx.rows(query, table=table)]


def _copy(table: str, names: list[str], *, mysql: bool) -> str:
    number = "id" if table == "images" else "image_id"
    copied = f"(base.{number} + c.n * {BASE})"
    changed = {number: copied}
    if table == "images":
        key = f"LOWER(LPAD(HEX({copied}), 32, '0'))" if mysql else f"printf('%032x', {copied})"
        changed |= {"listed_id": copied, "public_id": key, "image_key": key}
        changed["changed_at"] = "base.uploaded_at"  # not all within the last seconds, as after an import
    order = f"base.word, c.n, base.{number}" if table == "words" else f"c.n, base.{number}"
    return sql(
        "INSERT INTO {table} ({names}) SELECT {values} FROM copies c CROSS JOIN base ORDER BY {order}",
        table=table,
        names=", ".join(names),
        values=", ".join(changed.get(name, f"base.{name}") for name in names),
        order=order,
    )


def _finish(rows: int, tx: Transaction) -> None:
    """Give each photo a word and a hash of its own, and put one in a hundred into the album."""
    mysql = tx.dialect.name == "mysql"
    number = "LPAD(id, 7, '0')" if mysql else "printf('%07d', id)"
    tx.execute(sql("INSERT INTO words (word, image_id) SELECT {n}, id FROM images ORDER BY id", n=number))
    tx.execute(sql("INSERT INTO vocabulary (word) SELECT {n} FROM images ORDER BY id", n=number))
    quarter = "FLOOR(RAND() * 65536)" if mysql else "ABS(RANDOM() % 65536)"
    bands = ", ".join(f"{quarter} AS band_{band}" for band in range(4))
    tx.execute(
        sql(
            "INSERT INTO image_hashes (image_id, hash, owner, band_0, band_1, band_2, band_3)"
            " SELECT id, band_0 + 65536 * band_1 + 4294967296 * band_2 + 281474976710656 * (band_3 % 32768),"
            " owner, band_0, band_1, band_2, band_3"
            " FROM (SELECT id, COALESCE(owner_id, 0) AS owner, {bands} FROM images) drawn",
            bands=bands,
        )
    )
    album = tx.insert(
        "INSERT INTO albums (public_id, name, description, ordering, created_at, updated_at)"
        " VALUES (:public_id, 'Bench', '', 'date', {now}, {now})",
        public_id=ALBUM,
    )
    tx.execute(
        "INSERT INTO album_images (album_id, image_id, position, added_at)"
        " SELECT :album, id, id, {now} FROM images WHERE id % 100 = 0"
        " OR (id >= :first AND id <= :last AND id % 7 = :part) ORDER BY id",
        album=album,
        first=_MORE[0],
        last=_MORE[-1],
        part=_IN_ALBUM,
    )
    _fill_answers(tx)
    assert tx.row("SELECT COUNT(*) AS n FROM images") == {"n": rows}
    tx.execute(f"CREATE TABLE built_{_VERSION} (n INTEGER)")
