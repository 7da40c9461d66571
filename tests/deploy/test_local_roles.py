"""What storage, events, functions and local_cloud make, and that they leave it alone afterwards."""

from __future__ import annotations

import json
import stat
from typing import Any

import pytest

from tests.cloud import Cloud
from tests.deploy.conftest import Applied
from tests.deploy.local_tools import ARN, DERIVED, PREFIX, UPLOADS, queue, recap

pytestmark = pytest.mark.timeout(900)  # Ansible on a busy machine

KINDS = ("thumbnail", "caption")
TAGS = {"Project": "caption-gallery", "Env": "local"}


def mapping(aws: Cloud, name: str) -> dict[str, Any]:
    """The event source mapping of a function, which has one."""
    found = aws.client("lambda").list_event_source_mappings(FunctionName=f"{PREFIX}-{name}")
    (only,) = found["EventSourceMappings"]
    return only


def notifications(aws: Cloud) -> dict[str, Any]:
    """What the uploads bucket announces, and to whom."""
    found = aws.client("s3").get_bucket_notification_configuration(Bucket=UPLOADS)
    return {name: value for name, value in found.items() if name != "ResponseMetadata"}


def subscriptions(aws: Cloud) -> list[dict[str, Any]]:
    """The attributes of the topic's subscriptions."""
    sns = aws.client("sns")
    topic = ARN.format("sns", f"{PREFIX}-uploads")
    found = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    return [
        sns.get_subscription_attributes(SubscriptionArn=each["SubscriptionArn"])["Attributes"] for each in found
    ]


def test_first_run_creates_resources(applied: Applied) -> None:
    assert recap(applied.said)["changed"] > 25


def test_second_run_changes_nothing(applied: Applied) -> None:
    applied.door.clear()
    assert 0 == recap(applied.again())["changed"]
    assert [] == applied.door.writes


def test_check_mode_reports_and_writes_nothing(applied: Applied) -> None:
    applied.door.clear()
    assert 0 == recap(applied.again("--check"))["changed"]
    assert len(applied.door.calls) > 50
    assert [] == applied.door.writes


@pytest.mark.parametrize("bucket", [UPLOADS, DERIVED])
def test_buckets_are_private(aws: Cloud, bucket: str) -> None:
    """All four blocks on, and no list of rights but the owner's."""
    s3 = aws.client("s3")
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert [True] * 4 == list(blocked.values())
    assert [{"ObjectOwnership": "BucketOwnerEnforced"}] == rules


@pytest.mark.parametrize("bucket", [UPLOADS, DERIVED])
def test_buckets_are_encrypted_and_tagged(aws: Cloud, bucket: str) -> None:
    """The tags are those of every resource here."""
    s3 = aws.client("s3")
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    tags = {each["Key"]: each["Value"] for each in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]}
    assert "AES256" == rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
    assert {**TAGS, "Role": "storage"} == tags


@pytest.mark.parametrize(("bucket", "status"), [(UPLOADS, "Enabled"), (DERIVED, None)])
def test_uploads_bucket_only_is_versioned(aws: Cloud, bucket: str, status: str | None) -> None:
    assert status == aws.client("s3").get_bucket_versioning(Bucket=bucket).get("Status")


def test_uploads_lifecycle_deletes_old_versions_and_parts(aws: Cloud) -> None:
    (rule,) = aws.client("s3").get_bucket_lifecycle_configuration(Bucket=UPLOADS)["Rules"]
    assert 2 == rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]
    assert 30 == rule["NoncurrentVersionExpiration"]["NoncurrentDays"]
    assert {"ExpiredObjectDeleteMarker": True} == rule["Expiration"]


def test_cors_allows_pages_on_loopback(aws: Cloud) -> None:
    (rule,) = aws.client("s3").get_bucket_cors(Bucket=UPLOADS)["CORSRules"]
    assert ["http://127.0.0.1:*", "http://localhost:*", "http://[::1]:*"] == rule["AllowedOrigins"]
    assert ["POST", "PUT", "GET"] == rule["AllowedMethods"]


def test_bucket_sends_events_to_the_topic_only(aws: Cloud) -> None:
    (notification,) = notifications(aws)["TopicConfigurations"]
    assert ["TopicConfigurations"] == list(notifications(aws))
    assert ["s3:ObjectCreated:*"] == notification["Events"]
    assert [{"Name": "prefix", "Value": "raw/"}] == notification["Filter"]["Key"]["FilterRules"]


