"""What site.yml made, as AWS's own calls describe it, against the checklist; and whether that can say no."""

from __future__ import annotations

import pytest

from tests.deploy import (
    security_checks_edge,
    security_checks_events,
    security_checks_functions,
    security_checks_network,
    security_checks_roles,
    security_checks_storage,
)
from tests.deploy.provision_account import ENV, PROJECT, Account
from tests.deploy.security_faults import FAULTS, Fault
from tests.deploy.security_look import Look
from tests.deploy.security_rules import CHECKS, Check, seeded
from tests.deploy.security_snapshot import Snapshot, retake, take

pytestmark = pytest.mark.timeout(1800)  # the account is made by Ansible on a busy machine

PARTS = (
    security_checks_edge,
    security_checks_events,
    security_checks_functions,
    security_checks_network,
    security_checks_roles,
    security_checks_storage,
)


@pytest.fixture(scope="module")
def found(provisioned: Account) -> Snapshot:
    """The account that site.yml was run in."""
    return take(Look(provisioned.client, PROJECT, ENV))


def every(checks: dict[str, Check]) -> pytest.MarkDecorator:
    """One test for each."""
    return pytest.mark.parametrize("check", checks.values(), ids=checks)


@every(CHECKS)
def test_the_account_is_as_the_check_wants_it(found: Snapshot, check: Check) -> None:
    """Nothing to complain of."""
    assert [] == check.complaints(found)


@every(CHECKS)
def test_the_check_finds_its_fault(found: Snapshot, check: Check) -> None:
    """In a copy of what was described."""
    assert [] != check.complaints(seeded(found, check.seed))


def test_the_fault_of_one_check_stays_in_its_copy(found: Snapshot) -> None:
    """Otherwise the next check would find the fault of the one before."""
    before = repr(found)
    for check in CHECKS.values():
        seeded(found, check.seed)
    assert before == repr(found)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_that_was_really_made_is_found(found: Snapshot, fault: Fault) -> None:
    """Made by a call, described anew, found by its check; mended, and nothing is left of it."""
    check = CHECKS[fault.check]
    fault.make(found)
    try:
        complaints = check.complaints(retake(found.look, found, *fault.sections))
    finally:
        fault.mend(found)
    assert [] != complaints
    assert [] == check.complaints(retake(found.look, found, *fault.sections))


def test_every_part_of_the_checklist_is_asked() -> None:
    """Each module enters its checks by being imported."""
    entered = {check.judge.__module__ for check in CHECKS.values()}
    assert {part.__name__ for part in PARTS} == entered


@pytest.mark.parametrize(
    ("user", "privileges"),
    [
        ("gallery_app", {"SELECT", "INSERT", "UPDATE", "DELETE"}),
        (
            "gallery_migrate",
            {
                "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "INDEX", "REFERENCES",
                "CREATE VIEW", "SHOW VIEW",
            },
        ),
    ],
)  # fmt: skip
def test_the_users_of_the_database_may_do_what_they_do(
    provisioned: Account, user: str, privileges: set[str]
) -> None:
    """On the one database, over TLS, and nothing anywhere else."""
    (usage,), (grants,) = provisioned.server.sql(f"SHOW GRANTS FOR {user}@'%'")
    assert usage.startswith("GRANT USAGE ON *.* TO ")
    assert usage.endswith("REQUIRE SSL")
    head, _, rest = grants.removeprefix("GRANT ").partition(" ON ")
    assert privileges == {each.strip() for each in head.split(",")}
    assert rest.startswith("`gallery`.* TO ")
    assert "GRANT OPTION" not in rest
