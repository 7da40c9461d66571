"""Faults made for real: the call that breaks, the call that mends, and the check that must find it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.security_snapshot import Snapshot

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """Two calls of one service: what breaks it, and what puts it back. Both get the snapshot."""

    check: str
    sections: tuple[str, ...]
    service: str
    breaks: str
    mends: str
    about: Callable[[Snapshot], Parameters]
    wrong: Callable[[Snapshot], Parameters] = field(default=lambda found: {})
    right: Callable[[Snapshot], Parameters] = field(default=lambda found: {})

    def make(self, found: Snapshot) -> None:
        """Break it."""
        getattr(found.look.client(self.service), self.breaks)(**self.about(found), **self.wrong(found))

    def mend(self, found: Snapshot) -> None:
        """Put it back as it was found."""
        getattr(found.look.client(self.service), self.mends)(**self.about(found), **self.right(found))


def _bucket(found: Snapshot) -> str:
    return f"{found.look.prefix}-uploads-{found.look.account}"


def _queue(found: Snapshot) -> Parameters:
    url = found.look.client("sqs").get_queue_url(QueueName=f"{found.look.prefix}-caption")["QueueUrl"]
    return {"QueueUrl": url}


def _topic(found: Snapshot) -> Parameters:
    return {"TopicArn": found.topics[f"{found.look.prefix}-uploads"]["arn"], "AttributeName": "Policy"}


def _unconditional(policy: Parameters) -> str:
    return json.dumps(policy | {"Statement": [_without(each, "Condition") for each in policy["Statement"]]})


def _without(statement: Parameters, key: str) -> Parameters:
    return {name: value for name, value in statement.items() if name != key or statement["Effect"] == "Deny"}


def _named(kind: str, key: str) -> Callable[[Snapshot], Parameters]:
    return lambda found: {key: f"{found.look.prefix}-{kind}"}


def _variables(found: Snapshot, **more: str) -> Parameters:
    configuration = found.functions[f"{found.look.prefix}-caption"]["configuration"]
    return {"Environment": {"Variables": configuration["Environment"]["Variables"] | more}}


def _balancer(found: Snapshot) -> str:
    return str(found.balancers[f"{found.look.prefix}-edge"]["LoadBalancerArn"])


def _distribution(found: Snapshot) -> Parameters:
    return dict(found.distributions[f"{found.look.prefix}-edge"])


def _configured(found: Snapshot, **changed: Any) -> Parameters:
    """Return the distribution's configuration as it is now with these settings in their place."""
    read = found.look.client("cloudfront").get_distribution_config(Id=_distribution(found)["Id"])
    return {"IfMatch": read["ETag"], "DistributionConfig": read["DistributionConfig"] | changed}


def _firewall(found: Snapshot) -> str:
    return str(found.firewalls[f"{found.look.prefix}-edge"]["ARN"])


def _parameter(found: Snapshot, value: str) -> Parameters:
    named = {"ParameterName": "require_secure_transport", "ApplyMethod": "immediate"}
    return {"Parameters": [named | {"ParameterValue": value}]}


SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
READ_ALL = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
ANYBODY = {"Version": "2012-10-17", "Statement": [READ_ALL | {"Principal": "*"}]}

