"""What the roles ami and fleet stand on: the stand-in with a network, a target group, queues, alarms.

::

    with ground(tmp_path) as aws:
        done = aws.bake()
        assert ["caption-gallery-staging-web-…"] == aws.images()
"""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from roles.local_cloud.files.children import Children
from roles.local_cloud.files.emulator import Emulator, emulator_at
from tests.cloud import ROOT
from tests.deploy.recorder import Recorder, recording
from tests.deploy.security_operator import RELEASE, create_boundary
from tests.support import guarded
from tests.support.ansible import ansible

ID = "123456789012"
REGION = "us-east-1"
PREFIX = "caption-gallery-staging"
ALARMS = (f"{PREFIX}-web-5xx", f"{PREFIX}-web-unhealthy")
STAND_IN = ROOT / "tests/deploy/fleet_stand_in"
# A file of each part that the role ami looks at.
PARTS = (
    "imgcore/core.py",
    "web/app.py",
    "lambda_build/build.py",
    "roles/web_host/tasks.yml",
    "roles/ami/files/x.sh",
    "roles/database/files/rds-ca.pem",
)
Done = subprocess.CompletedProcess[str]


@dataclass
class Ground:
    """The stand-in, the door that everything goes through, and the builder that is not there."""

    home: Path
    emulator: Emulator
    door: Recorder
    builder: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)  # those of the releasing identity

    def client(self, service: str, keys: dict[str, str] | None = None) -> Any:
        """A boto3 client with those keys, by default of the root identity; not through the filter."""
        import boto3

        environ = self.emulator.root() | (keys or {})
        given = {name.lower(): environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
        return boto3.session.Session(region_name=REGION, **given).client(
            service, endpoint_url=self.emulator.endpoint
        )

    def ansible(self, playbook: str, *arguments: str, **variables: Any) -> Done:
        """Run a playbook of the repository."""
        given = {
            "account_id": ID,
            "release": "r1",
            "ami_ssh_cidr": "203.0.113.7/32",
            "__ami_pause": 0,
            "__ami_repository": str(self.home / "source"),
            "__ami_reach_seconds": 1,
            **variables,
        }
        self.door.clear()
        return guarded.run(
            ansible().command("inventory/staging", f"playbooks/{playbook}.yml", *arguments, variables=given),
            cwd=ROOT,
            env=self._environ(),
            timeout=600,
        )

    def _environ(self) -> dict[str, str]:
        (self.home / "builder.json").write_text(json.dumps(self.builder))
        return self.emulator.root() | {
            **self.keys,
            "AWS_ENDPOINT_URL": self.door.endpoint,
            **ansible().environ(self.home),
            "ANSIBLE_ROLES_PATH": f"{STAND_IN / 'roles'}:{ROOT / 'roles'}",
            "ANSIBLE_CONNECTION_PLUGINS": str(STAND_IN / "connection"),
            "BUILDER": str(self.home / "builder.json"),
        }

    def bake(self, *arguments: str, refused: str = "", **builder: int) -> Done:
        """Run playbooks/bake.yml; a call may be refused, and the builder may fail or be lost at a module."""
        log = self.home / "builder.log"
        log.unlink(missing_ok=True)
        self.builder = {"log": str(log), "release": self.release(), **builder}
        self.door.refused = refused
        try:
            return self.ansible("bake", *arguments)
        finally:
            self.door.refused = ""

    def roll(self, *arguments: str, **variables: Any) -> Done:
        """Run playbooks/release.yml, the fleet's part."""
        return self.ansible("release", "--skip-tags", "observability", *arguments, **variables)

    def write(self, text: str) -> None:
        """Change what is to be released."""
        for part in PARTS:
            path = self.home / "source" / part
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def release(self) -> str:
        """What the role ami calls it."""
        here = runpy.run_path(str(ROOT / "roles/ami/filter_plugins/content_hash.py"))["content_hash"]
        named = yaml.safe_load((ROOT / "roles/ami/vars/main.yml").read_text())
        beside = {"base": "debian-13-amd64-*", "edition": "1"}
        return str(here(named["__ami_parts"], str(self.home / "source"), named["__ami_excluded"], beside))

    def sent(self) -> list[tuple[str, dict[str, Any]]]:
        """The modules that the last builder was sent, with their arguments."""
        log = self.home / "builder.log"
        return [tuple(json.loads(line)) for line in log.read_text().splitlines()] if log.exists() else []

    def images(self) -> list[dict[str, Any]]:
        """Our own images, in the order in which they were made."""
        return list(self.client("ec2").describe_images(Owners=["self"])["Images"])

    def group(self) -> dict[str, Any]:
        """The Auto Scaling group."""
        found = self.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[f"{PREFIX}-web"])
        return dict(found["AutoScalingGroups"][0])

    def versions(self) -> list[dict[str, Any]]:
        """The versions of the launch template, newest first."""
        asked = {"LaunchTemplateName": f"{PREFIX}-web"}
        return list(self.client("ec2").describe_launch_template_versions(**asked)["LaunchTemplateVersions"])

    def left(self) -> list[str]:
        """What there is of builders: instances that are not terminated, keys, groups, folders of keys."""
        ec2 = self.client("ec2")
        alive = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
        reservations = ec2.describe_instances(Filters=alive)["Reservations"]
        instances = [each["InstanceId"] for found in reservations for each in found["Instances"]]
        keys = [pair["KeyName"] for pair in ec2.describe_key_pairs()["KeyPairs"]]
        named = [{"Name": "group-name", "Values": ["*builder*"]}]
        groups = [each["GroupId"] for each in ec2.describe_security_groups(Filters=named)["SecurityGroups"]]
        return [*instances, *keys, *groups]


