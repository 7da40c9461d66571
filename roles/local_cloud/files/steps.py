"""The commands of `make run`, their environments, and the fingerprint of the playbook's inputs."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import secrets
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from emulator import HOST, Emulator, base_environment, read_settings

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
    "secret.key",
    "state",
    "tmp",
    "web.env",
)
PROXY_EXCEPTIONS = ("NO_PROXY", "no_proxy")  # without them, clients would use an HTTP proxy for the emulator
GEMINI_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
API_KEYS = (*GEMINI_KEYS, "OPENAI_API_KEY")  # the web process gets none
# Concurrent workers of each function; more workers than processors slow down each other
WORKERS = min(4, max(2, os.cpu_count() or 2))
ACCOUNT_SETTINGS = (
    "ACCOUNTS",
    "API_RATE",
    "GALLERY_VISIBILITY",
    "QUOTA_BYTES",
    "QUOTA_IMAGES",
    "QUOTA_UPLOADS",
)
WEB_SETTINGS = (*ACCOUNT_SETTINGS, "GALLERY_HOSTS", "HOST", "LOST_AFTER_SECONDS", "UPLOAD_TTL_SECONDS")


def python(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def build(home: Path) -> list[str]:
    """Return the command that builds both function zips; it does nothing if they are up to date."""
    return python("lambda_build.build", "--profile", "local", "--out", str(home / "dist"))


def next_zip(log: str) -> str:
    """Return the function whose zip is being built; the build logs a line for each finished zip."""
    return "caption" if "thumbnail.zip" in log else "thumbnail"


def playbook(home: Path) -> list[str]:
    """Return the command that runs the playbook with Mitogen, in the environment of ``ansible_environ``."""
    variables = {
        # Mitogen splits it as a shell does; Ansible alone takes the path as it is.
        "ansible_python_interpreter": shlex.quote(sys.executable),
        "local_cloud_home": str(home),
        "functions_runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "functions_thumbnail_concurrency": WORKERS,
        "functions_caption_concurrency": WORKERS,
        "functions_architecture": "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    return [program, "-i", "inventory/local", "playbooks/local.yml", "-e", json.dumps(variables)]


def ansible_environ(root: Path, emulator: Emulator, image_settings: Mapping[str, str]) -> dict[str, str]:
    """Return Ansible's environment, with the root access key; the playbook creates its own IAM user first.

    Mitogen runs all modules in one interpreter. Ansible alone starts one for each, which imports boto3 anew.
    """
    mac = sys.platform == "darwin"
    strategies = importlib.util.find_spec("ansible_mitogen.plugins.strategy")
    assert strategies is not None
    assert strategies.submodule_search_locations is not None
    return {
        **emulator.root(),
        **image_settings,
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
        "ANSIBLE_HOME": str(emulator.home / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_STRATEGY": "mitogen_linear",
        "ANSIBLE_STRATEGY_PLUGINS": strategies.submodule_search_locations[0],
        "LC_ALL": "en_US.UTF-8" if mac else "C.UTF-8",  # Ansible requires UTF-8
        **({"OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES"} if mac else {}),  # Ansible forks
    }


def web_environ(home: Path, image_settings: Mapping[str, str], port: int) -> dict[str, str]:
    """Return the environment of the web process. CAPTIONER=gemini replaces a Gemini key."""
    own = {name: value for name, value in image_settings.items() if name not in API_KEYS}
    if not image_settings.keys().isdisjoint(GEMINI_KEYS) and own.get("CAPTIONER", "auto") == "auto":
        own["CAPTIONER"] = "gemini"
    given = {name: os.environ[name] for name in WEB_SETTINGS if os.environ.get(name)}
    return {
        **base_environment(),
        "HOST": HOST,
        **given,
        **read_settings(home / "web.env"),
        **own,
        "PORT": str(port),
        "SECRET_KEY": secret_key(home),
    }


def secret_key(home: Path) -> str:
    """Return the key that encrypts secrets in the database; create it at the first start."""
    path = home / "secret.key"
    if not path.exists() or not path.read_text():
        part = path.with_suffix(".part")
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        part.write_text(secrets.token_urlsafe(32))
        part.replace(path)  # whole or not at all: without a key, secrets would be stored unencrypted
    return path.read_text()


def running_settings(
    home: Path, emulator: Emulator, image_settings: Mapping[str, str], address: str
) -> dict[str, str]:
    """Return the settings for imgcore commands: the gallery's, with the emulator's root access key.

    The gallery's own IAM user may not delete images from the buckets, which a sweep does.
    """
    root_settings = {
        name: value
        for name, value in emulator.root().items()
        if name.startswith("AWS_") or name in PROXY_EXCEPTIONS
    }
    web = web_environ(home, image_settings, 0)
    shared = {name: value for name, value in web.items() if name not in {*base_environment(), "HOST", "PORT"}}
    return {**shared, **root_settings, "PUBLIC_URL": address}


def running_file(home: Path) -> Path:
    """Return the path of the running gallery's settings, which imgcore and a second `make run` read."""
    return home / "running.env"


def write_running(home: Path, settings: Mapping[str, str]) -> None:
    """Write the settings of the running gallery; before it is ready, PUBLIC_URL alone."""
    path = running_file(home)
    path.touch(mode=0o600)
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))


def current_task(log: str) -> str:
    """Return the name of Ansible's current task, from its log."""
    tasks = [line for line in log.splitlines() if line.startswith("TASK [")]
    return tasks[-1].removeprefix("TASK [").partition("]")[0] if tasks else ""


def fingerprint(root: Path, emulator: Emulator, image_settings: Mapping[str, str]) -> str:
    """Return a hash of everything that the playbook's result depends on."""
    versions = [sys.version, version("ministack"), version("ansible-core"), version("mitogen")]
    inputs = [str(emulator), sorted(image_settings.items()), WORKERS, *versions]
    digest = hashlib.sha256(json.dumps(inputs).encode())
    files = [path for source in SOURCES for path in (root / source, *(root / source).rglob("*"))]
    for path in sorted([*files, *(emulator.home / "dist").glob("*.zip")]):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(f"\0{path}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def pop_fingerprint(home: Path) -> str | None:
    """Return the fingerprint that the last clean stop saved, and delete it; None if there is none."""
    try:
        return (home / "applied").read_text()
    except OSError:
        return None
    finally:
        (home / "applied").unlink(missing_ok=True)


def save_fingerprint(home: Path, fingerprint: str) -> None:
    """Save the fingerprint of the state that the emulator has written at its clean stop."""
    (home / "applied").write_text(fingerprint)


def reset(home: Path) -> None:
    """Delete images, captions and the emulator's state; keep downloads, zips and logs."""
    for name in DATA:
        if (home / name).is_dir():
            shutil.rmtree(home / name)
        else:
            (home / name).unlink(missing_ok=True)
