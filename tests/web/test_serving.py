"""The server itself: what it refuses, and whom it keeps waiting."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bottle import HTTPResponse

from tests.support.waiting import wait_for
from tests.web.fakes import add_done, fake_gallery
from web.app import create_app
from web.http.headers import security_headers
from web.http.templates import TemplateRenderer
from web.server import SETTINGS, Server, listen


class Running:
    """A server in a thread, whose gallery page can be held up."""

    def __init__(self, *, trusted_proxy: str | None = None, delay: float = 0.0) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gallery-serving-")
        self.gallery = fake_gallery(Path(self._folder.name))
        self.entered = threading.Event()
        self.release = threading.Event()
        self.release.set()
        self.workers: set[threading.Thread] = set()  # that answered with a page
        page = self.gallery.front.page

        def held(**asked: object) -> object:
            self.workers.add(threading.current_thread())
            self.entered.set()
            self.release.wait(20)
            return page(**asked)

        self.gallery.front.page = held
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        self.app = create_app(self.gallery)
        self.server = Server(self.app, listener, trusted_proxy=trusted_proxy, delay=delay)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def close(self) -> None:
        """Stop, whatever is under way."""
        self.release.set()
        self.server.stop(drain=0)
        self.server.stop(drain=0)
        self.thread.join(20)
        for worker in self.workers:  # one whose answer was given up still uses the database
            worker.join(20)
        self.gallery.images.database.close()
        self._folder.cleanup()

    def refuses(self) -> bool:
        """Whether nobody listens any more."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


@pytest.fixture
def running() -> Iterator[Running]:
    """Stopped at the end, whatever happened."""
    running = Running()
    yield running
    running.close()


def test_connection_after_not_modified_is_kept(running: Running) -> None:
    connection = running.connect()
    connection.request("GET", "/api/v1/images")
    (answer := connection.getresponse()).read()
    known = connection.sock
    for _ in range(3):
        connection.request("GET", "/api/v1/images", headers={"If-None-Match": answer.getheader("ETag") or ""})
        (unchanged := connection.getresponse()).read()

        assert (304, None) == (unchanged.status, unchanged.getheader("Connection"))
        assert known is connection.sock


@pytest.mark.parametrize("stopping", [False, True])
def test_connection_after_not_modified_is_closed_where_it_should_be(
    running: Running, *, stopping: bool
) -> None:
    """The client sends Connection: close, or the process is stopping."""
    connection = running.connect()
    connection.request("GET", "/api/v1/images")
    (answer := connection.getresponse()).read()
    headers = {"If-None-Match": answer.getheader("ETag") or ""}
    running.app.health.draining = stopping
    connection.request("GET", "/api/v1/images", headers=headers | ({} if stopping else {"Connection": "close"}))
    unchanged = connection.getresponse()

    assert (304, "close") == (unchanged.status, unchanged.getheader("Connection"))


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"\r\x00\r\n\r\n", 400),
    ],
)
def test_what_the_server_itself_refuses_is_a_problem_too(
    running: Running, request_bytes: bytes, status: int
) -> None:
    """JSON with a sentence, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(request_bytes)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())
    assert (status, status) == (answer.status, problem["status"])
    assert "application/problem+json" == answer.getheader("Content-Type")
    assert answer.getheader("Server") is None
    assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/images", "/nowhere"])
def test_response_has_each_security_header_once(running: Running, path: str) -> None:
    connection = running.connect()
    connection.request("GET", path)
    names = [name for name, _ in connection.getresponse().getheaders()]
    assert {1} == {names.count(name) for name in security_headers([], "")}


def test_security_header_that_a_page_sets_itself_is_kept(running: Running) -> None:
    own = {"referrer-policy": "no-referrer", "X-Frame-Options": "SAMEORIGIN"}
    running.app.route("/own", "GET", lambda: HTTPResponse("Mine.", headers=own))
    connection = running.connect()
    connection.request("GET", "/own")
    found = connection.getresponse().getheaders()

    names = [name.lower() for name, _ in found]
    assert {1} == {names.count(name.lower()) for name in security_headers([], "")}
    assert {"no-referrer", "SAMEORIGIN"} <= {value for _, value in found}


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
@pytest.mark.parametrize("path", ["/", "/about", "/healthz", "/nowhere"])
def test_head_is_answered_by_headers_alone(running: Running, path: str, accepted: str) -> None:
    """The connection stays, whether or not the length of the body is known."""
    request = f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: {accepted}\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    first, second, rest = received.split(b"\r\n\r\n")
    assert b"" == rest
    assert first.startswith(b"HTTP/1.1 ")
    assert second.startswith(first[:12])
    assert b"transfer-encoding" not in received.lower()
    assert "identity" != accepted or b"content-length" in first.lower()


def test_shared_photos_that_reach_the_server_are_refused_with_a_page(running: Running) -> None:
    """The service worker is missing; the body is above what the server itself takes."""
    connection = running.connect()
    connection.putrequest("POST", "/share-target")
    connection.putheader("Content-Length", "3000000")
    connection.endheaders()
    answer = connection.getresponse()
    assert (413, "text/html; charset=utf-8") == (answer.status, answer.getheader("Content-Type"))
    assert "The shared photos were not stored." in answer.read().decode()
    assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()


def test_error_page_that_fails_is_answered_with_headers(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server is the last error boundary."""
    monkeypatch.setattr(TemplateRenderer, "render", lambda *args, **values: 1 / 0)
    connection = running.connect()
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (500, 500) == (answer.status, json.loads(answer.read())["status"])
    assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()
    assert "ZeroDivisionError" in caplog.text


