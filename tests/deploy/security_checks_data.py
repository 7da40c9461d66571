"""What is asked of the buckets, of the topics and of the queues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.deploy.security_rules import (
    ANY,
    add,
    allowing,
    anybody,
    check,
    condition,
    drop,
    many,
    put,
    refuses_plain_http,
    services,
)
from tests.deploy.security_snapshot import Snapshot

DAY = 86400
STRANGER = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
WHOLE_SERVICE = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "*",
    "Resource": "*",
}


def uploads(found: Snapshot) -> str:
    """The name of the bucket that forms send to."""
    return f"{found.look.prefix}-uploads-{found.look.account}"


def work_queues(found: Snapshot) -> list[str]:
    """The queues that functions read; the others hold dead letters."""
    return [f"{found.look.prefix}-{kind}" for kind in ("thumbnail", "caption")]


def policies(found: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy of a bucket, a topic or a queue, by the name of that."""
    yield from ((name, bucket["policy"]) for name, bucket in found.buckets.items())
    yield from ((name, topic["policy"]) for name, topic in found.topics.items())
    yield from ((name, queue["Policy"]) for name, queue in found.queues.items())


def _unblocked(found: Snapshot, part: str) -> list[str]:
    return [name for name, bucket in found.buckets.items() if bucket["public_access"].get(part) is not True]


@check(put("buckets", ANY, "public_access", "BlockPublicAcls", value=False))
def buckets_take_no_public_acl(found: Snapshot) -> list[str]:
    """Nobody can make one object public."""
    return _unblocked(found, "BlockPublicAcls")


@check(put("buckets", ANY, "public_access", "IgnorePublicAcls", value=False))
def buckets_ignore_public_acls(found: Snapshot) -> list[str]:
    """Nor does one count that is there."""
    return _unblocked(found, "IgnorePublicAcls")


@check(put("buckets", ANY, "public_access", "BlockPublicPolicy", value=False))
def buckets_take_no_public_policy(found: Snapshot) -> list[str]:
    """Nobody can make a bucket public."""
    return _unblocked(found, "BlockPublicPolicy")


@check(drop("buckets", ANY, "public_access", "RestrictPublicBuckets"))
def buckets_restrict_public_policies(found: Snapshot) -> list[str]:
    """Nor does a public policy count."""
    return _unblocked(found, "RestrictPublicBuckets")


@check(put("buckets", ANY, "ownership", 0, "ObjectOwnership", value="ObjectWriter"))
def buckets_own_their_objects(found: Snapshot) -> list[str]:
    """ACLs are off altogether."""
    wanted = [{"ObjectOwnership": "BucketOwnerEnforced"}]
    return [name for name, bucket in found.buckets.items() if bucket["ownership"] != wanted]


@check(
    add("buckets", ANY, "grants", value={"Grantee": {"Type": "Group", "URI": "AllUsers"}, "Permission": "READ"})
)
def buckets_grant_nothing_to_groups(found: Snapshot) -> list[str]:
    """AWS's groups are everybody, or everybody with an account."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any(grant["Grantee"]["Type"] != "CanonicalUser" for grant in bucket["grants"])
    ]


@check(put("buckets", ANY, "encryption", value=[]))
def buckets_encrypt(found: Snapshot) -> list[str]:
    """At rest."""

    def encrypts(rule: dict[str, Any]) -> bool:
        return rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in ("AES256", "aws:kms")

    return [name for name, bucket in found.buckets.items() if not any(map(encrypts, bucket["encryption"]))]


@check(put("buckets", ANY, "policy", "Statement", 0, "Resource", value=["arn:aws:s3:::x"]))
def buckets_refuse_plain_http(found: Snapshot) -> list[str]:
    """The bucket and all that is in it, whoever asks."""
    return [
        name
        for name, bucket in found.buckets.items()
        if not refuses_plain_http(bucket["policy"], "s3:*", f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*")
    ]


@check(put("buckets", "~uploads-123456789012", "versioning", value="Suspended"))
def uploads_are_versioned(found: Snapshot) -> list[str]:
    """What was overwritten or deleted can be had again."""
    name = uploads(found)
    return [] if found.buckets[name]["versioning"] == "Enabled" else [name]


@check(drop("buckets", "~uploads-123456789012", "lifecycle", 0, "NoncurrentVersionExpiration"))
def old_versions_expire(found: Snapshot) -> list[str]:
    """What a person deleted is not kept for ever."""
    return [
        name
        for name, bucket in found.buckets.items()
        if bucket["versioning"] == "Enabled"
        and not any("NoncurrentVersionExpiration" in rule for rule in _tidy(bucket))
    ]


@check(put("buckets", ANY, "lifecycle", 0, "Status", value="Disabled"))
def half_uploads_are_removed(found: Snapshot) -> list[str]:
    """Parts that nobody put together."""
    return [
        name
        for name, bucket in found.buckets.items()
        if not any("AbortIncompleteMultipartUpload" in rule for rule in _tidy(bucket))
    ]


def _tidy(bucket: dict[str, Any]) -> list[dict[str, Any]]:
    return [rule for rule in bucket["lifecycle"] if rule["Status"] == "Enabled"]


@check(put("buckets", ANY, "cors", 0, "AllowedOrigins", value=["*"]))
def cors_names_its_origins(found: Snapshot) -> list[str]:
    """Only the gallery's own pages may send and read from a browser."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any("*" in origin for rule in bucket["cors"] for origin in rule["AllowedOrigins"])
    ]


