"""Prowler against the account that site.yml makes: ``python -m tests.drills.security_prowler``.

It makes the account of production, with web hosts and a bastion, and the edge of staging beside it,
which is behind CloudFront, installs Prowler by uv into an environment that is thrown away (it pins
a boto3 of its own), and runs its checks of every service that is used. What Prowler may go on to find is
the table in docs/security.md, with a reason for each; a finding that is not in it ends the program with 1,
and so does a row that finds nothing any more.
"""

from __future__ import annotations

import csv
import fnmatch
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from tests.cloud import ROOT
from tests.deploy.provision_account import REGION, Account, account
from tests.drills.isolated import isolated
from tests.drills.security_operator import BASTION, PLACES

PROWLER = "prowler==5.46.0"
SERVICES = (
    "autoscaling", "awslambda", "cloudfront", "cloudwatch", "ec2", "elbv2", "eventbridge", "iam", "rds", "s3",
    "secretsmanager", "sns", "sqs", "vpc", "wafv2",
)  # fmt: skip


@dataclass(frozen=True, order=True)
class Finding:
    """A check of Prowler's that fails, the resource, and what Prowler says."""

    check: str
    resource: str
    says: str


@dataclass(frozen=True)
class Accepted:
    """A row of the table: the check, a pattern of resources, and why it is as it is."""

    check: str
    where: str
    why: str

    def covers(self, finding: Finding) -> bool:
        """Whether this is about that."""
        return finding.check == self.check and fnmatch.fnmatchcase(finding.resource, self.where)


def accepted(page: Path = ROOT / "docs/security.md") -> list[Accepted]:
    """The rows of the page's table that begin with a check's name and a pattern."""
    rows = re.findall(r"^\| `([a-z0-9_]+)` \| `([^`]+)` \| (.+) \|$", page.read_text(), re.MULTILINE)
    return [Accepted(*row) for row in rows]


def judge(findings: list[Finding], rows: list[Accepted]) -> tuple[list[Finding], list[Accepted]]:
    """The findings that no row covers, and the rows that cover nothing."""
    unknown = [finding for finding in findings if not any(row.covers(finding) for row in rows)]
    idle = [row for row in rows if not any(map(row.covers, findings))]
    return unknown, idle


def main() -> int:
    """Run it; 0 where every finding is accepted, and every acceptance needed."""
    with (
        tempfile.TemporaryDirectory(prefix="prowler-") as folder,
        account(Path(folder), "production", fleet=True) as aws,
    ):
        edge = ("playbooks/provision.yml", "--tags", "network,edge,cloudfront")
        for done in (
            aws.ansible("site.yml", **PLACES["production"], **BASTION),
            replace(aws, env="staging", fleet=False).ansible(*edge, **PLACES["staging"]),
        ):
            if done.returncode:
                print(done.stdout[-3000:], done.stderr[-1000:])
                return 1
        prowler = isolated(Path(folder, "venv"), PROWLER) / "prowler"
        passed, findings = scanned(prowler, aws, Path(folder))
    unknown, idle = judge(findings, accepted())
    print(f"{passed} passed, {len(findings)} failed, {len(unknown)} of these are not in the table")
    for finding in unknown:
        print(f"not in the table: {finding.check} {finding.resource}: {finding.says}")
    for row in idle:
        print(f"nothing to accept any more: {row.check} {row.where}")
    return int(bool(unknown or idle or not passed))


def scanned(prowler: Path, aws: Account, folder: Path) -> tuple[int, list[Finding]]:
    """How many checks of resources passed, and those that failed."""
    output = ["--output-formats", "csv", "--output-directory", str(folder), "--output-filename", "report"]
    quietly = ["--no-banner", "--no-color", "--ignore-exit-code-3", "--log-file", str(folder / "log")]
    command = [str(prowler), "aws", "--region", REGION, "--services", *SERVICES, *output, *quietly]
    environ = aws.environ() | {"HOME": str(folder)}
    subprocess.run(command, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL, timeout=1800)
    with (folder / "report.csv").open(newline="") as report:
        rows = list(csv.DictReader(report, delimiter=";"))
    passed = sum(row["STATUS"] == "PASS" for row in rows)
    failed = [row for row in rows if row["STATUS"] == "FAIL"]
    return passed, sorted(
        Finding(row["CHECK_ID"], row["RESOURCE_UID"], row["STATUS_EXTENDED"]) for row in failed
    )


if __name__ == "__main__":
    sys.exit(main())
