"""The packages of an archive: the locked wheels for its machine, pruned, stripped, compiled and zipped once.

The zip is kept below .local/ under the hash of everything that decides its content, so that a change of the
project's own code installs and compresses nothing again and needs no network.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from lambda_build import archive, elf, wheels
from lambda_build.targets import HERE, THIS, Interpreter, Target

CACHE = HERE.parent / ".local" / "lambda"

# What uv and the scripts of packages leave in a folder: of no use, or dependent on where it was installed.
INSTALL_NOTES = (
    ".lock",
    ".gitignore",
    "bin",
    "__pycache__",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/uv_cache.json",
)
# Never needed inside a function. A pattern is matched against the end of a path, as by Path.match.
PRUNED = (
    *INSTALL_NOTES,
    "*.dist-info",
    "*.pyi",
    "py.typed",
    "tests",
    "_tests",
    "*.c",
    "*.h",
    "*.pxd",
    "*.pyx",
    "*.md",
    "*.rst",
    "numpy/distutils",
    "numpy/f2py",
    "numpy/_pyinstaller",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/random/lib",
    "numpy/random/_examples",
    "google/genai/_gaos",  # a second, generated client (agents, interactions)
    "google/oauth2",  # credentials other than a key, with google/auth's transports for them
    "google/auth/compute_engine",
    "google/auth/crypt",
    "google/auth/transport/grpc.py",
    "google/auth/transport/requests.py",
    "google/auth/transport/urllib3.py",
    "google/auth/transport/_*requests.py",
    "anyio/_backends/_trio.py",
    "pydantic/v1",  # for classes written for pydantic 1; there are none
    "pydantic/mypy.py",
    "websockets/legacy",
    "websockets/sync",
    "websockets/trio",
    # Pillow's text drawing and its Tk window, with the libraries that only they load
    "PIL/_imagingft.*",
    "PIL/_imagingtk.*",
    "pillow.libs/libfreetype-*",
    "pillow.libs/libharfbuzz-*",
    "pillow.libs/libbrotli*",
    "pillow.libs/libpng16-*",
)
_DECIDING = ("archive.py", "bytecode.py", "dependencies.py", "elf.py", "wheels.py")
# These packages look up their own version when they are imported.
KEPT_METADATA = ("httpx2", "httpcore2")


def ensure(target: Target, interpreter: Interpreter | None, cache: Path) -> Path:
    """Return the zip of the target's packages, made now or found. BuildError: they cannot be fetched."""
    kind = f"{target.name}-{target.profile}-{target.python}-{target.platform}-"
    path = cache / f"{kind}{key(target, interpreter)}.zip"
    if archive.read_stamp(path) is None:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            folder = Path(scratch)
            wheels.install(
                folder,
                target.requirements,
                python=target.python,
                platform=None if target.platform == THIS else target.platform,
                what=f"The packages of the {target.artifact.title}",
            )
            prune(folder, PRUNED if target.artifact.function else INSTALL_NOTES)
            if target.artifact.function:
                elf.strip_folder(folder)
            if interpreter is not None:
                archive.compile_into(folder, interpreter)
            archive.write(path, folder, level=target.level)
        for found in cache.glob(f"{kind}*.zip"):
            if found != path:  # another build may copy it at this moment
                found.unlink(missing_ok=True)
    return path


def key(target: Target, interpreter: Interpreter | None) -> str:
    """Return a hash of everything that decides what is in the zip of the packages."""
    digest = hashlib.sha256()
    machine = sys.platform + os.uname().machine if target.platform == THIS else target.platform
    for part in (target.python, machine, interpreter.version if interpreter else "no bytecode"):
        digest.update(part.encode() + b"\0")
    for name in (*_DECIDING, target.requirements.name):
        digest.update((HERE / name).read_bytes() + b"\0")
    return digest.hexdigest()[:32]


def prune(folder: Path, patterns: Iterable[str] = PRUNED) -> None:
    """Remove what matches ``patterns`` from ``folder``, except the metadata that packages look up."""
    metadata = [folder.glob(f"{name}-*.dist-info/METADATA") for name in KEPT_METADATA]
    kept = {path: path.read_bytes() for paths in metadata for path in paths}
    for pattern in patterns:
        for path in sorted(folder.rglob(pattern)):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for path, data in kept.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