@check(put("buckets", ANY, "cors", 0, "AllowedMethods", value=["PUT", "DELETE"]))
def cors_lets_pages_post_and_get(found: Snapshot) -> list[str]:
    """And nothing else."""
    return [
        name
        for name, bucket in found.buckets.items()
        if any(not {"POST", "GET"} >= set(rule["AllowedMethods"]) for rule in bucket["cors"])
    ]


@check(put("buckets", ANY, "website", value={"Suffix": "index.html"}))
def no_bucket_is_a_website(found: Snapshot) -> list[str]:
    """Derived images are shown by presigned links alone."""
    return [name for name, bucket in found.buckets.items() if bucket["website"]]


@check(add("buckets", "~derived-123456789012", "topics", value={"TopicArn": "x", "Events": []}))
def only_uploads_are_announced(found: Snapshot) -> list[str]:
    """What a function writes cannot wake a function."""
    return [
        name
        for name, bucket in found.buckets.items()
        if (bucket["topics"] and name != uploads(found)) or bucket["others"]
    ]


@check(put("buckets", "~uploads-123456789012", "topics", 0, "Filter", "Key", "FilterRules", value=[]))
def uploads_are_announced_to_the_topic(found: Snapshot) -> list[str]:
    """Those under raw/, and to this account's topic."""
    announced = found.buckets[uploads(found)]["topics"]
    right = [
        each
        for each in announced
        if each["TopicArn"] == found.topics[f"{found.look.prefix}-uploads"]["arn"]
        and [rule["Value"] for rule in each.get("Filter", {}).get("Key", {}).get("FilterRules", [])] == ["raw/"]
    ]
    return [] if len(announced) == len(right) == 1 else [uploads(found)]


@check(drop("buckets", ANY))
def there_are_two_buckets(found: Snapshot) -> list[str]:
    """Originals and what is made of them; their names hold the account, so that nobody has taken them."""
    wanted = {f"{found.look.prefix}-{kind}-{found.look.account}" for kind in ("uploads", "derived")}
    return list(wanted ^ set(found.buckets))


@check(add("topics", ANY, "policy", "Statement", value=STRANGER))
def policies_open_nothing_to_strangers(found: Snapshot) -> list[str]:
    """No bucket, topic or queue is granted to the world or to an account by its own policy."""
    return [name for name, policy in policies(found) if any(map(anybody, allowing(policy)))]


@check(add("queues", ANY, "Policy", "Statement", value=WHOLE_SERVICE))
def policies_grant_exact_actions(found: Snapshot) -> list[str]:
    """One action each, never a pattern."""
    return [
        name
        for name, policy in policies(found)
        if any("*" in action for statement in allowing(policy) for action in many(statement["Action"]))
    ]


@check(put("topics", ANY, "policy", "Statement", 0, "Resource", value="*"))
def policies_name_their_own_resource(found: Snapshot) -> list[str]:
    """What a queue or a topic grants, it grants on itself."""
    arns = {name: topic["arn"] for name, topic in found.topics.items()}
    arns |= {name: queue["QueueArn"] for name, queue in found.queues.items()}
    return [
        name
        for name, policy in policies(found)
        if name in arns and any(statement["Resource"] != arns[name] for statement in allowing(policy))
    ]


@check(drop("queues", ANY, "Policy", "Statement", 0, "Condition", "ArnEquals"))
def grants_to_services_name_the_source(found: Snapshot) -> list[str]:
    """aws:SourceArn, in this account: no other customer's bucket, topic or alarm is let in."""

    def safe(statement: dict[str, Any]) -> bool:
        arns = condition(statement, "aws:sourcearn")
        own = (f":{found.look.account}:", f"-{found.look.account}")
        return bool(arns) and all(own[0] in arn or arn.endswith(own[1]) for arn in arns)

    return [
        name
        for name, policy in policies(found)
        if any(services(statement) and not safe(statement) for statement in allowing(policy))
    ]


@check(put("topics", ANY, "policy", "Statement", 0, "Condition", "StringEquals", value={}))
def grants_to_services_name_the_account(found: Snapshot) -> list[str]:
    """aws:SourceAccount: this one."""
    return [
        name
        for name, policy in policies(found)
        if any(
            services(statement) and condition(statement, "aws:sourceaccount") != [found.look.account]
            for statement in allowing(policy)
        )
    ]


@check(put("topics", ANY, "policy", "Statement", 1, "Effect", value="Allow"))
def topics_refuse_plain_http(found: Snapshot) -> list[str]:
    """Nobody publishes without TLS."""
    return [
        name
        for name, topic in found.topics.items()
        if not refuses_plain_http(topic["policy"], "sns:Publish", topic["arn"])
    ]


