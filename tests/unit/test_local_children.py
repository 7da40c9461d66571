"""The child processes of `make run`: the message of a time-out."""

from __future__ import annotations

from pathlib import Path

import pytest

from roles.local_cloud.files.children import Children, ProcessFailed


def test_wait_timeout_names_the_condition_and_the_logs(tmp_path: Path) -> None:
    with Children(tmp_path) as children, pytest.raises(ProcessFailed) as failed:
        children.wait(lambda: False, "the gallery", 0)
    assert f"Timed out after 0 seconds, waiting for the gallery. See the logs in {tmp_path}." == str(
        failed.value
    )
