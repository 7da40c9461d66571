"""The repository keeps the rules of the model: both take the same random walks, and stand at the same place."""

from __future__ import annotations

import random

import pytest

from imgcore.db.connection import Database
from imgcore.gallery.models import Image, TaskKind, TaskStatus
from imgcore.pipeline.models import Claim
from tests.contract.images import arrived, finish, settled
from tests.support.repositories import Repositories
from tests.unit.test_lease_model import MAX_ATTEMPTS, WORKERS, Rules, State, Step

KINDS = list(TaskKind)


class Walk:
    """One image in the database, and the claims that its workers hold."""

    def __init__(self, repositories: Repositories, database: Database) -> None:
        self.repositories = repositories
        self.database = database
        self.image: Image = arrived(repositories)
        self.claims: dict[tuple[int, int], Claim] = {}

    def take(self, step: Step, before: State) -> bool:
        """Do what the step says; whether the repository allowed it."""
        match step.name:
            case "time passes":
                return self._age(step.kind)
            case (
                "give up"
            ):  # as a delivery does that finds no attempt left; the sweeper gives up all such tasks
                return not self._claim(step.kind, None)
            case "claim":
                return self._claim(step.kind, step.worker)
            case "crash" | "work":
                return True
        assert step.worker is not None
        return self._store(step, self.claims[step.kind, step.worker], before)

    def _age(self, kind: int) -> bool:
        sql = (
            "UPDATE tasks SET lease_until = {ago:age}"
            " WHERE image_id = :id AND kind = :kind AND status = 'processing'"
        )
        return bool(
            self.database.run(
                lambda tx: tx.execute(sql, age=1_000_000, id=self.image.id, kind=KINDS[kind].value)
            )
        )

    def _claim(self, kind: int, worker: int | None) -> bool:
        key = self.image.image_key
        claimed = self.repositories.tasks.claim(key, KINDS[kind], lease=3600, max_attempts=MAX_ATTEMPTS)
        if claimed is None or worker is None:
            return False
        self.claims[kind, worker] = claimed
        return True

    def _store(self, step: Step, claimed: Claim, before: State) -> bool:
        said = {"code": "c", "message": "M."}
        if step.name == "park":
            return self.repositories.tasks.park(claimed, **said, delay=0, refund=False)
        if step.name == "fail":
            return self.repositories.tasks.fail(claimed, TaskStatus.FAILED, **said)
        stored = finish(self.repositories, self.image, claimed)
        return not stored if step.name == "fenced" else stored

    def place(self) -> list[tuple[str, int, int | None, bool]]:
        """Return the state of the database in terms of the model."""
        sql = (
            "SELECT kind, status, attempts, lease_token, lease_until > {now} AS alive"
            " FROM tasks WHERE image_id = :id"
        )
        rows = {row["kind"]: row for row in self.database.read(lambda tx: tx.rows(sql, id=self.image.id))}
        return [self._row(kind, rows[KINDS[kind].value]) for kind in range(len(KINDS))]

    def _row(self, kind: int, row: dict[str, object]) -> tuple[str, int, int | None, bool]:
        owners = [
            worker
            for worker in WORKERS
            if (kind, worker) in self.claims and self.claims[kind, worker].token == row["lease_token"]
        ]
        return str(row["status"]), int(str(row["attempts"])), owners[0] if owners else None, bool(row["alive"])


@pytest.mark.parametrize("seed", range(40))
def test_the_repository_walks_with_the_model(repositories: Repositories, database: Database, seed: int) -> None:
    """Forty steps: the same are allowed, and rows, owners, attempts and ends agree after each."""
    rng = random.Random(seed)
    walk, state, rules = Walk(repositories, database), State(), Rules()
    for _ in range(40):
        steps = list(rules.steps(state))
        if not steps:
            break
        step = rng.choice(steps)

        assert walk.take(step, state), step

        state = step.after
        assert [(task.status, task.attempts, task.owner, task.alive) for task in state.tasks] == walk.place()
        assert state.notices == settled(database).count(walk.image.id)
