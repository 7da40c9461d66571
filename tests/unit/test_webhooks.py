"""Webhooks: which addresses may be called, how requests are signed, and what happens when they fail."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from imgcore.accounts.models import Role
from imgcore.db.accounts import AccountRepository
from imgcore.db.connection import Database
from imgcore.db.webhook_events import add_deliveries
from imgcore.db.webhooks import WebhookRepository
from imgcore.errors import Conflict, Invalid, NotFound, Unavailable
from imgcore.gallery.keys import new_public_id
from imgcore.gallery.models import EVERYBODY, Viewer
from imgcore.webhooks import service
from imgcore.webhooks.models import DeliveryStatus, WebhookEvent
from imgcore.webhooks.sender import HttpSender, is_public
from imgcore.webhooks.service import Deliverer, Webhooks, signature
from tests.support.sqlite import migrated

URL = "https://example.org/hook"


@dataclass
class FakeSender:
    """Answers with these statuses in turn, and with 200 afterwards; an exception is raised."""

    answers: list[int | Exception] = field(default_factory=list)
    sent: list[tuple[str, bytes, dict[str, str]]] = field(default_factory=list)

    def check(self, url: str) -> str:
        return url

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.sent.append((url, body, headers))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = migrated(tmp_path)
    yield found
    found.close()


@pytest.fixture
def webhooks(database: Database) -> Webhooks:
    return Webhooks(WebhookRepository(database), FakeSender(), EVERYBODY)


def happen(database: Database, event: WebhookEvent = WebhookEvent.BATCH_FINISHED) -> None:
    database.run(lambda tx: add_deliveries(tx, event, owner_id=None, batch_id="a-batch"))


def make_due(database: Database, age: int = 0) -> None:
    """Let the next attempt be due; age: seconds since the event."""
    statement = "UPDATE webhook_deliveries SET next_at = {now}, created_at = {ago:age}"
    database.run(lambda tx: tx.execute(statement, age=age * 1_000_000))


def test_delivery_is_signed_and_names_its_event(database: Database, webhooks: Webhooks) -> None:
    webhook = webhooks.create(URL, ["batch.finished"])
    happen(database)
    happen(database, WebhookEvent.PHOTO_FAILED)  # which this webhook does not want
    sender = FakeSender()
    assert 1 == Deliverer(webhooks.rows, sender, clock=lambda: 1000.9).deliver()
    [(url, body, headers)] = sender.sent
    [secret] = webhook.secrets
    digest = hmac.new(secret.encode(), b"1000." + body, hashlib.sha256).hexdigest()
    assert (URL, f"t=1000,v1={digest}") == (url, headers["Gallery-Signature"])
    sent = json.loads(body)
    assert ("batch.finished", "a-batch") == (sent["event"], sent["batch"])
    assert sent["id"] == headers["Gallery-Delivery"]
    [delivery] = webhooks.deliveries(webhook.public_id)
    assert (DeliveryStatus.DELIVERED, 200, None) == (delivery.status, delivery.response, delivery.error)


def test_failed_delivery_is_repeated_with_the_same_body_and_growing_delay(
    database: Database, webhooks: Webhooks
) -> None:
    webhook = webhooks.create(URL, ["batch.finished"])
    happen(database)
    sender = FakeSender([500, Unavailable("The address did not answer in time."), 204])
    deliverer = Deliverer(webhooks.rows, sender)
    errors, waits = [], []
    for _ in range(3):
        deliverer.deliver()
        [delivery] = webhooks.deliveries(webhook.public_id)
        errors.append(delivery.error)
        waits.append(delivery.next_at)
        assert 0 == deliverer.deliver()  # nothing is due yet
        make_due(database)
    assert ["The address answered 500.", "The address did not answer in time.", None] == errors
    assert waits[0] is not None
    assert waits[1] is not None
    assert 30 < (waits[1] - waits[0]).total_seconds()
    assert 1 == len({body for _, body, _ in sender.sent})
    assert (DeliveryStatus.DELIVERED, 3) == (delivery.status, delivery.attempts)


def test_delivery_is_given_up_after_a_day_from_its_first_attempt(
    database: Database, webhooks: Webhooks
) -> None:
    """A backlog has kept it for forty days before that."""
    webhook = webhooks.create(URL, ["batch.finished"])
    happen(database)
    sender = FakeSender([500] * 20)
    for _ in range(20):
        make_due(database, age=40 * 86_400)
        Deliverer(webhooks.rows, sender).deliver()
    assert 13 == len(sender.sent)
    assert [] == webhooks.deliveries(webhook.public_id)  # it has ended, and is old


def test_delivery_that_has_ended_is_listed_for_thirty_days(database: Database, webhooks: Webhooks) -> None:
    webhook = webhooks.create(URL, ["batch.finished"])
    happen(database)
    for age, listed in ((29 * 86_400, 1), (30 * 86_400, 0)):
        Deliverer(webhooks.rows, FakeSender()).deliver()
        make_due(database, age)
        Deliverer(webhooks.rows, FakeSender()).deliver()
        assert listed == len(webhooks.deliveries(webhook.public_id))


def test_claimed_delivery_is_not_sent_by_another_process(database: Database, webhooks: Webhooks) -> None:
    webhooks.create(URL, ["batch.finished"])
    happen(database)
    [first] = webhooks.rows.claim_due(limit=10, lease=120.0, public_url=None)
    assert [] == webhooks.rows.claim_due(limit=10, lease=120.0, public_url=None)
    make_due(database)  # the lease has ended
    [second] = webhooks.rows.claim_due(limit=10, lease=120.0, public_url=None)
    assert [False, True] == [
        webhooks.rows.end(claim, response=200, error=None, retry_in=None) for claim in (first, second)
    ]


def test_both_secrets_sign_after_a_rotation_until_the_old_one_ends(
    database: Database, webhooks: Webhooks
) -> None:
    old = webhooks.create(URL, ["batch.finished"])
    new = webhooks.rotate(old.public_id)
    assert (new.secrets[0], old.secrets[0]) == new.secrets
    assert new.secrets[0] != old.secrets[0]
    assert 2 == signature(new.secrets, 1, b"{}").count("v1=")
    end = "UPDATE webhooks SET old_secret_until = {now}"
    database.run(lambda tx: tx.execute(end))
    assert new.secrets[:1] == webhooks.get(old.public_id).secrets


def test_secret_that_was_just_replaced_is_not_replaced_again(database: Database, webhooks: Webhooks) -> None:
    old = webhooks.create(URL, ["batch.finished"])
    new = webhooks.rotate(old.public_id)
    with pytest.raises(Conflict, match="less than an hour ago") as refused:
        webhooks.rotate(old.public_id)
    assert ("rotated", new.secrets) == (refused.value.code, webhooks.get(old.public_id).secrets)
    later = "UPDATE webhooks SET old_secret_until = {later:rest}"
    database.run(lambda tx: tx.execute(later, rest=23 * 3_600_000_000))  # an hour
    assert new.secrets[0] == webhooks.rotate(old.public_id).secrets[1]


def test_deleted_webhook_loses_its_deliveries(database: Database, webhooks: Webhooks) -> None:
    webhook = webhooks.create(URL, ["batch.finished"])
    happen(database)
    webhooks.delete(webhook.public_id)
    assert 0 == Deliverer(webhooks.rows, FakeSender()).deliver()
    with pytest.raises(NotFound):
        webhooks.deliveries(webhook.public_id)


def test_webhook_of_open_mode_is_managed_by_administrators_and_by_nobody_else(
    database: Database, webhooks: Webhooks
) -> None:
    """An administrator deletes it: photos without an owner are described even when there are accounts."""
    of_nobody = webhooks.create(URL, ["batch.finished"])
    administrator = replace(webhooks, viewer=Viewer(account_id=1, changes_others=True))
    person = replace(webhooks, viewer=Viewer(account_id=2, changes_others=False))
    assert ([of_nobody], []) == (list(administrator.all()), list(person.all()))
    administrator.delete(of_nobody.public_id)
    assert [] == list(webhooks.all())


@pytest.mark.parametrize("events", [[], ["photo.deleted"], ["photo.failed", ""]])
def test_unknown_event_is_refused(webhooks: Webhooks, events: list[str]) -> None:
    with pytest.raises(Invalid, match="events must name"):
        webhooks.create(URL, events)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a9fe:a9fe", "::127.0.0.1", "fec0::1",
        "2002:7f00:1::", "ff02::1", "fe80::1%eth0",
    ],
)  # fmt: skip
def test_address_of_the_network_is_not_public(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Invalid, match="not a public one"):
        HttpSender(resolve=lambda host, port: ["93.184.215.14", address]).send(URL, b"{}", {})


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"]
)
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/", "ftp://example.org/", "https://", "https:///x", "https://user@example.org/",
        "https://example.org/#x", "https://example.org:0/", "https://example.org:65536/",
        "https://[::1]/", "https://example.org/ä", "",
        "https://example.org/\r\nX: y", "https://example.org\\@127.0.0.1/", "file:///etc/passwd",
        "https://example.org/" + "x" * 500,
    ],
)  # fmt: skip
def test_address_of_another_form_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        HttpSender(resolve=lambda host, port: ["93.184.215.14"]).check(url)
    assert "url" == caught.value.code


def test_unknown_host_is_refused() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror

    with pytest.raises(Invalid, match="not known"):
        HttpSender(resolve=fail).send(URL, b"{}", {})


@contextmanager
def server(status: int) -> Iterator[tuple[str, list[tuple[str, str, bytes]]]]:
    """A server on loopback that redirects, or answers with this status; what it got."""
    got: list[tuple[str, str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((self.path, self.headers["Host"], body))
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as listening:
        thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://hook.test:{listening.server_port}/path?x=1", got
        finally:
            listening.shutdown()
            thread.join()


@pytest.mark.parametrize("status", [200, 302, 307])
def test_request_goes_to_the_address_that_was_checked_and_follows_no_redirect(status: int) -> None:
    sender = HttpSender(private=True, resolve=lambda host, port: ["127.0.0.1"])
    with server(status) as (url, got):
        assert status == sender.send(url, b'{"a": 1}', {"Content-Type": "application/json"})
    [(path, host, body)] = got
    assert ("/path?x=1", b'{"a": 1}') == (path, body)
    assert host.startswith("hook.test:")


def test_address_that_never_answers_ends_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://hook.test:{silent.getsockname()[1]}/"
        sender = HttpSender(private=True, timeout=0.2, resolve=lambda host, port: ["127.0.0.1"])
        with pytest.raises(Unavailable, match="did not answer in time") as caught:
            sender.send(url, b"{}", {})
        received, _ = silent.accept()
        with received:
            received.settimeout(5)
            while received.recv(65536):
                pass  # up to the end of the connection, which the error alone does not bring
    assert caught.value.code == "webhook"  # it has referred to the connection until here


@contextmanager
def raw_server(answer: bytes, *, pause: float = 0.0) -> Iterator[str]:
    """A server on loopback that sends these bytes for any request, each after a pause, and then closes."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                for part in [answer] if pause == 0.0 else [bytes([byte]) for byte in answer]:
                    connection.sendall(part)
                    stopped.wait(pause)

        stopped = threading.Event()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://hook.test:{listening.getsockname()[1]}/"
        finally:
            stopped.set()
            thread.join()


