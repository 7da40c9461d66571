"""What is run, with which environment, and how it is known that it need not be run again."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from emulator import HOST, Emulator, ambient, read_settings

SOURCES = (
    "ansible.cfg",
    "inventory/local",
    "playbooks/library",
    "playbooks/local.yml",
    "playbooks/module_utils",
    "roles/events",
    "roles/functions",
    "roles/local_cloud",
    "roles/notices",
    "roles/storage",
)
DATA = (
    "applied",
    "emulator.json",
    "gallery.db",
    "gallery.db-shm",
    "gallery.db-wal",
    "mail",
    "objects",
    "operator.env",
    "running.env",
    "state",
    "tmp",
    "web.env",
)
PROXY = ("NO_PROXY", "no_proxy")  # without them, an HTTP proxy would be asked for the emulator
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
# Of each function at a time: more than there are processors would only make each of them slower
WORKERS = min(4, max(2, os.cpu_count() or 2))
PEOPLE = ("ACCOUNTS", "API_RATE", "GALLERY_VISIBILITY")
WEB = (*PEOPLE, "GALLERY_HOSTS", "HOST", "LOST_AFTER_SECONDS", "UPLOAD_TTL_SECONDS")


def python(module: str, *arguments: str) -> list[str]:
    """A module, run by this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def build(home: Path) -> list[str]:
    """Pack both functions for this interpreter; at once where they are packed already."""
    return python("lambda_build.build", "--profile", "local", "--out", str(home / "dist"))


def next_zip(log: str) -> str:
    """Return the function that is being packed; the log of the build has a line for each that is done."""
    return "caption" if "thumbnail.zip" in log else "thumbnail"


def playbook(home: Path) -> list[str]:
    """Apply the roles."""
    variables = {
        "local_cloud_home": str(home),
        "functions_runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "functions_thumbnail_concurrency": WORKERS,
        "functions_caption_concurrency": WORKERS,
        "functions_architecture": "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return [program, "-i", "inventory/local", "playbooks/local.yml", "-e", json.dumps(variables)]


def ansible_environ(root: Path, emulator: Emulator, wishes: Mapping[str, str]) -> dict[str, str]:
    """Ansible speaks to the emulator as its root, and makes itself an identity of its own first."""
    mac = sys.platform == "darwin"
    return {
        **emulator.root(),
        **wishes,
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_HOME": str(emulator.home / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "en_US.UTF-8" if mac else "C.UTF-8",  # it insists on UTF-8
        **({"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if mac else {}),  # it forks
    }


def web_environ(home: Path, wishes: Mapping[str, str], port: int) -> dict[str, str]:
    """The gallery's own identity and names. It never sees the model's key, only that there is one."""
    mine = {name: value for name, value in wishes.items() if name not in KEYS}
    if len(mine) < len(wishes) and mine.get("CAPTIONER", "auto") == "auto":
        mine["CAPTIONER"] = "gemini"
    given = {name: os.environ[name] for name in WEB if os.environ.get(name)}
    return {**ambient(), "HOST": HOST, **given, **read_settings(home / "web.env"), **mine, "PORT": str(port)}


def running_settings(home: Path, emulator: Emulator, wishes: Mapping[str, str], address: str) -> dict[str, str]:
    """Return what a program beside the gallery needs: its settings, and the emulator's root as identity.

    The gallery's own identity may not remove photos from the buckets, which a sweep does.
    """
    besides = {
        name: value for name, value in emulator.root().items() if name.startswith("AWS_") or name in PROXY
    }
    own = web_environ(home, wishes, 0)
    shared = {name: value for name, value in own.items() if name not in {*ambient(), "HOST", "PORT"}}
    return {**shared, **besides, "PUBLIC_URL": address}


def running_file(home: Path) -> Path:
    """Return the file of the gallery that is running, which imgcore and a second `make run` read."""
    return home / "running.env"


def write_running(home: Path, settings: Mapping[str, str]) -> None:
    """Write the settings of the gallery that is running; before it is ready, its address alone (PUBLIC_URL)."""
    path = running_file(home)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def current_task(log: str) -> str:
    """What Ansible is at, by its log."""
    tasks = [line for line in log.splitlines() if line.startswith("TASK [")]
    return tasks[-1].removeprefix("TASK [").partition("]")[0] if tasks else ""


def mark(root: Path, emulator: Emulator, wishes: Mapping[str, str]) -> str:
    """A hash of everything that decides what the playbook makes."""
    versions = [sys.version, version("ministack"), version("ansible-core")]
    said = [str(emulator), sorted(wishes.items()), WORKERS, *versions]
    digest = hashlib.sha256(json.dumps(said).encode())
    files = [path for source in SOURCES for path in (root / source, *(root / source).rglob("*"))]
    for path in sorted([*files, *(emulator.home / "dist").glob("*.zip")]):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"\0{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def take_mark(home: Path) -> str | None:
    """The mark that the last orderly stop has left; whatever comes between, it does not hold any more."""
    try:
        return (home / "applied").read_text()
    except OSError:
        return None
    finally:
        (home / "applied").unlink(missing_ok=True)


def leave_mark(home: Path, mark: str) -> None:
    """The emulator has written down its state, and that is what it was made of."""
    (home / "applied").write_text(mark)


def reset(home: Path) -> None:
    """Remove photos, captions and the emulator's state; downloads and zips stay."""
    for name in DATA:
        if (home / name).is_dir():
            shutil.rmtree(home / name)
        else:
            (home / name).unlink(missing_ok=True)
