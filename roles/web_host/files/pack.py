"""Pack what goes onto a web host: ``python -m roles.web_host.files.pack --out FOLDER``.

gallery.tar.gz holds what a site-packages folder has to hold: the locked packages as wheels had them, checked by
hash, with imgcore (the local describer left out), the web application and Amazon's certificates of RDS. Equal
inputs make equal bytes; gallery.sha256 is their hash. ``--lock`` compiles the requirements anew from
pyproject.toml, with the versions of requirements.txt, so that a host runs what the tests ran.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from lambda_build import wheels
from lambda_build.targets import BuildError

ROOT = Path(__file__).resolve().parents[3]
LOCK = Path(__file__).with_name("requirements.txt")
EXTRAS = ("aws", "mysql", "web")
PYTHON = "3.13"  # Debian 13's
PLATFORM = "x86_64-manylinux_2_28"
_WHAT = "The packages of the web host"

_LEFT_OUT = ("imgcore/captioning/local/",)
_OURS = ("imgcore", "web")
_CERTIFICATES = ROOT / "roles/database/files/rds-ca.pem"
_NOT_PACKED = ("bin/", ".lock", ".gitignore")  # commands for people, and uv's own notes
_NOTES = frozenset({"RECORD", "INSTALLER", "REQUESTED", "uv_cache.json"})  # of where and when it was installed


def pack(out: Path, platform: str = PLATFORM) -> bool:
    """Write the archive into ``out``; False where it lay there already. BuildError says why it cannot be."""
    archive, stamp = out / "gallery.tar.gz", out / "gallery.sha256"
    wanted = inputs(platform)
    packed = f"{_sha256(archive)}  {wanted}\n" if archive.exists() else ""
    if packed and stamp.exists() and stamp.read_text() == packed:
        return False
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".") as scratch:
        folder, fresh = Path(scratch, "packages"), Path(scratch, "gallery.tar.gz")
        wheels.install(folder, LOCK, python=PYTHON, platform=platform, what=_WHAT)
        for name, path in own_files():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, folder / name)
        _write(fresh, folder)
        stamp.unlink(missing_ok=True)
        fresh.replace(archive)
    stamp.write_text(f"{_sha256(archive)}  {wanted}\n")
    return True


def own_files() -> Iterator[tuple[str, Path]]:
    """Our part: the name in the archive, and the file."""
    for top in _OURS:
        for path in sorted((ROOT / top).rglob("*")):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and not name.startswith(_LEFT_OUT):
                yield name, path
    yield _CERTIFICATES.name, _CERTIFICATES


def inputs(platform: str) -> str:
    """A hash of everything that decides what is in the archive."""
    digest = hashlib.sha256(f"{PYTHON} {platform}\0".encode())
    for path in (Path(__file__), Path(wheels.__file__), LOCK):
        digest.update(path.read_bytes() + b"\0")
    for name, path in own_files():
        digest.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def lock() -> None:
    """Compile requirements.txt beside this file anew. BuildError says what is wrong."""
    options = ("--python-version", PYTHON, "--python-platform", "linux")
    wheels.compile_lock(LOCK, EXTRAS, options, by="python -m roles.web_host.files.pack --lock", what=_WHAT)


def _write(archive: Path, folder: Path) -> None:
    """The same bytes for the same files, whoever packs them and when."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0, compresslevel=6) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            if not path.is_file() or name.startswith(_NOT_PACKED) or {"__pycache__", *_NOTES} & {*path.parts}:
                continue
            data = path.read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(data), 0o644
            tar.addfile(entry, io.BytesIO(data))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 with a sentence on standard error."""
    parser = argparse.ArgumentParser(prog="pack", description="Pack what goes onto a web host.")
    parser.add_argument("--out", type=Path, default=ROOT / "dist/web_host", help="folder of the archive")
    parser.add_argument("--platform", default=PLATFORM, help=f"the hosts', as uv names it ({PLATFORM})")
    parser.add_argument("--lock", action="store_true", help="compile the requirements anew instead")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        if options.lock:
            lock()
            return 0
        packed = pack(options.out, options.platform)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    size = (options.out / "gallery.tar.gz").stat().st_size / 1e6
    how = f"packed in {time.monotonic() - started:.1f} s" if packed else "unchanged"
    sys.stdout.write(f"{options.out / 'gallery.tar.gz'}: {size:.1f} MB, {how}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
