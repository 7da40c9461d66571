"""Which test files run in the same pytest-xdist worker, and which begin first.

A worker makes its own copy of a session fixture. Files that share an expensive one (an account that site.yml
has converged, a cloud that local.yml has been applied to) are one group and run in one worker. Every other file
is a group of its own. Groups start in the order of ``LONGEST_FIRST``, the others in the random order of
pytest-randomly: a long group that starts last would run alone at the end.
"""

from __future__ import annotations

import fnmatch

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadscope import LoadScopeScheduling

# Name of the group → patterns of its files, from the repository's root.
GROUPS = {
    "AWS account": (
        "tests/deploy/test_bastion.py",
        "tests/deploy/test_provision.py",
        "tests/deploy/test_provision_constraints.py",
        "tests/deploy/test_provision_operations.py",
        "tests/deploy/test_provision_secrets.py",
        "tests/deploy/test_security_checklist.py",
        "tests/deploy/test_security_identities.py",
        "tests/deploy/test_security_operator.py",
        "tests/deploy/test_teardown.py",
    ),
    "buckets and queues": ("tests/contract/test_storage*.py",),
    "local cloud": (
        "tests/deploy/test_local_identities.py",
        "tests/deploy/test_local_notices.py",
        "tests/deploy/test_local_roles.py",
    ),
}
LONGEST_FIRST = (
    "AWS account",
    "tests/browser/test_whole.py",
    "tests/deploy/test_local_run.py",
    "tests/deploy/test_fleet.py",
    "tests/pipeline/test_deliveries.py",
    "local cloud",
)
# Fixtures that destroy what their group shares: the tests that use one run last in it.
DESTROYING = ("ids_after_stop", "listed")


def group_of(file: str) -> str:
    """Return the group of a test file, given by its path from the repository's root."""
    for name, patterns in GROUPS.items():
        if any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns):
            return name
    return file


class GroupScheduling(LoadScopeScheduling):
    """Give each worker a whole group at a time."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    """Use the groups above in every run with workers."""
    return GroupScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the longest groups to the front and the tests that destroy something to the end of their group.

    The sort is stable: all else stays in the random order that pytest-randomly has made.
    """
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}

    def rank(item: pytest.Item) -> tuple[int, bool]:
        first = ranks.get(group_of(item.nodeid.partition("::")[0]), len(ranks))
        return first, bool(set(DESTROYING) & set(getattr(item, "fixturenames", ())))

    items.sort(key=rank)
