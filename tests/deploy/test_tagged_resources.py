"""The search for an environment's resources: which it returns, which of others it leaves, and what it reads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock, call

import pytest
from botocore.exceptions import ClientError

from tests.deploy.module_run import Failed, denied, run
from tests.loading import module_at

tagged = module_at("roles/teardown/library/tagged_resources.py")

OURS = {"Project": "p", "Env": "e"}
FILTERS = [{"Name": "tag:Project", "Values": ["p"]}, {"Name": "tag:Env", "Values": ["e"]}]
# boto3 has no paginator for these
SINGLE = {"describe_addresses", "describe_key_pairs"}
# What AWS answers where nothing exists, if it is not an empty page
EMPTY: dict[str, Any] = {
    "list_web_acls": {"WebACLs": []},
    "list_rules": {"Rules": []},
    "list_buckets": {"Buckets": []},
    "list_vpc_origins": {"VpcOriginList": {}},
    "list_distributions": {"DistributionList": {}},
}
# A resource of ours, two of other environments with our prefix, and one whose tags the operator may not read
NAMES = ("p-e-x", "p-e-other-env", "p-e-other-project", "q-e-x")


def tags(of: str) -> dict[str, str]:
    """Return the tags of a resource with one of NAMES in its ID."""
    if "q-e-x" in of:
        raise denied("ReadTags")
    changed = {"Env": "f"} if "other-env" in of else {"Project": "q"} if "other-project" in of else {}
    return OURS | changed


def listed(of: str) -> list[dict[str, str]]:
    """Return the tags as most of AWS's services do."""
    return [{"Key": key, "Value": value} for key, value in tags(of).items()]


# How each service returns the tags of a resource: operation, parameter with its ID, result
TAGS_OF: dict[str, tuple[str, str, Callable[[Any], dict[str, Any]]]] = {
    "cloudfront": ("list_tags_for_resource", "Resource", lambda id: {"Tags": {"Items": listed(id)}}),
    "elbv2": ("describe_tags", "ResourceArns", lambda ids: {"TagDescriptions": [{"Tags": listed(ids[0])}]}),
    "events": ("list_tags_for_resource", "ResourceARN", lambda id: {"Tags": listed(id)}),
    "iam": ("list_role_tags", "RoleName", lambda id: {"Tags": listed(id)}),
    "lambda": ("list_tags", "Resource", lambda id: {"Tags": tags(id)}),
    "logs": ("list_tags_for_resource", "resourceArn", lambda id: {"tags": tags(without_star(id))}),
    "rds": ("list_tags_for_resource", "ResourceName", lambda id: {"TagList": listed(id)}),
    "s3": ("get_bucket_tagging", "Bucket", lambda id: {"TagSet": listed(id)}),
    "sns": ("list_tags_for_resource", "ResourceArn", lambda id: {"Tags": listed(id)}),
    "sqs": ("list_queue_tags", "QueueUrl", lambda id: {"Tags": tags(id)}),
    "wafv2": (
        "list_tags_for_resource",
        "ResourceARN",
        lambda id: {"TagInfoForResource": {"TagList": listed(id)}},
    ),
}


def without_star(arn: str) -> str:
    """Return an ARN of a log group as ListTagsForResource takes it."""
    assert not arn.endswith("*")
    return arn


def service(name: str, answers: dict[str, list[dict[str, Any]]]) -> Mock:
    """Return a client of a service. answers: the pages of an operation; without them, nothing exists."""
    client = Mock()
    pages = {**{operation: [empty] for operation, empty in EMPTY.items()}, **answers}
    paginators: dict[str, Mock] = {}

    def paginator(operation: str) -> Mock:
        assert operation not in SINGLE
        made = Mock(paginate=Mock(return_value=pages.get(operation, [{}])))
        return paginators.setdefault(operation, made)

    for operation in {*pages, *SINGLE}:
        getattr(client, operation).return_value = pages.get(operation, [{}])[0]
    client.can_paginate.side_effect = lambda operation: operation not in SINGLE
    client.get_paginator.side_effect = paginator
    if name in TAGS_OF:
        reads, parameter, answer = TAGS_OF[name]
        getattr(client, reads).side_effect = lambda **of: answer(of[parameter])
    return client


class Account(dict[str, Mock]):
    """An account's clients, made when the module asks for them. answers: pages by operation."""

    def __init__(self, **answers: list[dict[str, Any]]) -> None:
        self.answers = answers

    def __missing__(self, key: str) -> Mock:
        client = self[key] = service(key.removesuffix("us-east-1"), self.answers)
        return client

    def search(self, *, check: bool = False) -> list[dict[str, Any]]:
        """Return what the module finds."""
        result = run(tagged, self, check=check, project="p", env="e")
        assert result["changed"] is False
        found: list[dict[str, Any]] = result["resources"]
        return found

    def parameters(self, of: str, operation: str) -> dict[str, Any]:
        """Return the parameters of the only call of an operation."""
        client = self[of]
        made = getattr(client, operation) if operation in SINGLE else client.get_paginator(operation).paginate
        made.assert_called_once()
        return dict(made.call_args[1])


