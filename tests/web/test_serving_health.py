"""/healthz as the server answers it, and connections that are read while they are accepted."""

from __future__ import annotations

import http.client
import re
import socket
import threading
from types import SimpleNamespace

import pytest

from tests.web.test_serving import Running, running
from web.handlers.health import Health
from web.server import THREADS, _Channel

__all__ = ["running"]


def test_health_check_is_answered_by_the_event_loop(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """No thread has to be scheduled for it, on a new connection or on one that is kept."""
    answering: list[threading.Thread] = []

    def state(health: Health) -> tuple[str, bytes]:
        answering.append(threading.current_thread())
        return "200 OK", b"ok\n"

    monkeypatch.setattr(Health, "state", property(state))
    connection = running.connect()
    for method in ("GET", "HEAD", "GET"):
        connection.request(method, "/healthz")
        assert 200 == (answer := connection.getresponse()).status
        assert (b"" if method == "HEAD" else b"ok\n") == answer.read()
    assert [running.thread] * 3 == answering


def test_health_check_behind_another_request_is_answered_after_it(running: Running) -> None:
    """Both were sent at once, so the thread that answers the first one finds the second."""
    running.release.clear()
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
            b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        assert running.entered.wait(10)
        running.release.set()
        answers = b"".join(iter(lambda: connection.recv(65536), b""))
    assert [b"200", b"200"] == re.findall(rb"HTTP/1.1 (\d+) ", answers)
    assert answers.endswith(b"\r\n\r\nok\n")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_client_that_takes_no_answer_to_its_health_checks_is_cut_off(
    running: Running, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """The event loop, which alone sends what waits, and the one thread of such checks do not wait for it."""
    send = _Channel.send
    pipelined = 3 * f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as slow:
        address = slow.getsockname()

        def sent(channel: _Channel, data: bytes, do_close: bool = True) -> int:
            return 0 if channel.addr == address else send(channel, data, do_close)

        monkeypatch.setattr(_Channel, "send", sent)
        monkeypatch.setattr(running.server._server.adj, "outbuf_high_watermark", 1000)  # bytes: one answer
        slow.sendall(pipelined)
        assert b"" == slow.recv(1)
        assert [200] * 3 == statuses(running, pipelined)


def test_client_that_takes_its_answers_in_time_is_not_cut_off(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answers are more than what may wait, but they do not wait."""
    monkeypatch.setattr(running.server._server.adj, "outbuf_high_watermark", 1000)
    assert [200] * 30 == statuses(running, 30 * b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")


def statuses(running: Running, requests: bytes) -> list[int]:
    """Send these requests at once; return the status of each answer."""
    found: list[int] = []
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(requests)
        answers = connection.makefile("rb")
        while len(found) < requests.count(b"\r\n\r\n"):
            found.append(int(answers.readline().split()[1]))
            head = b"".join(iter(answers.readline, b"\r\n"))
            answers.read(int(re.search(rb"Content-Length: (\d+)", head)[1]))
    return found


def test_readiness_check_that_hangs_keeps_no_thread_of_others(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All who ask share one thread, also with an invented credential or another spelling of the address."""
    hangs, go_on = threading.Event(), threading.Event()

    def ping() -> None:
        hangs.set()
        go_on.wait(30)

    monkeypatch.setattr("web.handlers.health.CHECK_SECONDS", 30)
    monkeypatch.setattr(running.gallery.storage, "ping", ping)
    asking = [running.connect() for _ in range(2 * THREADS)]
    try:
        for number, connection in enumerate(asking):
            connection.request(
                "GET", "/readyz" if number % 2 else "//readyz", headers={"Authorization": "Bearer made-up"}
            )
        assert hangs.wait(20)
        page = running.connect()
        page.request("GET", "/about")
        assert 200 == page.getresponse().status
    finally:
        go_on.set()
    assert [200] * len(asking) == [connection.getresponse().status for connection in asking]


@pytest.mark.parametrize(
    "body", [b"Content-Length: 1\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"]
)
def test_health_check_with_a_body_is_answered_by_a_thread(
    running: Running, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """Bottle reads the body, which the event loop has no time for."""
    answering: list[threading.Thread] = []
    monkeypatch.setattr(
        running.app.router, "match", lambda environ: answering.append(threading.current_thread())
    )
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + body)
        assert connection.recv(65536)
    assert answering
    assert running.thread not in answering


def test_connection_that_is_closed_before_its_health_check_is_answered(running: Running) -> None:
    """It has no request any more; the event loop goes on."""
    closed = SimpleNamespace(requests=[])
    running.server._health_checks.append(closed)
    connection = running.connect()
    connection.request("GET", "/healthz")
    assert 200 == connection.getresponse().status
    assert not running.server._health_checks


def test_failure_to_read_a_new_connection_does_not_end_the_server(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is read once while it is accepted, when the listener is what the event loop works on."""
    with monkeypatch.context() as broken:
        broken.setattr("web.tasks.RequestParser.received", lambda *_: 1 / 0)
        connection = running.connect()
        connection.request("GET", "/")
        with pytest.raises((http.client.HTTPException, OSError)):
            connection.getresponse()
    connection = running.connect()
    connection.request("GET", "/healthz")
    assert 200 == connection.getresponse().status
