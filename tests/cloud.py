"""A private cloud for tests: an emulator of its own on a free port, its data in one folder, the real roles.

::

    with cloud(tmp_path) as aws:                       # nothing on it yet
        aws.apply(functions=False)                     # buckets, topic, queues and identities
        s3 = aws.client("s3")                          # as its root
        s3 = aws.client("s3", aws.settings("web"))     # as the web process
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import Emulator, emulator_at, read_settings
from tests.support import guarded
from tests.support.ansible import ansible

ROOT = Path(__file__).resolve().parents[1]
# The local profile's zip carries the describer that needs no key, and is larger than AWS accepts
LOCAL_ZIPS = {"AWS_API_UNCHECKED": "CreateFunction UpdateFunctionCode"}
CREDENTIALS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")


@dataclass(frozen=True)
class Cloud:
    """A running emulator and what may be done with it."""

    emulator: Emulator
    clients: dict[tuple[str | None, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def home(self) -> Path:
        """The folder of the cloud: web.env, operator.env, gallery.db, dist/ for the zips."""
        return self.emulator.home

    @property
    def root(self) -> dict[str, str]:
        """The environment of the administrator of the account."""
        return self.emulator.root()

    def settings(self, name: str) -> dict[str, str]:
        """What the roles wrote down for ``web`` or ``operator``: credentials, names, addresses."""
        return read_settings(self.home / f"{name}.env")

    def client(self, service: str, environ: Mapping[str, str] | None = None) -> Any:
        """A boto3 client, created once, with the credentials of that environment; the root's by default."""
        environ = self.root if environ is None else environ
        names = ("AWS_ENDPOINT_URL", "AWS_REGION", *(f"AWS_{name}" for name in CREDENTIALS))
        key = (service, *(environ.get(name) for name in names))
        if key not in self.clients:
            self.clients[key] = self._client(service, environ)
        return self.clients[key]

    def _client(self, service: str, environ: Mapping[str, str]) -> Any:
        import boto3
        from botocore.config import Config

        return boto3.session.Session(
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=environ.get("AWS_SESSION_TOKEN"),
            region_name=environ["AWS_REGION"],
        ).client(
            service,
            endpoint_url=environ["AWS_ENDPOINT_URL"],
            config=Config(retries={"max_attempts": 0}, signature_version="s3v4" if service == "s3" else None),
        )

    def apply(
        self,
        *arguments: str,
        functions: bool = True,
        environ: Mapping[str, str] | None = None,
        **variables: Any,
    ) -> str:
        """Run playbooks/local.yml with these extra variables; what Ansible printed."""
        skipped = () if functions else ("--skip-tags", "functions")
        done = self.ansible("playbooks/local.yml", *skipped, *arguments, environ=environ, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def ansible(
        self, playbook: str, *arguments: str, environ: Mapping[str, str] | None = None, **variables: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the repository on this cloud."""
        given = {"local_cloud_home": str(self.home), **variables}
        return guarded.run(
            ansible().command("inventory/local", playbook, *arguments, variables=given),
            cwd=ROOT,
            env=self.root | ansible().environ(self.home) | LOCAL_ZIPS | dict(environ or {}),
        )


@contextmanager
def cloud(home: Path) -> Iterator[Cloud]:
    """Start an emulator on what is in ``home``; stop it, with the functions that it runs, on the way out.

    The code of the functions, which it unpacks for each of their processes, is removed then.
    """
    emulator = emulator_at(home).prepare()
    try:
        with Children(home / "logs") as children:
            children.start("emulator", emulator.command, emulator.environ(), home)
            children.wait(emulator.healthy, "the AWS emulator", 60)
            yield Cloud(emulator)
    finally:
        for unpacked in (home / "tmp").glob("ministack-lambda-*"):
            shutil.rmtree(unpacked, ignore_errors=True)