@contextmanager
def ground(home: Path) -> Iterator[Ground]:
    """Start it and make what is to be there; stop it on the way out."""
    home.mkdir(parents=True, exist_ok=True)
    emulator = emulator_at(home).prepare()
    environ = emulator.environ() | {"MINISTACK_ACCOUNT_ID": ID, "CALLS": str(home / "calls.jsonl")}
    command = [sys.executable, "-P", str(ROOT / "tests/deploy/aws_corrections.py")]
    with Children(home / "logs") as children, recording(emulator.port) as door:
        children.start("aws", command, environ, home)
        children.wait(emulator.healthy, "the AWS emulator", 60)
        aws = Ground(home, emulator, door)
        aws.write("1")
        _furnish(aws)
        aws.keys = _releaser(aws)
        yield aws


def _releaser(aws: Ground) -> dict[str, str]:
    """Create a user with the release policy and no other permission; return the keys.

    The stand-in judges most calls of some services as if they were about everything, so those actions are
    granted on everything.
    """
    iam = aws.client("iam")
    create_boundary(iam)
    iam.create_user(UserName="releaser")
    policy = json.loads(RELEASE.read_text())
    blind = [
        action
        for statement in policy["Statement"]
        for action in statement["Action"]
        if action.startswith(("autoscaling", "ec2"))
    ]
    policy["Statement"].append({"Sid": "Blind", "Effect": "Allow", "Action": blind, "Resource": "*"})
    iam.put_user_policy(UserName="releaser", PolicyName="release", PolicyDocument=json.dumps(policy))
    made = iam.create_access_key(UserName="releaser")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


def _furnish(aws: Ground) -> None:
    """What provision.yml, publish.yml and the role observability make of it, as far as it is looked for."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    for number, (tier, zone) in enumerate((t, z) for t in ("public", "private") for z in "ab"):
        tags = [
            {"Key": "Name", "Value": f"{PREFIX}-network-{tier}-{REGION}{zone}"},
            {"Key": "Tier", "Value": tier},
        ]
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.20.{number}.0/24",
            AvailabilityZone=REGION + zone,
            TagSpecifications=[{"ResourceType": "subnet", "Tags": tags}],
        )
    ec2.create_security_group(GroupName=f"{PREFIX}-web", Description="Web hosts", VpcId=vpc)
    aws.client("elbv2").create_target_group(Name=f"{PREFIX}-web", Protocol="HTTP", Port=5000, VpcId=vpc)
    for kind in ("thumbnail", "caption"):
        aws.client("sqs").create_queue(QueueName=f"{PREFIX}-{kind}")
    for name in ALARMS:
        aws.client("cloudwatch").put_metric_alarm(
            AlarmName=name,
            Namespace="AWS/ApplicationELB",
            MetricName="HTTPCode_Target_5XX_Count",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanThreshold",
        )
