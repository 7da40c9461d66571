"""An AWS account for tests: the stand-in over TLS, corrected, with a real MariaDB for its database.

::

    with account(tmp_path) as aws:
        done = aws.ansible("site.yml")
        ec2 = aws.client("ec2")
"""

from __future__ import annotations

import os
import re
import secrets
import ssl
import subprocess
import sys
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import HEALTH, Emulator, emulator_at
from tests.cloud import ROOT
from tests.deploy.described import Described, described
from tests.deploy.security_operator import create_boundary
from tests.loading import module_at
from tests.mariadb import MariaDb, certificate, mariadb
from tests.support import guarded
from tests.support.ansible import ansible
from tests.support.shared import memory_folder

ID = "123456789012"
REGION = "us-east-1"
PROJECT, ENV = "caption-gallery", "staging"
PREFIX = f"{PROJECT}-{ENV}"
RELEASE = "r1"  # of the web hosts' image
CANARY = f"made-up-key-{secrets.token_hex(12)}"  # Gemini's, which must be seen nowhere but in Secrets Manager


@dataclass(frozen=True)
class Account:
    """A running stand-in and what may be done with it."""

    home: Path
    emulator: Emulator
    server: MariaDb
    variables: dict[str, Any] = field(default_factory=dict)
    env: str = ENV  # whose inventory
    slow: int | None = None  # the seed of AWS's slowness
    fleet: bool = False  # whether there is an image, so that web hosts are released
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def endpoint(self) -> str:
        """Return the endpoint URL; TLS, because the policies of buckets, topics and queues require it."""
        return self.emulator.endpoint.replace("http:", "https:")

    @property
    def ca(self) -> Path:
        """What it is trusted by."""
        return self.home / "ca.pem"

    @property
    def calls(self) -> Path:
        """Return the log of IAM decisions: a line of JSON with key, action, resource, denied."""
        return self.home / "calls.jsonl"

    @property
    def zips(self) -> Path:
        """Return the folder of the functions' zips."""
        return self.home / "zips"

    def environ(self) -> dict[str, str]:
        """Return the environment of the root identity."""
        return self.emulator.root() | {"AWS_ENDPOINT_URL": self.endpoint, "AWS_CA_BUNDLE": str(self.ca)}

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a boto3 client of the root identity."""
        if f"{service} {region}" not in self.clients:
            self.clients[f"{service} {region}"] = self.client_of(self.environ(), service, region)
        return self.clients[f"{service} {region}"]

    def client_of(self, environ: Mapping[str, str], service: str, region: str = REGION) -> Any:
        """Return a boto3 client of the identity whose access key is in ``environ``."""
        import boto3
        from botocore.config import Config

        return boto3.session.Session(
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
        ).client(
            service, endpoint_url=self.endpoint, verify=str(self.ca), config=Config(retries={"max_attempts": 0})
        )

    def command(self, playbook: str, *arguments: str, **variables: Any) -> list[str]:
        """How a playbook is run here: with this interpreter's functions, and this server's certificate."""
        given = {
            "account_id": ID,
            "ami_ssh_cidr": "203.0.113.7/32",
            **({"ami_release": RELEASE} if self.fleet else {}),
            "release": "r1",
            "functions_zip_dir": str(self.zips),
            "functions_runtime": "python{}.{}".format(*sys.version_info),
            "functions_architecture": "x86_64",
            "database_migrator_zip": str(self.home / "migrator.zip"),
            "database_ca_file": str(self.server.ca),
            "gallery_database_ca": str(self.server.ca),
            **self.variables,
            **variables,
        }
        without = ("--skip-tags", "zips,bake" if self.fleet else "zips,bake,fleet")
        return ansible().command(f"inventory/{self.env}", playbook, *without, *arguments, variables=given)

    def ansible_environ(self) -> dict[str, str]:
        """What Ansible is run with."""
        return self.environ() | {
            **ansible().environ(self.home),
            **self.slowness(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
        }

    def slowness(self) -> dict[str, str]:
        """Return the variables of tests/deploy/slowness.py; none where AWS is as fast as the emulator."""
        if self.slow is None:
            return {}
        return {"AWS_SLOW_SEED": str(self.slow), "AWS_SLOW_LOG": str(self.home / "slowness.log")}

    def states_met(self) -> Counter[str]:
        """Return how many calls were refused, by the state that AWS would have been in."""
        log = self.home / "slowness.log"
        return Counter(log.read_text().splitlines() if log.exists() else ())

    def ansible(self, playbook: str, *arguments: str, **variables: Any) -> subprocess.CompletedProcess[str]:
        """Run a playbook of the repository."""
        environ = self.ansible_environ() | variables.pop("environ", {})
        command = self.command(playbook, *arguments, **variables)
        return guarded.run(command, cwd=ROOT, env=environ, timeout=3600)

    def writes(self, since: datetime) -> list[str]:
        """The names of the calls since then that change something, by AWS's own audit."""
        pages = self.client("cloudtrail").get_paginator("lookup_events").paginate()
        events = [event for page in pages for event in page["Events"]]
        late = [event for event in events if event["EventTime"] >= since and event["ReadOnly"] == "false"]
        return sorted(event["EventName"] for event in late)

    def resources(self) -> list[dict[str, Any]]:
        """Return all resources with the tags, as the role teardown finds them."""
        return list(search().Search(self.client, PROJECT, self.env).everything())

    def described(self) -> Described:
        """Return every resource with its settings, whatever created it; the database's users and tables too."""
        found = described(self.client)
        if f"rds/{PROJECT}-{self.env}-database" not in found:
            return found
        grants = self.server.sql(
            "SELECT grantee, privilege_type FROM information_schema.schema_privileges"
            " WHERE table_schema = 'gallery' ORDER BY grantee, privilege_type"
        )
        tables = self.server.sql("SHOW TABLES", database="gallery")
        return found | {"database/grants": grants, "database/tables": sorted(tables)}


