#!/usr/bin/python
"""Makes an Auto Scaling group, or brings it in line, and leaves to others what is theirs.

amazon.aws.autoscaling_group claims a change in every check mode, writes at every run, sets the size back that
scaling has just chosen, and moves a group to a launch template before it is rolled; autoscaling_policy has
no check mode at all. Here the launch template is given at the beginning only, and the size never.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: fleet_group
short_description: Makes an Auto Scaling group that follows its CPU, or brings it in line
description:
  - Its health is the load balancer's word. Its size is AWS's own to choose, within the limits.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: The group.
    type: str
    required: true
  launch_template_id:
    description: The launch template of a new group. A group that is there is rolled by M(fleet_refresh).
    type: str
    required: true
  version:
    description: The number of its version.
    type: int
    required: true
  min_size:
    description: The fewest instances.
    type: int
    required: true
  max_size:
    description: The most instances.
    type: int
    required: true
  subnet_ids:
    description: Where they stand.
    type: list
    elements: str
    required: true
  target_group_arns:
    description: The target groups that they join.
    type: list
    elements: str
    required: true
  grace:
    description: Seconds that a new instance is not judged.
    type: int
    required: true
  warmup:
    description: Seconds that a new instance's figures do not count.
    type: int
    required: true
  cpu_target:
    description: Percent of CPU that scaling aims at, over all instances.
    type: float
    required: true
  tags:
    description: Tags of the group; its instances get theirs from the launch template.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Have one to three hosts
  fleet_group:
    name: shop
    launch_template_id: lt-0123456789abcdef0
    version: 1
    min_size: 1
    max_size: 3
    subnet_ids: [subnet-1, subnet-2]
    target_group_arns: ["arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/shop/0123456789"]
    grace: 300
    warmup: 120
    cpu_target: 70
"""

RETURN = r"""
created:
  description: Whether there was none.
  type: bool
  returned: always
differences:
  description: What was brought in line, or would be, in AWS's words.
  type: list
  elements: str
  returned: always
"""

POLICY = "cpu"
METRICS = (
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupTerminatingInstances",
)


def wanted(params: dict[str, Any]) -> dict[str, Any]:
    """What UpdateAutoScalingGroup can bring in line."""
    return {
        "MinSize": params["min_size"],
        "MaxSize": params["max_size"],
        "VPCZoneIdentifier": ",".join(sorted(params["subnet_ids"])),
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": params["grace"],
        "DefaultInstanceWarmup": params["warmup"],
    }


def tags(params: dict[str, Any]) -> list[dict[str, Any]]:
    """The tags, as Auto Scaling writes them."""
    return [
        {
            "Key": key,
            "Value": str(value),
            "ResourceId": params["name"],
            "ResourceType": "auto-scaling-group",
            "PropagateAtLaunch": False,
        }
        for key, value in sorted(params["tags"].items())
    ]


def tracking(params: dict[str, Any]) -> dict[str, Any]:
    """The policy's own words."""
    return {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": params["cpu_target"],
        "DisableScaleIn": False,
    }


class Group:
    """One group: what it is like, what it should be like, and the calls between."""

    def __init__(self, client: Any, params: dict[str, Any], check_mode: bool) -> None:
        self.client, self.params, self.check_mode = client, params, check_mode
        self.name = {"AutoScalingGroupName": params["name"]}
        self.differences: list[str] = []

    def find(self) -> dict[str, Any] | None:
        """The group; None where there is none, or one that is being deleted."""
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.params["name"]])
        return next((group for group in found["AutoScalingGroups"] if not group.get("Status")), None)

    def bring(self, what: str, operation: str, **asked: Any) -> None:
        """Note a difference; outside check mode make the call that removes it."""
        self.differences.append(what)
        if not self.check_mode:
            getattr(self.client, operation)(**asked)

    def create(self) -> None:
        """Make it, pinned to its version, with the smallest size."""
        params = self.params
        version = {"LaunchTemplateId": params["launch_template_id"], "Version": str(params["version"])}
        self.bring(
            "AutoScalingGroup",
            "create_auto_scaling_group",
            **self.name,
            **wanted(params),
            LaunchTemplate=version,
            TargetGroupARNs=params["target_group_arns"],
            Tags=tags(params),
        )

    def update(self, group: dict[str, Any]) -> None:
        """Bring its settings, target groups and tags in line."""
        there = {**group, "VPCZoneIdentifier": ",".join(sorted(group["VPCZoneIdentifier"].split(",")))}
        settings = {key: value for key, value in wanted(self.params).items() if there.get(key) != value}
        if settings:
            self.bring(", ".join(settings), "update_auto_scaling_group", **self.name, **settings)
        joined, asked = set(group.get("TargetGroupARNs", [])), set(self.params["target_group_arns"])
        for operation, arns in (("attach", asked - joined), ("detach", joined - asked)):
            if arns:
                call = f"{operation}_load_balancer_target_groups"
                self.bring("TargetGroupARNs", call, **self.name, TargetGroupARNs=sorted(arns))
        has = sorted(group.get("Tags", []), key=lambda tag: tag["Key"])
        if missing := [tag for tag in tags(self.params) if tag not in has]:
            self.bring("Tags", "create_or_update_tags", Tags=missing)
        if surplus := [tag for tag in has if tag["Key"] not in self.params["tags"]]:
            self.bring("Tags", "delete_tags", Tags=surplus)

    def measure(self, group: dict[str, Any]) -> None:
        """Have CloudWatch count its instances."""
        counted = {metric["Metric"] for metric in group.get("EnabledMetrics", [])}
        if missing := [name for name in METRICS if name not in counted]:
            every = {"Granularity": "1Minute", "Metrics": missing}
            self.bring("EnabledMetrics", "enable_metrics_collection", **self.name, **every)

    def follow(self, there: bool) -> None:
        """Let it follow its CPU."""
        asked = {**self.name, "PolicyNames": [POLICY]}
        found = self.client.describe_policies(**asked)["ScalingPolicies"] if there else []
        if not found or found[0].get("TargetTrackingConfiguration") != tracking(self.params):
            self.bring(
                "TargetTrackingConfiguration",
                "put_scaling_policy",
                **self.name,
                PolicyName=POLICY,
                PolicyType="TargetTrackingScaling",
                TargetTrackingConfiguration=tracking(self.params),
            )


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "launch_template_id": {"type": "str", "required": True},
            "version": {"type": "int", "required": True},
            "min_size": {"type": "int", "required": True},
            "max_size": {"type": "int", "required": True},
            "subnet_ids": {"type": "list", "elements": "str", "required": True},
            "target_group_arns": {"type": "list", "elements": "str", "required": True},
            "grace": {"type": "int", "required": True},
            "warmup": {"type": "int", "required": True},
            "cpu_target": {"type": "float", "required": True},
            "tags": {"type": "dict", "default": {}},
        },
        supports_check_mode=True,
    )
    group = Group(module.client("autoscaling"), module.params, module.check_mode)
    try:
        found = group.find()
        if found is None:
            group.create()
        else:
            group.update(found)
        group.measure(found or {})
        group.follow(there=found is not None)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"The group {module.params['name']} cannot be brought in line")
    module.exit_json(changed=bool(group.differences), created=found is None, differences=group.differences)


if __name__ == "__main__":
    main()
