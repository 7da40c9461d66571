"""The zones of an existing network: none can be exchanged or taken out, and one can be added."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deploy.provision_account import REGION, Account, account, changed

pytestmark = pytest.mark.timeout(600)

A, B, C = (f"{REGION}{letter}" for letter in "abc")
THIRD: dict[str, Any] = {
    "network_zones": [A, B, C],
    "network_public_cidrs": ["10.20.0.0/24", "10.20.1.0/24", "10.20.2.0/24"],
    "network_private_cidrs": ["10.20.16.0/20", "10.20.32.0/20", "10.20.48.0/20"],
    "network_isolated_cidrs": ["10.20.8.0/24", "10.20.9.0/24", "10.20.10.0/24"],
}
OTHER_BLOCK = {"network_isolated_cidrs": ["10.20.8.0/24", "10.20.9.0/24", "10.20.11.0/24"]}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a network of two zones, to which a third one was added."""
    with account(tmp_path_factory.mktemp("zones")) as aws:
        for variables in ({}, THIRD):
            done = network(aws, **variables)
            assert 0 == done.returncode, done.stdout[-3000:]
        yield aws


def network(aws: Account, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
    """Run the role."""
    return aws.ansible("playbooks/provision.yml", "--tags", "network", *arguments, **variables)


def subnets(aws: Account) -> list[tuple[str, str, str]]:
    """Return ID, zone and name of each subnet."""
    found = aws.client("ec2").describe_subnets()["Subnets"]
    names = [{tag["Key"]: tag["Value"] for tag in each.get("Tags", [])}.get("Name", "") for each in found]
    return sorted(
        (each["SubnetId"], each["AvailabilityZone"], name) for each, name in zip(found, names, strict=True)
    )


@pytest.mark.parametrize(
    ("variables", "misplaced"),
    [
        (THIRD | {"network_zones": [A, C, B]}, "10.20.1.0/24 in us-east-1b, 10.20.10.0/24 in us-east-1c, "),
        ({}, "10.20.2.0/24 in us-east-1c, 10.20.48.0/20 in us-east-1c. AWS"),
        (THIRD | OTHER_BLOCK, " so: 10.20.10.0/24 in us-east-1c. AWS"),
    ],
    ids=["exchanged", "taken out", "another block"],
)
def test_zones_and_blocks_of_existing_subnets_are_required(
    aws: Account, variables: dict[str, Any], misplaced: str
) -> None:
    before = subnets(aws)
    done = network(aws, **variables)
    assert 0 != done.returncode
    assert misplaced in " ".join(done.stdout.split())
    assert [] == changed(done)
    assert before == subnets(aws)


def test_zone_can_be_added(aws: Account) -> None:
    assert {A, B, C} == {zone for _, zone, name in subnets(aws) if "network" in name}
