"""200 connections flood each route that needs no account, in turn: does the gallery go on answering?

Serves the gallery with accounts as it is deployed (``python -m web``, one process for each processor) on a free
port of loopback. For each route, 200 connections send requests without a pause, each from an address of its
own, while /healthz and sign-ins of a known browser are timed. Prints a table; its first row is without a flood.
The columns "server" and "flood" are the processors that each of them used: where both together use all that the
machine has, the times are also those of waiting for a processor.
Ends non-zero where the 99th percentile of /healthz exceeds 100 ms, a sign-in takes a second or more, or an
answer is a 5xx one other than 503.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import multiprocessing
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from imgcore import bootstrap, bootstrap_accounts
from imgcore.config import Config
from imgcore.db import migrations
from tests.web.peopling import PASSWORD, empty_site
from web.http.auth import requirement_of

CONNECTIONS = 200
HEALTH_SECONDS, SIGN_IN_SECONDS = 0.1, 1.0
TOKEN = "0" * 32  # of forms, in the cookie and in the field
FORM = {"name": "ada", "password": "not the password", "code": "000000", "setup_token": "x", "credential": "{}"}


@dataclass
class Result:
    """What was measured during one flood."""

    health: list[float] = field(default_factory=list)
    sign_ins: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    flood_cpu: float = 0.0  # seconds of processors
    server_cpu: float = 0.0

    @property
    def p99(self) -> float:
        """The 99th percentile of the times of /healthz in seconds."""
        return statistics.quantiles(self.health, n=100)[98]

    @property
    def passed(self) -> bool:
        """Whether every promise was kept."""
        broken = [status for status in self.statuses if status >= 500 and status != 503]
        return self.p99 < HEALTH_SECONDS and max(self.sign_ins) < SIGN_IN_SECONDS and not broken


def open_routes() -> list[tuple[str, str]]:
    """(method, path) of every route that requires no account."""
    with tempfile.TemporaryDirectory() as folder:
        site = empty_site(Path(folder))
        routes = [
            (
                route.method,
                re.sub("<.*?>", "0" * 32, route.rule).replace("static/" + "0" * 32, "static/icon.svg"),
            )
            for route in site.app().routes
            if not (needs := requirement_of(route)).account and not needs.browser and needs.scope is None
        ]
        site.database.close()
    return routes


def request_of(method: str, path: str, address: str) -> bytes:
    """Return one request of the flood, as bytes."""
    body = urlencode({"token": TOKEN, **FORM}) if method == "POST" else ""
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"X-Forwarded-For: {address}",
        f"Cookie: gallery_form={TOKEN}; gallery_sign_in={'A' * 43}; gallery_challenge={'A' * 43}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join((*lines, "", body)).encode()


Found = tuple[Counter[int], float]  # of a flood: how often each status was answered, seconds of processors


def flood(port: int, method: str, path: str, end: float, results: multiprocessing.Queue[Found]) -> None:
    """Send requests on all connections until ``end``, Unix time; put what was found."""
    os.nice(5)  # the flood comes from elsewhere: it must not take the server's processors
    counted: Counter[int] = Counter()

    async def connection(number: int) -> None:
        sent = request_of(method, path, f"198.18.{number // 250}.{number % 250}")
        while time.time() < end:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                while time.time() < end:
                    writer.write(sent)
                    head = await reader.readuntil(b"\r\n\r\n")
                    counted[int(head[9:12])] += 1
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    await reader.readexactly(int(length[1]) if length else 0)
                writer.close()
            except (OSError, asyncio.IncompleteReadError):
                counted[0] += 1

    async def all_connections() -> None:
        await asyncio.wait(
            [asyncio.create_task(connection(n)) for n in range(CONNECTIONS)], timeout=end + 10 - time.time()
        )

    asyncio.run(all_connections())
    results.put((counted, time.process_time()))


class Visitor:
    """A browser that has signed in before."""

    def __init__(self, port: int) -> None:
        self.port, self.device = port, ""
        self.sign_in()

    def sign_in(self) -> float:
        """Sign in on a new connection; return the seconds that it took."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        body = urlencode({"token": TOKEN, "name": "visitor", "password": PASSWORD})
        headers = {
            "Host": "localhost",
            "X-Forwarded-For": "192.0.2.1",
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"gallery_form={TOKEN}{self.device}",
        }
        connection.request("POST", "/login", body, headers)
        answer = connection.getresponse()
        answer.read()
        took = time.perf_counter() - began
        cookies = "".join(value for name, value in answer.getheaders() if name == "Set-Cookie")
        found = re.search(r"gallery_device=([A-Za-z0-9_-]{43})", cookies)
        if answer.status != 303 or found is None:
            raise RuntimeError(f"The sign-in was answered with {answer.status}.")
        self.device = f"; gallery_device={found[1]}"
        connection.close()
        return took

    def health(self) -> float:
        """Request /healthz on a new connection; return the seconds that it took."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
        return time.perf_counter() - began


def cpu_of(server: int) -> float:
    """Return the seconds of processors that the server and its processes have used."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    used = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in (server, *children)]
    return sum(int(fields[11]) + int(fields[12]) for fields in used) / os.sysconf("SC_CLK_TCK")


