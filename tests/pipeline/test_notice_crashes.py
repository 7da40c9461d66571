"""Kill the process at every moment of a batch: its owner gets one message, or two.

Nobody else gets one. On both databases.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database, open_database
from imgcore.db.migrations import migrate
from tests.pipeline.dying_life import LEASE

ROOT = Path(__file__).parents[2]
BATCH = "11111111-2222-3333-4444-555555555555"  # everybody's: an id of the caller's choice


@dataclass
class Lives:
    """A program that lives lives, and what comes of them."""

    database: Database
    letters: Path
    program: subprocess.Popen[str]

    def somebody(self) -> int:
        """A new account."""
        return (
            AccountRepository(self.database)
            .add(secrets.token_hex(16), secrets.token_hex(8), Role.PERSON, "x")
            .id
        )

    def live(self, owner: int, dies_at: int) -> str:
        """What the program said: killed, or how many moments there were."""
        assert self.program.stdin is not None
        assert self.program.stdout is not None
        asked = {"name": f"{owner:032}", "owner": owner, "batch": BATCH, "dies_at": dies_at}
        self.program.stdin.write(json.dumps(asked) + "\n")
        self.program.stdin.flush()
        return self.program.stdout.readline().strip()

    def sent(self) -> Counter[tuple[str, str]]:
        """How many letters there are, by owner and number of the notice."""
        lines = self.letters.read_text().splitlines() if self.letters.exists() else []
        return Counter(tuple(line.split()) for line in lines)  # type: ignore[misc]

    def owed(self) -> set[tuple[str, str]]:
        """Owner and number of every notice."""
        sql = "SELECT a.public_id, n.id FROM notices n JOIN accounts a ON a.id = n.owner_id"
        return {(row["public_id"], str(row["id"])) for row in self.database.read(lambda tx: tx.rows(sql))}


@pytest.fixture(params=["sqlite", "mariadb"])
def lives(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lives]:
    """A migrated database and the program at it."""
    url = (
        f"sqlite:///{tmp_path}/gallery.db"
        if request.param == "sqlite"
        else request.getfixturevalue("mariadb_url")
    )
    database = open_database(url)
    migrate(database)
    letters = tmp_path / "letters"
    command = [sys.executable, "-m", "tests.pipeline.dying_life", url, str(letters)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        yield Lives(database, letters, program)
        program.stdin.close()  # type: ignore[union-attr]
        assert program.wait(30) == 0
    database.close()


def test_killed_at_every_moment_nobody_is_forgotten(lives: Lives) -> None:
    """Each moment is the last of one process; another does what it has left."""
    lives.live(lives.somebody(), 0)  # the first one finds an empty gallery: it has other moments
    moments = int(lives.live(lives.somebody(), 0))
    ends: Counter[str] = Counter()
    for dies_at in range(1, moments + 1):
        owner = lives.somebody()
        ends[lives.live(owner, dies_at)] += 1
        time.sleep(2 * LEASE)
        assert lives.live(owner, 0).isdigit()  # and whatever was left of those before
    sent = lives.sent()

    print(f"killed at {moments} moments: {sum(sent.values())} letters for {len(sent)} batches")
    assert {"killed": moments} == dict(ends)
    assert (moments + 2, lives.owed()) == (len(sent), set(sent))
    assert {1, 2} == set(sent.values())
