"""Storage, events, functions, identities, secrets and what watches them, described."""

from __future__ import annotations

import json
from typing import Any

from tests.deploy.security_look import Look, document

Described = dict[str, Any]


def buckets(look: Look) -> Described:
    """Return public access, ownership, encryption, policy, versioning, lifetimes, CORS, events by name."""
    names = [bucket["Name"] for bucket in look.client("s3").list_buckets()["Buckets"]]
    return {name: _bucket(look, name) for name in names if name.startswith(look.prefix)}


def _bucket(look: Look, name: str) -> Described:
    def ask(operation: str, key: str, missing: Any = None) -> Any:
        return (look.ask("s3", operation, {}, Bucket=name) or {}).get(key, missing)

    notified = look.ask("s3", "get_bucket_notification_configuration", {}, Bucket=name)
    return {
        "public_access": ask("get_public_access_block", "PublicAccessBlockConfiguration", {}),
        "ownership": ask("get_bucket_ownership_controls", "OwnershipControls", {"Rules": []})["Rules"],
        "encryption": ask("get_bucket_encryption", "ServerSideEncryptionConfiguration", {"Rules": []})["Rules"],
        "policy": document(ask("get_bucket_policy", "Policy")),
        "versioning": ask("get_bucket_versioning", "Status", ""),
        "lifecycle": ask("get_bucket_lifecycle_configuration", "Rules", []),
        "cors": ask("get_bucket_cors", "CORSRules", []),
        "grants": ask("get_bucket_acl", "Grants", []),
        "website": ask("get_bucket_website", "IndexDocument"),
        "topics": notified.get("TopicConfigurations", []),
        "others": [
            each for key in ("Queue", "LambdaFunction") for each in notified.get(f"{key}Configurations", [])
        ],
    }


def topics(look: Look) -> Described:
    """Return by name: the policy, and each subscription with its attributes."""
    arns = [topic["TopicArn"] for topic in look.pages("sns", "list_topics", "Topics")]
    return {arn.rpartition(":")[2]: _topic(look, arn) for arn in arns if f":{look.prefix}-" in arn}


def _topic(look: Look, arn: str) -> Described:
    sns = look.client("sns")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    listed = look.pages("sns", "list_subscriptions_by_topic", "Subscriptions", TopicArn=arn)
    return {
        "arn": arn,
        "policy": document(attributes.get("Policy")),
        "subscriptions": [_subscription(look, each) for each in listed],
    }


def _subscription(look: Look, listed: Described) -> Described:
    answer = look.client("sns").get_subscription_attributes(SubscriptionArn=listed["SubscriptionArn"])
    attributes = answer["Attributes"]
    redrive = json.loads(attributes.get("RedrivePolicy") or "{}")
    return {
        "protocol": listed["Protocol"],
        "endpoint": listed["Endpoint"],
        "raw": attributes.get("RawMessageDelivery", "false") == "true",
        "dead_letters": redrive.get("deadLetterTargetArn"),
    }


def queues(look: Look) -> Described:
    """Return by name: the attributes, those that are JSON read, numbers as numbers."""
    urls = look.pages("sqs", "list_queues", "QueueUrls", QueueNamePrefix=f"{look.prefix}-")
    return {url.rpartition("/")[2]: _queue(look, url) for url in urls}


def _queue(look: Look, url: str) -> Described:
    answer = look.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    read = {"Policy": '{"Statement": []}', "RedrivePolicy": "{}", "RedriveAllowPolicy": "{}"}
    return answer | {key: json.loads(answer.get(key, empty)) for key, empty in read.items()}


def functions(look: Look) -> Described:
    """Return by name: the configuration, who may invoke it, its limits, and what feeds it."""
    found = look.pages("lambda", "list_functions", "Functions")
    return {
        each["FunctionName"]: _function(look, each)
        for each in found
        if each["FunctionName"].startswith(look.prefix)
    }


def _function(look: Look, described: Described) -> Described:
    named = {"FunctionName": described["FunctionName"]}
    policy = look.ask("lambda", "get_policy", {}, **named).get("Policy")
    concurrency = look.ask("lambda", "get_function_concurrency", {}, **named)
    return {
        "configuration": described,
        "policy": document(policy),
        "reserved": concurrency.get("ReservedConcurrentExecutions"),
        "mappings": list(look.pages("lambda", "list_event_source_mappings", "EventSourceMappings", **named)),
        "url": look.ask("lambda", "get_function_url_config", {}, **named).get("FunctionUrl"),
    }


def rules(look: Look) -> Described:
    """EventBridge's, by name: the schedule, whether it is on, its targets."""
    events = look.client("events")
    return {
        rule["Name"]: rule | {"Targets": events.list_targets_by_rule(Rule=rule["Name"])["Targets"]}
        for rule in look.pages("events", "list_rules", "Rules", NamePrefix=f"{look.prefix}-")
    }


def roles(look: Look) -> Described:
    """Return by name: whom it trusts, its own policies by name, and those attached to it."""
    found = look.pages("iam", "list_roles", "Roles")
    return {role["RoleName"]: _role(look, role) for role in found if role["RoleName"].startswith(look.prefix)}


def _role(look: Look, role: Described) -> Described:
    iam, named = look.client("iam"), {"RoleName": role["RoleName"]}
    names = iam.list_role_policies(**named)["PolicyNames"]
    return {
        "arn": role["Arn"],
        "trust": role["AssumeRolePolicyDocument"],
        "boundary": iam.get_role(**named)["Role"]
        .get("PermissionsBoundary", {})
        .get("PermissionsBoundaryArn", ""),
        "policies": {
            name: iam.get_role_policy(**named, PolicyName=name)["PolicyDocument"] for name in sorted(names)
        },
        "attached": [
            each["PolicyArn"] for each in iam.list_attached_role_policies(**named)["AttachedPolicies"]
        ],
        "tags": {tag["Key"]: tag["Value"] for tag in iam.list_role_tags(**named)["Tags"]},
    }


def users(look: Look) -> list[str]:
    """Return the account's users whose name contains the environment's name."""
    found = [user["UserName"] for user in look.pages("iam", "list_users", "Users")]
    return [name for name in found if name.startswith(look.prefix)]


def secrets(look: Look) -> Described:
    """Return the description and the policy of each secret by name, never its value."""
    found = look.pages("secretsmanager", "list_secrets", "SecretList", IncludePlannedDeletion=True)
    return {
        secret["Name"]: {
            "arn": secret["ARN"],
            "description": secret.get("Description", ""),
            "tags": {tag["Key"]: tag["Value"] for tag in secret.get("Tags", [])},
            "deleted": "DeletedDate" in secret,
            "policy": document(
                look.client("secretsmanager").get_resource_policy(SecretId=secret["ARN"]).get("ResourcePolicy")
            ),
        }
        for secret in found
        if secret["Name"].startswith(f"{look.prefix}/")
    }


def log_groups(look: Look) -> Described:
    """Return by name for how many days each keeps what it has; None for ever."""
    return {
        group["logGroupName"]: group.get("retentionInDays")
        for group in look.pages("logs", "describe_log_groups", "logGroups")
        if look.prefix in group["logGroupName"]
    }


def alarms(look: Look) -> Described:
    """Return by name the alarms as CloudWatch describes them."""
    named = {"AlarmNamePrefix": f"{look.prefix}-"}
    return {
        alarm["AlarmName"]: alarm
        for alarm in look.pages("cloudwatch", "describe_alarms", "MetricAlarms", **named)
    }
