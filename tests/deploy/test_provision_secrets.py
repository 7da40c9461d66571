"""Values that were made up for this run are nowhere but in Secrets Manager, after a run that tells all."""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path

import pytest

from tests.cloud import ROOT
from tests.deploy.leaks import cloud, files, leaks
from tests.deploy.provision_account import CANARY, PREFIX, Account, History
from tests.support.ansible import ansible

pytestmark = pytest.mark.timeout(1800)

GENERATED = ("database/master", "database/migrate", "database/app", "web")


@pytest.fixture(scope="module")
def canaries(provisioned: Account) -> list[str]:
    """Gemini's key, and the passwords and the key that the role secrets made."""
    client = provisioned.client("secretsmanager")
    held = [client.get_secret_value(SecretId=f"{PREFIX}/{name}")["SecretString"] for name in GENERATED]
    return [CANARY, *(json.loads(each)["password"] for each in held)]


def test_gemini_secret_contains_the_key(provisioned: Account) -> None:
    held = provisioned.client("secretsmanager").get_secret_value(SecretId=f"{PREFIX}/gemini")
    assert CANARY == held["SecretString"]


def test_passwords_are_long_and_different(canaries: list[str]) -> None:
    assert [40, 40, 40, 40] == [len(password) for password in set(canaries[1:])]


def test_ansible_output_contains_no_secret(history: History, canaries: list[str]) -> None:
    runs = {"first": history.first, "again": history.again}
    assert [] == leaks(canaries, ((name, (run.stdout + run.stderr).encode()) for name, run in runs.items()))


def test_tracked_files_contain_no_secret(canaries: list[str]) -> None:
    assert [] == leaks(canaries, files(ROOT))


def test_local_files_contain_no_secret(provisioned: Account, canaries: list[str]) -> None:
    assert [] == leaks(canaries, files(provisioned.home, but=["state"]))
    assert [] == leaks(canaries, files(ansible().packed))


def test_cloud_resources_contain_no_secret(provisioned: Account, canaries: list[str]) -> None:
    assert [] == leaks(canaries, cloud(provisioned))


def test_search_finds_a_secret_in_a_log(provisioned: Account, canaries: list[str]) -> None:
    logs, asked = provisioned.client("logs"), {"logGroupName": f"/{PREFIX}/web", "logStreamName": "seeded"}
    logs.create_log_stream(**asked)
    event = {"timestamp": int(time.time() * 1000), "message": f"the key is {CANARY}"}
    logs.put_log_events(**asked, logEvents=[event])
    try:
        assert [f"log /{PREFIX}/web"] == leaks(canaries, cloud(provisioned))
    finally:
        logs.delete_log_stream(**asked)


def test_search_finds_a_secret_in_a_function_environment(provisioned: Account, canaries: list[str]) -> None:
    name = f"{PREFIX}-thumbnail"
    client = provisioned.client("lambda")
    kept = client.get_function_configuration(FunctionName=name)["Environment"]
    seeded = {"Variables": kept["Variables"] | {"DB_PASSWORD": canaries[1]}}
    client.update_function_configuration(FunctionName=name, Environment=seeded)
    try:
        assert [f"lambda/{name}"] == leaks(canaries, cloud(provisioned))
    finally:
        client.update_function_configuration(FunctionName=name, Environment=kept)


def test_search_finds_a_secret_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "function.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("settings.json", json.dumps({"key": CANARY}))
    assert ["function.zip/settings.json"] == leaks([CANARY], files(tmp_path))
