"""Archives whose bytes depend only on the files in them: not on the clock, the folder or the user.

The suffix of the path decides the format: .zip for a Lambda function, .tar.gz for a web host. Each archive
carries a stamp, the hash of its build's inputs: a zip in its comment, X.tar.gz in X.sha256 beside it.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import shutil
import subprocess
import tarfile
import tempfile
import zipfile
from pathlib import Path

from lambda_build.targets import HERE, BuildError, Interpreter

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can store
MODE = 0o644  # Lambda runs as another user, who must be able to read it; nothing in it is executed
TAR_LEVEL = 6  # of zlib
_TAR = ".tar.gz"


def write(path: Path, folder: Path, *, base: Path | None = None, stamp: str = "", level: int = 6) -> None:
    """Write every file of ``folder`` to the archive ``path``, which is replaced once it is complete.

    base: a zip whose files come first. level: zlib's for a zip, 1 (fast) to 9 (small).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".") as scratch:
        fresh = Path(scratch, "archive")
        if path.name.endswith(_TAR):
            _write_tar(fresh, folder, base)
            _stamp_file(path).unlink(missing_ok=True)
            fresh.replace(path)
            _stamp_file(path).write_text(f"{_sha256(path)}  {stamp}\n")
        else:
            if base is not None:
                shutil.copyfile(base, fresh)
            _append_to_zip(fresh, folder, stamp, level)
            fresh.replace(path)


def read_stamp(path: Path) -> str | None:
    """Return the stamp of the archive ``path``; None if it is missing, incomplete or changed since."""
    try:
        if path.name.endswith(_TAR):
            content, _, stamp = _stamp_file(path).read_text().strip().partition("  ")
            return stamp if content == _sha256(path) else None
        with zipfile.ZipFile(path) as archive:
            return archive.comment.decode("ascii", "replace")
    except (OSError, zipfile.BadZipFile):
        return None


def top_level_names(path: Path) -> set[str]:
    """Return the names of the modules and packages at the top of the zip ``path``."""
    with zipfile.ZipFile(path) as archive:
        return {name.partition("/")[0].partition(".")[0] for name in archive.namelist()}


def compile_into(folder: Path, interpreter: Interpreter) -> None:
    """Add the bytecode of every source in ``folder``. BuildError: a source is not for that Python."""
    # A fixed hash seed, no site packages and an empty environment: equal sources make equal bytecode.
    command = [interpreter.path, "-S", "-B", "-P", str(HERE / "bytecode.py"), str(folder)]
    done = subprocess.run(command, env={"PYTHONHASHSEED": "0"}, capture_output=True, text=True)
    if done.returncode:
        raise BuildError(f"{interpreter.version} cannot compile: {done.stderr.strip().splitlines()[-1]}")


def _append_to_zip(path: Path, folder: Path, stamp: str, level: int) -> None:
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for file in _files(folder):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: otherwise the permissions are ignored
            entry.external_attr = (0o100000 | MODE) << 16
            archive.writestr(entry, file.read_bytes(), compresslevel=level)
        archive.comment = stamp.encode()


def _write_tar(path: Path, folder: Path, base: Path | None) -> None:
    if base is not None:
        with zipfile.ZipFile(base) as packages:
            packages.extractall(folder)  # noqa: S202 - a zip that this build has written
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=TAR_LEVEL) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for file in _files(folder):
            data = file.read_bytes()
            entry = tarfile.TarInfo(file.relative_to(folder).as_posix())
            entry.size, entry.mode = len(data), MODE
            archive.addfile(entry, io.BytesIO(data))


def _files(folder: Path) -> list[Path]:
    return sorted(item for item in folder.rglob("*") if item.is_file())


def _stamp_file(path: Path) -> Path:
    return path.with_name(path.name.removesuffix(_TAR) + ".sha256")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
