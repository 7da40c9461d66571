"""What is asked of the topics and of the queues, and of every policy that grants something to a service."""

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


def work_queues(found: Snapshot) -> list[str]:
    """The queues that functions read; the others hold dead letters."""
    return [f"{found.look.prefix}-{kind}" for kind in ("thumbnail", "caption")]


def policies(found: Snapshot) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every policy of a bucket, a topic or a queue, by the name of that."""
    yield from ((name, bucket["policy"]) for name, bucket in found.buckets.items())
    yield from ((name, topic["policy"]) for name, topic in found.topics.items())
    yield from ((name, queue["Policy"]) for name, queue in found.queues.items())


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
    """Publishing without TLS is denied."""
    return [
        name
        for name, topic in found.topics.items()
        if not refuses_plain_http(topic["policy"], "sns:Publish", topic["arn"])
    ]


@check(put("topics", ANY, "policy", "Statement", 0, "Action", value="sns:Subscribe"))
def topics_are_published_to(found: Snapshot) -> list[str]:
    """No other grant exists."""
    return [
        name
        for name, topic in found.topics.items()
        if any(statement["Action"] != "sns:Publish" for statement in allowing(topic["policy"]))
    ]


@check(put("topics", "~-notices", "policy", "Statement", value=[]))
def notices_are_this_accounts_own(found: Snapshot) -> list[str]:
    """Principals of other accounts are denied, whatever else is granted."""
    name = f"{found.look.prefix}-notices"
    denied = [each for each in found.topics[name]["policy"]["Statement"] if each["Effect"] == "Deny"]
    own = [condition(each, "aws:principalaccount") for each in denied]
    return [] if [found.look.account] in own else [name]


@check(
    add("topics", "~uploads", "subscriptions", value={"protocol": "https", "endpoint": "https://x", "raw": 0})
)
def uploads_reach_both_queues(found: Snapshot) -> list[str]:
    """Each queue has one subscription, and there are no others."""
    subscribed = [each["endpoint"] for each in found.topics[f"{found.look.prefix}-uploads"]["subscriptions"]]
    wanted = [found.queues[name]["QueueArn"] for name in work_queues(found)]
    return [] if sorted(subscribed) == sorted(wanted) else [f"{found.look.prefix}-uploads"]


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
    """The denial covers all actions and principals."""
    return [
        name
        for name, queue in found.queues.items()
        if not refuses_plain_http(queue["Policy"], "sqs:*", queue["QueueArn"])
    ]


@check(put("queues", ANY, "SqsManagedSseEnabled", value="false"))
def queues_encrypt(found: Snapshot) -> list[str]:
    """Messages are encrypted at rest with keys of SQS or KMS."""
    return [
        name
        for name, queue in found.queues.items()
        if queue.get("SqsManagedSseEnabled") != "true" and not queue.get("KmsMasterKeyId")
    ]


@check(put("queues", ANY, "Policy", "Statement", 0, "Action", value="sqs:ReceiveMessage"))
def queues_are_sent_to_by_the_topic(found: Snapshot) -> list[str]:
    """No other grant exists."""
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
    """Each queue has its own dead-letter queue."""
    return [
        name
        for name in work_queues(found)
        if found.queues[name]["RedrivePolicy"].get("deadLetterTargetArn")
        != found.queues.get(f"{name}-dead", {}).get("QueueArn", "missing")
    ]


@check(put("queues", "~-caption", "RedrivePolicy", "maxReceiveCount", value="1000"))
def queues_give_up(found: Snapshot) -> list[str]:
    """The number of receives is small, and more than one."""
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
