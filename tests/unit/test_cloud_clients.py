"""The AWS clients of the tests' private cloud."""

from __future__ import annotations

from pathlib import Path

from roles.local_cloud.files.emulator import Emulator
from tests.cloud import Cloud


def test_client_is_created_once_for_each_service_and_credentials(tmp_path: Path) -> None:
    cloud = Cloud(Emulator(tmp_path, 1, "key", "secret"))
    other = cloud.root | {"AWS_ACCESS_KEY_ID": "another"}
    clients = [cloud.client("sts"), cloud.client("sqs"), cloud.client("sts", other)]

    assert clients == [cloud.client("sts"), cloud.client("sqs"), cloud.client("sts", other)]
    assert 3 == len({id(client) for client in clients})
    assert cloud.client("sts") is not Cloud(cloud.emulator).client("sts")
