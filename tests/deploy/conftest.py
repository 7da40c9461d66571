"""The roles applied to an emulator of their own, with a probe in place of the functions' code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.cloud import Cloud, cloud
from tests.deploy.local_tools import DERIVED, PROBE, SECRET, UPLOADS, pack_probe
from tests.deploy.provision_account import CANARY, Account, History, account, now
from tests.deploy.recorder import Recorder, recording
from tests.support.ansible import api_calls

SEED = 2  # of AWS's slowness; tests/drills/slow_aws.py tries others


@dataclass(frozen=True)
class Applied:
    """A cloud with everything on it, the door through which Ansible comes, and what its first run printed."""

    aws: Cloud
    door: Recorder
    said: str

    def again(self, *arguments: str) -> str:
        """Run the playbook once more, as it was run; what Ansible printed."""
        return self.aws.apply(*arguments, environ={"AWS_ENDPOINT_URL": self.door.endpoint}, **PROBE)


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Applied]:
    """The roles, applied, and a few objects and secrets to be tempted by."""
    home = tmp_path_factory.mktemp("deploy") / "home"
    pack_probe(home / "dist")
    with cloud(home) as aws, recording(aws.emulator.port) as door:
        said = aws.apply(environ={"AWS_ENDPOINT_URL": door.endpoint}, **PROBE)
        for bucket, key in (
            (UPLOADS, "raw/there.jpg"),
            (UPLOADS, "elsewhere.jpg"),
            (DERIVED, "thumbnails/there"),
            (DERIVED, "display/there"),
        ):
            aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")
        for name in (SECRET, "another-secret"):
            aws.client("secretsmanager").create_secret(Name=name, SecretString="made up")
        aws.client("s3").create_bucket(Bucket="another-bucket")
        yield Applied(aws, door, said)


@pytest.fixture(scope="session")
def aws(applied: Applied) -> Cloud:
    """Return the running cloud."""
    return applied.aws


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[History]:
    """An AWS account where site.yml was run, rehearsed, and run again."""
    with account(tmp_path_factory.mktemp("provision"), slow=SEED) as aws:
        empty = aws.described()
        first = aws.ansible("site.yml", "-vvv", environ={"GEMINI_API_KEY": CANARY})
        assert first.returncode == 0, first.stdout[-4000:] + first.stderr[-2000:]
        lines = [json.loads(line) for line in api_calls(aws.home).read_text().splitlines()]
        calls = [(line["service"], line["operation"]) for line in lines]
        described, start = aws.described(), now()
        rehearsal = aws.ansible("site.yml", "--check")
        rehearsed = aws.writes(start)
        again = aws.ansible("site.yml", "-vvv", environ={"GEMINI_API_KEY": CANARY})
        yield History(aws, empty, first, calls, described, rehearsal, rehearsed, again, aws.described())


@pytest.fixture(scope="session")
def provisioned(history: History) -> Account:
    """Return the account."""
    return history.aws