def measure(server: int, visitor: Visitor, method: str, path: str, seconds: float) -> Result:
    """Flood a route, or nothing where it is empty, and time /healthz and sign-ins meanwhile."""
    found = Result()
    results: multiprocessing.Queue[Found] = multiprocessing.Queue()
    begin, end = cpu_of(server), time.time() + seconds
    process = multiprocessing.Process(target=flood, args=(visitor.port, method, path, end, results))
    if path:
        process.start()
    while time.time() < end - seconds * 0.9:
        time.sleep(0.01)  # until the connections are open
    while time.time() < end:
        found.health += [visitor.health() for _ in range(5)]
        found.sign_ins.append(visitor.sign_in())
    if path:
        found.statuses, found.flood_cpu = results.get(timeout=60)
        process.join(60)
    found.server_cpu = cpu_of(server) - begin
    return found


def main() -> int:
    """0 where every promise was kept during each flood."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each flood")
    parser.add_argument("--route", help="only this path")
    parsed = parser.parse_args()
    routes = [route for route in open_routes() if parsed.route in (None, route[1])]
    # A store that accepts connections and never answers: /readyz waits longer for it than for one that is away
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as store:
        settings = {
            "DATABASE_URL": f"sqlite:///{folder}/gallery.db",
            "ACCOUNTS": "on",
            "PORT": "0",
            "TRUSTED_PROXY": "127.0.0.1",
            "UPLOADS_BUCKET": "made-up-uploads",
            "DERIVED_BUCKET": "made-up-derived",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{store.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }
        config = Config.read(settings)
        migrations.migrate(bootstrap.database(config))
        accounts = bootstrap_accounts.account_service(config)
        for name in ("ada", "visitor"):
            accounts.add(name, PASSWORD)
        environ = {**os.environ, **settings}
        with subprocess.Popen(
            [sys.executable, "-m", "web"],
            env=environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:
            try:
                return report(server, routes, parsed.seconds)
            finally:
                server.terminate()


def report(server: subprocess.Popen[str], routes: list[tuple[str, str]], seconds: float) -> int:
    """Print a row for each route; return 0 where all passed."""
    assert server.stdout is not None
    found = re.search(r":(\d+)/", server.stdout.readline())
    assert found is not None
    visitor, failed = Visitor(int(found[1])), 0
    heads = f"{'a second':>8} {'healthz p99':>11} {'sign-in':>8} {'server':>6} {'flood':>5}"
    print(f"{'route':44} {heads}  statuses")
    for method, path in (("no", ""), *routes):
        result = measure(server.pid, visitor, method, path, seconds)
        failed += not result.passed
        statuses = ", ".join(f"{status}: {number}" for status, number in sorted(result.statuses.items()))
        rate = result.statuses.total() / seconds
        print(
            f"{method + ' ' + path[:38]:44} {rate:8.0f} {result.p99 * 1000:8.0f} ms"
            f" {max(result.sign_ins):6.2f} s"
            f" {result.server_cpu / seconds:6.2f} {result.flood_cpu / seconds:5.2f}"
            f"  {statuses}{'' if result.passed else '  FAILED'}",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
