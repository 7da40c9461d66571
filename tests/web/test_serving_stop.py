"""How the server stops: requests that it has accepted are answered, and nobody holds it up."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.waiting import wait_for
from tests.web.fakes import fake_gallery
from tests.web.test_serving import Running, running
from web import server
from web.app import create_app
from web.server import Server, listen

__all__ = ["running"]


def test_an_answer_under_way_is_finished(running: Running) -> None:
    """The listener is closed meanwhile, and the process ends right after."""
    running.release.clear()
    connection = running.connect()
    connection.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop()
    wait_for(running.refuses)
    running.release.set()
    answer = connection.getresponse()
    assert (200, "close") == (answer.status, answer.getheader("Connection"))
    assert answer.read().endswith(b"</html>\n")
    running.thread.join(20)
    assert not running.thread.is_alive()


def test_health_check_fails_before_the_listener_closes(running: Running) -> None:
    """The load balancer uses a kept connection while another response is in progress."""
    balancer = running.connect()
    balancer.request("GET", "/healthz")
    assert b"ok\n" == balancer.getresponse().read()
    running.release.clear()
    slow = running.connect()
    slow.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop()
    balancer.request("GET", "/healthz")
    answer = balancer.getresponse()
    assert (503, b"stopping\n", "close") == (answer.status, answer.read(), answer.getheader("Connection"))
    running.release.set()
    assert 200 == slow.getresponse().status


def test_idle_connections_do_not_hold_up_the_end(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser keeps several open."""
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.1)
    connection = running.connect()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    with socket.create_connection(("127.0.0.1", running.port)):
        running.server.stop()
        running.thread.join(20)
    assert not running.thread.is_alive()


def test_request_that_is_never_finished_does_not_hold_up_the_end(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "UNFINISHED_SECONDS", 0.1)
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(b"GET / HT")
        wait_for(lambda: any(each.request for each in running.server._server.active_channels.values()))
        running.server.stop(drain=600)
        running.thread.join(60)
        assert not running.thread.is_alive()


def test_connections_that_wait_to_be_accepted_are_answered_before_the_end(tmp_path: Path) -> None:
    """The end may be asked for before the loop has seen them, where there is no delay."""
    app = create_app(fake_gallery(tmp_path))
    listener = listen("127.0.0.1", 0)
    stopped = Server(app, listener)
    clients = [socket.create_connection(listener.getsockname(), timeout=20) for _ in range(3)]
    for client in clients:
        client.sendall(b"GET /upload HTTP/1.1\r\nHost: localhost\r\n\r\n")
    stopped.stop()
    stopped.run()
    for client in clients:
        with client:
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")


def test_asked_twice_it_stops_at_once(running: Running) -> None:
    """An answer that does not come is given up."""
    running.release.clear()
    connection = running.connect()
    connection.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop(drain=600)
    wait_for(running.refuses)
    running.server.stop()
    running.thread.join(20)
    assert not running.thread.is_alive()


def test_it_serves_on_until_the_load_balancer_has_seen_it() -> None:
    """New connections too; only the health check fails, and every answer is the last of its connection."""
    running = Running(delay=600)
    try:
        running.server.stop()
        health = []
        for path in ("/healthz", "/", "/healthz", "/upload"):
            connection = running.connect()
            connection.request("GET", path)
            answer = connection.getresponse()
            health.append((path, answer.status, answer.getheader("Connection")))
        expected = [(path, 503 if path == "/healthz" else 200, "close") for path, *_ in health]
        assert expected == health
    finally:
        running.close()
