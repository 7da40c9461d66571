#!/usr/bin/python
"""Finds everything of a project on AWS. No Ansible module searches by tag; AWS's own tag search forgets slowly
what is gone and does not know Auto Scaling groups, so each service is asked itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: tagged_resources
short_description: Finds everything of a project and environment
description:
  - Finds what bears the tags C(Project) and C(Env). Where a service cannot filter by tag, what bears the names
    is asked for its tags; what cannot have tags counts by its name.
  - It only reads, so check mode makes no difference.
author: The Caption Gallery authors
options:
  project:
    description: The tag Project.
    type: str
    required: true
  env:
    description: The tag Env.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find everything
  tagged_resources:
    project: example
    env: staging
"""

RETURN = r"""
resources:
  description: Each with C(kind), C(id) (what removes it), C(name), C(bills) and C(further).
  type: list
  elements: dict
  returned: always
"""

# What costs money by being there.
BILLS = {
    "address",
    "bucket",
    "dashboard",
    "alarm",
    "database",
    "database_snapshot",
    "disk",
    "disk_snapshot",
    "endpoint",
    "firewall",
    "host",
    "image",
    "load_balancer",
    "log_group",
    "nat_gateway",
    "secret",
}

# EC2's kinds: operation, key of the answer, key of the id, states that count.
EC2: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "address": ("describe_addresses", "Addresses", "PublicIp", ()),
    "disk": ("describe_volumes", "Volumes", "VolumeId", ()),
    "disk_snapshot": ("describe_snapshots", "Snapshots", "SnapshotId", ()),
    "endpoint": ("describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", ("pending", "available")),
    "flow_log": ("describe_flow_logs", "FlowLogs", "FlowLogId", ()),
    "image": ("describe_images", "Images", "ImageId", ()),
    "internet_gateway": ("describe_internet_gateways", "InternetGateways", "InternetGatewayId", ()),
    "key_pair": ("describe_key_pairs", "KeyPairs", "KeyName", ()),
    "launch_template": ("describe_launch_templates", "LaunchTemplates", "LaunchTemplateId", ()),
    "nat_gateway": (
        "describe_nat_gateways",
        "NatGateways",
        "NatGatewayId",
        ("pending", "available", "deleting"),
    ),
    "route_table": ("describe_route_tables", "RouteTables", "RouteTableId", ()),
    "security_group": ("describe_security_groups", "SecurityGroups", "GroupId", ()),
    "subnet": ("describe_subnets", "Subnets", "SubnetId", ()),
    "vpc": ("describe_vpcs", "Vpcs", "VpcId", ()),
}
OWNED = {"describe_images": {"Owners": ["self"]}, "describe_snapshots": {"OwnerIds": ["self"]}}
FURTHER = ("VpcId", "CidrBlock", "GroupName", "Description")

Found = Iterator[dict[str, Any]]
Client = Callable[[str], Any]


def resource(kind: str, id: str, name: str = "", **further: Any) -> dict[str, Any]:
    """What is told of one resource."""
    return {"kind": kind, "id": id, "name": name or id, "bills": kind in BILLS, "further": further}


