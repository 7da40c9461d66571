"""The archive writer: equal bytes for equal files, stamps, and bytecode."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from pathlib import Path

import pytest

from lambda_build import archive
from lambda_build.targets import BuildError, interpreter
from tests.unit.build_files import names, write

HERE_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def test_archive_of_equal_files_has_equal_bytes(tmp_path: Path) -> None:
    """The folder, the clock, permissions and the order of creation do not matter."""
    one = write(tmp_path / "one", {"b.py": "B = 1\n", "a/c.txt": "c"})
    two = write(tmp_path / "elsewhere" / "two", {"a/c.txt": "c", "b.py": "B = 1\n"})
    os.utime(two / "b.py", (1, 1))
    (two / "b.py").chmod(0o777)
    for folder in (one, two):
        archive.write(folder.with_suffix(".zip"), folder, stamp="same")

    assert one.with_suffix(".zip").read_bytes() == two.with_suffix(".zip").read_bytes()


def test_archive_entry_is_readable_by_everyone(tmp_path: Path) -> None:
    """Lambda runs as a user of its own."""
    archive.write(tmp_path / "a.zip", write(tmp_path / "tree", {"a": "a"}))

    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        assert "-rw-r--r--" == stat.filemode(opened.getinfo("a").external_attr >> 16)


def test_archive_with_a_base_keeps_its_files(tmp_path: Path) -> None:
    base, path = tmp_path / "base.zip", tmp_path / "whole.zip"
    archive.write(base, write(tmp_path / "theirs", {"library.py": ""}))
    archive.write(path, write(tmp_path / "ours", {"own.py": ""}), base=base, stamp="stamp")

    assert ({"library.py", "own.py"}, "stamp") == (names(path), archive.read_stamp(path))


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut short"])
def test_archive_stamp_of_an_incomplete_zip_is_none(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty or damaged: it is built anew."""
    if content is not None:
        (tmp_path / "a.zip").write_bytes(content)

    assert archive.read_stamp(tmp_path / "a.zip") is None


def test_compile_of_an_invalid_source_fails_with_its_name(tmp_path: Path) -> None:
    """A library that cannot be compiled for the function's Python stops the build."""
    here = interpreter(HERE_PYTHON)
    assert here is not None

    with pytest.raises(BuildError, match=r"cannot compile.*"):
        archive.compile_into(write(tmp_path, {"broken.py": "def (:\n"}), here)
