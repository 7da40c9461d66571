"""The gallery in real processes: MariaDB behind a TCP proxy, web, workers, and the emulator on a small disk.

Each part may be killed and started again while the others run. The database has a clock of its own
(libfaketime). Needs root, to mount the small disk.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from imgcore import bootstrap, bootstrap_accounts
from imgcore.accounts.models import Scope
from imgcore.config import Config
from imgcore.db import migrations
from roles.local_cloud.files.emulator import answers, free_port
from tests.cloud import ROOT, Cloud, cloud
from tests.contract.proxy import Proxy, proxy
from tests.mariadb import MariaDb, mariadb
from tests.support import guarded

LEASE = 4.0  # seconds
SLOW = (
    1 / 30,
    LEASE + 2,
)  # share of slow descriptions, and their seconds: the lease of the task ends meanwhile
DISK_BYTES = 256 * 2**20
START_SECONDS = 240.0  # a loaded machine starts everything again after many faults
WORKERS = ("thumbnail", "caption", "caption", "sweep")
_FAKETIME = "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1"  # the folder of Debian's package libfaketime
_TIMES = {
    "THUMBNAIL_LEASE_SECONDS": f"{LEASE}",
    "CAPTION_LEASE_SECONDS": f"{LEASE}",
    "LOST_AFTER_SECONDS": "5",
    "MAX_ATTEMPTS": "1000",
    "CAPTIONER": "local",
}


@dataclass
class Clock:
    """The clock of the database: the machine's and an offset in seconds, which it reads each second."""

    path: Path
    offset: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """The variables of a process that has this clock."""
        library = _FAKETIME.format(os.uname().machine)
        if not Path(library).exists():
            raise RuntimeError("libfaketime is not installed: apt-get install libfaketime")
        return {
            "LD_PRELOAD": library,
            "FAKETIME_TIMESTAMP_FILE": str(self.path),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, seconds: int) -> None:
        """Move the clock."""
        self.offset += seconds
        self.path.write_text(f"{self.offset:+d}\n")
        self.path.chmod(0o644)  # the server runs as another user


@dataclass
class Gallery:
    """The running parts. keys: an API key of each account. bug: the seeded one, or none."""

    aws: Cloud
    database: MariaDb
    wire: Proxy
    clock: Clock
    url: str  # of the database, without the proxy
    bug: str = ""
    port: int = field(default_factory=free_port)
    keys: list[str] = field(default_factory=list)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the web process."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def results(self) -> Path:
        """The file with a line for each stored result of a task."""
        return self.aws.home / "results"

    def stored(self, task: str | None) -> int:
        """How many results of a task are stored: of the image's id and the task's kind."""
        return self.results.read_text().splitlines().count(task) if task else 0

    @property
    def disk(self) -> Path:
        """The folder of the small disk, which holds the objects."""
        return self.aws.home / "objects"

    @property
    def config(self) -> Config:
        """The settings of a process that is not disturbed by the proxy."""
        return Config.read(self.settings() | {"DATABASE_URL": self.url})

    def settings(self) -> dict[str, str]:
        """The settings of web and workers, with the emulator's root credentials."""
        through = self.url.replace(f":{self.database.port}/", f":{self.wire.port}/")
        web = {"ACCOUNTS": "on", "PORT": str(self.port), "WEB_PROCESSES": "2", "API_RATE": "1000000"}
        settings = self.aws.settings("web") | self.aws.root | _TIMES | web
        return settings | {"DATABASE_URL": through, "PYTHONPATH": str(ROOT)}

    def start(self, name: str) -> None:
        """Start "emulator", "web" or "worker N"; return when the first two answer."""
        if name == "emulator":
            emulator = self.aws.emulator.prepare()
            self._start(name, emulator.command, emulator.environ())
            self._wait(emulator.healthy, name)
        elif name == "web":
            self._start(name, self._python("web"), self.settings())
            self._wait(lambda: answers(f"{self.address}/healthz"), name)
        else:
            kind = WORKERS[int(name.split()[1])]
            files = map(str, (self.results, self.stop_request(name)))
            command = self._python("tests.pipeline.queue_worker", kind, *files, *map(str, SLOW))
            self._start(name, command, self.settings())

    def kill(self, name: str) -> None:
        """End a part, with the processes that it started, by SIGKILL."""
        process = self.running.pop(name)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        guarded.ended(process)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a part."""
        self.running[name].send_signal(number)

    def stop_request(self, name: str) -> Path:
        """The file that lets a worker stop before it stores its next result."""
        return self.aws.home / f"stop {name}"

    def log(self, name: str) -> Path:
        """The file with the output of all processes of a part."""
        return self.aws.home / f"{name}.log"

    def _python(self, module: str, *arguments: str) -> list[str]:
        bug = ["tests.pipeline.seeded_bugs", self.bug] if self.bug else []
        return [sys.executable, "-m", *bug, module, *arguments]

    def _start(self, name: str, command: list[str], environ: Mapping[str, str]) -> None:
        with self.log(name).open("ab") as log:
            self.running[name] = guarded.start(command, cwd=ROOT, env=dict(environ), stdout=log, stderr=log)

    def _wait(self, ready: Callable[[], bool], name: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if time.monotonic() > deadline or self.running[name].poll() is not None:
                raise RuntimeError(f"The {name} does not start: {self.log(name).read_text()[-2000:]}")
            time.sleep(0.05)


@contextmanager
def running(home: Path, accounts: int, bug: str = "") -> Iterator[Gallery]:
    """Start everything with so many accounts; end it afterwards."""
    with ExitStack() as stack:
        stack.enter_context(_small_disk(home / "objects"))
        clock = Clock(home.parent / f"{home.name}.clock")
        clock.jump(0)
        with cloud(home) as aws:  # ends before the kills begin: the emulator saves its state when it is stopped
            aws.apply(
                functions=False,
                functions_thumbnail_timeout=2,
                functions_caption_timeout=2,
                events_thumbnail_visibility=15,
                events_caption_visibility=15,
                events_max_receives=1000,
            )
        server = stack.enter_context(mariadb(clock.environ))
        url = stack.enter_context(server.database())
        wire = stack.enter_context(proxy(server.port))
        gallery = Gallery(aws, server, wire, clock, url, bug)
        migrations.migrate(bootstrap.database(gallery.config))
        service = bootstrap_accounts.account_service(gallery.config)
        for number in range(accounts):
            account = service.add(f"person{number}", f"a password of person {number}")
            scopes = (Scope.READ, Scope.UPLOAD, Scope.EDIT)
            gallery.keys.append(service.create_key(account, "history", scopes))
        try:
            for name in ("emulator", "web", *(f"worker {number}" for number in range(len(WORKERS)))):
                gallery.start(name)
            yield gallery
        finally:
            for name in list(gallery.running):
                gallery.kill(name)


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True)
    size = ["-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs"]
    subprocess.run(["mount", *size, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