STORAGE = (
    Fault(
        "buckets_take_no_public_acl",
        ("buckets",),
        "s3",
        "put_public_access_block",
        "put_public_access_block",
        lambda found: {"Bucket": _bucket(found)},
        lambda found: {"PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}},
        lambda found: {"PublicAccessBlockConfiguration": found.buckets[_bucket(found)]["public_access"]},
    ),
    Fault(
        "buckets_refuse_plain_http",
        ("buckets",),
        "s3",
        "delete_bucket_policy",
        "put_bucket_policy",
        lambda found: {"Bucket": _bucket(found)},
        right=lambda found: {"Policy": json.dumps(found.buckets[_bucket(found)]["policy"])},
    ),
    Fault(
        "uploads_are_versioned",
        ("buckets",),
        "s3",
        "put_bucket_versioning",
        "put_bucket_versioning",
        lambda found: {"Bucket": _bucket(found)},
        lambda found: {"VersioningConfiguration": {"Status": "Suspended"}},
        lambda found: {"VersioningConfiguration": {"Status": "Enabled"}},
    ),
)
EVENTS = (
    Fault(
        "grants_to_services_name_the_source",
        ("topics",),
        "sns",
        "set_topic_attributes",
        "set_topic_attributes",
        _topic,
        lambda found: {
            "AttributeValue": _unconditional(found.topics[f"{found.look.prefix}-uploads"]["policy"])
        },
        lambda found: {"AttributeValue": json.dumps(found.topics[f"{found.look.prefix}-uploads"]["policy"])},
    ),
    Fault(
        "queues_refuse_plain_http",
        ("queues",),
        "sqs",
        "set_queue_attributes",
        "set_queue_attributes",
        _queue,
        lambda found: {"Attributes": {"Policy": ""}},
        lambda found: {
            "Attributes": {"Policy": json.dumps(found.queues[f"{found.look.prefix}-caption"]["Policy"])}
        },
    ),
    Fault(
        "queues_have_dead_letters",
        ("queues",),
        "sqs",
        "set_queue_attributes",
        "set_queue_attributes",
        _queue,
        lambda found: {"Attributes": {"RedrivePolicy": ""}},
        lambda found: {
            "Attributes": {
                "RedrivePolicy": json.dumps(found.queues[f"{found.look.prefix}-caption"]["RedrivePolicy"])
            }
        },
    ),
)
CODE = (
    Fault(
        "the_thumbnail_function_may_do_its_calls",
        ("roles",),
        "iam",
        "put_role_policy",
        "delete_role_policy",
        lambda found: {"RoleName": f"{found.look.prefix}-thumbnail", "PolicyName": "more"},
        lambda found: {"PolicyDocument": json.dumps({"Version": "2012-10-17", "Statement": [READ_ALL]})},
    ),
    Fault(
        "functions_know_names_of_secrets",
        ("functions",),
        "lambda",
        "update_function_configuration",
        "update_function_configuration",
        _named("caption", "FunctionName"),
        lambda found: _variables(found, DB_PASSWORD="made up"),
        _variables,
    ),
    Fault(
        "functions_are_invoked_by_one_rule",
        ("functions",),
        "lambda",
        "add_permission",
        "remove_permission",
        lambda found: {"FunctionName": f"{found.look.prefix}-thumbnail", "StatementId": "anybody"},
        lambda found: {"Action": "lambda:InvokeFunction", "Principal": "*"},
    ),
    Fault(
        "secrets_open_themselves_to_nobody",
        ("secrets",),
        "secretsmanager",
        "put_resource_policy",
        "delete_resource_policy",
        lambda found: {"SecretId": f"{found.look.prefix}/gemini"},
        lambda found: {"ResourcePolicy": json.dumps(ANYBODY)},
    ),
    Fault(
        "logs_are_not_kept_for_ever",
        ("log_groups",),
        "logs",
        "delete_retention_policy",
        "put_retention_policy",
        lambda found: {"logGroupName": f"/{found.look.prefix}/vpc-flow"},
        right=lambda found: {"retentionInDays": found.log_groups[f"/{found.look.prefix}/vpc-flow"]},
    ),
    Fault(
        "alarms_ring",
        ("alarms",),
        "cloudwatch",
        "disable_alarm_actions",
        "enable_alarm_actions",
        lambda found: {"AlarmNames": [min(found.alarms)]},
    ),
)
NETWORK = (
    Fault(
        "the_world_reaches_two_ports",
        ("groups",),
        "ec2",
        "authorize_security_group_ingress",
        "revoke_security_group_ingress",
        lambda found: {"GroupId": found.groups["web"]["GroupId"], "IpPermissions": [SSH]},
    ),
    Fault(
        "the_default_group_lets_nothing_in",
        ("groups",),
        "ec2",
        "authorize_security_group_ingress",
        "revoke_security_group_ingress",
        lambda found: {"GroupId": found.groups["default"]["GroupId"], "IpPermissions": [SSH]},
    ),
    Fault(
        "nothing_gets_a_public_address_by_itself",
        ("subnets",),
        "ec2",
        "modify_subnet_attribute",
        "modify_subnet_attribute",
        lambda found: {"SubnetId": found.subnets[0]["SubnetId"]},
        lambda found: {"MapPublicIpOnLaunch": {"Value": True}},
        lambda found: {"MapPublicIpOnLaunch": {"Value": False}},
    ),
    Fault(
        "invalid_headers_are_dropped",
        ("balancers",),
        "elbv2",
        "modify_load_balancer_attributes",
        "modify_load_balancer_attributes",
        lambda found: {"LoadBalancerArn": _balancer(found)},
        lambda found: {
            "Attributes": [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "false"}]
        },
        lambda found: {
            "Attributes": [{"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"}]
        },
    ),
    Fault(
        "the_firewall_stands_before_the_gallery",
        ("firewalls", "distributions"),
        "cloudfront",
        "update_distribution",
        "update_distribution",
        lambda found: {"Id": _distribution(found)["Id"]},
        lambda found: _configured(found, WebACLId=""),
        lambda found: _configured(found, WebACLId=_firewall(found)),
    ),
    Fault(
        "the_database_has_no_public_address",
        ("databases",),
        "rds",
        "modify_db_instance",
        "modify_db_instance",
        _named("database", "DBInstanceIdentifier"),
        lambda found: {"PubliclyAccessible": True, "ApplyImmediately": True},
        lambda found: {"PubliclyAccessible": False, "ApplyImmediately": True},
    ),
    Fault(
        "the_database_takes_tls_only",
        ("databases",),
        "rds",
        "modify_db_parameter_group",
        "modify_db_parameter_group",
        _named("database-mysql8-4", "DBParameterGroupName"),
        lambda found: _parameter(found, "0"),
        lambda found: _parameter(found, "1"),
    ),
)
FAULTS = {fault.check: fault for fault in (*STORAGE, *EVENTS, *CODE, *NETWORK)}