class Search:
    """One project and environment, and how to know what belongs to them."""

    def __init__(self, client: Client, project: str, env: str) -> None:
        self.client, self.project, self.env = client, project, env
        self.prefix = f"{project}-{env}"

    def ours(self, tags: Any) -> bool:
        """Whether the tags say so; AWS writes them in three ways."""
        if not isinstance(tags, dict):
            tags = {tag.get("Key", tag.get("key")): tag.get("Value", tag.get("value")) for tag in tags}
        return tags.get("Project") == self.project and tags.get("Env") == self.env

    def named(self, name: str) -> bool:
        """Whether the name says so: ``p-e``, ``p-e-…``, ``p-e/…``, wherever it begins."""
        return any(part == self.prefix or part.startswith(f"{self.prefix}-") for part in name.split("/"))

    def pages(self, service: str, operation: str, key: str, **asked: Any) -> Iterator[Any]:
        """Every item of every page."""
        client = self.client(service)
        if not client.can_paginate(operation):
            yield from getattr(client, operation)(**asked).get(key, [])
            return
        for page in client.get_paginator(operation).paginate(**asked):
            yield from page.get(key, [])

    def everything(self) -> Found:
        """All of it."""
        for find in (self.hosts, self.ec2, self.edge, self.functions, self.messages, self.databases, self.rest):
            yield from find()

    def hosts(self) -> Found:
        """Auto Scaling groups and instances."""
        for group in self.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups"):
            if self.ours(group.get("Tags", [])):
                yield resource("group", group["AutoScalingGroupName"])
        states = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        for reservation in self.pages(
            "ec2", "describe_instances", "Reservations", Filters=[*self.filters, states]
        ):
            for instance in reservation["Instances"]:
                yield resource("host", instance["InstanceId"], _name(instance.get("Tags", [])))

    @property
    def filters(self) -> list[dict[str, Any]]:
        """For EC2, which can filter."""
        return [
            {"Name": "tag:Project", "Values": [self.project]},
            {"Name": "tag:Env", "Values": [self.env]},
        ]

    def ec2(self) -> Found:
        """Everything else of EC2."""
        for kind, (operation, key, id, states) in EC2.items():
            word = "Filter" if operation in ("describe_nat_gateways", "describe_flow_logs") else "Filters"
            for item in self.pages("ec2", operation, key, **{word: self.filters}, **OWNED.get(operation, {})):
                if not states or item.get("State", states[0]).lower() in states:
                    further = {name: item[name] for name in FURTHER if name in item}
                    yield resource(kind, item[id], _name(item.get("Tags", [])), **further)

    def edge(self) -> Found:
        """Load balancers, target groups, firewalls."""
        for kind, operation, key, name in (
            ("load_balancer", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
            ("target_group", "describe_target_groups", "TargetGroups", "TargetGroupName"),
        ):
            for item in self.pages("elbv2", operation, key):
                arn = item[key[:-1] + "Arn"]
                if self.named(item[name]) and self.ours(self._elb_tags(arn)):
                    yield resource(kind, arn, item[name])
        for acl in self.client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]:
            tags = self.client("wafv2").list_tags_for_resource(ResourceARN=acl["ARN"])
            if self.ours(tags.get("TagInfoForResource", {}).get("TagList", [])):
                yield resource("firewall", acl["ARN"], acl["Name"])

    def _elb_tags(self, arn: str) -> list[dict[str, str]]:
        return self.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]

    def functions(self) -> Found:
        """Functions, what feeds them, and rules."""
        client = self.client("lambda")
        for function in self.pages("lambda", "list_functions", "Functions"):
            name = function["FunctionName"]
            if self.named(name) and self.ours(client.list_tags(Resource=function["FunctionArn"])["Tags"]):
                asked = {"FunctionName": name}
                for mapping in self.pages(
                    "lambda", "list_event_source_mappings", "EventSourceMappings", **asked
                ):
                    source = mapping["EventSourceArn"]
                    yield resource(
                        "mapping",
                        mapping["UUID"],
                        f"{source.split(':')[-1]} → {name}",
                        source=source,
                        function=name,
                    )
                yield resource("function", name)
        for rule in self.client("events").list_rules(NamePrefix=self.prefix)["Rules"]:
            if self.ours(
                self.client("events").list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]
            ) or self.named(rule["Name"]):
                yield resource("rule", rule["Name"])

    def messages(self) -> Found:
        """Queues and topics."""
        sqs, sns = self.client("sqs"), self.client("sns")
        for url in self.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=self.prefix):
            if self.ours(sqs.list_queue_tags(QueueUrl=url).get("Tags", {})):
                yield resource("queue", url.rsplit("/", 1)[-1])
        for topic in self.pages("sns", "list_topics", "Topics"):
            arn = topic["TopicArn"]
            if self.named(arn.split(":")[-1]) and self.ours(
                sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
            ):
                yield resource("topic", arn, arn.split(":")[-1])

    def databases(self) -> Found:
        """Instances, what belongs to them, and snapshots that somebody took."""
        rds = self.client("rds")
        for item in self.pages("rds", "describe_db_instances", "DBInstances"):
            if self.ours(item.get("TagList", [])):
                protected = bool(item.get("DeletionProtection"))
                yield resource("database", item["DBInstanceIdentifier"], protected=protected)
        for kind, operation, key, name, arn in (
            (
                "database_subnets",
                "describe_db_subnet_groups",
                "DBSubnetGroups",
                "DBSubnetGroupName",
                "DBSubnetGroupArn",
            ),
            (
                "database_parameters",
                "describe_db_parameter_groups",
                "DBParameterGroups",
                "DBParameterGroupName",
                "DBParameterGroupArn",
            ),
        ):
            for item in self.pages("rds", operation, key):
                if self.named(item[name]) and self.ours(
                    rds.list_tags_for_resource(ResourceName=item[arn])["TagList"]
                ):
                    yield resource(kind, item[name])
        for item in self.pages("rds", "describe_db_snapshots", "DBSnapshots", SnapshotType="manual"):
            if self.named(item["DBSnapshotIdentifier"]):
                yield resource("database_snapshot", item["DBSnapshotIdentifier"])

    def rest(self) -> Found:
        """Buckets, secrets, logs, alarms, dashboards, roles."""
        for bucket in self.client("s3").list_buckets()["Buckets"]:
            if self.named(bucket["Name"]) and self.ours(self._bucket_tags(bucket["Name"])):
                yield resource("bucket", bucket["Name"])
        for secret in self.pages("secretsmanager", "list_secrets", "SecretList"):
            if self.ours(secret.get("Tags", [])):
                yield resource("secret", secret["ARN"], secret["Name"])
        for group in self.pages("logs", "describe_log_groups", "logGroups"):
            arn, name = group["arn"].removesuffix(":*"), group["logGroupName"]
            if self.named(name) and self.ours(
                self.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
            ):
                yield resource("log_group", name)
        for alarm in self.pages(
            "cloudwatch", "describe_alarms", "MetricAlarms", AlarmNamePrefix=f"{self.prefix}-"
        ):
            yield resource("alarm", alarm["AlarmName"])
        for entry in self.pages(
            "cloudwatch", "list_dashboards", "DashboardEntries", DashboardNamePrefix=self.prefix
        ):
            if self.named(entry["DashboardName"]):
                yield resource("dashboard", entry["DashboardName"])
        iam = self.client("iam")
        for profile in self.pages("iam", "list_instance_profiles", "InstanceProfiles"):
            if self.named(profile["InstanceProfileName"]):
                yield resource("instance_profile", profile["InstanceProfileName"])
        for role in self.pages("iam", "list_roles", "Roles"):
            if self.named(role["RoleName"]) and self.ours(
                iam.list_role_tags(RoleName=role["RoleName"])["Tags"]
            ):
                yield resource("role", role["RoleName"])

    def _bucket_tags(self, name: str) -> list[dict[str, str]]:
        try:
            return self.client("s3").get_bucket_tagging(Bucket=name)["TagSet"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchTagSet":
                return []
            raise


def _name(tags: list[dict[str, str]]) -> str:
    return next((tag["Value"] for tag in tags if tag["Key"] == "Name"), "")


def main() -> None:
    """Ansible's entry point."""
    module = AnsibleAWSModule(
        argument_spec={"project": {"type": "str", "required": True}, "env": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    clients: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in clients:
            clients[service] = module.client(service)
        return clients[service]

    try:
        found = list(Search(client, module.params["project"], module.params["env"]).everything())
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="Not everything could be looked for")
    module.exit_json(changed=False, resources=found)


if __name__ == "__main__":
    main()
