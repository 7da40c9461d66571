"""Senders of notifications: an SNS topic that filters by owner, and a folder on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from imgcore.errors import Conflict, ImgcoreError, Invalid, Unavailable
from imgcore.notifications.models import NotificationMessage, NotificationSender
from imgcore.notifications.subscriptions import SubscriptionState

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

OWNER = "owner"  # the message attribute that the subscriptions' filter policies name
NOBODY = "nobody"  # its value without accounts; no account's public id looks like this
_UNREACHABLE = "The e-mail service cannot be reached. Try again later."


class CompositeSender:
    """Sends each message through several senders, in order. After a failure all of them get it again."""

    def __init__(self, senders: Sequence[NotificationSender]) -> None:
        self._senders = senders

    def send(self, message: NotificationMessage) -> None:
        """Send ``message`` through each sender; raises what the first failing one raises."""
        for sender in self._senders:
            sender.send(message)


class FolderSender:
    """Writes each message to ``folder`` as an .eml file; the same message sent twice is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: NotificationMessage) -> None:
        """Write the file. Unavailable where it cannot be written."""
        mail = EmailMessage()
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["From"] = "Caption Gallery <gallery@localhost>"
        mail["To"] = Address(message.owner_name or "everybody", message.owner or NOBODY, "localhost")
        mail["Subject"] = message.subject
        mail.set_content(message.body, cte="8bit")
        path = self._folder / f"{message.number:06}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}")
            with unfinished.open("wb") as file:
                file.write(mail.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
            _sync_folder(self._folder)
        except OSError as error:
            raise Unavailable(
                f"The notification cannot be written: {error.strerror}.", code="notices"
            ) from error


def _sync_folder(folder: Path) -> None:
    """Sync the names in ``folder``, so that a file that was renamed into it survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Sns:
    """An SNS topic. connect: makes the botocore client when it is first needed."""

    def __init__(self, connect: Callable[[], SNSClient], topic_arn: str) -> None:
        self._connect = connect
        self._topic_arn = topic_arn

    @cached_property
    def _client(self) -> SNSClient:
        return self._connect()


class SnsSender(_Sns):
    """Publishes messages to an SNS topic (imgcore.notifications.models.NotificationSender)."""

    def send(self, message: NotificationMessage) -> None:
        """Publish ``message``. Unavailable where SNS did not accept it or its answer was lost."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=message.subject,
                Message=message.body,
                MessageAttributes={OWNER: {"DataType": "String", "StringValue": message.owner or NOBODY}},
            )
        except (BotoCoreError, ClientError, OSError) as error:
            raise Unavailable("SNS did not accept the notification.", code="notices") from error


class SnsTopic(_Sns):
    """E-mail subscriptions of an SNS topic (imgcore.notifications.subscriptions.Topic)."""

    def subscribe(self, address: str, owner: str) -> str:
        """Subscribe ``address`` with its filter policy in the same request, so that it applies at once."""
        from botocore.exceptions import BotoCoreError, ClientError

        policy = json.dumps({OWNER: [owner]})
        try:
            answer = self._client.subscribe(
                TopicArn=self._topic_arn,
                Protocol="email",
                Endpoint=address,
                Attributes={"FilterPolicy": policy},
                ReturnSubscriptionArn=True,
            )
            arn = answer["SubscriptionArn"]
            known = self._client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except (BotoCoreError, ClientError, OSError) as error:
            raise _refused(error) from error
        if json.loads(known.get("FilterPolicy") or "{}") != {OWNER: [owner]}:
            raise _address_taken()
        return arn

    def state(self, arn: str) -> SubscriptionState | None:
        """Return the subscription's state; None where it does not exist any more."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            known = self._client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except (BotoCoreError, ClientError, OSError) as error:
            if _code(error) in _GONE:
                return None
            raise Unavailable(_UNREACHABLE, code="notices") from error
        pending = known.get("PendingConfirmation", "false").lower() == "true"
        return SubscriptionState.PENDING if pending else SubscriptionState.CONFIRMED

    def unsubscribe(self, arn: str) -> bool:
        """Unsubscribe; False while it is pending: SNS refuses that, and deletes it by itself after days."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.unsubscribe(SubscriptionArn=arn)
        except (BotoCoreError, ClientError, OSError) as error:
            if _code(error) in _GONE:
                return True
            if _code(error) in _INVALID:
                return False
            raise Unavailable(_UNREACHABLE, code="notices") from error
        return True


_GONE = {"NotFound", "NotFoundException"}
_INVALID = {"InvalidParameter", "InvalidParameterException"}


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _refused(error: Exception) -> ImgcoreError:
    """Return the error for an address that SNS refused."""
    if _code(error) not in _INVALID:
        return Unavailable(_UNREACHABLE, code="notices")
    if "different attributes" in str(error):  # subscribed already, with another filter policy
        return _address_taken()
    return Invalid("E-mail cannot be sent to this address.", code="address")


def _address_taken() -> Conflict:
    return Conflict(
        "This address gets the notifications of another account. Use another address.", code="address"
    )
