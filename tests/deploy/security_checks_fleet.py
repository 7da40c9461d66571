"""What is asked of the web hosts: their launch template and their Auto Scaling group."""

from __future__ import annotations

import base64
import re
from typing import Any

from tests.deploy.security_rules import add, check
from tests.deploy.security_snapshot import Snapshot

SECRET = re.compile(r"PASSWORD|TOKEN|DATABASE_URL|SECRET$|(^|_)KEY$")
OLD_TEMPLATE: dict[str, Any] = {
    "LaunchTemplateName": "x",
    "LaunchTemplateData": {
        "MetadataOptions": {"HttpTokens": "optional"},
        "NetworkInterfaces": [{"AssociatePublicIpAddress": True}],
        "BlockDeviceMappings": [{"Ebs": {"Encrypted": False}}],
        "UserData": base64.b64encode(b"DB_PASSWORD=x\n").decode(),
    },
}
OLD_GROUP: dict[str, Any] = {
    "AutoScalingGroupName": "x",
    "HealthCheckType": "EC2",
    "VPCZoneIdentifier": "subnet-1",
    "LaunchTemplate": {"Version": "$Latest"},
    "TargetGroupARNs": [],
    "MinSize": 0,
}


def _data(template: dict[str, Any]) -> dict[str, Any]:
    return dict(template["LaunchTemplateData"])


def _settings(template: dict[str, Any]) -> list[str]:
    text = base64.b64decode(_data(template).get("UserData", "")).decode()
    return [line.partition("=")[0] for line in text.splitlines()]


@check(add("templates", value=OLD_TEMPLATE))
def templates_require_imdsv2_of_one_hop(found: Snapshot) -> list[str]:
    """A page that makes a host fetch an address does not get its credentials."""
    return [
        each["LaunchTemplateName"]
        for each in found.templates
        if _data(each)["MetadataOptions"].get("HttpTokens") != "required"
        or str(_data(each)["MetadataOptions"].get("HttpPutResponseHopLimit")) != "1"
    ]


@check(add("templates", value=OLD_TEMPLATE))
def templates_give_no_public_address(found: Snapshot) -> list[str]:
    """Only the load balancer is reached from outside."""
    return [
        each["LaunchTemplateName"]
        for each in found.templates
        for interface in _data(each)["NetworkInterfaces"]
        if interface.get("AssociatePublicIpAddress")
    ]


@check(add("templates", value=OLD_TEMPLATE))
def templates_encrypt_every_disk(found: Snapshot) -> list[str]:
    """What a host writes, such as its journal, holds visitors' addresses."""
    return [
        each["LaunchTemplateName"]
        for each in found.templates
        for disk in _data(each)["BlockDeviceMappings"]
        if not disk["Ebs"].get("Encrypted")
    ]


@check(add("templates", value=OLD_TEMPLATE))
def templates_hold_no_secret(found: Snapshot) -> list[str]:
    """Everybody with ec2:DescribeLaunchTemplateVersions reads the user data."""
    return [f"{each['LaunchTemplateName']} {name}" for each in found.templates for name in _settings(each)
            if SECRET.search(name)]  # fmt: skip


@check(add("fleets", value=OLD_GROUP))
def fleets_are_in_two_private_subnets(found: Snapshot) -> list[str]:
    """One in each zone, and none that a gateway of the internet serves."""
    private = {subnet["SubnetId"] for subnet in found.subnets if subnet["Tags"].get("Tier") == "private"}
    return [
        group["AutoScalingGroupName"]
        for group in found.fleets
        if len(used := set(group["VPCZoneIdentifier"].split(","))) < 2 or not used <= private
    ]


@check(add("fleets", value=OLD_GROUP))
def fleets_are_judged_by_the_load_balancer(found: Snapshot) -> list[str]:
    """A host whose web process hangs is replaced; there is always one."""
    return [
        group["AutoScalingGroupName"]
        for group in found.fleets
        if group["HealthCheckType"] != "ELB" or not group["TargetGroupARNs"] or group["MinSize"] < 1
    ]


@check(add("fleets", value=OLD_GROUP))
def fleets_run_a_numbered_version(found: Snapshot) -> list[str]:
    """A rollback needs the version before, which ``$Latest`` does not name."""
    return [
        group["AutoScalingGroupName"]
        for group in found.fleets
        if not str(group.get("LaunchTemplate", {}).get("Version", "")).isdigit()
    ]
