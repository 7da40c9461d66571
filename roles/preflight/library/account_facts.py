#!/usr/bin/python
"""Read what an AWS account and region offer: zones, quotas, plan, machine images, instance types, bucket names.

amazon.aws (10.1 to 11.4) and community.aws (10.0 to 11.1) have no modules for Service Quotas, for the limits of
Lambda, for the account's plan and for the classes that RDS offers in a region. It only reads.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from botocore.exceptions import BotoCoreError, ClientError

DOCUMENTATION = r"""
module: account_facts
short_description: Read zones, quotas, plan, images, instance types, bucket names and a secret of an account
description:
  - A fact that the credentials may not read, or that the region does not offer, is null.
author: The Caption Gallery authors
options:
  images:
    description: Name patterns of machine images, each with the account that owns them.
    type: dict
    default: {}
  instance_types:
    description: EC2 instance types.
    type: list
    elements: str
    default: []
  database_class:
    description: RDS instance class.
    type: str
    required: true
  buckets:
    description: Names of buckets.
    type: list
    elements: str
    default: []
  boundary:
    description: ARN of the managed policy that limits the roles; empty for none.
    type: str
    default: ""
  boundary_document:
    description: What that policy should say.
    type: dict
    default: {}
  secret:
    description: Name of a secret.
    type: str
    default: ""
  balancer:
    description: Name of a load balancer; empty for none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Read the zones and the quotas
  account_facts:
    database_class: db.t4g.small
  register: found
