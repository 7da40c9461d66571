"""Other projects' test pictures from the source packages of Debian, and programs of a newer Debian.

They are downloaded once, by apt-get from the mirror that the machine is set up for, and kept under
``.local/test-cache``.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from pathlib import Path

from tests.sdists import kept, kept_folder

SUITE = "bookworm"  # whose packages are named, on whichever release of Debian this runs
_SETTINGS = Path("/etc/apt")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_MIRROR = re.compile(r"^(?:URIs:|deb(?: \[[^]]*\])?)\s+(\S+/debian)/?(?:\s|$)", re.MULTILINE)


def unpacked(package: str, sha256: str) -> Path:
    """Return the folder of the source of a package, whose archive has that hash."""

    def download(scratch: Path) -> Path:
        archive = _download(package, scratch)
        found = hashlib.sha256(archive.read_bytes()).hexdigest()
        if found != sha256:
            raise RuntimeError(f"The source of {package}, {archive.name}, has the SHA-256 {found} now")
        return archive

    return kept(f"debian-{package}-{sha256[:12]}", download)


def unpacked_program(package: str, suite: str) -> Path:
    """Return a folder with a binary package of that suite and what it depends on, unpacked and not installed.

    It is kept for as long as ``.local/test-cache`` is. Its programs run by its own dynamic linker.
    """

    def download(scratch: Path) -> Path:
        folder = scratch / "root"
        folder.mkdir()
        # With an empty list of installed packages, so that all are downloaded that the package needs
        status = scratch / "status"
        status.touch()
        options = {"Dir::State::status": status, "APT::Install-Recommends": "false"}
        install = ["install", "--yes", "--download-only", package]
        _apt_get(scratch, f"deb [signed-by={_KEYS}] {_mirror()} {suite} main", install, options)
        for archive in (scratch / "apt" / "cache" / "archives").glob("*.deb"):
            subprocess.run(["dpkg-deb", "--extract", archive, folder], check=True)
        return folder

    return kept_folder(f"debian-{suite}-{package}", download)


def _download(package: str, scratch: Path) -> Path:
    """Return the archive of a package's source, downloaded with lists of packages of its own."""
    source = ["source", "--download-only", "--tar-only", package]
    _apt_get(scratch, f"deb-src [signed-by={_KEYS}] {_mirror()} {SUITE} main", source, {})
    (archive,) = (path for path in (scratch / "apt" / "source").iterdir() if ".tar." in path.name)
    return archive


def _apt_get(scratch: Path, line: str, command: list[str], more: dict[str, object]) -> None:
    """Run a command of apt-get below ``scratch/apt`` with that line as the only source of packages."""
    for name in ("lists/partial", "cache/archives/partial", "source"):
        (scratch / "apt" / name).mkdir(parents=True)
    sources = scratch / "apt" / "sources.list"
    sources.write_text(f"{line}\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::lists": scratch / "apt" / "lists",
        "Dir::Cache": scratch / "apt" / "cache",
        "APT::Sandbox::User": "root",
        **more,
    }
    options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]
    for words in (["update"], command):
        done = subprocess.run(
            ["apt-get", "-qq", *options, *words],
            cwd=scratch / "apt" / "source",
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"apt-get {' '.join(command)} failed:\n{done.stderr}")


def _mirror() -> str:
    """Return the mirror of Debian that this machine is set up for."""
    lists = [_SETTINGS / "sources.list", *sorted((_SETTINGS / "sources.list.d").glob("*"))]
    for path in lists:
        settings = path.suffix in (".list", ".sources") and path.exists()
        if settings and (found := _MIRROR.search(path.read_text("utf-8"))):
            return found[1]
    raise RuntimeError("This machine is not set up for a mirror of Debian")
