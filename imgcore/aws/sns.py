"""Where letters go: an SNS topic that hands each to its owner's address alone, and a folder on this machine."""

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
from imgcore.notifications.models import Letter
from imgcore.notifications.subscriptions import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

OWNER = "owner"  # the attribute that subscriptions filter by
NOBODY = "nobody"  # its value without accounts; no account's id is like that
_AWAY = "The mail service cannot be reached just now. Try again later."


class Mailboxes:
    """Several, each in its turn. What fails is sent to all of them again."""

    def __init__(self, mailboxes: Sequence[FolderMailbox | SnsMailbox]) -> None:
        self._mailboxes = mailboxes

    def send(self, letter: Letter) -> None:
        """As each of them."""
        for mailbox in self._mailboxes:
            mailbox.send(letter)


class FolderMailbox:
    """One file a letter, as a mail program would keep it. The same letter sent twice is one file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, letter: Letter) -> None:
        """Unavailable where the file cannot be written."""
        mail = EmailMessage()
        mail["Date"] = format_datetime(datetime.now(UTC))
        mail["From"] = "Caption Gallery <gallery@localhost>"
        mail["To"] = Address(letter.owner_name or "everybody", letter.owner or NOBODY, "localhost")
        mail["Subject"] = letter.subject
        mail.set_content(letter.body, cte="8bit")
        path = self._folder / f"{letter.number:06}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            unfinished = path.with_suffix(f".{os.getpid()}")
            unfinished.write_bytes(mail.as_bytes())
            unfinished.replace(path)
        except OSError as error:
            raise Unavailable(f"The letter cannot be written: {error.strerror}.", code="notices") from error


class _Sns:
    """A topic over boto3. connect: makes the client when it is needed for the first time."""

    def __init__(self, connect: Callable[[], SNSClient], topic_arn: str) -> None:
        self._connect = connect
        self._topic_arn = topic_arn

    @cached_property
    def _client(self) -> SNSClient:
        return self._connect()


class SnsMailbox(_Sns):
    """imgcore.gallery.ports.Mailbox."""

    def send(self, letter: Letter) -> None:
        """Unavailable where SNS did not accept it, or nobody knows."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.publish(
                TopicArn=self._topic_arn,
                Subject=letter.subject,
                Message=letter.body,
                MessageAttributes={OWNER: {"DataType": "String", "StringValue": letter.owner or NOBODY}},
            )
        except (BotoCoreError, ClientError, OSError) as error:
            raise Unavailable("SNS does not take the letter just now.", code="notices") from error


class SnsTopic(_Sns):
    """imgcore.notifications.subscriptions.Topic: who has the letters of which account sent where."""

    def subscribe(self, address: str, owner: str) -> str:
        """Its ARN. The filter goes along with the request, so that there is no moment without it."""
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
            raise _taken()
        return arn

    def state(self, arn: str) -> Delivery | None:
        """None where SNS knows no such subscription any more."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            known = self._client.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        except (BotoCoreError, ClientError, OSError) as error:
            if _code(error) in _GONE:
                return None
            raise Unavailable(_AWAY, code="notices") from error
        pending = known.get("PendingConfirmation", "false").lower() == "true"
        return Delivery.PENDING if pending else Delivery.CONFIRMED

    def unsubscribe(self, arn: str) -> bool:
        """False where it waits for its confirmation: SNS does not let go of it then, and forgets it in days."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.unsubscribe(SubscriptionArn=arn)
        except (BotoCoreError, ClientError, OSError) as error:
            if _code(error) in _GONE:
                return True
            if _code(error) in _INVALID:
                return False
            raise Unavailable(_AWAY, code="notices") from error
        return True


_GONE = {"NotFound", "NotFoundException"}
_INVALID = {"InvalidParameter", "InvalidParameterException"}


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _refused(error: Exception) -> ImgcoreError:
    """Why SNS did not take an address."""
    if _code(error) not in _INVALID:
        return Unavailable(_AWAY, code="notices")
    if "different attributes" in str(error):  # it is on the topic already, with another filter
        return _taken()
    return Invalid("No mail can be sent to this address.", code="address")


def _taken() -> Conflict:
    return Conflict("This address gets the notices of another account; one address serves one.", code="address")