"""

RETURN = r"""
facts:
  description: The facts; each is null if it could not be read.
  type: dict
  returned: always
  contains:
    zones: {description: IDs of the zones by their names., type: dict}
    limited_zones: {description: "States of the zones that are not available, by their names.", type: dict}
    concurrency: {description: Lambda's unreserved and total concurrent executions., type: dict}
    vcpus: {description: Quota of vCPUs of running on-demand standard instances., type: int}
    addresses: {description: Quota of elastic IPs., type: int}
    addresses_used: {description: Tags of the existing elastic IPs., type: list}
    vpcs: {description: Quota of VPCs., type: int}
    vpcs_used: {description: Names of the existing VPCs., type: list}
    plan: {description: FREE or PAID., type: str}
    images: {description: Architectures of the newest image of each pattern., type: dict}
    instance_types: {description: vCPUs and architectures of each instance type., type: dict}
    database_class: {description: Whether RDS offers the class for MySQL., type: bool}
    buckets: {description: "Of each bucket: free, own, or taken.", type: dict}
    boundary: {description: "Of the managed policy: same, different, or missing.", type: str}
    secret: {description: "Of the secret: stored, or empty if it has no value or does not exist.", type: str}
    balancer: {description: "Scheme of the load balancer: internal, internet-facing, or empty.", type: str}
    clock_skew: {description: Seconds by which this machine's clock differs from that of AWS., type: int}
"""

QUOTAS = {"vcpus": ("ec2", "L-1216C47A"), "addresses": ("ec2", "L-0263D0A3"), "vpcs": ("vpc", "L-F678F1CE")}


def zones(client: Any) -> dict[str, str]:
    """Return the IDs of the zones by their names, whatever their state."""
    return {zone["ZoneName"]: zone.get("ZoneId", "") for zone in listed_zones(client)}


def limited_zones(client: Any) -> dict[str, str]:
    """Return the states of the zones that are not available, such as constrained, by their names."""
    states = {zone["ZoneName"]: zone["State"] for zone in listed_zones(client)}
    return {name: state for name, state in states.items() if state != "available"}


def listed_zones(client: Any) -> list[dict[str, Any]]:
    """Return the zones of the region, without local and wavelength zones."""
    found = client("ec2").describe_availability_zones()["AvailabilityZones"]
    return [zone for zone in found if zone.get("ZoneType", "availability-zone") == "availability-zone"]


def concurrency(client: Any) -> dict[str, int]:
    """Return how many executions run at the same time, in all and without a reservation."""
    limits = client("lambda").get_account_settings()["AccountLimit"]
    return {"total": limits["ConcurrentExecutions"], "unreserved": limits["UnreservedConcurrentExecutions"]}


def quota(client: Any, name: str) -> int:
    """Return the value of a quota."""
    service, code = QUOTAS[name]
    found = client("service-quotas").get_service_quota(ServiceCode=service, QuotaCode=code)
    return int(found["Quota"]["Value"])


def tag_name(resource: dict[str, Any]) -> str:
    """Return the tag Name of a resource."""
    return str({tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}.get("Name", ""))


def images(client: Any, owners: dict[str, str]) -> dict[str, str | None]:
    """Return the architecture of the newest image that each pattern matches; None where it matches none."""
    found = {}
    for pattern, owner in owners.items():
        listed = client("ec2").describe_images(
            Owners=[owner],
            Filters=[{"Name": "name", "Values": [pattern]}, {"Name": "state", "Values": ["available"]}],
        )["Images"]
        newest: dict[str, Any] = max(listed, key=lambda image: image.get("CreationDate", ""), default={})
        found[pattern] = newest.get("Architecture")
    return found


def instance_types(client: Any, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return vCPUs and architectures of the instance types that the region offers."""
    wanted = [{"Name": "instance-type", "Values": sorted(set(names))}]
    pages = client("ec2").get_paginator("describe_instance_types").paginate(Filters=wanted)
    return {
        each["InstanceType"]: {
            "vcpus": each["VCpuInfo"]["DefaultVCpus"],
            "architectures": each["ProcessorInfo"]["SupportedArchitectures"],
        }
        for page in pages
        for each in page["InstanceTypes"]
    }


def database_class(client: Any, name: str) -> bool:
    """Return whether RDS offers the class for MySQL in this region."""
    found = client("rds").describe_orderable_db_instance_options(
        Engine="mysql", DBInstanceClass=name, MaxRecords=20
    )
    return bool(found["OrderableDBInstanceOptions"])


def bucket(client: Any, name: str) -> str:
    """Return who has the name of a bucket: nobody (free), this account (own) or another one (taken)."""
    try:
        client("s3").head_bucket(Bucket=name)
    except ClientError as error:
        return "free" if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404 else "taken"
    return "own"


def boundary(client: Any, arn: str, document: dict[str, Any]) -> str:
    """Compare the default version of a managed policy with a document: same, different, or missing."""
    if not arn:
        return "same"
    try:
        version = client("iam").get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchEntity":
            return "missing"
        raise
    found = client("iam").get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return "same" if ordered(found) == ordered(document) else "different"


def secret(client: Any, name: str) -> str:
    """Return whether a secret has a value (stored) or not (empty), without reading it."""
    try:
        versions = client("secretsmanager").describe_secret(SecretId=name).get("VersionIdsToStages", {})
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return "empty"
        raise
    return "stored" if any("AWSCURRENT" in stages for stages in versions.values()) else "empty"


def balancer(client: Any, name: str) -> str:
    """Return whether a load balancer is internal or internet-facing; empty if it does not exist."""
    pages = client("elbv2").get_paginator("describe_load_balancers").paginate()
    found = [each for page in pages for each in page["LoadBalancers"] if each["LoadBalancerName"] == name]
    return str(found[0]["Scheme"]) if found else ""


def ordered(value: Any) -> Any:
    """Return a policy document in one form: the order of lists means nothing, nor does a list of one value."""
    if isinstance(value, dict):
        return {key: ordered(item) for key, item in value.items()}
    if isinstance(value, list):
        items = sorted((ordered(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value


def clock_skew(client: Any) -> int:
    """Return by how many seconds this machine's clock is ahead of that of AWS."""
    headers = client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"]
    return round((datetime.now(UTC) - parsedate_to_datetime(headers["date"])).total_seconds())


def readers(parameters: dict[str, Any]) -> dict[str, Callable[[Any], Any]]:
    """Return how each fact is read, by its name."""
    return {
        "zones": zones,
        "limited_zones": limited_zones,
        "concurrency": concurrency,
        **{name: partial(quota, name=name) for name in QUOTAS},
        "addresses_used": lambda client: [
            tag_name(each) for each in client("ec2").describe_addresses()["Addresses"]
        ],
        "vpcs_used": lambda client: [tag_name(each) for each in client("ec2").describe_vpcs()["Vpcs"]],
        "plan": lambda client: client("freetier").get_account_plan_state()["accountPlanType"],
        "images": lambda client: images(client, parameters["images"]),
        "instance_types": lambda client: instance_types(client, parameters["instance_types"]),
        "database_class": lambda client: database_class(client, parameters["database_class"]),
        "buckets": lambda client: {name: bucket(client, name) for name in parameters["buckets"]},
        "boundary": lambda client: boundary(client, parameters["boundary"], parameters["boundary_document"]),
        "secret": lambda client: secret(client, parameters["secret"]),
        "balancer": lambda client: balancer(client, parameters["balancer"]),
        "clock_skew": clock_skew,
    }


def facts(client: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    """Read every fact; one that cannot be read is None. ``client`` returns a client of a service."""
    found = {}
    for name, read in readers(parameters).items():
        try:
            found[name] = read(client)
        except (BotoCoreError, ClientError, KeyError):
            found[name] = None
    return found


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "images": {"type": "dict", "default": {}},
            "instance_types": {"type": "list", "elements": "str", "default": []},
            "database_class": {"type": "str", "required": True},
            "buckets": {"type": "list", "elements": "str", "default": []},
            "boundary": {"type": "str", "default": ""},
            "boundary_document": {"type": "dict", "default": {}},
            "secret": {"type": "str", "default": ""},
            "balancer": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    module.exit_json(changed=False, facts=facts(module.client, module.params))


if __name__ == "__main__":
    main()
