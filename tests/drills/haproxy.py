"""HAProxy as the load balancer: one front, fixed places for hosts, and the target group's health check.

It is not informed of hosts that start or stop: it learns from /healthz, as the target group. It retries nothing
and sends every request once, so that the client sees each refusal and each broken connection of a host.
"""

from __future__ import annotations

import csv
import io
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support import guarded
from tests.support.programs import program

_CONFIGURATION = """
global
    maxconn 2000
    stats socket {socket} mode 600 level admin
    log stdout format raw local0
defaults
    mode http
    log global
    option httplog
    option dontlog-normal
    retries 0
    http-reuse always
    timeout connect 5s
    timeout client 75s
    timeout http-keep-alive 75s
    timeout server 75s
    timeout check {timeout}ms
frontend public
    bind 127.0.0.1:{port}
    default_backend web
backend web
    balance {balance}
    option httpchk
    http-check send meth GET uri {path} ver HTTP/1.1 hdr Host 127.0.0.1
    http-check expect status 200
    default-server check inter {interval}ms rise {rise} fall {fall}
"""


@dataclass(frozen=True)
class HealthCheck:
    """The target group's: seconds between two checks and for one answer, and how many decide."""

    interval: float
    timeout: float
    rise: int
    fall: int
    path: str = "/healthz"


class HaProxy:
    """A running one. ``ports``: where the hosts may be, one place each; ``port``: where all the world asks."""

    def __init__(self, folder: Path, port: int, ports: Sequence[int]) -> None:
        self.port = port
        self.ports = tuple(ports)
        self.socket = folder / "haproxy.sock"
        self._log = folder / "haproxy.log"

    def complaints(self) -> list[str]:
        """Return the log lines of failed requests, with their codes, and of hosts that start and stop."""
        return self._log.read_text(errors="replace").splitlines()

    def up(self) -> list[bool]:
        """Return for each place whether requests are sent there now."""
        rows = csv.DictReader(io.StringIO(self._ask("show stat -1 4 -1").lstrip("# ")))
        states = {row["svname"]: row["status"] for row in rows}
        return [states[f"host{number}"].startswith("UP") for number in range(len(self.ports))]

    def wait(self, wanted: Sequence[bool], seconds: float = 300.0) -> None:
        """Wait until the places are as wanted; raise TimeoutError otherwise."""
        end = time.monotonic() + seconds
        while (found := self.up()) != list(wanted):
            if time.monotonic() > end:
                raise TimeoutError(f"HAProxy says {found} and not {list(wanted)}")
            time.sleep(0.02)

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(10)
            link.connect(str(self.socket))
            link.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: link.recv(65536), b"")).decode()


@contextmanager
def haproxy(
    folder: Path, port: int, ports: Sequence[int], check: HealthCheck, balance: str = "leastconn"
) -> Iterator[HaProxy]:
    """Start one whose files are in ``folder``; it is gone afterwards. RuntimeError where it will not start."""
    proxy = HaProxy(folder, port, ports)
    values = {"interval": round(1000 * check.interval), "timeout": round(1000 * check.timeout)}
    text = _CONFIGURATION.format(
        socket=proxy.socket,
        port=port,
        balance=balance,
        path=check.path,
        rise=check.rise,
        fall=check.fall,
        **values,
    )
    text += "".join(f"    server host{number} 127.0.0.1:{at}\n" for number, at in enumerate(ports))
    configuration = folder / "haproxy.cfg"
    configuration.write_text(text)
    with (folder / "haproxy.log").open("wb") as log:
        command = [program("haproxy", package="haproxy"), "-db", "-f", configuration]
        process = guarded.start(command, stdout=log, stderr=log)
    try:
        _answers(proxy, process, folder / "haproxy.log")
        yield proxy
    finally:
        process.kill()
        process.wait()
        guarded.ended(process)


def _answers(proxy: HaProxy, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            proxy.up()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"HAProxy does not start: {log.read_text()}") from error
            time.sleep(0.02)