def found(kind: str, id: str, name: str = "", *, bills: bool = False, **further: Any) -> dict[str, Any]:
    """Return a resource as the module does."""
    return {"kind": kind, "id": id, "name": name or id, "bills": bills, "further": further}


def one_a_page(key: str, make: Callable[[str], Any]) -> list[dict[str, Any]]:
    """Return a page for a resource of each of NAMES."""
    return [{key: [make(name)]} for name in NAMES]


# What is found by its name and its tags: operation, key of the result, an item by its name, what is returned
NAMED: dict[str, tuple[str, str, Callable[[str], Any], dict[str, Any]]] = {
    "load_balancer": (
        *("describe_load_balancers", "LoadBalancers"),
        lambda name: {"LoadBalancerName": name, "LoadBalancerArn": f"arn:{name}"},
        found("load_balancer", "arn:p-e-x", "p-e-x", bills=True),
    ),
    "target_group": (
        *("describe_target_groups", "TargetGroups"),
        lambda name: {"TargetGroupName": name, "TargetGroupArn": f"arn:{name}"},
        found("target_group", "arn:p-e-x", "p-e-x"),
    ),
    "function": (
        *("list_functions", "Functions"),
        lambda name: {"FunctionName": name, "FunctionArn": f"arn:{name}"},
        found("function", "p-e-x"),
    ),
    "topic": (
        *("list_topics", "Topics"),
        lambda name: {"TopicArn": f"arn:aws:sns:x:1:{name}"},
        found("topic", "arn:aws:sns:x:1:p-e-x", "p-e-x"),
    ),
    "database_subnets": (
        *("describe_db_subnet_groups", "DBSubnetGroups"),
        lambda name: {"DBSubnetGroupName": name, "DBSubnetGroupArn": f"arn:{name}"},
        found("database_subnets", "p-e-x"),
    ),
    "database_parameters": (
        *("describe_db_parameter_groups", "DBParameterGroups"),
        lambda name: {"DBParameterGroupName": name, "DBParameterGroupArn": f"arn:{name}"},
        found("database_parameters", "p-e-x"),
    ),
    "bucket": ("list_buckets", "Buckets", lambda name: {"Name": name}, found("bucket", "p-e-x", bills=True)),
    "log_group": (
        *("describe_log_groups", "logGroups"),
        lambda name: {"arn": f"arn:{name}:*", "logGroupName": f"/aws/lambda/{name}"},
        found("log_group", "/aws/lambda/p-e-x", bills=True),
    ),
    "role": ("list_roles", "Roles", lambda name: {"RoleName": name}, found("role", "p-e-x")),
}


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize("kind", NAMED)
def test_named_resource_is_found_by_its_tags_and_tags_of_other_names_are_not_read(
    kind: str, check: bool
) -> None:
    """The operator may not read the tags of resources without the prefix: reading them would fail."""
    operation, key, make, expected = NAMED[kind]
    account = Account(**{operation: [{key: [make(name) for name in NAMES]}]})
    assert [expected] == account.search(check=check)


def test_distribution_is_found_by_its_comment_and_its_tags() -> None:
    items = [{"Comment": name, "Id": f"E-{name}", "ARN": f"arn:{name}"} for name in NAMES]
    account = Account(list_distributions=[{"DistributionList": {"Items": [each]}} for each in items])
    assert [found("distribution", "E-p-e-x", "p-e-x", bills=True)] == account.search()


def test_empty_account_has_no_resources() -> None:
    assert [] == Account().search()


@pytest.mark.parametrize("name", ["p-e", "p-e-x", "/aws/lambda/p-e-x", "p-e/x"])
def test_dashboard_with_the_prefix_in_a_part_of_its_name_is_found(name: str) -> None:
    account = Account(list_dashboards=[{"DashboardEntries": [{"DashboardName": name}]}])
    assert [found("dashboard", name, bills=True)] == account.search()
    assert {"DashboardNamePrefix": "p-e"} == account.parameters("cloudwatch", "list_dashboards")


@pytest.mark.parametrize("name", ["p-ex", "xp-e", "q", "x/p-ex"])
def test_dashboard_whose_name_only_begins_like_the_prefix_is_left(name: str) -> None:
    assert [] == Account(list_dashboards=[{"DashboardEntries": [{"DashboardName": name}]}]).search()


