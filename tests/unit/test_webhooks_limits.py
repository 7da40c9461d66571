"""Webhooks: how long a delivery is tried, in which intervals, and which answers and addresses are accepted."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any
from unittest.mock import Mock

import pytest

from imgcore.errors import Invalid, NotFound, Unavailable
from imgcore.gallery.models import EVERYBODY
from imgcore.webhooks.events import WebhookEvent
from imgcore.webhooks.models import URL_LENGTH, ClaimedDelivery
from imgcore.webhooks.sender import HttpSender, is_public, resolve
from imgcore.webhooks.service import Deliverer, Webhooks, new_secret

DELIVERY = ClaimedDelivery(
    7, "token", "d1", WebhookEvent.BATCH_FINISHED, "{}", "https://example.org/", ("key",), attempts=1
)
OWNERS = ((1, "hanging"), (2, "quick"))
DAY = 86_400.0
PUBLIC = "93.184.215.14"


@dataclass
class Rows:
    """Hands out these deliveries, and remembers how they ended."""

    due: list[ClaimedDelivery]
    calls: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)

    def delete_old(self, **given: Any) -> None:
        self.calls.append(given)

    def claim_due(self, **given: Any) -> list[ClaimedDelivery]:
        self.calls.append(given)
        due, self.due = self.due[: given["limit"]], self.due[given["limit"] :]
        return due

    def end(self, delivery: ClaimedDelivery, **given: Any) -> None:
        self.ended.append(given)


@dataclass
class Sender:
    """Answers each request with this status, or raises."""

    answer: int | Exception
    headers: dict[str, str] = field(default_factory=dict)

    def check(self, url: str) -> str:
        return url

    def send(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        self.headers = headers
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def delivered(sender: Sender, **changes: Any) -> tuple[int, dict[str, Any], Rows]:
    """Send one delivery; return how many were accepted, how it ended, and the rows."""
    rows: Any = Rows([replace(DELIVERY, **changes)])
    accepted = Deliverer(rows, sender, clock=lambda: 0.0).deliver()
    [ended] = rows.ended
    return accepted, ended, rows


@pytest.mark.parametrize(
    ("status", "accepted"), [(199, False), (200, True), (204, True), (299, True), (300, False), (500, False)]
)
def test_answer_is_accepted_from_200_to_299(status: int, accepted: bool) -> None:
    number, ended, _ = delivered(Sender(status))
    error = None if accepted else f"The address answered {status}."
    assert (number, ended["response"], ended["error"]) == (int(accepted), status, error)
    assert (ended["retry_in"] is None) is accepted


@pytest.mark.parametrize(
    ("attempts", "delay"), [(1, 60.0), (2, 120.0), (8, 7_680.0), (9, 14_400.0), (12, 14_400.0)]
)
def test_failed_delivery_waits_from_a_minute_to_four_hours(attempts: int, delay: float) -> None:
    _, ended, _ = delivered(Sender(500), attempts=attempts)
    assert ended["retry_in"] == delay


@pytest.mark.parametrize(("attempts", "again"), [(12, True), (13, False), (14, False)])
def test_delivery_is_tried_again_while_its_waits_are_shorter_than_a_day(attempts: int, again: bool) -> None:
    """The age of its event does not matter: a backlog may have kept it for days."""
    _, ended, _ = delivered(Sender(Unavailable("Away.")), attempts=attempts)
    assert (ended["response"], ended["error"], ended["retry_in"]) == (
        None,
        "Away.",
        14_400.0 if again else None,
    )


def test_delivery_says_what_it_is() -> None:
    sender = Sender(200)
    _, _, rows = delivered(sender)
    assert {
        "Content-Type": "application/json",
        "User-Agent": "caption-gallery",
        "Gallery-Event": "batch.finished",
        "Gallery-Delivery": "d1",
    }.items() <= sender.headers.items()
    assert rows.calls == [{"older_than": 30 * DAY}, {"limit": 100, "lease": 120.0, "public_url": None}]


def test_deliveries_are_claimed_again_while_time_is_left() -> None:
    rows: Any = Rows([DELIVERY] * 250)
    assert Deliverer(rows, Sender(200)).deliver() == 250
    assert [{"limit": 100, "lease": 120.0, "public_url": None}] * 3 == rows.calls[1:]
    assert 250 == len(rows.ended)


def test_no_deliveries_are_claimed_after_the_time_is_over() -> None:
    rows: Any = Rows([DELIVERY] * 250)
    assert Deliverer(rows, Sender(200), seconds=0.0).deliver() == 0
    assert [{"older_than": 30 * DAY}] == rows.calls


def test_error_of_the_database_ends_the_requests_that_have_not_begun() -> None:
    """They would outlive their leases, and another process would send them too."""
    rows: Any = Rows([DELIVERY] * 100)
    rows.end = Mock(side_effect=Unavailable("Away."))
    go, sender, calls = threading.Event(), Sender(200), count()
    sent = Mock(side_effect=lambda *given: 200 if next(calls) == 0 or go.wait(30) else 500)
    sender.send = sent  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        Deliverer(rows, sender).deliver()
    go.set()
    time.sleep(0.2)  # in which they would be sent
    assert sent.call_count < 20


def test_addresses_of_one_account_that_hang_do_not_hold_the_deliveries_of_another() -> None:
    """Half of what is sent at once is the other's, and it is claimed again when that has been sent."""
    hanging, quick = (replace(DELIVERY, url=f"https://{name}.example/", owner_id=id_) for id_, name in OWNERS)
    rows: Any = Rows([hanging, quick] * 120)
    left, go, in_time = count(120 - 1, -1), threading.Event(), []

    def send(url: str, body: bytes, headers: dict[str, str]) -> int:
        if url == hanging.url:
            in_time.append(go.wait(5))
        elif next(left) == 0:
            go.set()
        return 200

    assert 240 == Deliverer(rows, Mock(send=send)).deliver()
    assert [True] * 120 == in_time