def test_topic_policy_allows_the_uploads_bucket_only(aws: Cloud) -> None:
    topic = ARN.format("sns", f"{PREFIX}-uploads")
    policy = json.loads(aws.client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    (statement,) = policy["Statement"]
    assert {"Service": "s3.amazonaws.com"} == statement["Principal"]
    assert {"aws:SourceArn": f"arn:aws:s3:::{UPLOADS}"} == statement["Condition"]["ArnEquals"]
    assert {"aws:SourceAccount": "000000000000"} == statement["Condition"]["StringEquals"]


def test_subscriptions_are_raw_with_dead_letter_queue(aws: Cloud) -> None:
    found = sorted(
        (each["Endpoint"], each["RawMessageDelivery"], json.loads(each["RedrivePolicy"])["deadLetterTargetArn"])
        for each in subscriptions(aws)
    )
    expected = [
        (ARN.format("sqs", f"{PREFIX}-{kind}"), "true", ARN.format("sqs", f"{PREFIX}-{kind}-undelivered"))
        for kind in sorted(KINDS)
    ]
    assert expected == found


@pytest.mark.parametrize(("kind", "visibility"), [("thumbnail", "360"), ("caption", "720")])
def test_queues_have_visibility_timeout_and_retention(aws: Cloud, kind: str, visibility: str) -> None:
    attributes = queue(aws, kind)
    dead = {"deadLetterTargetArn": ARN.format("sqs", f"{PREFIX}-{kind}-dead"), "maxReceiveCount": 5}
    assert (visibility, str(4 * 86_400)) == (
        attributes["VisibilityTimeout"],
        attributes["MessageRetentionPeriod"],
    )
    assert dead == attributes["RedrivePolicy"]


@pytest.mark.parametrize("kind", KINDS)
def test_dead_letter_queues_have_one_source_and_retention(aws: Cloud, kind: str) -> None:
    attributes = queue(aws, f"{kind}-dead")
    allowed = {"redrivePermission": "byQueue", "sourceQueueArns": [ARN.format("sqs", f"{PREFIX}-{kind}")]}
    assert str(14 * 86_400) == attributes["MessageRetentionPeriod"]
    assert allowed == attributes["RedriveAllowPolicy"]


@pytest.mark.parametrize("kind", KINDS)
def test_event_source_mappings_have_batch_size_one(aws: Cloud, kind: str) -> None:
    fed = mapping(aws, kind)
    assert (1, ["ReportBatchItemFailures"]) == (fed["BatchSize"], fed["FunctionResponseTypes"])
    assert {"MaximumConcurrency": 4} == fed["ScalingConfig"]


@pytest.mark.parametrize(("kind", "timeout"), [("thumbnail", 60), ("caption", 120)])
def test_functions_have_timeout_memory_and_concurrency(aws: Cloud, kind: str, timeout: int) -> None:
    found = aws.client("lambda").get_function(FunctionName=f"{PREFIX}-{kind}")
    assert (timeout, 1769) == (found["Configuration"]["Timeout"], found["Configuration"]["MemorySize"])
    assert 5 == found["Concurrency"]["ReservedConcurrentExecutions"]


@pytest.mark.parametrize("kind", KINDS)
def test_functions_tags_name_the_release(aws: Cloud, kind: str) -> None:
    found = aws.client("lambda").get_function(FunctionName=f"{PREFIX}-{kind}")
    assert {**TAGS, "Role": "functions", "Release": "local"} == found["Tags"]
    assert "local" == found["Configuration"]["Environment"]["Variables"]["RELEASE"]


def test_leases_are_between_timeout_and_visibility(aws: Cloud) -> None:
    found = aws.client("lambda").get_function_configuration(FunctionName=f"{PREFIX}-caption")
    settings = found["Environment"]["Variables"]
    assert ("75", "135") == (settings["THUMBNAIL_LEASE_SECONDS"], settings["CAPTION_LEASE_SECONDS"])


@pytest.mark.parametrize("kind", KINDS)
def test_log_groups_have_retention(aws: Cloud, kind: str) -> None:
    found = aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{PREFIX}-{kind}")
    assert [30] == [group["retentionInDays"] for group in found["logGroups"]]


def test_sweeper_rule_runs_every_minute(aws: Cloud) -> None:
    events = aws.client("events")
    rule = events.describe_rule(Name=f"{PREFIX}-sweep")
    (target,) = events.list_targets_by_rule(Rule=f"{PREFIX}-sweep")["Targets"]
    assert ("rate(1 minute)", "ENABLED") == (rule["ScheduleExpression"], rule["State"])
    assert {"task": "sweep"} == json.loads(target["Input"])
    assert ARN.format("lambda", f"function:{PREFIX}-caption") == target["Arn"]


def test_function_policy_allows_the_sweeper_rule_only(aws: Cloud) -> None:
    policy = json.loads(aws.client("lambda").get_policy(FunctionName=f"{PREFIX}-caption")["Policy"])
    (statement,) = policy["Statement"]
    assert {"Service": "events.amazonaws.com"} == statement["Principal"]
    assert ARN.format("events", f"rule/{PREFIX}-sweep") == statement["Condition"]["ArnLike"]["AWS:SourceArn"]
    assert {"AWS:SourceAccount": "000000000000"} == statement["Condition"]["StringEquals"]


def test_web_process_has_settings_and_own_credentials(aws: Cloud) -> None:
    settings = aws.settings("web")
    assert UPLOADS == settings["UPLOADS_BUCKET"]
    assert settings["CAPTION_QUEUE_URL"].endswith(f"{PREFIX}-caption")
    assert aws.root["AWS_ACCESS_KEY_ID"] != settings["AWS_ACCESS_KEY_ID"]
    assert (
        f"arn:aws:iam::000000000000:user/{PREFIX}-gallery"
        == aws.client("sts", settings).get_caller_identity()["Arn"]
    )


@pytest.mark.parametrize("name", ["web", "operator"])
def test_credential_files_have_mode_0600(aws: Cloud, name: str) -> None:
    assert 0o600 == stat.S_IMODE((aws.home / f"{name}.env").stat().st_mode)
