"""Rows of texts from MySQL, read without what pymysql makes of each packet, column and row.

For a statement that nearly every request runs, and whose answer is mostly one that was read before: the bytes
of an answer are parsed when they are seen for the first time. Errors, time limits and lost connections are
pymysql's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from imgcore.db.dialects import Answer, Texts
from imgcore.db.mysql_packets import EOF, ERROR, LONG, LONGEST_EOF, NULL, long_length, lost

_QUERY = b"\x03"  # COM_QUERY, https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html
_NO_ROWS = (0x00, 0xFB)  # how answers to statements begin that are no queries
_HEADER = 4  # bytes before a packet: its length and its number
_LONGEST_KEPT = 8192  # bytes of an answer; a page of 200 photos has less
_RECORD = 16384  # bytes of a TLS record at most; a server sends a short answer in one


class _Unexpected(Exception):
    """These bytes are no answer to a query."""


def read_answer(connection: Any, text: str, values: Mapping[str, Any]) -> Answer:
    """Run a query on a pymysql connection, whose timeouts for reading and for writing are the same.

    text: with ``%(name)s`` for each value. The columns of the answer are texts, its packets shorter than 16 MB.
    """
    command = _command(text, tuple(values), tuple(values.values()))
    if connection._sock is None:
        from pymysql.err import InterfaceError

        raise InterfaceError(0, "")
    _send(connection, command)
    data = _receive(connection)
    try:
        if len(data) <= _LONGEST_KEPT and (kept := _kept_answer(data, connection.encoding)) is not None:
            return kept
        reader = _Reader(connection.encoding)
        while (answer := reader.read_on(data)) is None:
            data = _receive(connection)
    except _Unexpected:
        lost(connection)
    return answer


@lru_cache(maxsize=256)
def _command(text: str, names: tuple[str, ...], values: tuple[Any, ...]) -> bytes:
    """Return the packet of a statement with its values. UnicodeEncodeError: a text that is not Unicode.

    Escaping by backslashes is right, because ``Mysql`` sets sql_mode.
    """
    from pymysql.converters import encoders, escape_item

    literals = {
        name: escape_item(value, "utf8mb4", mapping=encoders) for name, value in zip(names, values, strict=True)
    }
    statement = (text % literals).encode()
    return (len(statement) + 1).to_bytes(3, "little") + b"\0" + _QUERY + statement


def _send(connection: Any, command: bytes) -> None:
    try:
        sent = connection._sock.send(command)
        if sent < len(command):
            connection._sock.sendall(command[sent:])
    except OSError:
        lost(connection)


def _receive(connection: Any) -> bytes:
    """Return what has arrived, at least a byte."""
    try:
        data: bytes = connection._sock.recv(_RECORD)
    except OSError:  # also no answer in time, which Mysql.diagnose sees by the context of the error
        lost(connection)
    except BaseException:
        connection._force_close()  # the rest of the answer would be taken for the next one
        raise
    return data or lost(connection)


class _Reader:
    """Reads one answer, whose parts arrive one after the other."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._data = bytearray()
        self._at = self._number = self._ends = self._first_row = 0

    def read_on(self, part: bytes) -> Answer | None:
        """Return the answer, or None while a part is missing. Raises the errors of the server."""
        self._data += part
        data, at, last = self._data, self._at, self._at
        while self._ends < 2:  # the end of the columns, then that of the rows
            begin = at + _HEADER
            end = begin + int.from_bytes(data[at : at + 3], "little")
            if begin >= len(data) or end > len(data):
                self._at = at
                return None
            self._number += 1
            # Whatever it was asked, MariaDB tells a connection that it is shutting down, with the number 0
            if data[begin - 1] != self._number % 256 or (self._number == 1 and data[begin] in _NO_ROWS):
                raise _Unexpected
            if data[begin] == ERROR:
                from pymysql.protocol import MysqlPacket

                MysqlPacket(bytes(data[begin:end]), self._encoding).raise_for_error()
            if data[begin] == EOF and end - begin <= LONGEST_EOF:
                self._ends += 1
                self._first_row = self._first_row or end
            last, at = at, end
        if at < len(data):
            raise _Unexpected
        # Without the flags at the end: one tells of slow statements
        return Answer(bytes(data[self._first_row : last]), _rows)


@lru_cache(maxsize=256)
def _kept_answer(data: bytes, encoding: str) -> Answer | None:
    return _Reader(encoding).read_on(data)


@lru_cache(maxsize=16)
def _rows(packets: bytes) -> Texts:
    rows, at = [], 0
    while at < len(packets):
        begin = at + _HEADER
        at = begin + int.from_bytes(packets[at : at + 3], "little")
        rows.append(_texts(packets[begin:at]))
    return tuple(rows)


def _texts(row: bytes) -> tuple[str | None, ...]:
    """Return the texts of a row, each after its length."""
    texts: list[str | None] = []
    at = 0
    while at < len(row):
        length, begin = row[at], at + 1
        if length == NULL:
            texts.append(None)
            at = begin
            continue
        if length >= LONG:
            length, begin = long_length(row, at)
        at = begin + length
        texts.append(row[begin:at].decode())
    return tuple(texts)
