"""How long the repository takes, at a thousand rows and at many: python -m tests.load.bench_repository [ROWS]

Prints one JSON object a line: the median of 21 of each question, in milliseconds, on SQLite and on a private
MariaDB, and the ratio; and how many photos a second go all the way (received, both tasks claimed and finished)
through four threads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tqdm import tqdm

from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from imgcore.gallery.models import TaskKind
from tests.contract.images import arrived, claim, described, finish, multiply
from tests.mariadb import mariadb
from tests.support.repositories import Repositories

SMALL = 1000
ROUNDS = 21
THREADS = 4
SEARCHES = {
    "a word of none": "zebra",
    "a word of few": "rare",
    "a frequent word": "ginger",
    "two frequent words": "ginger wall",
    "a frequent word and a rare one": "ginger rare",
    "a prefix": "gin",
    "a phrase": '"ginger cat"',
    "a frequent word without a rare one": "ginger -rare",
}
WAY = 400  # photos that go all the way


def grow(database: Database, repositories: Repositories, size: int) -> None:
    """Add finished photos until there are ``size``; one in some seven hundred has a rare word."""
    if repositories.pages.page(cursor=None, limit=1, query=None).images == ():
        for name in ("rare harbour.jpg", *["cat.jpg"] * 99):
            image = described(repositories, name)
            finish(repositories, image, claim(repositories, image, TaskKind.THUMBNAIL))
    with tqdm(total=size, desc=f"{database.dialect.name} rows", leave=False) as bar:
        for rows in multiply(database.with_timeout(600), size):
            bar.update(rows - bar.n)
    hide = "DELETE FROM words WHERE word IN ('rare', 'harbour') AND image_id % 7 > 0"
    database.with_timeout(600).run(lambda tx: tx.execute(hide))


def questions(repositories: Repositories) -> dict[str, Callable[[], object]]:
    """What is asked, under the name that the table shows."""
    middle, public_id = (
        _middle(repositories),
        repositories.pages.page(cursor=None, limit=1, query=None).images[0].public_id,
    )
    return {
        "first page of 50": lambda: repositories.pages.page(cursor=None, limit=50, query=None),
        "page of 50 from the middle": lambda: repositories.pages.page(cursor=middle, limit=50, query=None),
        "one photo": lambda: repositories.images.get(public_id),
        **{
            f"search, {what}": partial(repositories.pages.page, cursor=None, limit=50, query=query)
            for what, query in SEARCHES.items()
        },
        "page from the cache's key": lambda: repositories.pages.page_versions(
            cursor=None, limit=50, query=None
        ),
        "sweep (due, exhausted, no event)": lambda: _sweep(repositories),
    }


def _middle(repositories: Repositories) -> str | None:
    from imgcore.db.pages import encode_cursor

    return encode_cursor(repositories.pages.page(cursor=None, limit=1, query=None).images[0].id // 2)


def _sweep(repositories: Repositories) -> None:
    repositories.sweep.due_tasks(within=60, lost_after=300, again_after=300, limit=500)
    repositories.sweep.fail_exhausted_tasks(max_attempts=5)
    repositories.sweep.uploads_without_event(lost_after=300, again_after=300, limit=500)


def median(question: Callable[[], object]) -> float:
    """Milliseconds."""
    question()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        question()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1000, 2)


def throughput(repositories: Repositories) -> float:
    """Photos a second, all the way."""

    def way(_: int) -> None:
        image = arrived(repositories)
        for kind in TaskKind:
            finish(repositories, image, claim(repositories, image, kind))

    start = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(way, range(WAY)))
    return WAY / (time.perf_counter() - start)


@contextmanager
def databases() -> Iterator[list[Database]]:
    """Both, migrated."""
    with tempfile.TemporaryDirectory() as folder, mariadb() as server, server.database() as url:
        opened = [open_database(f"sqlite:///{Path(folder)}/bench.db"), open_database(url)]
        for database in opened:
            migrate(database)
        yield opened
        for database in opened:
            database.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="?", type=int, default=200_000)
    rows = parser.parse_args().rows
    with databases() as opened:
        for database in opened:
            repositories = Repositories(database)
            small, large = ([*_measured(database, repositories, size)] for size in (SMALL, rows))
            for (name, few), (_, many) in zip(small, large, strict=True):
                _print(database, what=name, ms={SMALL: few, rows: many}, ratio=round(many / few, 2))
            _print(database, what="all the way", photos_per_second=round(throughput(repositories)))


def _print(database: Database, **row: object) -> None:
    print(json.dumps({"database": database.dialect.name} | row), flush=True)


def _measured(database: Database, repositories: Repositories, size: int) -> Iterator[tuple[str, float]]:
    grow(database, repositories, size)
    for name, question in questions(repositories).items():
        yield name, median(question)


if __name__ == "__main__":
    main()
