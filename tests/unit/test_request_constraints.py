"""Requests to AWS against botocore's models and AWS's documents: seeded violations, rows of the table."""

from __future__ import annotations

import fnmatch
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.model import OperationModel, ServiceModel

from tests.support.request_constraints import compiled, table, violations

SERVICES = (
    *("autoscaling", "cloudwatch", "ec2", "elbv2", "events", "iam", "lambda", "logs"),
    *("rds", "s3", "secretsmanager", "sns", "sqs", "sts", "wafv2"),
)
GROUP = {"GroupName": "web", "Description": "Web hosts"}
BUCKET = {"Bucket": "caption-gallery-staging-uploads-123456789012"}
ROLE = "arn:aws:iam::123456789012:role/caption"
# Service, operation, parameters, what is said of them; nothing where the request is right.
SEEDED: list[tuple[str, str, dict[str, Any], str]] = [
    ("ec2", "CreateSecurityGroup", GROUP, ""),
    ("ec2", "CreateSecurityGroup", GROUP | {"Description": "AWS's services"}, "Description is"),
    ("ec2", "CreateSecurityGroup", GROUP | {"GroupName": "sg-web"}, "GroupName is"),
    (
        "ec2",
        "AuthorizeSecurityGroupIngress",
        {"IpPermissions": [{"IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "the world's"}]}]},
        "IpPermissions.0.IpRanges.0.Description is",
    ),
    ("ec2", "DescribeFlowLogs", {"Filter": [{"Name": "tag:Project", "Values": ["x"]}]}, ""),
    ("ec2", "DescribeFlowLogs", {"Filters": [{"Name": "resource-type", "Values": ["VPC"]}]}, "'resource-type'"),
    ("ec2", "DescribeFlowLogs", {"Filter": [{"Name": "resource-type", "Values": ["VPC"]}]}, "'resource-type'"),
    ("ec2", "DescribeSubnets", {"Filters": [{"Name": "tier", "Values": ["x"]}]}, "Filters names 'tier'"),
    ("elbv2", "CreateTargetGroup", {"Name": "web_hosts"}, "Name is 'web_hosts'"),
    ("elbv2", "CreateLoadBalancer", {"Name": "internal-edge"}, "Name is 'internal-edge'"),
    ("rds", "CreateDBInstance", {"DBInstanceIdentifier": "a--b"}, "DBInstanceClass is required"),
    ("rds", "ModifyDBInstance", {"DBInstanceIdentifier": "a", "MasterUserPassword": "a/b@c"}, "MasterUserPas"),
    ("lambda", "PutFunctionConcurrency", {"FunctionName": "f"}, "ReservedConcurrentExecutions is required"),
    (
        "lambda",
        "CreateEventSourceMapping",
        {"FunctionName": "f", "ScalingConfig": {"MaximumConcurrency": 1}},
        "ScalingConfig.MaximumConcurrency is 1, not 2 to",
    ),
    (
        "lambda",
        "CreateFunction",
        {"FunctionName": "f", "Role": ROLE, "Code": {}, "Environment": {"Variables": {"A": "x" * 5000}}},
        "more than 4096",
    ),
    ("logs", "PutRetentionPolicy", {"logGroupName": "/a", "retentionInDays": 8}, "retentionInDays is 8"),
    ("s3", "CreateBucket", BUCKET, ""),
    ("s3", "CreateBucket", {"Bucket": "Caption_Gallery"}, "Bucket is 'Caption_Gallery'"),
    ("secretsmanager", "CreateSecret", {"Name": "gallery/a-secret"}, "Name is 'gallery/a-secret'"),
    ("sqs", "CreateQueue", {"QueueName": "q", "Attributes": {"VisibilityTimeout": "50000"}}, "not 0 to 43200"),
    ("sns", "Subscribe", {"TopicArn": "a", "Protocol": "pigeon"}, "Protocol is 'pigeon'"),
    (
        "iam",
        "PutRolePolicy",
        {"RoleName": "r", "PolicyName": "p", "PolicyDocument": "x" * 10_241},
        "more than 10240 characters",
    ),
    ("wafv2", "ListWebACLs", {"Scope": "GLOBAL"}, "Scope is 'GLOBAL', not one of"),
]


@cache
def model(service: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


@cache
def operation(service: str, name: str) -> OperationModel:
    """Return botocore's model of an operation."""
    return model(service).operation_model(name)


@pytest.mark.parametrize("number", range(len(SEEDED)), ids=lambda number: f"{SEEDED[number][1]}-{number}")
def test_request_with_violation_is_found(number: int) -> None:
    service, name, parameters, expected = SEEDED[number]
    found = violations(operation(service, name), parameters)
    assert bool(expected) == bool(found), found
    assert not found or any(expected in each for each in found)


@pytest.mark.parametrize("service", SERVICES)
def test_patterns_of_the_models_can_be_compiled(service: str) -> None:
    shapes = [model(service).shape_for(name) for name in model(service).shape_names]
    for shape in shapes:
        compiled(shape.metadata.get("pattern", ""))


@pytest.mark.parametrize(
    "row", table(), ids=lambda row: f"{row['service']}-{row['operations'][0]}-{row['parameter']}"
)
def test_row_of_the_table_names_existing_operations(row: dict[str, Any]) -> None:
    services = SERVICES if row["service"] == "*" else (row["service"],)
    names = [name for service in services for name in model(service).operation_names]
    assert [] == [pattern for pattern in row["operations"] if not fnmatch.filter(names, pattern)]
