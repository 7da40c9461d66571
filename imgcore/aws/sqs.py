"""The SQS queues, through which tasks are redelivered to the functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from imgcore.errors import Misconfigured, Unavailable
from imgcore.gallery.models import TaskKind
from imgcore.pipeline.maintenance_models import DeadLetterCause, DeadLetters
from imgcore.pipeline.s3_events import POSTPONED, message

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# The dead-letter queues of a queue have its name with these endings: roles/events
_DEAD_LETTERS = {DeadLetterCause.FAILED: "-dead", DeadLetterCause.UNDELIVERED: "-undelivered"}
MAX_DELAY = 900  # seconds; SQS's own limit


class SqsQueues:
    """The queues (imgcore.gallery.ports.Queues).

    connect: creates the botocore client when the first message is sent, because most processes send none.
    urls: the queue of each kind; None where it is not configured. bucket: the bucket that the messages name.
    """

    def __init__(
        self, connect: Callable[[], SQSClient], urls: Mapping[TaskKind, str | None], bucket: str
    ) -> None:
        self._connect = connect
        self._urls = urls
        self._bucket = bucket

    @cached_property
    def _client(self) -> SQSClient:
        return self._connect()

    def send(self, kind: TaskKind, image_key: str, delay: float = 0.0) -> None:
        """Send a message in the format of an S3 event, delivered after ``delay`` seconds (at most 900)."""
        self._send(kind, message(self._bucket, image_key), delay)

    def postpone(self, kind: TaskKind, body: str, *, postponed: int, delay: float) -> None:
        """Send a copy of a received message, delivered after ``delay`` seconds (at most 900).

        A copy, because SQS counts each receive of a message towards its dead-letter queue and never resets the
        count; ChangeMessageVisibility keeps it.
        """
        self._send(
            kind,
            body,
            delay,
            MessageAttributes={POSTPONED: {"DataType": "Number", "StringValue": f"{postponed}"}},
        )

    def dead_letters(self) -> Sequence[DeadLetters]:
        """Return the approximate number of messages in each dead-letter queue. Unavailable; Misconfigured."""
        return [
            DeadLetters(kind, cause, self._count(kind, self._url(kind) + ending))
            for kind in TaskKind
            for cause, ending in _DEAD_LETTERS.items()
        ]

    def _count(self, kind: TaskKind, url: str) -> int:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            found = self._client.get_queue_attributes(
                QueueUrl=url,
                AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
            )["Attributes"]
        except (BotoCoreError, ClientError, OSError) as error:
            raise Unavailable(
                f"The dead-letter queues of {kind} tasks cannot be read just now.", code="queue"
            ) from error
        return sum(int(count) for count in found.values())

    def _url(self, kind: TaskKind) -> str:
        url = self._urls.get(kind)
        if url is None:
            raise Misconfigured(f"{kind.upper()}_QUEUE_URL is not set.")
        return url

    def _send(self, kind: TaskKind, body: str, delay: float, **options: Any) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        url = self._url(kind)
        try:
            self._client.send_message(
                QueueUrl=url,
                MessageBody=body,
                # Rounded up: a message that arrives early finds its task not due yet
                DelaySeconds=min(MAX_DELAY, max(0, int(-(-delay // 1)))),
                **options,
            )
        except (BotoCoreError, ClientError, OSError) as error:
            raise Unavailable(f"The {kind} queue cannot be reached just now.", code="queue") from error
