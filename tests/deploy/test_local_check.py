"""A dry run where nothing is yet."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cloud import cloud
from tests.deploy.local_tools import PROBE, pack_probe, recap
from tests.deploy.recorder import Recorder, recording

pytestmark = pytest.mark.timeout(900)  # Ansible on a busy machine


@pytest.fixture(scope="module")
def dry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Recorder, str]]:
    """What was called, and what Ansible printed."""
    home = tmp_path_factory.mktemp("dry") / "home"
    pack_probe(home / "dist")
    with cloud(home) as aws, recording(aws.emulator.port) as door:
        yield door, aws.apply("--check", environ={"AWS_ENDPOINT_URL": door.endpoint}, **PROBE)


def test_check_mode_on_empty_cloud_writes_nothing(dry: tuple[Recorder, str]) -> None:
    assert len(dry[0].calls) > 10
    assert [] == dry[0].writes


def test_check_mode_on_empty_cloud_succeeds(dry: tuple[Recorder, str]) -> None:
    assert 0 == recap(dry[1])["failed"]


@pytest.mark.parametrize(
    "thing",
    [
        "the bucket caption-gallery-local-uploads",
        "the bucket caption-gallery-local-derived",
        "the topic caption-gallery-local-uploads",
        "the topic caption-gallery-local-notices",
        "thumbnail and caption with roles, logs and a schedule",
        "caption-gallery-local-operator with a policy and a key",
        "caption-gallery-local-gallery with a policy and a key",
    ],
)
def test_check_mode_on_empty_cloud_reports_resources(dry: tuple[Recorder, str], thing: str) -> None:
    assert f"Would create {thing}" in dry[1]
