"""The account that site.yml made, as AWS describes it, against the checklist; and whether that can fail."""

from __future__ import annotations

import pytest

from tests.deploy import (
    security_checks_cloudfront,
    security_checks_edge,
    security_checks_events,
    security_checks_fleet,
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
    security_checks_cloudfront,
    security_checks_edge,
    security_checks_events,
    security_checks_fleet,
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
def test_check_passes_on_the_account(found: Snapshot, check: Check) -> None:
    assert [] == check.complaints(found)


@every(CHECKS)
def test_check_finds_its_seeded_fault(found: Snapshot, check: Check) -> None:
    assert [] != check.complaints(seeded(found, check.seed))


def test_seeded_fault_does_not_change_the_snapshot(found: Snapshot) -> None:
    before = repr(found)
    for check in CHECKS.values():
        seeded(found, check.seed)
    assert before == repr(found)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault_in_the_account_is_found_and_repaired(found: Snapshot, fault: Fault) -> None:
    check = CHECKS[fault.check]
    fault.make(found)
    try:
        complaints = check.complaints(retake(found.look, found, *fault.sections))
    finally:
        fault.mend(found)
    assert [] != complaints
    assert [] == check.complaints(retake(found.look, found, *fault.sections))


def test_checklist_includes_every_module() -> None:
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
def test_database_users_have_the_required_privileges_only(
    provisioned: Account, user: str, privileges: set[str]
) -> None:
    (usage,), (grants,) = provisioned.server.sql(f"SHOW GRANTS FOR {user}@'%'")
    assert usage.startswith("GRANT USAGE ON *.* TO ")
    assert usage.endswith("REQUIRE SSL")
    head, _, rest = grants.removeprefix("GRANT ").partition(" ON ")
    assert privileges == {each.strip() for each in head.split(",")}
    assert rest.startswith("`gallery`.* TO ")
    assert "GRANT OPTION" not in rest
