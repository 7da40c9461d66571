"""Serve one of the project's queues as AWS Lambda does, in a process that a test may kill.

::

    python -m tests.pipeline.queue_worker thumbnail|caption|sweep RESULTS STOP SHARE SECONDS

Each result that is stored adds a line to the file RESULTS. While the file STOP exists, the process stops itself
before it stores a result. A SHARE of the descriptions takes SECONDS, so that the lease of its task ends
meanwhile. ``sweep`` runs the schedule's task every two seconds.
"""

from __future__ import annotations

import importlib
import os
import random
import sys
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

from botocore.exceptions import BotoCoreError, ClientError

from imgcore import captioners
from imgcore.aws.clients import create_client
from imgcore.db.tasks import TaskRepository
from imgcore.pipeline.models import Claim
from tests.pipeline import late_results

SWEEP_SECONDS = 2.0
PAUSE = 0.5  # seconds until the queue is asked again after an error


class Context:
    """The part of AWS's Lambda context that the functions use."""

    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def watch_results(path: Path) -> None:
    """Append a line to ``path`` for each result that is stored."""
    commit, descriptor = TaskRepository._commit, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def committed(repository: TaskRepository, claim: Claim, *given: Any, **named: Any) -> bool:
        stored = commit(repository, claim, *given, **named)
        if stored:
            os.write(descriptor, f"{claim.public_id} {claim.kind}\n".encode())
        return stored

    patch.object(TaskRepository, "_commit", committed).start()


def slow_down(share: float, seconds: float) -> None:
    """Let this share of the descriptions take ``seconds``."""
    create = captioners.create

    def created(config: Any) -> Any:
        captioner, standby = create(config)
        describe = captioner.describe

        def slowly(*given: Any, **named: Any) -> Any:
            if random.random() < share:
                time.sleep(seconds)
            return describe(*given, **named)

        captioner.describe = slowly  # type: ignore[method-assign]
        return captioner, standby

    patch.object(captioners, "create", created).start()


def serve(kind: str) -> None:
    """Receive, process and delete messages until the process is ended."""
    handler = importlib.import_module(f"lambda_build.handlers.{kind}").handler
    sqs, url = create_client("sqs", retries=0), os.environ[f"{kind.upper()}_QUEUE_URL"]
    while True:
        try:
            got = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=1, MessageAttributeNames=["All"])
            for message in got.get("Messages", []):
                if not handler({"Records": [_record(message)]}, Context())["batchItemFailures"]:
                    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        except (BotoCoreError, ClientError):
            time.sleep(PAUSE)


def _record(message: Any) -> dict[str, Any]:
    attributes = {
        name: {"stringValue": value["StringValue"]}
        for name, value in message.get("MessageAttributes", {}).items()
    }
    return {
        "messageId": message["MessageId"],
        "eventSource": "aws:sqs",
        "body": message["Body"],
        "messageAttributes": attributes,
    }


def sweep() -> None:
    """Run the schedule's task every two seconds until the process is ended."""
    handler = importlib.import_module("lambda_build.handlers.caption").handler
    while True:
        try:
            handler({"task": "sweep"}, Context())
        except Exception as error:  # noqa: BLE001 - the function fails, the schedule invokes it again
            print(f"The sweep failed: {error}", flush=True)
        time.sleep(SWEEP_SECONDS)


if __name__ == "__main__":
    watch_results(Path(sys.argv[2]))
    late_results.stop_on_request(Path(sys.argv[3]))
    slow_down(float(sys.argv[4]), float(sys.argv[5]))
    sweep() if sys.argv[1] == "sweep" else serve(sys.argv[1])
