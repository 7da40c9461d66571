"""Every order of events of one image, explored: the fence and the derived end are needed, and enough.

The model has both tasks, two workers for each, and whatever may happen at any moment: a claim by a first or a
duplicate delivery, a crash, a lease running out under a worker that goes on all the same, a transient failure,
a commit, the sweeper giving up. It is small enough to visit every state. That the repository keeps these rules
is held by the contract suite, which walks through this model side by side with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

import pytest

MAX_ATTEMPTS = 3
KINDS = WORKERS = range(2)
ENDED = frozenset({"done", "failed"})

Status = Literal["pending", "processing", "retry", "done", "failed"]
Phase = Literal["idle", "working", "ready", "telling"]  # telling: committed, the end not yet reported


class Task(NamedTuple):
    """A row of the tasks table; ``owner`` stands for the token of the lease."""

    status: Status = "pending"
    owner: int | None = None
    alive: bool = False  # the lease
    attempts: int = 0

    @property
    def claimable(self) -> bool:
        return self.status in ("pending", "retry") or (self.status == "processing" and not self.alive)


class State(NamedTuple):
    """One image: rows, workers, and how often its end was seen."""

    tasks: tuple[Task, ...] = (Task(), Task())
    phases: tuple[tuple[Phase, ...], ...] = (("idle", "idle"), ("idle", "idle"))
    notices: int = 0

    @property
    def over(self) -> bool:
        """Both tasks have ended and it was reported once."""
        return all(task.status in ENDED for task in self.tasks) and self.notices == 1

    def task(self, kind: int, **changes: object) -> State:
        tasks = list(self.tasks)
        tasks[kind] = tasks[kind]._replace(**changes)
        return self._replace(tasks=tuple(tasks))

    def worker(self, kind: int, worker: int, phase: Phase) -> State:
        phases = [list(row) for row in self.phases]
        phases[kind][worker] = phase
        return self._replace(phases=tuple(map(tuple, phases)))


class Step(NamedTuple):
    """Something that may happen next, and what it leads to."""

    name: str
    kind: int
    worker: int | None
    after: State


class Rules(NamedTuple):
    """What the repository does; without either, something must go wrong."""

    fence: bool = True  # a commit counts only while the row holds the worker's own token
    derived: bool = True  # the end is derived from the tasks; else a worker reports it after its commit

    def end(self, state: State, kind: int, status: Status) -> State:
        ended = state.task(kind, status=status, owner=None, alive=False)
        return self.tell(ended) if self.derived else ended

    @staticmethod
    def tell(state: State) -> State:
        """See the end once, where both tasks have ended."""
        if all(task.status in ENDED for task in state.tasks):
            return state._replace(notices=max(1, state.notices))
        return state

    def steps(self, state: State) -> Iterator[Step]:
        """All that may happen next."""
        for kind in KINDS:
            task = state.tasks[kind]
            if task.alive:
                yield Step("time passes", kind, None, state.task(kind, alive=False))
            if task.status == "processing" and not task.alive and task.attempts == MAX_ATTEMPTS:
                given_up = state.task(kind, status="failed", owner=None)
                yield Step("give up", kind, None, self.tell(given_up))
            for worker in WORKERS:
                for name, after in self._worker(state, kind, worker):
                    yield Step(name, kind, worker, after)

    def _worker(self, state: State, kind: int, worker: int) -> Iterator[tuple[str, State]]:
        task, phase = state.tasks[kind], state.phases[kind][worker]
        free = state.worker(kind, worker, "idle")
        if phase != "idle":
            yield "crash", free
        elif task.claimable and task.attempts < MAX_ATTEMPTS:
            claimed = state.task(
                kind, status="processing", owner=worker, alive=True, attempts=task.attempts + 1
            )
            yield "claim", claimed.worker(kind, worker, "working")
        if phase == "telling":
            yield "tell", self.tell(free)
        elif phase in ("working", "ready"):
            mine = not self.fence or (task.status == "processing" and task.owner == worker)
            if not mine:
                yield "fenced", free
            elif phase == "ready":
                done = self.end(state, kind, "done")
                yield "commit", done.worker(kind, worker, "idle" if self.derived else "telling")
            else:
                yield "work", state.worker(kind, worker, "ready")
                if task.attempts < MAX_ATTEMPTS:
                    yield "park", free.task(kind, status="retry", owner=None, alive=False)
                else:
                    yield "fail", self.end(free, kind, "failed")


def wrongs(before: State, name: str, after: State) -> Iterator[str]:
    """What must never happen in one step."""
    if after.notices > 1:
        yield "reported twice"
    for old, new in zip(before.tasks, after.tasks, strict=True):
        if old.status in ENDED and new != old:
            yield "ended task changed"
        if new.status == "processing" and (new.owner is None or new.attempts > MAX_ATTEMPTS):
            yield "work of nobody"
        if name == "commit" and old != new and not (old.status == "processing" and new.status == "done"):
            yield "result of a stranger"


def explore(rules: Rules) -> tuple[int, Counter[str]]:
    """Visit every state; how many there are, and what went wrong how often."""
    start = State()
    reached_from: dict[State, list[State]] = {start: []}
    found: Counter[str] = Counter()
    todo = [start]
    while todo:
        state = todo.pop()
        for name, _, _, after in rules.steps(state):
            found.update(wrongs(state, name, after))
            if after not in reached_from:
                reached_from[after] = []
                todo.append(after)
            reached_from[after].append(state)
    hopeful = {state for state in reached_from if state.over}
    todo = list(hopeful)
    while todo:
        for state in reached_from[todo.pop()]:
            if state not in hopeful:
                hopeful.add(state)
                todo.append(state)
    found["never over"] = len(reached_from) - len(hopeful)
    return len(reached_from), +found


def test_fence_and_derived_end_prevent_every_fault() -> None:
    """No state and no step violates a rule, and every state can reach a good end."""
    states, found = explore(Rules())

    assert Counter() == found
    assert states > 10_000


@pytest.mark.parametrize(
    ("rules", "wrong"),
    [(Rules(fence=False), "ended task changed"), (Rules(derived=False), "never over")],
    ids=["without the fence", "without the derived end"],
)
def test_without_either_something_goes_wrong(rules: Rules, wrong: str) -> None:
    """A zombie overwrites what is done; a crash after the commit loses the report for ever."""
    _, found = explore(rules)

    assert found[wrong] > 0
