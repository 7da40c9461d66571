"""Answers of MySQL as they arrive: in parts, with errors, late, or not at all."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pymysql
import pytest

from imgcore.config import Secret
from imgcore.db.dialects import Answer
from imgcore.db.mysql import Mysql
from imgcore.db.mysql_rows import read_answer

END = b"\xfe\0\0\x02\0"
SLOW_END = b"\xfe\0\0\x02\x08"  # with the flag of a slow statement
ERROR = b"\xff\xb1\x07#70100Query execution was interrupted (max_statement_time exceeded)"
ANSWER = (b"\x01", b"\x03def", END, b"\x03one", b"\xfb", END)


def packets(*bodies: bytes, first: int = 1) -> bytes:
    """Return the packets of an answer."""
    return b"".join(
        len(body).to_bytes(3, "little") + bytes([number % 256]) + body
        for number, body in enumerate(bodies, first)
    )


class Connection:
    """What read_answer uses of pymysql's connection. ``server`` is the other end of its socket."""

    encoding = "utf8"

    def __init__(self) -> None:
        self.server, sock = socket.socketpair()
        sock.settimeout(5)
        self._sock: socket.socket | None = sock

    def _write_bytes(self, data: bytes) -> None:
        assert self._sock is not None
        self._sock.sendall(data)

    def _force_close(self) -> None:
        if self._sock is not None:
            self._sock.close()
        self._sock = None

    def ask(self, timeout: float = 5) -> Answer:
        """Return the answer to a query."""
        if self._sock is not None:
            self._sock.settimeout(timeout)
        return read_answer(self, "SELECT 1", {})


@pytest.fixture
def connection() -> Iterator[Connection]:
    made = Connection()
    yield made
    made._force_close()
    made.server.close()


def test_answer_in_parts_of_any_length_is_read_whole(connection: Connection) -> None:
    data = packets(*ANSWER)
    for size in range(1, len(data) + 1):

        def send(size: int = size) -> None:
            for at in range(0, len(data), size):
                connection.server.sendall(data[at : at + size])

        sending = threading.Thread(target=send)
        sending.start()
        assert (("one",), (None,)) == connection.ask().rows
        sending.join()


def test_answer_of_a_slow_statement_equals_that_of_a_fast_one(connection: Connection) -> None:
    connection.server.sendall(packets(*ANSWER))
    fast = connection.ask()
    connection.server.sendall(packets(*ANSWER[:-1], SLOW_END))
    assert fast == connection.ask()


@pytest.mark.parametrize("before", [0, 3, 5])
def test_error_at_the_beginning_or_between_rows_is_raised(connection: Connection, before: int) -> None:
    connection.server.sendall(packets(*ANSWER[:before], ERROR))
    with pytest.raises(pymysql.OperationalError, match="max_statement_time") as caught:
        connection.ask()
    assert caught.value.args[0] == 1969
    connection.server.sendall(packets(*ANSWER))
    assert (("one",), (None,)) == connection.ask().rows


@pytest.mark.parametrize(
    "data",
    [
        packets(b"\0\0\0\x02\0\0\0"),  # the answer to an UPDATE
        packets(b"\xffx\x04#08S01Shutdown", first=0),
        packets(*ANSWER) + packets(b"\xffx\x04#08S01Shutdown", first=0),
        packets(*ANSWER[:3]) + packets(*ANSWER[3:], first=5),
        b"",
    ],
)
def test_what_is_no_answer_ends_the_connection(connection: Connection, data: bytes) -> None:
    connection.server.sendall(data)
    if not data:
        connection.server.shutdown(socket.SHUT_WR)
    with pytest.raises(pymysql.OperationalError, match="Lost connection") as caught:
        connection.ask()
    assert caught.value.args[0] == 2013
    with pytest.raises(pymysql.InterfaceError):
        connection.ask()


@pytest.mark.parametrize("before", [0, 10])
def test_answer_that_does_not_come_in_time_is_known_as_such(connection: Connection, before: int) -> None:
    connection.server.sendall(packets(*ANSWER)[:before])
    with pytest.raises(pymysql.OperationalError) as caught:
        connection.ask(timeout=0.05)
    found = Mysql("host", 1, "name", lambda: ("user", Secret("")), None).diagnose(caught.value)
    assert found is not None
    assert found.code == "database_slow"
    with pytest.raises(pymysql.InterfaceError):
        connection.ask()
