"""Everything that an account holds, described by each service's own list and describe calls, comparable.

What AWS chooses at random is left out or replaced: an id by the resource's name, a moment by nothing. So two
accounts that were made alike have equal descriptions, and an emptied one has that of a new one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

Client = Callable[[str], Any]
Described = dict[str, list[Any]]

# Moments, counters, tokens: different in every account that was made alike.
PASSING = re.compile(
    r"(.*(Time|Date|Timestamp|RevisionId|LockToken|VersionId|Token|Fingerprint)|(.*\.)?creationTime|"
    r"StateReason.*|StateValue|StateUpdated.*|Approximate.*|ResponseMetadata|storedBytes|UUID|StateTransition.*|"
    r"LastModified.*|CreatedTimestamp|LatestRestorableTime|DbiResourceId|CanonicalHostedZoneId|DNSName|"
    r"PrivateIp.*|PublicIp|NetworkInterface.*|RoleId|OwnerId|Marker|SubscriptionsConfirmed|Capacity|Owner|ETag|DB_PORT)$"
)
ID = re.compile(
    r"\b(?:vpc-cidr-assoc|vpc|subnet|sg|sgr|rtb|rtbassoc|igw|nat|eipalloc|eipassoc|vpce|fl|acl|eni|dopt|pl)-[0-9a-f]{8,17}\b"
)
# Ids that are not EC2's, the stand-in's ports, and where its certificates lie.
CHANCE = re.compile(
    r"(?<=[/:-])(?:[0-9a-f]{32,40}|[0-9a-f]{8}-[0-9a-f-]{27})(?=$|[/\"])|(?<=/)[0-9a-z]{16}(?=$|[/\"])"
    r"|(?<=-)[0-9a-z]{8}(?=[.][a-z0-9-]+[.]elb[.])|(?<=127[.]0[.]0[.]1:)\d+|vo_\w{22}|[a-z0-9]+(?=[.]cloudfront[.]net)|(?<=localhost:)\d+|^/.*/(?=ca[.]pem$)"
)

EC2 = {
    "Vpcs": "describe_vpcs",
    "Subnets": "describe_subnets",
    "RouteTables": "describe_route_tables",
    "SecurityGroups": "describe_security_groups",
    "InternetGateways": "describe_internet_gateways",
    "NatGateways": "describe_nat_gateways",
    "Addresses": "describe_addresses",
    "VpcEndpoints": "describe_vpc_endpoints",
    "FlowLogs": "describe_flow_logs",
    "KeyPairs": "describe_key_pairs",
    "LaunchTemplates": "describe_launch_templates",
    "Volumes": "describe_volumes",
    "Reservations": "describe_instances",
}


def described(client: Client) -> Described:
    """Every resource by ``service/kind/name``, each with all its settings.

    :param client: gives a boto3 client by the service's name.
    """
    looks = (ec2, edge, cloudfront, functions, messages, databases, buckets, secrets, logs, alarms, roles)
    found = [item for look in looks for item in look(client)]
    names = dict(_named(found))
    steady: Described = {}
    for key, value in found:
        steady.setdefault(_replaced(key, names), []).append(_steady(value, names))
    return {key: sorted(steady[key], key=_order) for key in sorted(steady)}


def differences(expected: Described, actual: Described) -> list[str]:
    """What the second has that the first has not, or otherwise: a line each, which begins with the resource."""
    return [
        *(f"{key}: missing" for key in sorted(set(expected) - set(actual))),
        *(f"{key}: too many" for key in sorted(set(actual) - set(expected))),
        *(
            f"{key}: {line}"
            for key in sorted(set(expected) & set(actual))
            for line in _apart(expected[key], actual[key])
        ),
    ]


def _apart(expected: Any, actual: Any, where: str = "") -> Iterator[str]:
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(set(expected) | set(actual)):
            yield from _apart(expected.get(key), actual.get(key), f"{where}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for number, pair in enumerate(zip(expected, actual, strict=True)):
            yield from _apart(*pair, f"{where}[{number}]")
    elif expected != actual:
        yield f"{where} {str(expected)[:200]} became {str(actual)[:200]}"


def _named(found: list[tuple[str, Any]]) -> Iterator[tuple[str, str]]:
    """The ids of EC2's resources, each with the resource's name."""
    for key, value in found:
        kind, _, name = key.removeprefix("ec2/").partition("/")
        if name and kind in OWN_IDS:
            yield value[OWN_IDS[kind]], f"<{name}>"


OWN_IDS = {
    "Vpcs": "VpcId",
    "Subnets": "SubnetId",
    "RouteTables": "RouteTableId",
    "SecurityGroups": "GroupId",
    "InternetGateways": "InternetGatewayId",
    "NatGateways": "NatGatewayId",
    "Addresses": "AllocationId",
    "VpcEndpoints": "VpcEndpointId",
    "FlowLogs": "FlowLogId",
}


def _order(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)


def _replaced(text: str, names: dict[str, str]) -> str:
    return CHANCE.sub("…", ID.sub(lambda found: names.get(found[0], "<…>"), text))


def _steady(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _steady(each, names) for key, each in value.items() if not PASSING.match(key)}
    if isinstance(value, list):
        return sorted((_steady(each, names) for each in value), key=_order)
    return _replaced(value, names) if isinstance(value, str) else value


def _pages(service: Any, operation: str, key: str, **asked: Any) -> Iterator[Any]:
    if not service.can_paginate(operation):
        yield from getattr(service, operation)(**asked).get(key, [])
        return
    for page in service.get_paginator(operation).paginate(**asked):
        yield from page.get(key, [])


def _maybe(call: Callable[..., Any], **asked: Any) -> Any:
    """What is answered, or the name of the refusal."""
    try:
        return {key: value for key, value in call(**asked).items() if key != "ResponseMetadata"}
    except ClientError as error:
        return error.response["Error"]["Code"]


Found = Iterator[tuple[str, Any]]


def ec2(client: Client) -> Found:
    """The network and what stands in it."""
    service = client("ec2")
    for key, operation in EC2.items():
        for item in _pages(service, operation, key):
            if not _gone(item):
                name = next((tag["Value"] for tag in item.get("Tags", []) if tag["Key"] == "Name"), "")
                yield f"ec2/{key}/{item.get('GroupName') or name}", item
    for group in _pages(client("autoscaling"), "describe_auto_scaling_groups", "AutoScalingGroups"):
        yield f"autoscaling/{group['AutoScalingGroupName']}", group


def _gone(item: Any) -> bool:
    """Listed for an hour more, as AWS does."""
    states = [each["State"]["Name"] for each in item.get("Instances", [])] or [item.get("State")]
    return set(states) <= {"deleted", "deleting", "terminated"}


def edge(client: Client) -> Found:
    """Load balancers and firewalls."""
    elb, waf = client("elbv2"), client("wafv2")
    for item in _pages(elb, "describe_load_balancers", "LoadBalancers"):
        arn = item["LoadBalancerArn"]
        attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        listeners = elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
        tags = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        wall = _maybe(waf.get_web_acl_for_resource, ResourceArn=arn)
        name = item["LoadBalancerName"]
        yield f"elbv2/balancer/{name}", [item, attributes, listeners, tags, bool(wall)]
    for item in _pages(elb, "describe_target_groups", "TargetGroups"):
        arn = item["TargetGroupArn"]
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        tags = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
        yield f"elbv2/group/{item['TargetGroupName']}", [item, attributes, tags]
    for scope in ("REGIONAL", "CLOUDFRONT"):  # the region of the tests is that of the latter
        for item in waf.list_web_acls(Scope=scope)["WebACLs"]:
            acl = waf.get_web_acl(Name=item["Name"], Scope=scope, Id=item["Id"])["WebACL"]
            tags = _maybe(waf.list_tags_for_resource, ResourceARN=item["ARN"])
            yield f"wafv2/{scope}/{item['Name']}", [{**acl, "Id": "", "ARN": ""}, tags]


def cloudfront(client: Client) -> Found:
    """Distributions and VPC origins."""
    service = client("cloudfront")
    for item in service.list_distributions()["DistributionList"].get("Items", []):
        config = service.get_distribution_config(Id=item["Id"])["DistributionConfig"]
        tags = service.list_tags_for_resource(Resource=item["ARN"])["Tags"]
        yield f"cloudfront/distribution/{item['Comment']}", [config | {"CallerReference": ""}, tags]
    for item in service.list_vpc_origins()["VpcOriginList"].get("Items", []):
        config = service.get_vpc_origin(Id=item["Id"])["VpcOrigin"]["VpcOriginEndpointConfig"]
        tags = service.list_tags_for_resource(Resource=item["Arn"])["Tags"]
        yield f"cloudfront/origin/{item['Name']}", [config, tags]


def functions(client: Client) -> Found:
    """Functions with their limits and policies, what feeds them, and the clock."""
    service, clock = client("lambda"), client("events")
    for item in _pages(service, "list_functions", "Functions"):
        asked = {"FunctionName": item["FunctionName"]}
        policy = _maybe(service.get_policy, **asked)
        limits = _maybe(service.get_function_concurrency, **asked)
        loops = service.get_function_recursion_config(**asked)["RecursiveLoop"]
        tags = service.list_tags(Resource=item["FunctionArn"])["Tags"]
        if item["FunctionName"].endswith("-migrator"):  # its code holds the certificates
            item |= {"CodeSha256": "", "CodeSize": 0}
        yield f"lambda/{item['FunctionName']}", [item, policy, limits, loops, tags]
    for item in _pages(service, "list_event_source_mappings", "EventSourceMappings"):
        yield f"lambda/mapping/{item['EventSourceArn']}", item
    for item in clock.list_rules()["Rules"]:
        targets = clock.list_targets_by_rule(Rule=item["Name"])["Targets"]
        yield f"events/{item['Name']}", [item, targets]


def messages(client: Client) -> Found:
    """Queues and topics."""
    sqs, sns = client("sqs"), client("sns")
    for url in _pages(sqs, "list_queues", "QueueUrls"):
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        yield f"sqs/{url.rsplit('/', 1)[-1]}", [attributes, _maybe(sqs.list_queue_tags, QueueUrl=url)]
    for item in _pages(sns, "list_topics", "Topics"):
        arn = item["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        subscriptions = [
            sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"]
            for each in _pages(sns, "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
        ]
        tags = sns.list_tags_for_resource(ResourceArn=arn)["Tags"]
        yield f"sns/{arn}", [attributes, subscriptions, tags]


def databases(client: Client) -> Found:
    """Databases, their groups and their snapshots."""
    rds = client("rds")
    for item in _pages(rds, "describe_db_instances", "DBInstances"):
        yield f"rds/{item['DBInstanceIdentifier']}", item | {"Endpoint": ""}
    for item in _pages(rds, "describe_db_subnet_groups", "DBSubnetGroups"):
        yield f"rds/subnets/{item['DBSubnetGroupName']}", item
    for item in _pages(rds, "describe_db_parameter_groups", "DBParameterGroups"):
        asked = {"DBParameterGroupName": item["DBParameterGroupName"]}
        parameters = list(_pages(rds, "describe_db_parameters", "Parameters", **asked))
        yield f"rds/parameters/{item['DBParameterGroupName']}", [item, parameters]
    for item in _pages(rds, "describe_db_snapshots", "DBSnapshots"):
        yield f"rds/snapshot/{item['DBSnapshotIdentifier']}", item


S3 = (
    *("policy", "encryption", "versioning", "lifecycle_configuration", "cors", "tagging", "ownership_controls"),
    *("notification_configuration",),
)


def buckets(client: Client) -> Found:
    """Buckets."""
    s3 = client("s3")
    for item in s3.list_buckets()["Buckets"]:
        asked = {"Bucket": item["Name"]}
        settings = {kind: _maybe(getattr(s3, f"get_bucket_{kind}"), **asked) for kind in S3}
        yield f"s3/{item['Name']}", settings | {"access": _maybe(s3.get_public_access_block, **asked)}


def secrets(client: Client) -> Found:
    """Secrets, not what they hold; who is named in them counts."""
    service = client("secretsmanager")
    for item in _pages(service, "list_secrets", "SecretList"):
        held = _maybe(service.get_secret_value, SecretId=item["Name"])
        text = held.get("SecretString", "") if isinstance(held, dict) else held
        user = json.loads(text)["username"] if text.startswith("{") else "a value" if text else "nothing"
        entry = {key: item.get(key) for key in ("Name", "Description", "Tags", "KmsKeyId")}
        yield f"secret/{item['Name']}", [entry, user]


def logs(client: Client) -> Found:
    """Log groups and what counts in them."""
    service = client("logs")
    for item in _pages(service, "describe_log_groups", "logGroups"):
        name = item["logGroupName"]
        counted = service.describe_metric_filters(logGroupName=name)["metricFilters"]
        tags = service.list_tags_log_group(logGroupName=name)["tags"]
        yield f"logs/{name}", [item, counted, tags]


def alarms(client: Client) -> Found:
    """Alarms and dashboards."""
    service = client("cloudwatch")
    for item in _pages(service, "describe_alarms", "MetricAlarms"):
        tags = service.list_tags_for_resource(ResourceARN=item["AlarmArn"])["Tags"]
        yield f"cloudwatch/alarm/{item['AlarmName']}", [item, tags]
    for item in _pages(service, "list_dashboards", "DashboardEntries"):
        name = item["DashboardName"]
        yield f"cloudwatch/dashboard/{name}", service.get_dashboard(DashboardName=name)["DashboardBody"]


def roles(client: Client) -> Found:
    """Roles with their policies."""
    iam = client("iam")
    for item in _pages(iam, "list_roles", "Roles"):
        asked = {"RoleName": item["RoleName"]}
        inline = {
            name: iam.get_role_policy(**asked, PolicyName=name)["PolicyDocument"]
            for name in iam.list_role_policies(**asked)["PolicyNames"]
        }
        attached = iam.list_attached_role_policies(**asked)["AttachedPolicies"]
        yield f"iam/{item['RoleName']}", [item, inline, attached, iam.list_role_tags(**asked)["Tags"]]
    for item in _pages(iam, "list_instance_profiles", "InstanceProfiles"):
        yield f"iam/profile/{item['InstanceProfileName']}", item
