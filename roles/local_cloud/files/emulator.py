"""The AWS emulator: one ministack process, with its port, its root keys and its data in one folder.

ministack is configured by environment variables: AUTH enforces identities and policies, the state
directories persist the resources, and the process listens on loopback only.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import shutil
import socket
import sys
import threading
import time
import urllib.request
from dataclasses import asdict, dataclass, replace
from http.client import HTTPException
from pathlib import Path

HOST = "127.0.0.1"
REGION = "us-east-1"
HEALTH = "/_ministack/health"  # path of the health check
BUCKET_PREFIX = "caption-gallery-"  # of every bucket that browsers may send signed requests for
OLD_PREFIX = "old-"
# Below the ports that systems use for outgoing connections, so that the remembered port stays free.
PORTS = range(20_000, 30_000)
# Variables that child processes inherit from the user's environment; none of AWS's or Ansible's settings.
INHERITED = (
    *("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TERM", "TZ", "USER"),
    *("HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "http_proxy", "https_proxy"),
)


@dataclass(frozen=True, slots=True)
class Emulator:
    """One emulator: its data folder, its port and its root access key."""

    home: Path
    port: int
    access_key: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        """Return the endpoint URL. It has an IP address, so that S3 clients put the bucket into the path."""
        return f"http://{HOST}:{self.port}"

    @property
    def command(self) -> list[str]:
        """Return the command that starts the emulator behind the filter of filtered_emulator.py."""
        program = Path(__file__).with_name("filtered_emulator.py")
        return [sys.executable, "-P", str(program), BUCKET_PREFIX, HEALTH]

    def root(self) -> dict[str, str]:
        """Return the environment of an AWS client with the root access key."""
        return {
            **base_environment(),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def environ(self) -> dict[str, str]:
        """Return the environment of the emulator process. Its functions inherit it, without the keys."""
        return {
            **self.root(),
            "AUTH": "true",
            "BIND_HOST": HOST,
            "MINISTACK_HOST": HOST,
            "GATEWAY_PORT": str(self.port),
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._state),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self.home / "objects"),
            "TMPDIR": str(self.scratch),
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_WARM_TTL_SECONDS": "3600",
            "LOG_LEVEL": "WARNING",
            # Not used, and each takes a second at every start.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # With a Docker socket, ministack would remove its own containers there.
            "DOCKER_HOST": f"unix://{self.home / 'no-docker'}",
        }

    @property
    def scratch(self) -> Path:
        """Return the folder of the functions' unpacked code, which is not used after a stop."""
        return self.home / "tmp"

    @property
    def _state(self) -> Path:
        return self.home / "state"

    def prepare(self) -> Emulator:
        """Create the folders and return the emulator with a port that this process has reserved.

        Queue URLs contain the port, so a new port deletes the queues' state.
        """
        emulator = self if reserve(self.port) else replace(self, port=free_port())
        if emulator != self:
            (self._state / "sqs.json").unlink(missing_ok=True)
            emulator._save()
        self._clear_scratch()
        self._delete_log_streams()
        for folder in (self._state, self.home / "objects", self.scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return emulator

    def _clear_scratch(self) -> None:
        """Rename the last run's folder and delete it in a thread: that takes seconds on a slow disk."""
        if self.scratch.exists():
            self.scratch.rename(self.home / f"{OLD_PREFIX}{time.time_ns()}")
        for old in self.home.glob(f"{OLD_PREFIX}*"):
            threading.Thread(target=shutil.rmtree, args=(old, True), daemon=True).start()

    def _delete_log_streams(self) -> None:
        """Delete the functions' log streams of earlier runs, which the emulator never expires."""
        path = self._state / "cloudwatch_logs.json"
        try:
            state = json.loads(path.read_text())
            for group in state["payload"]["log_groups"]["data"].values():
                group["streams"] = {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        path.write_text(json.dumps(state))

    def healthy(self) -> bool:
        """Return whether the health check succeeds."""
        return answers(self.endpoint + HEALTH)

    def _save(self) -> None:
        path = self.home / "emulator.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({**asdict(self), "home": None}))


def emulator_at(home: Path) -> Emulator:
    """Return the emulator whose data is in ``home``; with new keys and a free port if there is none."""
    try:
        known = json.loads((home / "emulator.json").read_text())
        return Emulator(home, int(known["port"]), str(known["access_key"]), str(known["secret_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        key = f"LOCALROOT{secrets.token_hex(6).upper()}"
        emulator = Emulator(home, free_port(), key, secrets.token_urlsafe(30))
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        emulator._save()
        return emulator


def base_environment() -> dict[str, str]:
    """Return the environment of every child process: INHERITED, no proxy for loopback, no AWS profiles."""
    environ = {name: value for name, value in os.environ.items() if name in INHERITED}
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    local = f"{HOST},localhost" + (f",{others}" if others else "")
    return environ | {
        "NO_PROXY": local,
        "no_proxy": local,
        # Never use the profiles and roles of the user's AWS accounts.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }


def read_settings(path: Path) -> dict[str, str]:
    """Return the NAME=value lines of a file as a mapping."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def answers(url: str) -> bool:
    """Return whether a GET of this URL returns 200. No proxy is used."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def listening_error(port: int, host: str = HOST) -> OSError | None:
    """Return the error of listening on that port of an address; None if the port is free."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except OSError as error:
        return error
    return None


def is_free(port: int) -> bool:
    """Return whether a server can listen on that port of loopback now."""
    return listening_error(port) is None


def reserve(port: int) -> bool:
    """Reserve a port of loopback for a server that this process will start; return False if it is not free.

    The reservation ends with the process. Another process of this project cannot reserve the port meanwhile, so
    that two processes never start servers on the same one.
    """
    with _reserving:
        return is_free(port) and (port in _reserved or _hold(port))


def free_port() -> int:
    """Return a random free port of PORTS, reserved for this process, and not returned twice in it.

    It is from SystemRandom, because test workers with the same seed would draw the same ports.
    """
    ports = random.SystemRandom().sample(PORTS, len(PORTS))
    with _reserving:
        return next(port for port in ports if port not in _reserved and is_free(port) and _hold(port))


def _hold(port: int) -> bool:
    """Bind a UDP socket to the same number, which the kernel gives to one process until that has ended."""
    holder = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        holder.bind((HOST, port))
    except OSError:
        holder.close()
        return False
    _reserved[port] = holder
    return True


_reserving = threading.Lock()
_reserved: dict[int, socket.socket] = {}
os.register_at_fork(after_in_child=_reserved.clear)  # a fork may outlive this process
