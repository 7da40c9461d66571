"""The network, the public address and the database, described."""

from __future__ import annotations

from typing import Any

from tests.deploy.security_look import Look, document

Described = dict[str, Any]
CLOUDFRONT = "CloudFront-VPCOrigins-Service-SG"  # the group that it makes for its own network interfaces


def balancers(look: Look) -> Described:
    """Return by name: the load balancer, its attributes, its listeners by port."""
    elb = look.client("elbv2")
    found = look.pages("elbv2", "describe_load_balancers", "LoadBalancers")
    return {
        each["LoadBalancerName"]: each
        | {
            "Attributes": _pairs(
                elb.describe_load_balancer_attributes(LoadBalancerArn=each["LoadBalancerArn"])["Attributes"]
            ),
            "Listeners": {
                listener["Port"]: listener
                for listener in elb.describe_listeners(LoadBalancerArn=each["LoadBalancerArn"])["Listeners"]
            },
        }
        for each in found
        if each["LoadBalancerName"].startswith(look.prefix)
    }


def distributions(look: Look) -> Described:
    """Return by name, which is the comment: the distribution's configuration and its ARN."""
    cloudfront = look.client("cloudfront")
    listed = cloudfront.list_distributions()["DistributionList"].get("Items", [])
    return {
        each["Comment"]: cloudfront.get_distribution_config(Id=each["Id"])["DistributionConfig"]
        | {"Id": each["Id"], "ARN": each["ARN"]}
        for each in listed
        if each["Comment"].startswith(look.prefix)
    }


def firewalls(look: Look) -> Described:
    """Return by name: the web ACL, and the load balancers or distributions that it stands before."""
    waf = look.client("wafv2")
    found = {}
    for each in waf.list_web_acls(Scope="CLOUDFRONT")["WebACLs"]:  # the region of the tests is us-east-1
        if each["Name"].startswith(look.prefix):
            acl = waf.get_web_acl(Name=each["Name"], Scope="CLOUDFRONT", Id=each["Id"])["WebACL"]
            served = distributions(look).values()
            found[each["Name"]] = acl | {
                "before": [one["ARN"] for one in served if one["WebACLId"] == acl["ARN"]]
            }
    listed = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    for each in listed:
        if each["Name"].startswith(look.prefix):
            acl = waf.get_web_acl(Name=each["Name"], Scope="REGIONAL", Id=each["Id"])["WebACL"]
            before = waf.list_resources_for_web_acl(
                WebACLArn=each["ARN"], ResourceType="APPLICATION_LOAD_BALANCER"
            )
            found[each["Name"]] = acl | {"before": before["ResourceArns"]}
    return found


def databases(look: Look) -> Described:
    """Return by name: the instance, and the parameters that differ from the engine's own."""
    found = look.pages("rds", "describe_db_instances", "DBInstances")
    mine = [each for each in found if each["DBInstanceIdentifier"].startswith(look.prefix)]
    return {each["DBInstanceIdentifier"]: each | {"Parameters": _parameters(look, each)} for each in mine}


def _parameters(look: Look, instance: Described) -> dict[str, str]:
    group = instance["DBParameterGroups"][0]["DBParameterGroupName"]
    given = {"DBParameterGroupName": group, "Source": "user"}
    found = look.pages("rds", "describe_db_parameters", "Parameters", **given)
    return {each["ParameterName"]: each["ParameterValue"] for each in found if "ParameterValue" in each}


def vpcs(look: Look) -> list[Described]:
    """The environment's: one."""
    return list(look.client("ec2").describe_vpcs(VpcIds=look.vpc_ids)["Vpcs"]) if look.vpc_ids else []


def subnets(look: Look) -> list[Described]:
    """Each with its tags as a mapping."""
    found = look.client("ec2").describe_subnets(Filters=look.in_vpc())["Subnets"]
    return [each | {"Tags": _pairs(each.get("Tags", []))} for each in found]


def route_tables(look: Look) -> list[Described]:
    """Each with its tags as a mapping."""
    found = look.client("ec2").describe_route_tables(Filters=look.in_vpc())["RouteTables"]
    return [each | {"Tags": _pairs(each.get("Tags", []))} for each in found]


def groups(look: Look) -> Described:
    """The security groups by name, with what they let in and out; without that which CloudFront makes."""
    found = look.client("ec2").describe_security_groups(Filters=look.in_vpc())["SecurityGroups"]
    own = [each for each in found if each["GroupName"] != CLOUDFRONT]
    return {each["GroupName"].removeprefix(f"{look.prefix}-"): each for each in own}


def endpoints(look: Look) -> list[Described]:
    """AWS's services inside the network, each with its policy."""
    found = look.client("ec2").describe_vpc_endpoints(Filters=look.in_vpc())["VpcEndpoints"]
    return [each | {"Policy": document(each.get("PolicyDocument"))} for each in found]


def flow_logs(look: Look) -> list[Described]:
    """Return the endpoints of the VPC."""
    about = [{"Name": "resource-id", "Values": look.vpc_ids or ["none"]}]
    return list(look.client("ec2").describe_flow_logs(Filters=about)["FlowLogs"])


def instances(look: Look) -> list[Described]:
    """Hosts that are there, the bastion among them."""
    found = look.pages("ec2", "describe_instances", "Reservations", Filters=look.in_vpc())
    hosts = [host for reservation in found for host in reservation["Instances"]]
    return [host for host in hosts if host["State"]["Name"] not in ("terminated", "shutting-down")]


def templates(look: Look) -> list[Described]:
    """The newest version of each launch template."""
    ec2 = look.client("ec2")
    found = look.pages("ec2", "describe_launch_templates", "LaunchTemplates")
    names = [each["LaunchTemplateName"] for each in found if each["LaunchTemplateName"].startswith(look.prefix)]
    versions = [
        ec2.describe_launch_template_versions(LaunchTemplateName=name, Versions=["$Latest"]) for name in names
    ]
    return [each for answer in versions for each in answer["LaunchTemplateVersions"]]


def fleets(look: Look) -> list[Described]:
    """The Auto Scaling groups."""
    found = look.pages("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")
    return [group for group in found if group["AutoScalingGroupName"].startswith(look.prefix)]


def addresses(look: Look) -> list[Described]:
    """Public ones that are paid for."""
    named = [{"Name": "tag:Name", "Values": [f"{look.prefix}-*"]}]
    return list(look.client("ec2").describe_addresses(Filters=named)["Addresses"])


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}
