#!/usr/bin/python
"""Find all AWS resources of a project and environment.

No module of amazon.aws (10.1 to 11.4) or community.aws (10.0 to 11.1) searches by tag. AWS's Resource Groups
Tagging API returns deleted resources for a while and has no Auto Scaling groups, so each service is queried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import boto3_tag_list_to_ansible_dict
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: tagged_resources
short_description: Find all resources of a project and environment
description:
  - Finds the resources with the tags C(Project) and C(Env). If a service cannot filter by tag, the tags of the
    resources with the name prefix are read; resources that cannot have tags are identified by their name.
  - It only reads, also outside check mode.
author: The Caption Gallery authors
options:
  project:
    description: Value of the tag Project.
    type: str
    required: true
  env:
    description: Value of the tag Env.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Find all resources
  tagged_resources:
    project: example
    env: staging
"""

RETURN = r"""
resources:
  description: The resources, each with C(kind), C(id), C(name), C(bills) (whether it is billed) and C(further).
  type: list
  elements: dict
  returned: always
"""

# Kinds that are billed while they exist.
BILLS = {
    "address",
    "bucket",
    "dashboard",
    "alarm",
    "database",
    "database_snapshot",
    "disk",
    "disk_snapshot",
    "distribution",
    "endpoint",
    "firewall",
    "host",
    "image",
    "load_balancer",
    "log_group",
    "nat_gateway",
    "secret",
}

# Kinds of EC2 resources: operation, key of the result, key of the ID, states that count as existing.
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
Client = Callable[..., Any]
GLOBAL = "us-east-1"  # the region of web ACLs with the scope CLOUDFRONT


def resource(kind: str, id: str, name: str = "", **further: Any) -> dict[str, Any]:
    """Return the description of one resource."""
    return {"kind": kind, "id": id, "name": name or id, "bills": kind in BILLS, "further": further}


