#!/usr/bin/python
"""Create an Auto Scaling group or update what differs, without changing its size or its launch template.

amazon.aws.autoscaling_group (10.1 to 11.4) reports a change in every check mode, writes at every run, resets
the size that the scaling policy has set, and changes the launch template of a group before it is rolled.
community.aws.autoscaling_policy (10.0 to 11.1) has no check mode.
"""

from __future__ import annotations

from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: fleet_group
short_description: Create or update an Auto Scaling group with a target tracking policy for CPU
description:
  - The group uses the load balancer's health check. AWS sets its size, within the limits.
  - In check mode nothing is written.
author: The Caption Gallery authors
options:
  name:
    description: Name of the Auto Scaling group.
    type: str
    required: true
  launch_template_id:
    description: ID of the launch template of a new group. M(fleet_refresh) changes that of an existing group.
    type: str
    required: true
  version:
    description: Version number of the launch template.
    type: int
    required: true
  min_size:
    description: Minimum number of instances.
    type: int
    required: true
  max_size:
    description: Maximum number of instances.
    type: int
    required: true
  subnet_ids:
    description: IDs of the subnets.
    type: list
    elements: str
    required: true
  target_group_arns:
    description: ARNs of the target groups.
    type: list
    elements: str
    required: true
  grace:
    description: Health check grace period in seconds.
    type: int
    required: true
  warmup:
    description: Default instance warmup in seconds.
    type: int
    required: true
  cpu_target:
    description: Target of the scaling policy; average CPU of the group in percent.
    type: float
    required: true
  tags:
    description: Tags of the group; instances get theirs from the launch template.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Create a group of one to three hosts
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
  description: Whether the group was created, or would be.
  type: bool
  returned: always
differences:
  description: Names of the properties that were changed, or would be.
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
    """Return the properties that UpdateAutoScalingGroup can change."""
    return {
        "MinSize": params["min_size"],
        "MaxSize": params["max_size"],
        "VPCZoneIdentifier": ",".join(sorted(params["subnet_ids"])),
        "HealthCheckType": "ELB",
        "HealthCheckGracePeriod": params["grace"],
        "DefaultInstanceWarmup": params["warmup"],
    }


def tags(params: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tags in Auto Scaling's format, which also names the resource."""
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
    """Return the TargetTrackingConfiguration of the scaling policy."""
    return {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": params["cpu_target"],
        "DisableScaleIn": False,
    }


class Group:
    """An Auto Scaling group; collects what differs, and prevents writes in check mode."""

    def __init__(self, client: Any, params: dict[str, Any], check_mode: bool) -> None:
        self.client, self.params, self.check_mode = client, params, check_mode
        self.name = {"AutoScalingGroupName": params["name"]}
        self.differences: list[str] = []

    def find(self) -> dict[str, Any] | None:
        """Return the group, or None if it does not exist or is being deleted."""
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[self.params["name"]])
        return next((group for group in found["AutoScalingGroups"] if not group.get("Status")), None)

    def change(self, difference: str, operation: str, **parameters: Any) -> None:
        """Record a difference; outside check mode, make the call that removes it."""
        self.differences.append(difference)
        if not self.check_mode:
            getattr(self.client, operation)(**parameters)

    def create(self) -> None:
        """Create the group with its launch template version and the minimum size."""
        params = self.params
        version = {"LaunchTemplateId": params["launch_template_id"], "Version": str(params["version"])}
        self.change(
            "AutoScalingGroup",
            "create_auto_scaling_group",
            **self.name,
            **wanted(params),
            LaunchTemplate=version,
            TargetGroupARNs=params["target_group_arns"],
            Tags=tags(params),
        )

    def update(self, group: dict[str, Any]) -> None:
        """Update the properties, target groups and tags that differ."""
        current = {**group, "VPCZoneIdentifier": ",".join(sorted(group["VPCZoneIdentifier"].split(",")))}
        settings = {key: value for key, value in wanted(self.params).items() if current.get(key) != value}
        if settings:
            self.change(", ".join(settings), "update_auto_scaling_group", **self.name, **settings)
        attached, wanted_arns = set(group.get("TargetGroupARNs", [])), set(self.params["target_group_arns"])
        for operation, arns in (("attach", wanted_arns - attached), ("detach", attached - wanted_arns)):
            if arns:
                call = f"{operation}_load_balancer_target_groups"
                self.change("TargetGroupARNs", call, **self.name, TargetGroupARNs=sorted(arns))
        found = sorted(group.get("Tags", []), key=lambda tag: tag["Key"])
        if missing := [tag for tag in tags(self.params) if tag not in found]:
            self.change("Tags", "create_or_update_tags", Tags=missing)
        if surplus := [tag for tag in found if tag["Key"] not in self.params["tags"]]:
            self.change("Tags", "delete_tags", Tags=surplus)

    def collect_metrics(self, group: dict[str, Any]) -> None:
        """Enable the group metrics that are missing."""
        enabled = {metric["Metric"] for metric in group.get("EnabledMetrics", [])}
        if missing := [name for name in METRICS if name not in enabled]:
            collection = {"Granularity": "1Minute", "Metrics": missing}
            self.change("EnabledMetrics", "enable_metrics_collection", **self.name, **collection)

    def scale(self, exists: bool) -> None:
        """Create or update the scaling policy."""
        query = {**self.name, "PolicyNames": [POLICY]}
        found = self.client.describe_policies(**query)["ScalingPolicies"] if exists else []
        if not found or found[0].get("TargetTrackingConfiguration") != tracking(self.params):
            self.change(
                "TargetTrackingConfiguration",
                "put_scaling_policy",
                **self.name,
                PolicyName=POLICY,
                PolicyType="TargetTrackingScaling",
                TargetTrackingConfiguration=tracking(self.params),
            )


def main() -> None:
    """Run the module."""
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
        group.collect_metrics(found or {})
        group.scale(exists=found is not None)
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg=f"Failed to manage the Auto Scaling group {module.params['name']}")
    module.exit_json(changed=bool(group.differences), created=found is None, differences=group.differences)


if __name__ == "__main__":
    main()
