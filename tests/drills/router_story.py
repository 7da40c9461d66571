"""The role ``events`` by itself on an emulator of its own: run with either router, described, fed uploads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from imgcore.pipeline.models import ObjectCreated
from imgcore.pipeline.s3_events import deliveries
from tests.cloud import ROOT, Cloud, cloud
from tests.deploy import security_describe
from tests.deploy.local_tools import ARN, PREFIX, UPLOADS, queue_url
from tests.deploy.recorder import Recorder, recording
from tests.deploy.security_look import Look

PLAY = [{"hosts": "localhost", "gather_facts": False, "roles": ["events"]}]
KINDS = ("thumbnail", "caption")
STRANGER = "somebody-elses"
LASTING = (
    "Policy",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "VisibilityTimeout",
    "MessageRetentionPeriod",
)


@dataclass(frozen=True)
class Done:
    """A run: what Ansible printed, how many calls were made, and those that wrote."""

    said: str
    calls: int
    writes: list[str]


@dataclass(frozen=True)
class Ground:
    """A bucket with a notification of somebody else's, and what applies the role."""

    aws: Cloud
    door: Recorder

    def run(self, router: str, *arguments: str) -> Done:
        """Apply the role."""
        play = self.aws.home / "play.yml"
        play.write_text(yaml.safe_dump(PLAY))
        self.door.clear()
        door = {"AWS_ENDPOINT_URL": self.door.endpoint}
        done = self.aws.ansible(str(play), *arguments, environ=door, events_router=router)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        return Done(done.stdout, len(self.door.calls), self.door.writes)

    def described(self) -> dict[str, Any]:
        """All that has to do with the route, less what differs between two runs alike."""
        look = Look(self.aws.client, *PREFIX.rsplit("-", 1))
        events, announced = look.client("events"), self.announced()
        rules = security_describe.rules(look)
        tagged = {
            name: rule | {"Tags": events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]}
            for name, rule in rules.items()
        }
        queues = {
            name: {key: queue[key] for key in LASTING} for name, queue in security_describe.queues(look).items()
        }
        return {
            "rules": tagged,
            "topics": security_describe.topics(look),
            "queues": queues,
            "announced": announced,
        }

    def announced(self) -> dict[str, Any]:
        """What the bucket announces, and to whom."""
        found = self.aws.client("s3").get_bucket_notification_configuration(Bucket=UPLOADS)
        return {name: value for name, value in found.items() if name != "ResponseMetadata"}

    def upload(self, key: str) -> dict[str, list[ObjectCreated]]:
        """Upload a photo and return what both queues receive, as the functions parse it."""
        photo = sorted((ROOT / "web/static/samples").glob("*.jpg"))[0]
        self.aws.client("s3").put_object(Bucket=UPLOADS, Key=key, Body=photo.read_bytes())
        return {kind: self._received(kind) for kind in KINDS}

    def _received(self, kind: str) -> list[ObjectCreated]:
        sqs, url = self.aws.client("sqs"), queue_url(self.aws, kind)
        received: list[ObjectCreated] = []
        while not received:
            batch = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
            assert batch.get("Messages"), f"nothing came to {kind}"
            for message in batch["Messages"]:
                record = {"eventSource": "aws:sqs", "messageId": message["MessageId"], "body": message["Body"]}
                received += [each for found in deliveries({"Records": [record]}) for each in found.created]
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return received


@contextmanager
def ground(home: Path) -> Iterator[Ground]:
    """Start it; stop it on the way out."""
    with cloud(home) as aws, recording(aws.emulator.port) as door:
        _prepare(aws)
        yield Ground(aws, door)


def _prepare(aws: Cloud) -> None:
    """The bucket, and a queue of somebody else's that it tells of other keys."""
    arn = ARN.format("sqs", STRANGER)
    may = {
        "Effect": "Allow",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    aws.client("sqs").create_queue(QueueName=STRANGER, Attributes={"Policy": policy})
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=UPLOADS)
    s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    notification = {"Id": STRANGER, "QueueArn": arn, "Events": ["s3:ObjectRemoved:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=UPLOADS, NotificationConfiguration={"QueueConfigurations": [notification]}
    )
