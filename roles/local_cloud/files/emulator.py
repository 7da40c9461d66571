"""This machine's own AWS: one process of ministack, with its port, its root keys and its data in one folder.

ministack is configured through its environment: AUTH enforces identities and policies, the state
directories keep what was made, and nothing of it is reached from another machine.
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
HEALTH = "/_ministack/health"
BUCKET_PREFIX = "caption-gallery-"  # of every bucket that browsers may send signed requests for
OLD = "old-"
# Below what systems hand out for outgoing connections, so that the remembered port stays free.
PORTS = range(20_000, 30_000)
# What a process needs of a person's environment; all of AWS's and Ansible's own settings stay out.
KEPT = (
    *("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TERM", "TZ", "USER"),
    *("HTTPS_PROXY", "HTTP_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE", "http_proxy", "https_proxy"),
)


@dataclass(frozen=True, slots=True)
class Emulator:
    """One emulator: where it keeps its data, where it listens, and who may do everything on it."""

    home: Path
    port: int
    access_key: str
    secret_key: str

    @property
    def endpoint(self) -> str:
        """The endpoint URL. It has an address, not a name, so that S3 clients put the bucket into the path."""
        return f"http://{HOST}:{self.port}"

    @property
    def command(self) -> list[str]:
        """How it is started: behind the filter that keeps web pages and other users out."""
        return [sys.executable, "-P", str(Path(__file__).with_name("filtered_emulator.py")), BUCKET_PREFIX]

    def root(self) -> dict[str, str]:
        """Return the environment of the root identity."""
        return {
            **ambient(),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def environ(self) -> dict[str, str]:
        """The environment of the emulator itself; the functions that it runs inherit it, less the keys."""
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
            # Neither of these is used, and each costs a second at every start.
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",
            # It would remove containers of its own from a Docker that it finds.
            "DOCKER_HOST": f"unix://{self.home / 'no-docker'}",
        }

    @property
    def scratch(self) -> Path:
        """The folder of the functions' unpacked code; useless after a stop."""
        return self.home / "tmp"

    @property
    def _state(self) -> Path:
        return self.home / "state"

    def prepare(self) -> Emulator:
        """Make its folders and find it a free port. Addresses of queues hold it: a new one empties them."""
        emulator = self if is_free(self.port) else replace(self, port=free_port())
        if emulator != self:
            (self._state / "sqs.json").unlink(missing_ok=True)
            emulator._save()
        self._clear_scratch()
        self._forget_logs()
        for folder in (self._state, self.home / "objects", self.scratch):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return emulator

    def _clear_scratch(self) -> None:
        """Put the last run's code out of the way; removing it takes seconds on a slow disk."""
        if self.scratch.exists():
            self.scratch.rename(self.home / f"{OLD}{time.time_ns()}")
        for old in self.home.glob(f"{OLD}*"):
            threading.Thread(target=shutil.rmtree, args=(old, True), daemon=True).start()

    def _forget_logs(self) -> None:
        """Drop the functions' log lines of former runs; the emulator would keep them for ever."""
        path = self._state / "cloudwatch_logs.json"
        try:
            state = json.loads(path.read_text())
            for group in state["payload"]["log_groups"]["data"].values():
                group["streams"] = {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        path.write_text(json.dumps(state))

    def healthy(self) -> bool:
        """Whether it answers."""
        return answers(self.endpoint + HEALTH)

    def _save(self) -> None:
        path = self.home / "emulator.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps({**asdict(self), "home": None}))


def emulator_at(home: Path) -> Emulator:
    """The emulator whose data is in ``home``; new keys and a free port where there is none yet."""
    try:
        known = json.loads((home / "emulator.json").read_text())
        return Emulator(home, int(known["port"]), str(known["access_key"]), str(known["secret_key"]))
    except (OSError, ValueError, KeyError, TypeError):
        key = f"LOCALROOT{secrets.token_hex(6).upper()}"
        emulator = Emulator(home, free_port(), key, secrets.token_urlsafe(30))
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        emulator._save()
        return emulator


def ambient() -> dict[str, str]:
    """What of a person's environment processes here may see."""
    environ = {name: value for name, value in os.environ.items() if name in KEPT}
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    local = f"{HOST},localhost" + (f",{others}" if others else "")
    return environ | {
        "NO_PROXY": local,
        "no_proxy": local,
        # Profiles and roles of a person's real accounts play no part here.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PYTHONUNBUFFERED": "1",
    }


def read_settings(path: Path) -> dict[str, str]:
    """NAME=value lines as a mapping."""
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def answers(url: str) -> bool:
    """Whether a server of ours says 200 there; without any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


def listening_error(port: int) -> OSError | None:
    """Return why no server can listen on that port of loopback now; None where one can."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except OSError as error:
            return error
    return None


def is_free(port: int) -> bool:
    """Return whether a server can listen on that port of loopback now."""
    return listening_error(port) is None


def free_port() -> int:
    """Return a random free one of PORTS, from the system's source of randomness: a seed would repeat it."""
    return next(port for port in random.SystemRandom().sample(PORTS, len(PORTS)) if is_free(port))
