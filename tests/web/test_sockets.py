"""What the event loop waits for on each connection, after changes by any thread."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.waiting import wait_for
from tests.web.fakes import fake_gallery
from web import server as server_module
from web import sockets as sockets_module
from web.app import create_app
from web.server import Server, listen
from web.sockets import EpollSockets, PolledSockets, sockets

OK = b"HTTP/1.1 200 OK"


@pytest.fixture(params=["epoll", "poll"])
def port(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server over each kind of sockets."""
    monkeypatch.setattr(sockets_module, "_CHECK_SECONDS", 3600)  # each change is to be seen without it
    if request.param == "poll":
        monkeypatch.setattr(server_module, "sockets", PolledSockets)
    elif not hasattr(select, "epoll"):
        pytest.skip("epoll is Linux's")
    gallery = fake_gallery(tmp_path)
    listener = listen("127.0.0.1", 0)
    running = Server(create_app(gallery), listener)
    thread = threading.Thread(target=running.run)
    thread.start()
    yield listener.getsockname()[1]
    running.stop(drain=0)
    running.stop(drain=0)
    thread.join(20)
    assert not thread.is_alive()
    gallery.images.database.close()


class Client:
    """A connection that is kept, and what it has received of the next response."""

    def __init__(self, port: int, buffer: int | None = None) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(20)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.connect(("127.0.0.1", port))
        self._rest = b""

    def ask(self, path: str = "/about") -> None:
        """Send a request."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())

    def status(self) -> bytes:
        """Receive a whole response; return its first line."""
        while b"\r\n\r\n" not in self._rest:
            self._receive()
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        while len(self._rest) < length:
            self._receive()
        self._rest = self._rest[length:]
        return head.partition(b"\r\n")[0]

    def _receive(self) -> None:
        data = self.socket.recv(65536)
        assert data, "the connection was closed"
        self._rest += data


def test_requests_on_many_connections_are_answered(port: int) -> None:
    clients = [Client(port) for _ in range(40)]
    for _ in range(5):
        for client in clients:
            client.ask()
        assert [OK] * 40 == [client.status() for client in clients]
    for client in clients:
        client.socket.close()


def test_requests_behind_others_on_one_connection_are_answered(port: int) -> None:
    client = Client(port)
    for path in ("/about", "/about", "/healthz", "/about", "/healthz"):
        client.ask(path)
    assert [OK] * 5 == [client.status() for _ in range(5)]
    client.socket.close()


def test_client_that_has_ended_its_side_gets_its_answer(port: int) -> None:
    client = Client(port)
    client.ask()
    client.socket.shutdown(socket.SHUT_WR)
    assert client.status() == OK
    assert client.socket.recv(1) == b""
    client.socket.close()


def test_answers_that_a_client_takes_late_are_sent_whole(port: int) -> None:
    client = Client(port, buffer=4096)
    for _ in range(60):
        client.ask("/")
    assert [OK] * 60 == [client.status() for _ in range(60)]
    client.socket.close()


@pytest.mark.skipif(not hasattr(select, "epoll"), reason="epoll is Linux's")
class TestEpoll:
    """Sockets of their own, without a server."""

    class Peer:
        """What the loop knows of a socket."""

        accepting = False

        def __init__(self, own: socket.socket) -> None:
            self._fileno = own.fileno()
            self.reads, self.writes = True, False
            self.handled: list[str] = []

        def readable(self) -> bool:
            return self.reads

        def writable(self) -> bool:
            return self.writes

        def handle_read_event(self) -> None:
            self.handled.append("read")
            self.reads = False

        def handle_write_event(self) -> None:
            self.handled.append("write")
            self.writes = False

        def handle_close(self) -> None:
            self.handled.append("close")

    @pytest.fixture
    def changes(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """The calls that change what the system waits for, from now on."""
        made: list[str] = []
        real = select.epoll

        class Noting:
            def __init__(self) -> None:
                self._epoll = real()

            def __getattr__(self, name: str) -> Any:
                if name != "poll":
                    made.append(name)
                return getattr(self._epoll, name)

        monkeypatch.setattr(select, "epoll", Noting)
        return made

    def test_socket_waits_for_what_it_asked_for_last(self) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        theirs.sendall(b"x")
        waiting.turn(1)
        waiting.turn(0)
        assert peer.handled == ["read"]
        peer.writes = True
        waiting.changed(peer)
        waiting.turn(1)
        waiting.turn(0)
        assert peer.handled == ["read", "write"]
        theirs.close()  # which nobody wants to know now
        waiting.turn(0)
        assert peer.handled == ["read", "write"]
        peer.reads = True
        waiting.changed(peer)
        waiting.turn(1)
        assert peer.handled[2] == "read"
        ours.close()

    def test_client_that_waits_for_each_answer_costs_no_change(self, changes: list[str]) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        for number in range(3):
            theirs.sendall(b"x")
            waiting.turn(1)
            assert ours.recv(1) == b"x"
            peer.reads = True  # it is answered
            waiting.changed(peer)
            assert (["read"] * (number + 1), ["register"]) == (peer.handled, changes)
        ours.close()
        theirs.close()

    def test_what_comes_before_the_answer_ends_one_wait_only(self, changes: list[str]) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        theirs.sendall(b"xx")
        for _ in range(4):
            waiting.turn(0.02)
        assert (["read"], ["register", "unregister"]) == (peer.handled, changes)
        peer.reads = True
        waiting.changed(peer)
        waiting.turn(1)
        assert ["read", "read"] == peer.handled
        ours.close()
        theirs.close()

    def test_only_what_a_socket_asks_for_is_handled(self) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        waiting.turn(0)
        peer.reads, peer.writes = False, True  # as a thread changes it that has not reported it yet
        theirs.sendall(b"x")
        waiting.turn(1)
        assert [] == peer.handled
        waiting.turn(1)
        assert ["write"] == peer.handled
        ours.close()
        theirs.close()

    def test_urgent_byte_does_not_wake_the_loop_again_and_again(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            theirs = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        theirs.send(b"x", socket.MSG_OOB)
        for _ in range(3):
            waiting.turn(0.05)
        assert peer.handled == []
        theirs.sendall(b"x")
        waiting.turn(1)
        assert peer.handled == ["read"]
        ours.close()
        theirs.close()

    def test_change_by_another_thread_ends_the_wait(self) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        peer.reads = False
        waiting[ours.fileno()] = peer
        theirs.sendall(b"x")
        waiting.turn(0)
        turning = threading.Thread(target=waiting.turn, args=(0.4,))
        turning.start()
        peer.reads = True
        waiting.changed(peer)
        turning.join()
        assert peer.handled == ["read"]
        ours.close()
        theirs.close()

    def test_removed_socket_changes_nothing_of_its_successor(self) -> None:
        ours, theirs = socket.socketpair()
        waiting, first, second = EpollSockets(), self.Peer(ours), self.Peer(ours)
        waiting[ours.fileno()] = first
        waiting.turn(0)
        del waiting[ours.fileno()]
        waiting[ours.fileno()] = second
        waiting.turn(0)
        first.reads = False
        waiting.changed(first)
        theirs.sendall(b"x")
        waiting.turn(1)
        assert (first.handled, second.handled) == ([], ["read"])
        ours.close()
        theirs.close()

    def test_change_that_nobody_reports_is_seen_soon(self) -> None:
        ours, theirs = socket.socketpair()
        waiting, peer = EpollSockets(), self.Peer(ours)
        waiting[ours.fileno()] = peer
        waiting.turn(0)
        peer.writes = True
        wait_for(lambda: waiting.turn(0.1) or peer.handled)
        assert peer.handled == ["write"]
        ours.close()
        theirs.close()


def test_sockets_are_epolls_where_there_is_one() -> None:
    assert isinstance(sockets(), EpollSockets) == hasattr(select, "epoll")