def test_malformed_proxy_header_is_refused_with_headers() -> None:
    """waitress's middleware refuses it before the application is called."""
    running = Running(trusted_proxy="127.0.0.1")
    try:
        connection = running.connect()
        connection.request("GET", "/", headers={"X-Forwarded-For": '"unbalanced'})
        answer = connection.getresponse()
        assert 400 == answer.status
        assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()
    finally:
        running.close()


def test_health_check_does_not_wait_for_other_requests(running: Running) -> None:
    """All threads of the server are busy."""
    running.release.clear()
    busy = [running.connect() for _ in range(SETTINGS["threads"] + 2)]
    for connection in busy:
        connection.request("GET", "/")
    assert running.entered.wait(10)
    check = running.connect()
    check.request("GET", "/healthz")
    assert 200 == check.getresponse().status
    running.release.set()
    assert [200] * len(busy) == [connection.getresponse().status for connection in busy]


def test_a_hundred_half_open_connections_block_nobody(running: Running) -> None:
    """More than waitress allows by default."""
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(150)]
    try:
        for connection in idle:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        asked = running.connect()
        asked.request("GET", "/healthz")
        assert 200 == asked.getresponse().status
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(("proxy", "secure"), [("127.0.0.1", True), ("192.0.2.1", False), (None, False)])
def test_only_the_trusted_proxy_says_that_it_was_https(proxy: str | None, secure: bool) -> None:
    """The cookie is marked accordingly."""
    running = Running(trusted_proxy=proxy)
    try:
        connection = running.connect()
        connection.request("GET", "/upload", headers={"X-Forwarded-Proto": "https"})
        assert secure is ("Secure" in connection.getresponse().getheader("Set-Cookie"))
    finally:
        running.close()


def test_idle_connections_give_way_to_new_ones(running: Running) -> None:
    """A fresh request is answered beside 1,200 sockets that send nothing, or half of a request."""
    idle: list[socket.socket] = []
    try:
        for number in range(1200):
            idle.append(socket.create_connection(("127.0.0.1", running.port), timeout=20))
            if number % 2:
                idle[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for path in ("/healthz", "/"):
            connection = running.connect()
            connection.request("GET", path)
            assert 200 == connection.getresponse().status
            connection.close()
    finally:
        for each in idle:
            each.close()


@pytest.fixture
def endless(running: Running) -> threading.BoundedSemaphore:
    """Downloads without an end, of which two run at once; the slots."""
    running.gallery.storage.chunks = lambda key, **_: itertools.repeat(bytes(64 * 1024))
    image = add_done(running.gallery)
    running.gallery.images.change(image.public_id, size=2**40)
    return running.gallery.downloads._slots


def download(running: Running) -> socket.socket:
    """Ask for a download, and take only the beginning of it."""
    [image] = running.gallery.pages.page(cursor=None, limit=1, query=None).images
    body = json.dumps({"ids": [image.public_id]}).encode()
    connection = socket.create_connection(("127.0.0.1", running.port), timeout=20)
    head = f"POST /api/v1/download HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
    connection.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + body)
    assert b"200 OK" in connection.recv(64)
    return connection


def test_reader_that_takes_nothing_loses_its_download(
    running: Running, endless: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two of them would keep everybody from downloading, for as long as they like."""
    monkeypatch.setattr("web.server.STALLED_SECONDS", 0.5)
    readers = [download(running) for _ in range(2)]
    wait_for(lambda: endless._value == 2, 20)
    for reader in readers:
        with contextlib.suppress(ConnectionResetError):
            while reader.recv(2**20):
                pass
        reader.close()


def test_slow_reader_keeps_its_download(
    running: Running, endless: threading.BoundedSemaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection of some kilobytes a second is slow, not stalled."""
    monkeypatch.setattr("web.server.STALLED_SECONDS", 0.5)
    monkeypatch.setattr("web.server.LEAST_TAKEN", 1)
    reader = download(running)
    taken = 0
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        taken += len(reader.recv(2**20))
    assert 1 == endless._value
    assert taken > 2**20
    reader.close()
    wait_for(lambda: endless._value == 2, 20)


def test_request_in_progress_is_not_evicted(running: Running) -> None:
    """The connections that wait for the server stay open."""
    running.release.clear()
    slow = running.connect()
    slow.request("GET", "/")
    assert running.entered.wait(10)
    idle = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(1000)]
    fresh = running.connect()
    fresh.request("GET", "/healthz")
    assert 200 == fresh.getresponse().status
    running.release.set()
    assert 200 == slow.getresponse().status
    for each in idle:
        each.close()
