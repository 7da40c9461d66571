"""What both readers of MySQL's answers know of packets: marks in their first byte, and lengths.

https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_dt_integers.html
"""

from __future__ import annotations

from typing import Any, NoReturn

NULL, LONG, EOF, ERROR = 0xFB, 0xFC, 0xFE, 0xFF  # LONG: from here on, a length follows in bytes of its own
LONGEST_EOF = 8  # bytes; a row that begins with EOF is longer
_LENGTH_BYTES = {0xFC: 2, 0xFD: 3, 0xFE: 8}


def long_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length whose first byte, at ``at``, is LONG or more, and where what has that length begins."""
    begin = at + 1 + _LENGTH_BYTES[data[at]]
    return int.from_bytes(data[at + 1 : begin], "little"), begin


def lost(connection: Any) -> NoReturn:
    """Close a pymysql connection, the rest of whose answer would be taken for the next one."""
    from pymysql.constants import CR
    from pymysql.err import OperationalError

    connection._force_close()
    raise OperationalError(CR.CR_SERVER_LOST, "Lost connection to MySQL server during query")