def test_no_delivery_that_is_due_is_none_that_is_accepted() -> None:
    rows: Any = Rows([])
    assert Deliverer(rows, Sender(200)).deliver() == 0


def test_deliveries_of_a_sweep_end_well_before_their_leases() -> None:
    rows: Any = Rows([])
    deliverer = Deliverer(rows, Sender(200))
    deliverer.deliver()
    assert (deliverer.seconds, rows.calls[-1]["lease"]) == (30.0, 120.0)


def test_secret_has_256_random_bits() -> None:
    assert len(new_secret()) == len("whsec_") + 43
    assert new_secret() != new_secret()


@pytest.mark.parametrize("public_id", ["", "x", "0" * 32])
def test_webhook_of_another_id_is_not_found(public_id: str) -> None:
    class Empty:
        def all(self, account_id: int | None) -> list[Any]:
            return []

    rows: Any = Empty()
    with pytest.raises(NotFound, match="no such webhook"):
        Webhooks(rows, Sender(200), EVERYBODY).get(public_id)


# Addresses


@pytest.mark.parametrize(
    ("url", "private", "asked"),
    [
        ("https://example.org/x", False, ("example.org", 443)),
        ("https://example.org:8443/x", False, ("example.org", 8443)),
        ("http://example.org/x", True, ("example.org", 80)),
    ],
)
def test_host_is_resolved_with_the_port_of_its_scheme(url: str, private: bool, asked: tuple[str, int]) -> None:
    resolved: list[tuple[str, int]] = []

    def recorded(host: str, port: int) -> list[str]:
        resolved.append((host, port))
        raise TimeoutError

    with pytest.raises(Unavailable):
        HttpSender(private=private, resolve=recorded).send(url, b"{}", {})
    assert resolved == [asked]


def test_host_is_resolved_to_each_of_its_addresses_once(monkeypatch: pytest.MonkeyPatch) -> None:
    v4 = (socket.AF_INET, socket.SOCK_STREAM, 6, "", (PUBLIC, 443))
    v6 = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("2606:2800::1", 443, 0, 0))
    getaddrinfo = Mock(return_value=[v4, v6, v4])
    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert resolve("example.org", 443) == [PUBLIC, "2606:2800::1"]
    getaddrinfo.assert_called_once_with("example.org", 443, type=socket.SOCK_STREAM)


@pytest.mark.parametrize("private", [False, True])
def test_host_without_an_address_is_refused(private: bool) -> None:
    with pytest.raises(Invalid, match="not known") as raised:
        HttpSender(private=private, resolve=lambda host, port: []).send("https://example.org/", b"{}", {})
    assert raised.value.code == "url"


def test_name_is_not_resolved_when_a_webhook_is_added() -> None:
    """A name server that never answers would hold a thread of the web process."""
    rows, asked = Mock(), Mock()
    Webhooks(rows, HttpSender(resolve=asked), EVERYBODY).create(DELIVERY.url, ["photo.failed"])
    assert (1, 0) == (rows.create.call_count, asked.call_count)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "127.1", "2130706433", "0x7f.1"])
def test_address_of_the_network_is_refused_when_a_webhook_is_added(host: str) -> None:
    with pytest.raises(Invalid, match="not a public one"):
        Webhooks(Mock(), HttpSender(), EVERYBODY).create(f"https://{host}/", ["photo.failed"])
    sender = HttpSender(private=True)
    assert f"http://{host}/" == sender.check(f"http://{host}/")


def test_public_ip_address_is_accepted() -> None:
    assert "https://93.184.215.14/" == HttpSender().check("https://93.184.215.14/")


def test_name_that_is_never_resolved_ends_in_time() -> None:
    go = threading.Event()
    sender = HttpSender(timeout=0.1, resolve=lambda host, port: ["192.0.2.1"] if go.wait(60) else [])
    with pytest.raises(Unavailable, match="not resolved in time"):
        sender.send(DELIVERY.url, b"{}", {})
    go.set()


def test_addresses_have_as_many_characters_as_the_column_takes() -> None:
    assert URL_LENGTH == 500
    sender = HttpSender(resolve=lambda host, port: [PUBLIC])
    longest = f"https://{'a' * 202}:65535/{'x' * 250}"
    assert len(longest) <= URL_LENGTH
    assert sender.check(longest) == longest
    with pytest.raises(Invalid):
        sender.check(f"{longest}x")


def test_connection_may_take_five_seconds_a_step_and_ten_in_all() -> None:
    assert (HttpSender().timeout, HttpSender().deadline, HttpSender().private) == (5.0, 10.0, False)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("2002:5db8:d70e::1", True),  # 6to4 of a public address
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("64:ff9b::1:5db8:d70e", False),  # not of the /96
        ("2001:0:5db8:d70e:0:0:f5ff:fffe", False),  # Teredo of 10.0.0.1
        ("240.0.0.1", False),
    ],
)
def test_address_that_wraps_another_is_public_if_that_is(address: str, public: bool) -> None:
    assert is_public(address) is public