def test_instance_profile_and_manual_database_snapshot_are_found_by_name_alone() -> None:
    account = Account(
        list_instance_profiles=one_a_page("InstanceProfiles", lambda name: {"InstanceProfileName": name}),
        describe_db_snapshots=one_a_page("DBSnapshots", lambda name: {"DBSnapshotIdentifier": name}),
    )
    ours = [name for name in NAMES if name.startswith("p-e")]
    snapshots = [found("database_snapshot", name, bills=True) for name in ours]
    assert [*snapshots, *(found("instance_profile", name) for name in ours)] == account.search()
    assert {"SnapshotType": "manual"} == account.parameters("rds", "describe_db_snapshots")


def test_alarms_are_selected_by_cloudwatch() -> None:
    account = Account(describe_alarms=[{"MetricAlarms": [{"AlarmName": "p-e-dead"}]}])
    assert [found("alarm", "p-e-dead", bills=True)] == account.search()
    assert {"AlarmNamePrefix": "p-e-"} == account.parameters("cloudwatch", "describe_alarms")


def test_group_secret_and_database_are_found_by_the_tags_that_are_listed_with_them() -> None:
    def every(key: str, name: str, tag_key: str = "Tags", **more: Any) -> list[dict[str, Any]]:
        untagged = {name: "p-e-untagged", **more}
        return [{key: [{name: each, tag_key: listed(each), **more} for each in NAMES[:3]]}, {key: [untagged]}]

    account = Account(
        describe_auto_scaling_groups=every("AutoScalingGroups", "AutoScalingGroupName"),
        describe_db_instances=every("DBInstances", "DBInstanceIdentifier", "TagList", DeletionProtection=True),
        list_secrets=every("SecretList", "Name", ARN="arn:secret"),
    )
    assert [
        found("group", "p-e-x"),
        found("database", "p-e-x", bills=True, protected=True),
        found("secret", "arn:secret", "p-e-x", bills=True),
    ] == account.search()


def test_database_without_a_word_about_protection_is_not_protected() -> None:
    account = Account(
        describe_db_instances=[{"DBInstances": [{"DBInstanceIdentifier": "d", "TagList": listed("d")}]}]
    )
    assert [found("database", "d", bills=True, protected=False)] == account.search()


def test_hosts_that_are_not_terminated_are_selected_by_ec2() -> None:
    named = [{"Key": "Role", "Value": "r"}, {"Key": "Name", "Value": "web"}]
    instances = [{"InstanceId": "i-1", "Tags": named}, {"InstanceId": "i-2"}]
    account = Account(describe_instances=[{"Reservations": [{"Instances": instances}]}])
    hosts = [found("host", "i-1", "web", bills=True), found("host", "i-2", bills=True)]
    assert hosts == account.search()
    states = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    assert {"Filters": [*FILTERS, states]} == account.parameters("ec2", "describe_instances")


@pytest.mark.parametrize("kind", tagged.EC2)
def test_ec2_resources_are_selected_by_ec2(kind: str) -> None:
    operation, key, id, _ = tagged.EC2[kind]
    details = {"VpcId": "vpc-1", "GroupName": "g", "Description": "d", "CidrBlock": "10.0.0.0/16"}
    one = {**details, "Other": 1, "Tags": [{"Key": "Name", "Value": "n"}], id: "x-1"}
    account = Account(**{operation: [{key: [one]}]})
    bills = kind in {"address", "disk", "disk_snapshot", "endpoint", "image", "nat_gateway"}
    further = {name: one[name] for name in details}
    assert [found(kind, "x-1", "n", bills=bills, **further)] == account.search()
    owner = {"image": {"Owners": ["self"]}, "disk_snapshot": {"OwnerIds": ["self"]}}.get(kind, {})
    name = "Filter" if kind in ("flow_log", "nat_gateway") else "Filters"  # EC2 names it so
    assert {name: FILTERS, **owner} == account.parameters("ec2", operation)


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("endpoint", {"pending": True, "Available": True, "deleting": False, "deleted": False}),
        (
            "nat_gateway",
            {"pending": True, "available": True, "deleting": True, "deleted": False, "failed": False},
        ),
    ],
)
def test_endpoint_or_nat_gateway_in_a_final_state_is_left(kind: str, states: dict[str, bool]) -> None:
    operation, key, id, _ = tagged.EC2[kind]
    account = Account(**{operation: [{key: [{id: state, "State": state} for state in states]}]})
    existing = [state for state, exists in states.items() if exists]
    assert existing == [each["id"] for each in account.search()]


def test_volume_without_tags_in_any_state_is_found() -> None:
    account = Account(describe_volumes=[{"Volumes": [{"VolumeId": "vol-1", "State": "error"}]}])
    assert [found("disk", "vol-1", bills=True)] == account.search()


