"""A bare Debian 13 in a folder, by debootstrap, and the way into it.

The bare system is kept as an archive below .local/host, so that only the first run downloads it. Whatever runs
inside has mounts of its own, in a namespace that ends with it: nothing is left mounted.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.host.units import Unit, read_unit

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".local" / "host"
SUITE = "trixie"
# The packages that every image of Debian's for the cloud holds and the smallest system lacks.
CLOUD_PACKAGES = "ca-certificates,python3,systemd-sysv"

_MOUNTS = """
set -e
mount --make-rprivate /
{more}
mount -t proc proc {root}/proc
mount --rbind /dev {root}/dev
mount -t tmpfs tmpfs {root}/run
mount -t tmpfs -o mode=1777 tmpfs {root}/tmp
exec "$@"
"""
# As ProtectSystem=strict does it.
READ_ONLY = "mount --bind {root} {root}; mount -o remount,bind,ro {root}"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


class Failed(Exception):
    """A program failed; its words."""


@dataclass(frozen=True)
class System:
    """A system below ``root``."""

    root: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command inside, as root; it may fail."""
        return subprocess.run(self.inside(command), capture_output=True, text=True, timeout=120)

    def inside(self, command: Sequence[str], *, mounts: str = "", network: bool = True) -> list[str]:
        """Return the command line that runs a command inside.

        mounts: shell commands that mount more; {root} stands for the system's folder. network: False for none.
        """
        return [*self.mounted(mounts, network=network), "chroot", str(self.root), *command]

    def mounted(self, mounts: str = "", *, network: bool = True) -> list[str]:
        """Return the beginning of a command line: what follows runs outside, but sees the system's mounts."""
        script = _MOUNTS.replace("{more}", mounts).replace("{root}", shlex.quote(str(self.root)))
        return ["unshare", "--mount", *([] if network else ["--net"]), "sh", "-c", script, "sh"]

    def path(self, inside: str) -> Path:
        """Return a path inside, as seen from outside."""
        return self.root / inside.lstrip("/")


@dataclass(frozen=True)
class Debian(System):
    """A system that becomes a web host. source: what the role packs and installs."""

    source: Path
    home: Path  # Ansible's

    def pack(self) -> None:
        """Build the archive of the release, as the role does."""
        _run([sys.executable, "-m", "lambda_build.build", "web_host", f"--out={self.source}"])

    def apply(self, release: str, *arguments: str) -> str:
        """Apply the role through Ansible's chroot connection; what Ansible printed."""
        variables = {
            "web_host_release": release,
            "web_host_source": str(self.source),
            "ansible_python_interpreter": "/usr/bin/python3",
            "ansible_remote_tmp": "/tmp/ansible",
        }
        playbook = [str(Path(sys.executable).with_name("ansible-playbook")), "tests/host/apply.yml"]
        target = ["-i", f"{self.root},", "-c", "community.general.chroot", "-e", json.dumps(variables)]
        environ = {
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.home),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
        }
        return _run([*self.mounted(), *playbook, *target, *arguments], environ).stdout

    def unit(self, name: str) -> Unit:
        """One of the role's units, read as systemd reads it."""
        return read_unit((self.root / f"etc/systemd/system/{name}.service").read_text())


@contextmanager
def debian(folder: Path) -> Iterator[Debian]:
    """Make a fresh system for a web host in that folder; it is removed afterwards."""
    with system(folder, CLOUD_PACKAGES) as made:
        yield Debian(made.root, CACHE / "source", folder / "ansible")


@contextmanager
def system(folder: Path, packages: str) -> Iterator[System]:
    """Make a fresh system with these packages (by comma) in that folder; it is removed afterwards."""
    root = folder / "root"
    root.mkdir()
    _run(["tar", "--extract", "--numeric-owner", f"--file={bare(packages)}", f"--directory={root}"])
    for shared in ("etc/resolv.conf", CERTIFICATES):  # where names are resolved, and whom this machine trusts
        shutil.copyfile(Path("/", shared), root / shared)
    try:
        yield System(root)
    finally:
        shutil.rmtree(root)


def bare(packages: str) -> Path:
    """Return the archive of a bare system with these packages; debootstrap makes it where there is none yet."""
    archive = CACHE / f"debian-{SUITE}-{platform.machine()}-{packages.replace(',', '-')}.tar"
    if not archive.exists():
        root, fresh = CACHE / "bare", archive.with_suffix(".new")
        shutil.rmtree(root, ignore_errors=True)
        CACHE.mkdir(parents=True, exist_ok=True)
        _run(["debootstrap", "--variant=minbase", f"--include={packages}", SUITE, str(root)])
        for downloaded in (root / "var/cache/apt/archives").glob("*.deb"):
            downloaded.unlink()
        _run(["tar", "--create", "--numeric-owner", f"--file={fresh}", f"--directory={root}", "."])
        fresh.replace(archive)
        shutil.rmtree(root)
    return archive


def _run(command: list[str], environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **(environ or {})}, capture_output=True, text=True, timeout=1200
    )
    if done.returncode:
        raise Failed(f"{' '.join(command[-8:])}: {done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done
