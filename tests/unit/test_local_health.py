"""The start of the functions' workers of `make run`: what fails becomes one sentence."""

from __future__ import annotations

import importlib

import pytest

from roles.local_cloud.files.emulator import HOST, free_port
from tests.zips import ROOT


def test_start_workers_without_an_emulator_says_which_function_does_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(ROOT / "roles/local_cloud/files")  # as run.py, which is a script, imports it
    health = importlib.import_module("health")
    root = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": f"http://{HOST}:{free_port()}",
    }
    with pytest.raises(health.WorkerFailed, match="function does not start: Could not"):
        health.start_workers(root, 1)