class Search:
    """A search for the resources of one project and environment."""

    def __init__(self, client: Client, project: str, env: str) -> None:
        self.client, self.project, self.env = client, project, env
        self.prefix = f"{project}-{env}"

    def ours(self, tags: Any) -> bool:
        """Return whether the tags, a dict or one of AWS's two list formats, are those of the environment."""
        if not isinstance(tags, dict):
            tags = boto3_tag_list_to_ansible_dict(tags)
        return bool(tags.get("Project") == self.project and tags.get("Env") == self.env)

    def named(self, name: str) -> bool:
        """Return whether a part of the name, between slashes, is the prefix or starts with it and a hyphen."""
        return any(part == self.prefix or part.startswith(f"{self.prefix}-") for part in name.split("/"))

    def pages(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[Any]:
        """Yield every item of every page of an operation."""
        client = self.client(service)
        if not client.can_paginate(operation):
            yield from getattr(client, operation)(**parameters).get(key, [])
            return
        for page in client.get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])

    def everything(self) -> Found:
        """Yield all resources of the environment."""
        for find in (
            *(self.hosts, self.ec2, self.cloudfront, self.edge, self.functions, self.messages),
            *(self.databases, self.rest),
        ):
            yield from find()

    def hosts(self) -> Found:
        """Yield the Auto Scaling groups and the instances."""
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
        """The filters for EC2 operations."""
        return [
            {"Name": "tag:Project", "Values": [self.project]},
            {"Name": "tag:Env", "Values": [self.env]},
        ]

    def ec2(self) -> Found:
        """Yield all other EC2 resources."""
        for kind, (operation, key, id, states) in EC2.items():
            parameter = "Filter" if operation in ("describe_nat_gateways", "describe_flow_logs") else "Filters"
            for item in self.pages(
                "ec2", operation, key, **{parameter: self.filters}, **OWNED.get(operation, {})
            ):
                if not states or item.get("State", states[0]).lower() in states:
                    further = {name: item[name] for name in FURTHER if name in item}
                    yield resource(kind, item[id], _name(item.get("Tags", [])), **further)

    def edge(self) -> Found:
        """Yield the load balancers, target groups and web ACLs."""
        for kind, operation, key, name in (
            ("load_balancer", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
            ("target_group", "describe_target_groups", "TargetGroups", "TargetGroupName"),
        ):
            for item in self.pages("elbv2", operation, key):
                arn = item[key[:-1] + "Arn"]
                if self.named(item[name]) and self.ours(self._elb_tags(arn)):
                    yield resource(kind, arn, item[name])
        for scope, waf in (("REGIONAL", self.client("wafv2")), ("CLOUDFRONT", self.client("wafv2", GLOBAL))):
            for acl in waf.list_web_acls(Scope=scope)["WebACLs"]:
                if not self.named(acl["Name"]):
                    continue  # the operator may not read the tags of others
                tags = waf.list_tags_for_resource(ResourceARN=acl["ARN"])
                if self.ours(tags.get("TagInfoForResource", {}).get("TagList", [])):
                    yield resource("firewall", acl["ARN"], acl["Name"], scope=scope)

    def cloudfront(self) -> Found:
        """Yield the distributions and the VPC origins; boto3 has no paginator for the latter."""
        client = self.client("cloudfront")
        for page in client.get_paginator("list_distributions").paginate():
            for item in page["DistributionList"].get("Items", []):
                if self.named(item["Comment"]) and self.ours(self._cloudfront_tags(item["ARN"])):
                    yield resource("distribution", item["Id"], item["Comment"])
        marker: dict[str, str] | None = {}
        while marker is not None:
            listed = client.list_vpc_origins(**marker)["VpcOriginList"]
            for item in listed.get("Items", []):
                if self.named(item["Name"]) and self.ours(self._cloudfront_tags(item["Arn"])):
                    yield resource("vpc_origin", item["Id"], item["Name"])
            marker = {"Marker": listed["NextMarker"]} if listed.get("NextMarker") else None

    def _cloudfront_tags(self, arn: str) -> list[dict[str, str]]:
        found = self.client("cloudfront").list_tags_for_resource(Resource=arn)
        return list(found["Tags"].get("Items", []))

    def _elb_tags(self, arn: str) -> list[dict[str, str]]:
        found = self.client("elbv2").describe_tags(ResourceArns=[arn])["TagDescriptions"]
        return list(found[0]["Tags"])

    def functions(self) -> Found:
        """Yield the functions, event source mappings and EventBridge rules."""
        client = self.client("lambda")
        for function in self.pages("lambda", "list_functions", "Functions"):
            name = function["FunctionName"]
            if self.named(name) and self.ours(client.list_tags(Resource=function["FunctionArn"])["Tags"]):
                for mapping in self.pages(
                    "lambda", "list_event_source_mappings", "EventSourceMappings", FunctionName=name
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
        """Yield the queues and topics."""
        sqs, sns = self.client("sqs"), self.client("sns")
        for url in self.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=self.prefix):
            if self.ours(sqs.list_queue_tags(QueueUrl=url).get("Tags", {})):
                yield resource("queue", url.rpartition("/")[2])
        for topic in self.pages("sns", "list_topics", "Topics"):
            arn = topic["TopicArn"]
            if self.named(arn.split(":")[-1]) and self.ours(
                sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
            ):
                yield resource("topic", arn, arn.split(":")[-1])

    def databases(self) -> Found:
        """Yield the database instances, subnet groups, parameter groups and manual snapshots."""
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
        """Yield the buckets, secrets, log groups, alarms, dashboards, instance profiles and roles."""
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
            return list(self.client("s3").get_bucket_tagging(Bucket=name)["TagSet"])
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchTagSet":
                return []
            raise


def _name(tags: list[dict[str, str]]) -> str:
    return next((tag["Value"] for tag in tags if tag["Key"] == "Name"), "")


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"project": {"type": "str", "required": True}, "env": {"type": "str", "required": True}},
        supports_check_mode=True,
    )
    clients: dict[str, Any] = {}

    def client(service: str, region: str = "") -> Any:
        if service + region not in clients:
            clients[service + region] = module.client(service, **({"region": region} if region else {}))
        return clients[service + region]

    try:
        found = list(Search(client, module.params["project"], module.params["env"]).everything())
    except (BotoCoreError, ClientError) as error:
        module.fail_json_aws(error, msg="Failed to search for the resources")
    module.exit_json(changed=False, resources=found)


if __name__ == "__main__":
    main()