LOCAL = HttpSender(private=True, timeout=30.0, deadline=60.0, resolve=lambda host, port: ["127.0.0.1"])


@pytest.mark.parametrize("size", [b"-5", b"-1", b"zz"])
def test_body_of_a_response_is_not_read(size: bytes) -> None:
    with raw_server(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n") as url:
        assert 200 == LOCAL.send(url, b"{}", {})


@pytest.mark.parametrize("answer", [b"nonsense\r\n\r\n", b"HTTP/1.1 xyz\r\n\r\n", b""])
def test_response_that_is_none_is_an_error_for_people(answer: bytes) -> None:
    with raw_server(answer) as url, pytest.raises(Unavailable, match="cannot be reached"):
        LOCAL.send(url, b"{}", {})


@pytest.mark.parametrize("deadline", [0.0, 0.3])  # 0: it passes before there is a connection
def test_response_that_comes_byte_by_byte_ends_in_time(deadline: float) -> None:
    """Each byte comes within the timeout of a step."""
    with (
        raw_server(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, pause=0.02) as url,
        pytest.raises(Unavailable, match="did not answer in time"),
    ):
        replace(LOCAL, deadline=deadline).send(url, b"{}", {})


def test_unexpected_error_of_one_address_stops_no_other(database: Database, webhooks: Webhooks) -> None:
    webhook = webhooks.create(URL, ["batch.finished"])
    for _ in range(3):
        happen(database)
    assert 2 == Deliverer(webhooks.rows, FakeSender([ValueError("of a library")])).deliver()
    pending = [each for each in webhooks.deliveries(webhook.public_id) if each.error]
    assert [(DeliveryStatus.PENDING, "The request failed.")] == [(each.status, each.error) for each in pending]


def test_address_that_hangs_ends_neither_the_sweep_nor_other_deliveries(
    database: Database, webhooks: Webhooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was delivered meanwhile is stored; what has not begun is due at once."""
    slow, go = webhooks.create("https://slow.example/", ["batch.finished"]), threading.Event()
    begun = threading.Semaphore(0)

    class Hanging(FakeSender):
        def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
            begun.release()
            go.wait(30)
            return super().send(url, body, headers)

    def after_all_have_begun(attempts: dict[Future[Any], Any], left: float, when: str) -> Any:
        for _ in range(service.PARALLEL):
            assert begun.acquire(timeout=60)
        return wait(attempts, left, when)

    monkeypatch.setattr(service, "wait", after_all_have_begun)

    for _ in range(10):
        happen(database)
    assert 0 == Deliverer(webhooks.rows, Hanging(), seconds=0.2).deliver()
    go.set()
    errors = [each.error for each in webhooks.deliveries(slow.public_id)]
    assert {"The address did not answer in time.": 8, None: 2} == Counter(errors)  # two had not begun
    claimed = webhooks.rows.claim_due(limit=100, lease=120.0, public_url=None)
    assert [1, 1] == [each.attempts for each in claimed]  # what has not begun was no attempt


def test_one_owner_with_many_deliveries_does_not_delay_another(database: Database, webhooks: Webhooks) -> None:
    accounts = AccountRepository(database)
    for name, times in (("many", 20), ("one", 1)):
        owner = accounts.add(new_public_id(), name, Role.PERSON, "made-up").id
        webhooks.rows.create(owner, URL, [WebhookEvent.BATCH_FINISHED], "made-up")
        for _ in range(times):
            database.run(
                partial(add_deliveries, event=WebhookEvent.BATCH_FINISHED, owner_id=owner, batch_id=name)
            )
    claimed = webhooks.rows.claim_due(limit=4, lease=120.0, public_url=None)
    assert "one" in {json.loads(each.body)["batch"] for each in claimed}
