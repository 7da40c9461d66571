"""What each identity may do: the calls that it makes. Everything else is denied by the emulator itself."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cloud import Cloud
from tests.deploy.local_tools import ARN, DERIVED, PREFIX, SECRET, UPLOADS, ask, ask_probe, queue_url

pytestmark = pytest.mark.timeout(900)  # Ansible on a busy machine

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"}
ROLE = f"arn:aws:iam::000000000000:role/{PREFIX}-caption"
TRUST = '{"Version": "2012-10-17", "Statement": []}'


def obj(bucket: str, key: str, **more: Any) -> dict[str, Any]:
    """The parameters of a call on an object."""
    return {"Bucket": bucket, "Key": key, **more}


def queued(name: str, **more: Any) -> dict[str, Any]:
    """The parameters of a call on a queue; its address is put in later."""
    return {"QueueUrl": name, **more}


NOTICES = ARN.format("sns", f"{PREFIX}-notices")
NOTIFICATION = {"TopicArn": NOTICES, "Message": "x"}
SUBSCRIBED = {"TopicArn": NOTICES, "Protocol": "email", "Endpoint": "anna@example.org"}
THERE, MISSING = obj(UPLOADS, "raw/there.jpg"), obj(UPLOADS, "raw/missing.jpg")
LISTED = ("s3", "list_objects_v2", {"Bucket": DERIVED, "Prefix": "thumbnails/there/"})
# What nobody who runs may do.
FORBIDDEN = [
    ("s3", "put_object", obj(UPLOADS, "elsewhere.jpg")),
    ("s3", "put_object", obj(DERIVED, "elsewhere")),
    ("s3", "get_object", obj(UPLOADS, "elsewhere.jpg")),
    ("s3", "delete_object", obj(UPLOADS, "elsewhere.jpg")),
    ("s3", "create_multipart_upload", obj(UPLOADS, "elsewhere.jpg")),
    ("s3", "abort_multipart_upload", obj(UPLOADS, "elsewhere.jpg", UploadId="1")),
    ("s3", "list_objects_v2", {"Bucket": UPLOADS, "Prefix": "else"}),
    ("s3", "list_objects_v2", {"Bucket": DERIVED}),
    ("s3", "list_objects_v2", {"Bucket": "another-bucket"}),
    ("s3", "list_buckets", {}),
    ("s3", "delete_bucket_policy", {"Bucket": UPLOADS}),
    ("s3", "put_bucket_notification_configuration", {"Bucket": UPLOADS, "NotificationConfiguration": {}}),
    ("sqs", "receive_message", queued("caption-dead")),
    ("sqs", "purge_queue", queued("caption")),
    ("sqs", "delete_queue", queued("thumbnail")),
    ("sqs", "list_queues", {}),
    ("sns", "publish", {"TopicArn": ARN.format("sns", f"{PREFIX}-uploads"), "Message": "x"}),
    ("secretsmanager", "get_secret_value", {"SecretId": "another-secret"}),
    ("lambda", "invoke", {"FunctionName": f"{PREFIX}-caption"}),
    ("lambda", "get_function", {"FunctionName": f"{PREFIX}-thumbnail"}),
    ("lambda", "update_function_configuration", {"FunctionName": f"{PREFIX}-caption", "Timeout": 900}),
    ("events", "disable_rule", {"Name": f"{PREFIX}-sweep"}),
    ("logs", "filter_log_events", {"logGroupName": f"/aws/lambda/{PREFIX}-caption"}),
    ("iam", "create_access_key", {"UserName": f"{PREFIX}-operator"}),
    ("iam", "list_users", {}),
    (
        "sts",
        "assume_role",
        {"RoleArn": f"arn:aws:iam::000000000000:role/{PREFIX}-caption", "RoleSessionName": "probe"},
    ),
]
THUMBNAIL_FORBIDDEN = [
    ("s3", "put_object", obj(UPLOADS, "raw/there.jpg")),
    ("s3", "delete_object", THERE),
    ("s3", "abort_multipart_upload", THERE | {"UploadId": "1"}),
    ("s3", "delete_object", obj(DERIVED, "thumbnails/there")),
    ("s3", "get_object", obj(DERIVED, "thumbnails/there")),
    LISTED,
    ("s3", "list_object_versions", {"Bucket": UPLOADS, "Prefix": "raw/there.jpg"}),
    ("sqs", "receive_message", queued("caption")),
    ("sqs", "send_message", queued("caption", MessageBody="x")),
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
    ("sns", "publish", NOTIFICATION),
    ("sns", "subscribe", SUBSCRIBED),
]
THUMBNAIL_ALLOWED = [
    ("s3", "get_object", THERE),
    ("s3", "put_object", obj(DERIVED, "thumbnails/x")),
    ("s3", "put_object", obj(DERIVED, "display/x")),
    ("s3", "get_object", obj(DERIVED, "display/there")),
    ("s3", "list_objects_v2", {"Bucket": DERIVED, "Prefix": "display/there/"}),
    ("sqs", "receive_message", queued("thumbnail")),
    ("sqs", "send_message", queued("thumbnail", MessageBody="{}")),
]
CAPTION_FORBIDDEN = [
    ("s3", "put_object", obj(UPLOADS, "raw/there.jpg")),
    ("s3", "put_object", obj(DERIVED, "thumbnails/there")),
    ("s3", "get_object", obj(DERIVED, "thumbnails/there")),
    ("s3", "list_object_versions", {"Bucket": UPLOADS}),
    ("sqs", "receive_message", queued("thumbnail")),
    ("sns", "subscribe", SUBSCRIBED),
    (
        "sns",
        "set_topic_attributes",
        {"TopicArn": NOTICES, "AttributeName": "DisplayName", "AttributeValue": "x"},
    ),
]
CAPTION_ALLOWED = [
    LISTED,
    ("s3", "get_object", THERE),
    ("s3", "list_object_versions", {"Bucket": UPLOADS, "Prefix": "raw/there.jpg"}),
    ("s3", "delete_object", obj(UPLOADS, "raw/gone.jpg")),
    ("s3", "delete_object", obj(DERIVED, "thumbnails/gone")),
    ("s3", "delete_object", obj(DERIVED, "display/gone")),
    ("sqs", "send_message", queued("thumbnail", MessageBody="{}")),
    ("sqs", "send_message", queued("caption", MessageBody="{}")),
    ("sqs", "receive_message", queued("caption")),
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
    ("sns", "publish", NOTIFICATION),
]
WEB_FORBIDDEN = [
    ("sqs", "get_queue_attributes", queued("caption", AttributeNames=["All"])),
    ("s3", "put_object", obj(DERIVED, "thumbnails/there")),
    ("s3", "delete_object", THERE),
    ("s3", "get_object", obj(DERIVED, "elsewhere")),
    ("s3", "get_object", obj(DERIVED, "thumbnails/there", VersionId="1")),
    ("sqs", "receive_message", queued("caption")),
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
    ("sns", "publish", NOTIFICATION),
    ("sns", "subscribe", SUBSCRIBED | {"TopicArn": ARN.format("sns", f"{PREFIX}-uploads")}),
    ("sns", "list_subscriptions", {}),
    ("sns", "list_subscriptions_by_topic", {"TopicArn": ARN.format("sns", f"{PREFIX}-uploads")}),
]
WEB_ALLOWED = [
    LISTED,
    ("s3", "list_objects_v2", {"Bucket": DERIVED, "Prefix": "display/there/"}),
    ("s3", "get_object", THERE),
    ("s3", "get_object", obj(DERIVED, "thumbnails/there")),
    ("s3", "put_object", obj(UPLOADS, "raw/x.jpg")),
    ("s3", "create_multipart_upload", obj(UPLOADS, "raw/x.jpg")),
    ("sqs", "send_message", queued("thumbnail", MessageBody="{}")),
    ("sqs", "send_message", queued("caption", MessageBody="{}")),
    ("sqs", "get_queue_attributes", queued("caption-dead", AttributeNames=["All"])),
    ("sqs", "get_queue_attributes", queued("thumbnail-undelivered", AttributeNames=["All"])),
    ("sns", "subscribe", SUBSCRIBED),
]
OPERATOR_FORBIDDEN = [
    ("s3", "create_bucket", {"Bucket": "a-third-bucket"}),
    ("s3", "list_objects_v2", {"Bucket": "another-bucket"}),
    ("sqs", "create_queue", {"QueueName": "another-queue"}),
    ("sns", "create_topic", {"Name": "another-topic"}),
    ("lambda", "delete_function", {"FunctionName": "another-function"}),
    ("iam", "create_role", {"RoleName": "another", "AssumeRolePolicyDocument": TRUST}),
    ("iam", "create_user", {"UserName": "another"}),
    ("logs", "create_log_group", {"logGroupName": "another"}),
    ("secretsmanager", "get_secret_value", {"SecretId": SECRET}),
    ("ec2", "describe_instances", {}),
]
Call = tuple[str, str, dict[str, Any]]


def judged(aws: Cloud, who: str, call: Call) -> str | None:
    """The error code of a call by that identity."""
    service, operation, parameters = call
    given = dict(parameters)
    if "QueueUrl" in given:
        given["QueueUrl"] = queue_url(aws, given["QueueUrl"])
    made = ask_probe if who in ("thumbnail", "caption") else ask
    return made(aws, who, service, operation, given)


def matrix(**calls: list[Call]) -> Any:
    """One test for each call of each identity."""
    pairs = [
        pytest.param(who, call, id=f"{who}-{number}-{call[0]}-{call[1]}")
        for who, mine in calls.items()
        for number, call in enumerate(mine)
    ]
    return pytest.mark.parametrize(("who", "call"), pairs)


@matrix(
    thumbnail=FORBIDDEN + THUMBNAIL_FORBIDDEN,
    caption=FORBIDDEN + CAPTION_FORBIDDEN,
    web=FORBIDDEN + WEB_FORBIDDEN,
    operator=OPERATOR_FORBIDDEN,
)
def test_call_without_permission_is_denied(aws: Cloud, who: str, call: Call) -> None:
    assert judged(aws, who, call) in DENIED


@matrix(thumbnail=THUMBNAIL_ALLOWED, caption=CAPTION_ALLOWED, web=WEB_ALLOWED)
def test_call_with_permission_is_allowed(aws: Cloud, who: str, call: Call) -> None:
    assert judged(aws, who, call) is None


@pytest.mark.parametrize("who", ["thumbnail", "caption", "web"])
def test_missing_upload_returns_404(aws: Cloud, who: str) -> None:
    assert "NoSuchKey" == judged(aws, who, ("s3", "get_object", MISSING))
