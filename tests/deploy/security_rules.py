"""How a check is written: what it asks of a snapshot, and the smallest fault that it must find.

::

    @check(put("buckets", ANY, "versioning", value=""))
    def uploads_are_versioned(found):
        \"\"\"What was overwritten or deleted can be had again.\"\"\"
        return [name for name in uploads(found) if found.buckets[name]["versioning"] != "Enabled"]

A check returns what is wrong, by name; nothing where all is well. ``seeded`` applies its fault to a copy.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.deploy.security_snapshot import Snapshot

Judge = Callable[[Snapshot], Iterable[str]]
Seed = Callable[[Snapshot], None]
ANY = object()  # a step of a path: whatever comes first


@dataclass(frozen=True)
class Check:
    """A question to a snapshot, and the fault that shows that it can be answered with no."""

    name: str
    judge: Judge
    seed: Seed

    def complaints(self, found: Snapshot) -> list[str]:
        """What is wrong."""
        return sorted(self.judge(found))


CHECKS: dict[str, Check] = {}


def check(seed: Seed) -> Callable[[Judge], Judge]:
    """Enter a function among the checks."""

    def enter(judge: Judge) -> Judge:
        assert judge.__name__ not in CHECKS
        CHECKS[judge.__name__] = Check(judge.__name__, judge, seed)
        return judge

    return enter


def seeded(found: Snapshot, seed: Seed) -> Snapshot:
    """A copy with the fault in it."""
    fields = {name: copy.deepcopy(value) for name, value in vars(found).items() if name != "look"}
    changed = replace(found, **fields)
    seed(changed)
    return changed


def put(*path: Any, value: Any) -> Seed:
    """The fault of another value in that place."""

    def seed(found: Snapshot) -> None:
        place = _walk(found, path[:-1])
        place[_key(place, path[-1])] = value

    return seed


def add(*path: Any, value: Any) -> Seed:
    """The fault of one more item in that list."""
    return lambda found: _walk(found, path).append(value)


def drop(*path: Any) -> Seed:
    """The fault of nothing in that place."""

    def seed(found: Snapshot) -> None:
        place = _walk(found, path[:-1])
        del place[_key(place, path[-1])]

    return seed


def both(*seeds: Seed) -> Seed:
    """One fault after the other."""

    def seed(found: Snapshot) -> None:
        for each in seeds:
            each(found)

    return seed


def _walk(found: Snapshot, path: tuple[Any, ...]) -> Any:
    place = getattr(found, path[0])
    for step in path[1:]:
        place = place[_key(place, step)]
    return place


def _key(place: Any, step: Any) -> Any:
    """A step of a path as a key: ``ANY`` is the first; ``~word`` the first whose name ends with it."""
    if step is ANY:
        return 0 if isinstance(place, list) else next(iter(place))
    if isinstance(step, str) and step.startswith("~"):
        return next(key for key in place if key.endswith(step[1:]))
    return step


def many(value: Any) -> list[Any]:
    """A policy's value, which may stand alone, as a list."""
    return value if isinstance(value, list) else [value]


def allowing(policy: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The statements that grant something."""
    return (statement for statement in many(policy["Statement"]) if statement["Effect"] == "Allow")


def refuses_plain_http(policy: dict[str, Any], action: str, *resources: str) -> bool:
    """Whether everybody is denied that action on those resources without TLS."""
    return any(
        statement["Effect"] == "Deny"
        and statement["Principal"] in ("*", {"AWS": "*"})
        and action in many(statement["Action"])
        and set(resources) <= set(many(statement["Resource"]))
        and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in many(policy["Statement"])
    )


def services(statement: dict[str, Any]) -> list[str]:
    """The services among those to whom a statement grants something."""
    principal = statement.get("Principal", {})
    return many(principal.get("Service", [])) if isinstance(principal, dict) else []


def anybody(statement: dict[str, Any]) -> bool:
    """Whether a statement grants something to the whole world, or to another account's root."""
    principal = statement.get("Principal", {})
    return principal == "*" or (isinstance(principal, dict) and bool(principal.get("AWS")))


def condition(statement: dict[str, Any], key: str) -> list[str]:
    """The values that a condition key must have, whichever operator compares it; none where nothing does."""
    found = statement.get("Condition", {}).values()
    return [
        value
        for tests in found
        for name, values in tests.items()
        if name.lower() == key
        for value in many(values)
    ]
