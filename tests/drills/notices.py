"""One batch of photos through the whole pipeline: its owner gets one message, another owner another.

    python -m tests.drills.notices [PHOTOS]

500 photos by default, uploaded as a browser does, worked on by the real zips on an emulator that enforces
IAM, and one of somebody else under the same batch id. A queue stands in for each owner's mail program, with the
filter that an address gets. Ends non-zero where it is not exactly one message for each.
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from imgcore.accounts.models import Account, Role
from imgcore.db.accounts import AccountRepository
from imgcore.gallery.models import Viewer
from tests.cloud import Cloud
from tests.pipeline.deliveries import colour_picture
from tests.pipeline.stage import PROJECT, Stage, send, staged

BATCH = "11111111-2222-3333-4444-555555555555"
QUIET = 5  # seconds
TIMEOUT = 3600.0  # seconds


class Inbox:
    """A queue that gets the messages of one owner."""

    def __init__(self, aws: Cloud, owner: Account) -> None:
        self._sqs, sns = aws.client("sqs"), aws.client("sns")
        self._queue = self._sqs.create_queue(QueueName=f"inbox-{owner.name}")["QueueUrl"]
        asked = {"QueueUrl": self._queue, "AttributeNames": ["QueueArn"]}
        arn = self._sqs.get_queue_attributes(**asked)["Attributes"]["QueueArn"]
        allow = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": arn}]}
        self._sqs.set_queue_attributes(QueueUrl=self._queue, Attributes={"Policy": json.dumps(policy)})
        topics = [each["TopicArn"] for each in sns.list_topics()["Topics"]]
        (topic,) = [each for each in topics if each.endswith(f"{PROJECT}-notices")]
        filtered = {"FilterPolicy": json.dumps({"owner": [owner.public_id]})}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=filtered)
        self.messages: list[dict[str, Any]] = []

    def look(self) -> list[str]:
        """The subjects of all that has come so far."""
        got = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        for each in got.get("Messages", []):
            self.messages.append(json.loads(each["Body"]))
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=each["ReceiptHandle"])
        return [each["Subject"] for each in self.messages]


def upload(stage: Stage, owner: Account, number: int) -> None:
    """Upload one photo of that owner."""
    colour, data = colour_picture(number)
    theirs = stage.gallery.for_viewer(Viewer(owner.id))
    _, form = theirs.request_upload(f"{colour} {number}.png", len(data), "image/png", batch=BATCH)
    assert send(form, data) == 201


def swept(stage: Stage, inboxes: Mapping[str, Inbox]) -> dict[str, list[str]]:
    """Sweep until everybody has heard, and some more: nothing further may come."""
    functions = stage.aws.client("lambda")
    deadline, extra = time.monotonic() + TIMEOUT, 5
    while extra and time.monotonic() < deadline:
        # As the schedule does: asked for, and not waited for; while all are busy there is no room for it
        asked = {"FunctionName": f"{PROJECT}-caption", "InvocationType": "Event"}
        functions.invoke(**asked, Payload=b'{"task": "sweep"}')
        time.sleep(2.0)
        heard = [inbox.look() for inbox in inboxes.values()]
        extra -= all(heard)
    return {name: inbox.look() for name, inbox in inboxes.items()}


def run(home: Path, environ: pytest.MonkeyPatch, count: int) -> int:
    """0 where each owner has one message."""
    settings = {
        "DATABASE_URL": f"sqlite:///{home}/gallery.db",
        "CAPTIONER": "local",
        "BATCH_QUIET_SECONDS": str(QUIET),
        "LOST_AFTER_SECONDS": "30",
    }
    with staged(home, environ, functions_environment=settings) as stage:
        accounts = AccountRepository(stage.database)
        owners = [accounts.add(secrets.token_hex(16), name, Role.PERSON, "none") for name in ("anna", "ben")]
        inboxes = {owner.name: Inbox(stage.aws, owner) for owner in owners}
        anna, ben = owners
        started = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda number: upload(stage, anna, number), range(count)))
        upload(stage, ben, count)
        uploaded = time.monotonic() - started
        found = swept(stage, inboxes)
        seconds = time.monotonic() - started
        files = len(list((home / "mail").glob("*.eml")))
    print(f"{count} + 1 photos, uploaded in {uploaded:.0f} s, notified after {seconds:.0f} s")
    for name, subjects in found.items():
        print(f"{name}: {len(subjects)} message(s): {subjects}")
    print(f".local/mail/: {files} letters")
    wanted = {"anna": [f"{count} photos are ready"], "ben": ["1 photo is ready"]}
    return int((found, files) != (wanted, 2))


def main() -> int:
    """Run the drill in a temporary folder."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environ:
        return run(Path(folder) / "home", environ, count)


if __name__ == "__main__":
    sys.exit(main())
