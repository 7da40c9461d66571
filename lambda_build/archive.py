"""Zips whose bytes depend on what is in them alone: not on the clock, the folder or the user."""

from __future__ import annotations

import subprocess
import zipfile
from pathlib import Path

from lambda_build.targets import HERE, BuildError, Interpreter

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can tell
MODE = 0o644  # Lambda's own user has to be able to read it; nothing in it is executed


def compile_into(folder: Path, interpreter: Interpreter) -> None:
    """Put bytecode beside every source in ``folder``. BuildError where one is not for that Python."""
    # A fixed hash seed, no site and no other environment: equal sources make equal bytecode.
    command = [interpreter.path, "-S", "-B", "-P", str(HERE / "bytecode.py"), str(folder)]
    done = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{interpreter.version} cannot compile: {done.stderr.strip().splitlines()[-1]}")


def append(path: Path, folder: Path, *, comment: str, level: int) -> None:
    """Add every file of ``folder``, in order of name, to the zip ``path``, which may not exist yet.

    level: zlib's, 1 (fast) to 9 (small).
    """
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for file in sorted(item for item in folder.rglob("*") if item.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix, or the permissions mean nothing
            entry.external_attr = (0o100000 | MODE) << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=level)
        archive.comment = comment.encode()


def comment(path: Path) -> str | None:
    """The comment of the zip ``path``; None where there is no whole zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.comment.decode("ascii", "replace")
    except (OSError, zipfile.BadZipFile):
        return None
