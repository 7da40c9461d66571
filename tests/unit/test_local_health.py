"""The start of the functions' workers of `make run`: what fails becomes one sentence."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from roles.local_cloud.files.emulator import HOST, free_port
from tests.zips import ROOT


@pytest.fixture
def health(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the module, imported as run.py imports it, which is a script."""
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")
    return importlib.import_module("health")


def test_start_workers_without_an_emulator_says_which_function_does_not_start(health: Any) -> None:
    root = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{free_port()}",
    }
    with pytest.raises(health.WorkerFailed, match="function does not start: Could not"):
        health.start_workers(root, 1)


def test_clients_of_one_key_share_a_session(health: Any) -> None:
    """A session reads the list of all services, which takes longer than all else of the check."""
    environ = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{HOST}:9",
    }
    before = health._session.cache_info()
    for service, key in (("s3", "made-up"), ("sns", "made-up"), ("sts", "another")):
        health.client(service, environ | {"AWS_ACCESS_KEY_ID": key})
    after = health._session.cache_info()
    assert (2, 1) == (after.misses - before.misses, after.hits - before.hits)
