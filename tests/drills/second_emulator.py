"""site.yml and destroy.yml on moto, an emulator by other people: ``python -m tests.drills.second_emulator``.

From nothing; again, which changes nothing; rehearsed, which calls nothing that writes; destroyed, which leaves
nothing with the project's tags. The web hosts are left out: moto has no instance refresh. The load balancer
serves a domain name, without CloudFront: moto has no VPC origins. What moto lacks or does otherwise than AWS's
documents is in moto_gaps.py; docs/evidence.md lists how it differs from ministack.
It ends with 1 where a claim does not hold.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import emulator_at
from tests.cloud import ROOT
from tests.deploy.provision_account import CANARY, PROJECT, Account, database_server, pack_probe
from tests.deploy.security_operator import create_boundary
from tests.drills.isolated import isolated
from tests.drills.site_whole import ran
from tests.mariadb import certificate, mariadb
from tests.support.ansible import api_calls
from tests.support.shared import memory_folder

PACKAGES = ("moto[server]==5.2.5", "pymysql==1.2.4")
DOMAIN = "gallery.example.org"  # moto has no VPC origins of CloudFront
READS = ("Describe", "Get", "Head", "List", "Lookup")


def main() -> int:
    """Print what was done and every difference; 0 where there is none."""
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="second-emulator-") as folder, moto_account(Path(folder)) as aws:
        wrong += ran(aws, "from nothing", "site.yml", environ={"GEMINI_API_KEY": CANARY})
        print(f"{len(aws.resources())} resources with tags")
        wrong += ran(aws, "again", "site.yml", environ={"GEMINI_API_KEY": CANARY})
        before = len(operations(aws))
        wrong += ran(aws, "rehearsed", "site.yml", "--check")
        found = [f"a rehearsal called {name}" for name in writes(operations(aws)[before:])]
        wrong += ran(aws, "destroyed", "playbooks/destroy.yml", confirm=PROJECT, teardown_final_snapshot=False)
        found += [f"left: {resource['name']}" for resource in aws.resources()]
        print(f"{len(operations(aws))} calls")
    print("\n".join([f"    {line}" for line in found] or ["an empty account"]))
    return int(wrong > 0 or bool(found))


def operations(aws: Account) -> list[str]:
    """Return the operation of each call that Ansible's modules have made."""
    return [json.loads(line)["operation"] for line in api_calls(aws.home).read_text().splitlines()]


def writes(names: list[str]) -> list[str]:
    """Return those that change something, by their names."""
    return [name for name in names if not name.startswith(READS)]


@contextmanager
def moto_account(home: Path) -> Iterator[Account]:
    """Start moto over TLS, with a MariaDB for its databases; stop both on the way out."""
    programs = isolated(home / "venv", *PACKAGES)
    pack_probe(home / "zips")
    certificate(home, home / "ca.pem")
    with mariadb(parent=memory_folder()) as server, Children(home / "logs") as children:
        server.folder.chmod(0o755)  # its certificate is read by others
        aws = Account(home, emulator_at(home).prepare(), server, {"gallery_domain": DOMAIN})
        environ = {
            "PATH": str(programs),
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(home),
            "ENDPOINT": aws.endpoint,
            "CA_BUNDLE": str(aws.ca),
            "FUNCTIONS_PYTHON": sys.executable,
            "DATABASE_SERVER": database_server(server),
        }
        command = [
            str(programs / "python"),
            "-P",
            str(ROOT / "tests/drills/moto_gaps.py"),
            "--host",
            "127.0.0.1",
        ]
        command += [
            "--port",
            str(aws.emulator.port),
            "--ssl-cert",
            str(aws.ca),
            "--ssl-key",
            str(home / "key.pem"),
        ]
        children.start("moto", command, environ, home)
        children.wait(lambda: _serves(aws), "moto", 180)
        create_boundary(aws.client("iam"))
        certified = aws.client("acm").request_certificate(DomainName=DOMAIN, ValidationMethod="DNS")
        aws.variables["edge_certificate_arn"] = certified["CertificateArn"]
        yield aws


def _serves(aws: Account) -> bool:
    from botocore.exceptions import BotoCoreError

    try:
        return bool(aws.client("sts").get_caller_identity())
    except BotoCoreError:
        return False


if __name__ == "__main__":
    sys.exit(main())