@dataclass(frozen=True)
class History:
    """What became of an account, in this order."""

    aws: Account
    empty: Described  # what a new account holds
    first: subprocess.CompletedProcess[str]  # site.yml, verbose
    first_calls: list[tuple[str, str]]  # service and operation of each call of its modules
    described: Described
    rehearsal: subprocess.CompletedProcess[str]  # site.yml --check
    rehearsed: list[str]  # what that wrote
    again: subprocess.CompletedProcess[str]  # site.yml, verbose
    described_again: Described


def search() -> ModuleType:
    """The module of the role teardown."""
    return module_at("roles/teardown/library/tagged_resources.py")


def recap(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Ansible's recap as counts; its output where there is none."""
    found = re.findall(r"^localhost +: (ok=.*)$", done.stdout, re.MULTILINE)
    assert len(found) == 1, done.stdout[-3000:] + done.stderr[-3000:]
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", found[0])}


def changed(done: subprocess.CompletedProcess[str]) -> list[str]:
    """The tasks that changed something, with the item where there is one."""
    tasks, task = [], ""
    for line in done.stdout.splitlines():
        if named := re.match(r"TASK \[(.*?)\] \**$", line):
            task = named[1]
        elif line.startswith("changed: "):
            item = re.search(r"\(item=(.*)\)", line)
            tasks.append(f"{task} {item[1]}" if item else task)
    return tasks


def now() -> datetime:
    """Start recording for ``writes``."""
    return datetime.now(UTC)


@contextmanager
def account(
    home: Path,
    env: str = ENV,
    slow: int | None = None,
    fleet: bool = False,
    *,
    boundary: bool = True,
    **variables: Any,
) -> Iterator[Account]:
    """Start it; stop it, with all that it runs, on the way out. boundary: whether that of the roles exists."""
    home.mkdir(parents=True, exist_ok=True)
    pack_probe(home / "zips")
    certificate(home, home / "ca.pem")
    with mariadb(parent=memory_folder()) as server, Children(home / "logs") as children:
        server.folder.chmod(0o755)  # its certificate is read by others
        emulator = emulator_at(home).prepare()
        aws = Account(home, emulator, server, variables, env, slow, fleet)
        command = [sys.executable, "-P", str(ROOT / "tests/deploy/aws_corrections.py")]
        children.start("aws", command, _serving(aws), home)
        children.wait(lambda: _answers(aws), "the AWS emulator", 180)
        if boundary:
            create_boundary(aws.client("iam"))
        if fleet:
            create_image(aws, RELEASE)
        yield aws


def create_image(aws: Account, release: str) -> None:
    """Create the image of the web hosts of a release as bake.yml does, on an encrypted disk."""
    ec2, name = aws.client("ec2"), f"{PROJECT}-{aws.env}-web-{release}"
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=8, Encrypted=True)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_volume(VolumeId=volume)
    disk = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot, "VolumeSize": 8, "VolumeType": "gp3"}}
    image = ec2.register_image(Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=[disk])["ImageId"]
    tags = {"Name": name, "Project": PROJECT, "Env": aws.env, "Role": "ami", "Release": release}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    ec2.create_tags(Resources=[image, snapshot], Tags=pairs)


def database_server(server: MariaDb) -> str:
    """Create the user by whom an emulator makes RDS instances of this server; return the URL for it."""
    password = secrets.token_hex(12)
    server.sql(
        f"CREATE USER standin@localhost IDENTIFIED BY '{password}'",
        "GRANT ALL ON *.* TO standin@localhost WITH GRANT OPTION",
    )
    return f"mysql://standin:{password}@127.0.0.1:{server.port}"


def _serving(aws: Account) -> dict[str, str]:
    return aws.emulator.environ() | {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_CA_BUNDLE": str(aws.ca),
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(aws.ca),
        "MINISTACK_SSL_KEY": str(aws.home / "key.pem"),
        "MINISTACK_ACCOUNT_ID": ID,
        "CLOUDTRAIL_RECORDING": "1",
        "CLOUDTRAIL_MAX_EVENTS": "100000",
        "CALLS": str(aws.calls),
        **aws.slowness(),
        "DATABASE_SERVER": database_server(aws.server),
    }


def _answers(aws: Account) -> bool:
    context = ssl.create_default_context(cafile=str(aws.ca))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(aws.endpoint + HEALTH, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def pack_probe(folder: Path) -> None:
    """thumbnail.zip and caption.zip in that folder, each a probe that makes the calls that it is asked for.

    As whole packages, so that the project's own handlers, which this interpreter may import too, come second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("thumbnail", "caption"):
        contents = {"lambda_build/__init__.py": b"", "lambda_build/handlers/__init__.py": b""}
        contents[f"lambda_build/handlers/{name}.py"] = (ROOT / "tests/deploy/probe.py").read_bytes()
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as archive:
            for path, content in contents.items():
                archive.writestr(zipfile.ZipInfo(path, (1980, 1, 1, 0, 0, 0)), content)
