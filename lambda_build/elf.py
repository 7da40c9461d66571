"""Remove from shared libraries what only a debugger reads.

Wheels are often built with debug information: two thirds of Pillow's and PyStemmer's libraries. The `strip` of
a system knows only its own machine, and the functions run on another one.

Source of the offsets: the ELF specification, https://gabi.xinuos.com, file header and program header.
"""

from __future__ import annotations

import struct
from pathlib import Path

_IDENT = b"\x7fELF\x02\x01"  # 64 bits, little-endian: x86-64 and aarch64
_HEADER = 64  # bytes of the file header
_PROGRAM_HEADERS, _SECTION_HEADERS = 32, 40  # where their offsets in the file are stored
_PROGRAM_HEADER_SIZE, _SECTION_HEADER_SIZE = 54, 58  # each is followed by counts


def strip_folder(folder: Path) -> None:
    """Strip every shared library in ``folder``."""
    for path in sorted(folder.rglob("*.so*")):
        if path.is_file():
            path.write_bytes(stripped(path.read_bytes()))


def stripped(data: bytes) -> bytes:
    """Return a shared library without what the loader does not read. Another file is returned as it is.

    The loader goes by the program headers alone: what none of them covers (sections of debug information, the
    symbol table of linkers, the table of sections) becomes zeros, and is cut off at the end of the file.
    """
    if not data.startswith(_IDENT):
        return data
    (table,) = struct.unpack_from("<Q", data, _PROGRAM_HEADERS)
    size, count = struct.unpack_from("<HH", data, _PROGRAM_HEADER_SIZE)
    kept = [(0, _HEADER), (table, table + size * count)]
    for header in range(table, table + size * count, size):
        offset, _, _, length = struct.unpack_from("<4Q", data, header + 8)
        kept.append((offset, offset + length))
    out = bytearray(max(end for _, end in kept))
    for start, end in kept:
        out[start:end] = data[start:end]
    struct.pack_into("<Q", out, _SECTION_HEADERS, 0)
    struct.pack_into("<3H", out, _SECTION_HEADER_SIZE, 0, 0, 0)
    return bytes(out)
