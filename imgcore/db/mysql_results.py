"""pymysql's connection with quicker results: the columns of a statement are known from its last run.

pymysql makes an object of each packet and calls three functions for each value, which takes most of the time of
a page of a list. What it makes of types, errors and the ends of answers is left to it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

from pymysql.connections import Connection, MySQLResult
from pymysql.constants import FIELD_TYPE
from pymysql.converters import conversions
from pymysql.protocol import MysqlPacket

from imgcore.db.mysql_packets import EOF, ERROR, LONG, LONGEST_EOF, NULL, long_length, lost

CONVERSIONS = conversions | {
    FIELD_TYPE.DATETIME: datetime.fromisoformat
}  # a tenth of the time of pymysql's own

_CONTINUED = 0xFFFFFF  # bytes of a packet, whose rest is in the next

_Converters = tuple[tuple[str | None, Callable[[Any], Any] | None], ...]


class QuickConnection(Connection):
    """A connection, made with CONVERSIONS, whose results are read by _Result."""

    def _read_query_result(self, unbuffered: bool = False) -> Any:
        if unbuffered:
            return super()._read_query_result(unbuffered)  # type: ignore[misc]
        self._result = None
        result = _Result(self)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows


class _Result(MySQLResult):
    """All rows of a statement."""

    def _get_descriptions(self) -> None:
        own: Any = self.connection
        packets = tuple(_packet(own) for _ in range(self.field_count))
        _packet(own)  # the end of the columns
        self.converters, self.description = _columns(packets, own.encoding)

    def _read_rowdata_packet(self) -> None:
        own: Any = self.connection
        converters, rows = self.converters, []
        while (data := _packet(own))[0] != EOF or len(data) > LONGEST_EOF:
            rows.append(_row(data, converters))
        self._check_packet_is_eof(MysqlPacket(data, own.encoding))  # type: ignore[attr-defined]
        self.connection = None
        self.affected_rows = len(rows)
        self.rows = tuple(rows)


class _Replayed:
    """Packets that were read before, as pymysql's results ask a connection for them."""

    use_unicode = True

    def __init__(self, packets: tuple[bytes, ...], encoding: str) -> None:
        self.encoding = encoding
        self.decoders = {key: value for key, value in CONVERSIONS.items() if type(key) is int}
        self._packets = iter((*packets, bytes([EOF, 0, 0, 0, 0])))

    def _read_packet(self, packet_type: Any = MysqlPacket) -> Any:
        return packet_type(next(self._packets), self.encoding)


@lru_cache(maxsize=256)
def _columns(packets: tuple[bytes, ...], encoding: str) -> tuple[_Converters, tuple[Any, ...]]:
    """Return how the values of each column are decoded, and the columns as a cursor describes them."""
    result: Any = MySQLResult(_Replayed(packets, encoding))  # type: ignore[arg-type]
    result.field_count = len(packets)
    result._get_descriptions()
    return tuple(result.converters), result.description


def _packet(connection: Any) -> bytes:
    """Return the next packet of an answer. Raises the errors of the server."""
    data, size = b"", _CONTINUED
    while size == _CONTINUED:
        header = connection._read_bytes(4)
        if header[3] != connection._next_seq_id:
            lost(connection)
        connection._next_seq_id = (header[3] + 1) % 256
        size = int.from_bytes(header[:3], "little")
        data += connection._read_bytes(size)
    if data[0] == ERROR:
        MysqlPacket(data, connection.encoding).raise_for_error()
    return data


def _row(data: bytes, converters: _Converters) -> tuple[Any, ...]:
    """Return the values of a row, each after its length."""
    values: list[Any] = []
    at = 0
    for encoding, convert in converters:
        length, begin = data[at], at + 1
        if length == NULL:
            values.append(None)
            at = begin
            continue
        if length >= LONG:
            length, begin = long_length(data, at)
        at = begin + length
        value: Any = data[begin:at]
        if encoding is not None:
            value = value.decode(encoding)
        values.append(value if convert is None else convert(value))
    return tuple(values)
