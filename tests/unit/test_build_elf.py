"""Shared libraries without their debug information; tests/contract/test_zips_run.py loads real ones."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from lambda_build.elf import strip_folder, stripped

HEADERS = 64 + 2 * 56


def library(*, first: bytes, debug: bytes, second: bytes, after: bytes) -> bytes:
    """Return an ELF file of 64 bits with two loaded segments, and other bytes between and behind them."""
    sections = HEADERS + len(first) + len(debug) + len(second)
    header = b"\x7fELF\x02\x01".ljust(16, b"\0")
    header += struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, sections, 0, 64, 56, 2, 64, 1, 0)
    segments = b"".join(
        struct.pack("<IIQQQQQQ", 1, 5, offset, offset, offset, size, size, 4096)
        for offset, size in ((HEADERS, len(first)), (HEADERS + len(first) + len(debug), len(second)))
    )
    return header + segments + first + debug + second + after


def test_stripped_keeps_what_is_loaded_where_it_is() -> None:
    data = stripped(library(first=b"code", debug=b"debug", second=b"data", after=b"symbols"))

    assert data[HEADERS:] == b"code" + bytes(5) + b"data"


def test_stripped_names_no_table_of_sections() -> None:
    data = library(first=b"code", debug=b"debug", second=b"data", after=b"symbols")

    changed = {index for index, (old, new) in enumerate(zip(data, stripped(data), strict=False)) if old != new}
    assert changed <= {*range(40, 48), *range(58, 64), *range(HEADERS + 4, HEADERS + 9)}
    assert (0, 0, 0, 0) == (
        *struct.unpack_from("<Q", stripped(data), 40),
        *struct.unpack_from("<3H", stripped(data), 58),
    )


def test_stripped_twice_is_stripped_once() -> None:
    once = stripped(library(first=b"code", debug=b"debug", second=b"data", after=b"symbols"))

    assert once == stripped(once)


@pytest.mark.parametrize("data", [b"", b"\xcf\xfa\xed\xfe" + bytes(60), b"\x7fELF\x01\x01" + bytes(60)])
def test_stripped_of_another_kind_of_file_is_that_file(data: bytes) -> None:
    """Libraries of macOS, and those of 32 bits."""
    assert data == stripped(data)


def test_strip_folder_changes_libraries_only(tmp_path: Path) -> None:
    data = library(first=b"code", debug=b"debug", second=b"data", after=b"symbols")
    for name in ("a.so", "libs/libb-1.so.2.3", "c.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)

    strip_folder(tmp_path)

    found = {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {"a.so": stripped(data), "libb-1.so.2.3": stripped(data), "c.py": data} == found
