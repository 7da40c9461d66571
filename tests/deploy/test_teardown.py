"""playbooks/destroy.yml, last of all: it says what it would remove, asks, and leaves an empty account."""

from __future__ import annotations

import subprocess

import pytest

from tests.deploy.described import Described, differences
from tests.deploy.provision_account import ID, PREFIX, PROJECT, Account, History

pytestmark = pytest.mark.timeout(1800)

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def listed(provisioned: Account) -> list[str]:
    """Create what is to be removed, including objects in several versions."""
    s3, bucket = provisioned.client("s3"), f"{PREFIX}-uploads-{ID}"
    for body in (b"first", b"second"):
        s3.put_object(Bucket=bucket, Key="raw/there.jpg", Body=body)
    s3.delete_object(Bucket=bucket, Key="raw/there.jpg")
    s3.put_object(Bucket=f"{PREFIX}-derived-{ID}", Key="thumbnails/there", Body=b"x")
    return [f"{item['kind']} {item['name']}" for item in provisioned.resources()]


@pytest.fixture(scope="module")
def refused(history: History, listed: list[str]) -> tuple[Done, list[str]]:
    """A run that confirms another project, and what changed by it."""
    done = history.aws.ansible("playbooks/destroy.yml", confirm="another-project")
    return done, differences(history.described, history.aws.described())


@pytest.fixture(scope="module")
def destroyed(history: History, refused: object) -> tuple[Done, Described]:
    """A run that confirms this one, and what the account holds afterwards."""
    done = history.aws.ansible("playbooks/destroy.yml", confirm=PROJECT)
    return done, history.aws.described()


def test_destroy_without_confirmation_deletes_nothing(refused: tuple[Done, list[str]]) -> None:
    assert 0 != refused[0].returncode
    assert f"-e confirm={PROJECT}" in refused[0].stdout + refused[0].stderr
    assert [] == refused[1]


def test_destroy_lists_every_resource(refused: tuple[Done, list[str]], listed: list[str]) -> None:
    assert [] == [name for name in listed if name not in refused[0].stdout]


def test_destroy_succeeds_and_names_the_snapshot(destroyed: tuple[Done, Described]) -> None:
    assert 0 == destroyed[0].returncode, destroyed[0].stdout[-3000:] + destroyed[0].stderr[-2000:]
    assert f"No billable resource is left except {PREFIX}-final-" in destroyed[0].stdout


def test_destroy_leaves_an_empty_account(history: History, destroyed: tuple[Done, Described]) -> None:
    assert 0 == destroyed[0].returncode
    left = differences(history.empty, destroyed[1])
    assert [] == [line for line in left if not line.startswith(f"rds/snapshot/{PREFIX}-final-")]


def test_destroy_keeps_one_snapshot(destroyed: tuple[Done, Described]) -> None:
    assert 1 == len([key for key in destroyed[1] if key.startswith(f"rds/snapshot/{PREFIX}-final-")])


def test_search_after_destroy_finds_only_the_snapshot(
    provisioned: Account, destroyed: tuple[Done, Described]
) -> None:
    assert 0 == destroyed[0].returncode
    bills = {item["kind"] for item in provisioned.resources() if item["bills"]}
    assert {"database_snapshot"} == bills
