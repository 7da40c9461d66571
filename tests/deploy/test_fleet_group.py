"""The group against scripted answers: made once; then only what differs is written, in a rehearsal nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deploy.fleet_script import Lines, Refuse, Scripted, scripted

TARGET = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/shop/1"
ASKED: dict[str, Any] = {
    "name": "shop",
    "launch_template_id": "lt-1",
    "version": 3,
    "min_size": 1,
    "max_size": 3,
    "subnet_ids": ["subnet-b", "subnet-a"],
    "target_group_arns": [TARGET],
    "grace": 300,
    "warmup": 120,
    "cpu_target": 70,
    "tags": {"Env": "test"},
}
TAG = {
    "Key": "Env",
    "Value": "test",
    "ResourceId": "shop",
    "ResourceType": "auto-scaling-group",
    "PropagateAtLaunch": "false",
}
METRICS = ("DesiredCapacity", "InServiceInstances", "PendingInstances", "TerminatingInstances")
RIGHT: dict[str, Any] = {
    "AutoScalingGroupName": "shop",
    "MinSize": 1,
    "MaxSize": 3,
    "DesiredCapacity": 2,
    "VPCZoneIdentifier": "subnet-b,subnet-a",
    "HealthCheckType": "ELB",
    "HealthCheckGracePeriod": 300,
    "DefaultInstanceWarmup": 120,
    "LaunchTemplate": {"LaunchTemplateId": "lt-1", "Version": "2"},
    "TargetGroupARNs": [TARGET],
    "Tags": [TAG],
    "EnabledMetrics": [{"Metric": f"Group{name}", "Granularity": "1Minute"} for name in METRICS],
}
POLICY = {
    "PolicyName": "cpu",
    "TargetTrackingConfiguration": {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 70.0,
        "DisableScaleIn": "false",
    },
}
WRITES = (
    "AttachLoadBalancerTargetGroups",
    "CreateAutoScalingGroup",
    "CreateOrUpdateTags",
    "DeleteTags",
    "DetachLoadBalancerTargetGroups",
    "EnableMetricsCollection",
    "PutScalingPolicy",
    "UpdateAutoScalingGroup",
)


def script(*groups: dict[str, Any], policies: Lines | None = None) -> dict[str, Lines]:
    """These groups, their policy, and an empty answer to all that writes."""
    found = [POLICY] if policies is None else policies
    return {
        "DescribeAutoScalingGroups": [{"AutoScalingGroups": list(groups)}],
        "DescribePolicies": [{"ScalingPolicies": found}],
        **{call: [{}] for call in WRITES},
    }


def play(lines: dict[str, Lines], **params: Any) -> tuple[dict[str, Any], Scripted]:
    """What the module tells, and what it asked."""
    with scripted(lines) as aws:
        return aws.run("fleet_group", **(ASKED | params)), aws


def writes(aws: Scripted) -> list[str]:
    """The calls that change something."""
    return [call for call in aws.calls if call in WRITES]


def test_group_without_difference_writes_nothing() -> None:
    returned, aws = play(script(RIGHT))
    assert (False, False, []) == (returned["changed"], returned["created"], returned["differences"])
    assert [] == writes(aws)


def test_new_group_has_numbered_version_and_scaling_policy() -> None:
    returned, aws = play(script())
    assert (True, True) == (returned["changed"], returned["created"])
    assert ["CreateAutoScalingGroup", "EnableMetricsCollection", "PutScalingPolicy"] == writes(aws)
    asked = aws.call("CreateAutoScalingGroup")
    assert ("lt-1", "3") == (asked["LaunchTemplate.LaunchTemplateId"], asked["LaunchTemplate.Version"])
    assert ("subnet-a,subnet-b", "ELB", TARGET) == (
        asked["VPCZoneIdentifier"], asked["HealthCheckType"], asked["TargetGroupARNs.member.1"],
    )  # fmt: skip
    assert "DesiredCapacity" not in asked


@pytest.mark.parametrize(
    ("there", "params", "calls"),
    [
        ({"MaxSize": 5}, {}, ["UpdateAutoScalingGroup"]),
        ({}, {"grace": 200}, ["UpdateAutoScalingGroup"]),
        ({"TargetGroupARNs": []}, {}, ["AttachLoadBalancerTargetGroups"]),
        ({"TargetGroupARNs": [TARGET, "arn:other"]}, {}, ["DetachLoadBalancerTargetGroups"]),
        ({"Tags": [TAG | {"Value": "prod"}]}, {}, ["CreateOrUpdateTags"]),
        ({"Tags": [TAG, TAG | {"Key": "Old"}]}, {}, ["DeleteTags"]),
        ({"EnabledMetrics": []}, {}, ["EnableMetricsCollection"]),
        ({}, {"cpu_target": 60}, ["PutScalingPolicy"]),
    ],
)
def test_difference_makes_one_call(there: dict[str, Any], params: dict[str, Any], calls: list[str]) -> None:
    returned, aws = play(script(RIGHT | there), **params)
    assert (True, False, calls) == (returned["changed"], returned["created"], writes(aws))


def test_update_sends_only_the_difference() -> None:
    _, aws = play(script(RIGHT | {"MaxSize": 5}))
    asked = {name for name in aws.call("UpdateAutoScalingGroup") if name not in ("Action", "Version")}
    assert {"AutoScalingGroupName", "MaxSize"} == asked


def test_group_being_deleted_is_created_again() -> None:
    lines = script(RIGHT | {"Status": "Delete in progress"})
    lines["CreateAutoScalingGroup"] = [Refuse("AlreadyExists")]
    returned, _ = play(lines)
    assert returned["failed"] is True
    assert "Failed to manage the Auto Scaling group shop" in returned["msg"]


@pytest.mark.parametrize("groups", [[], [RIGHT | {"MaxSize": 5, "TargetGroupARNs": [], "Tags": []}]])
def test_group_in_check_mode_writes_nothing(groups: list[dict[str, Any]]) -> None:
    returned, aws = play(script(*groups, policies=[]), check=True)
    assert returned["changed"] is True
    assert len(returned["differences"]) >= 3
    assert [] == writes(aws)