def test_web_acls_of_the_region_and_of_cloudfront_are_found() -> None:
    def acls(Scope: str) -> dict[str, Any]:  # noqa: N803 - as AWS names it
        return {"WebACLs": [{"Name": name, "ARN": f"arn:{Scope}:{name}"} for name in NAMES]}

    account = Account()
    for region in ("", "us-east-1"):
        account[f"wafv2{region}"].list_web_acls.side_effect = acls
    assert [
        found("firewall", "arn:REGIONAL:p-e-x", "p-e-x", bills=True, scope="REGIONAL"),
        found("firewall", "arn:CLOUDFRONT:p-e-x", "p-e-x", bills=True, scope="CLOUDFRONT"),
    ] == account.search()
    assert [call(Scope="REGIONAL")] == account["wafv2"].list_web_acls.call_args_list
    assert [call(Scope="CLOUDFRONT")] == account["wafv2us-east-1"].list_web_acls.call_args_list


def test_vpc_origins_of_every_page_are_found() -> None:
    def page(*names: str, **more: str) -> dict[str, Any]:
        of = [{"Name": name, "Id": f"vo-{name}", "Arn": f"arn:{name}"} for name in names]
        return {"VpcOriginList": {"Items": of, **more}}

    account = Account()
    account["cloudfront"].list_vpc_origins.side_effect = [page(*NAMES[1:], NextMarker="m"), page(NAMES[0])]
    assert [found("vpc_origin", "vo-p-e-x", "p-e-x")] == account.search()
    assert [call(), call(Marker="m")] == account["cloudfront"].list_vpc_origins.call_args_list


def test_mappings_of_a_function_come_before_it() -> None:
    mapping = {"UUID": "u", "EventSourceArn": "arn:aws:sqs:x:1:p-e-uploads"}
    account = Account(
        list_functions=[{"Functions": [{"FunctionName": "p-e-f", "FunctionArn": "arn:p-e-f"}]}],
        list_event_source_mappings=[{"EventSourceMappings": [mapping]}],
    )
    source = mapping["EventSourceArn"]
    assert [
        found("mapping", "u", "p-e-uploads → p-e-f", source=source, function="p-e-f"),
        found("function", "p-e-f"),
    ] == account.search()
    assert {"FunctionName": "p-e-f"} == account.parameters("lambda", "list_event_source_mappings")


@pytest.mark.parametrize(
    ("name", "arn", "ours"),
    [("p-e-sweep", "arn:p-e-x", True), ("p-e-sweep", "arn:p-e-other-env", True), ("p-ex", "arn:p-e-x", True)],
)
def test_rule_is_found_by_its_name_or_its_tags(name: str, arn: str, ours: bool) -> None:
    account = Account(list_rules=[{"Rules": [{"Name": name, "Arn": arn}]}])
    assert [found("rule", name)] * ours == account.search()
    assert [call(NamePrefix="p-e")] == account["events"].list_rules.call_args_list


def test_rule_with_neither_name_nor_tags_is_left() -> None:
    account = Account(list_rules=[{"Rules": [{"Name": "p-ex", "Arn": "arn:p-e-other-env"}]}])
    assert [] == account.search()


def test_queue_is_found_by_its_tags_and_named_by_the_last_part_of_its_url() -> None:
    urls = [f"https://sqs/1/{name}" for name in NAMES[:3]]
    account = Account(list_queues=[{"QueueUrls": urls}])
    assert [found("queue", "p-e-x")] == account.search()
    assert {"QueueNamePrefix": "p-e"} == account.parameters("sqs", "list_queues")


def test_queue_without_tags_is_left() -> None:
    account = Account(list_queues=[{"QueueUrls": ["https://sqs/1/p-e-x"]}])
    account["sqs"].list_queue_tags.side_effect = [{}]
    assert [] == account.search()


@pytest.mark.parametrize(("code", "refused"), [("NoSuchTagSet", False), ("AccessDenied", True)])
def test_bucket_without_tags_is_left_and_any_other_error_fails(code: str, refused: bool) -> None:
    account = Account(list_buckets=[{"Buckets": [{"Name": "p-e-b"}]}])
    error = ClientError({"Error": {"Code": code, "Message": "No."}}, "GetBucketTagging")
    account["s3"].get_bucket_tagging.side_effect = error
    if refused:
        with pytest.raises(Failed, match=r"Failed to search for the resources: .*AccessDenied"):
            account.search()
    else:
        assert [] == account.search()


def test_each_client_is_made_once() -> None:
    made: list[str] = []

    class Counted(Account):
        def __getitem__(self, key: str) -> Mock:
            made.append(key)
            return super().__getitem__(key)

    Counted().search()
    assert sorted(set(made)) == sorted(made)
    assert {"cloudfront", "wafv2", "wafv2us-east-1"} < set(made)