@check(put("topics", ANY, "policy", "Statement", 0, "Action", value="sns:Subscribe"))
def topics_are_published_to(found: Snapshot) -> list[str]:
    """That is all that anybody is granted on them."""
    return [
        name
        for name, topic in found.topics.items()
        if any(statement["Action"] != "sns:Publish" for statement in allowing(topic["policy"]))
    ]


@check(
    add("topics", "~uploads", "subscriptions", value={"protocol": "https", "endpoint": "https://x", "raw": 0})
)
def uploads_are_told_to_both_queues(found: Snapshot) -> list[str]:
    """Once each, and to nobody else."""
    told = [each["endpoint"] for each in found.topics[f"{found.look.prefix}-uploads"]["subscriptions"]]
    wanted = [found.queues[name]["QueueArn"] for name in work_queues(found)]
    return [] if sorted(told) == sorted(wanted) else [f"{found.look.prefix}-uploads"]


@check(put("topics", "~uploads", "subscriptions", 0, "dead_letters", value=None))
def subscriptions_have_dead_letters(found: Snapshot) -> list[str]:
    """What SNS cannot put into a queue is kept in another, which exists."""
    there = {queue["QueueArn"] for queue in found.queues.values()}
    return [
        each["endpoint"]
        for topic in found.topics.values()
        for each in topic["subscriptions"]
        if each["protocol"] == "sqs" and each["dead_letters"] not in there
    ]


@check(put("topics", "~uploads", "subscriptions", 0, "raw", value=False))
def subscriptions_deliver_raw(found: Snapshot) -> list[str]:
    """What the functions read is what S3 wrote."""
    subscriptions = found.topics[f"{found.look.prefix}-uploads"]["subscriptions"]
    return [each["endpoint"] for each in subscriptions if not each["raw"]]


@check(put("queues", ANY, "Policy", "Statement", value=[]))
def queues_refuse_plain_http(found: Snapshot) -> list[str]:
    """Whatever is asked, whoever asks."""
    return [
        name
        for name, queue in found.queues.items()
        if not refuses_plain_http(queue["Policy"], "sqs:*", queue["QueueArn"])
    ]


@check(put("queues", ANY, "SqsManagedSseEnabled", value="false"))
def queues_encrypt(found: Snapshot) -> list[str]:
    """At rest, with keys of SQS or of KMS."""
    return [
        name
        for name, queue in found.queues.items()
        if queue.get("SqsManagedSseEnabled") != "true" and not queue.get("KmsMasterKeyId")
    ]


@check(put("queues", ANY, "Policy", "Statement", 0, "Action", value="sqs:ReceiveMessage"))
def queues_are_sent_to_by_the_topic(found: Snapshot) -> list[str]:
    """That is all that anybody is granted on them."""
    return [
        name
        for name, queue in found.queues.items()
        if any(
            (statement["Action"], services(statement)) != ("sqs:SendMessage", ["sns.amazonaws.com"])
            for statement in allowing(queue["Policy"])
        )
    ]


@check(put("queues", "~-caption", "RedrivePolicy", value={}))
def queues_have_dead_letters(found: Snapshot) -> list[str]:
    """In a queue of their own."""
    return [
        name
        for name in work_queues(found)
        if found.queues[name]["RedrivePolicy"].get("deadLetterTargetArn")
        != found.queues.get(f"{name}-dead", {}).get("QueueArn", "missing")
    ]


@check(put("queues", "~-caption", "RedrivePolicy", "maxReceiveCount", value="1000"))
def queues_give_up(found: Snapshot) -> list[str]:
    """After a few receives, not at once and not never."""
    return [
        name
        for name in work_queues(found)
        if not 3 <= int(found.queues[name]["RedrivePolicy"]["maxReceiveCount"]) <= 10
    ]


@check(put("queues", "~-caption-dead", "RedriveAllowPolicy", value={"redrivePermission": "allowAll"}))
def dead_letters_come_from_one_queue(found: Snapshot) -> list[str]:
    """No other queue of the account may use them."""
    return [
        f"{name}-dead"
        for name in work_queues(found)
        if found.queues[f"{name}-dead"]["RedriveAllowPolicy"]
        != {"redrivePermission": "byQueue", "sourceQueueArns": [found.queues[name]["QueueArn"]]}
    ]


@check(put("queues", "~-caption-dead", "MessageRetentionPeriod", value="3600"))
def dead_letters_outlive_the_living(found: Snapshot) -> list[str]:
    """A message's age goes with it: as long as a message lives, a dead one must live longer."""
    living = max(int(found.queues[name]["MessageRetentionPeriod"]) for name in work_queues(found))
    dead = set(found.queues) - set(work_queues(found))
    return [name for name in dead if int(found.queues[name]["MessageRetentionPeriod"]) < living + 7 * DAY]


@check(put("queues", "~-thumbnail", "VisibilityTimeout", value="60"))
def messages_stay_hidden_while_a_function_works(found: Snapshot) -> list[str]:
    """Six times its time, as AWS advises for queues that feed functions."""
    return [
        name
        for name in work_queues(found)
        if int(found.queues[name]["VisibilityTimeout"]) < 6 * found.functions[name]["configuration"]["Timeout"]
    ]
