"""The rolling drill: ``python -m tests.drills.rolling``.

Three web processes behind HAProxy, a hundred connections of load. The fleet is rolled host by host from release
to release while nothing may fail; then a release comes that answers 500, and the alarm takes it back. Prints
figures; ends non-zero where a claim does not hold.

Requests go round in turn. A load balancer that prefers the host with the fewest open requests (--balance
leastconn) sends a host that fails at once more than its share, as it is always the least busy one.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from roles.local_cloud.files.emulator import free_port
from tests.drills.haproxy import haproxy
from tests.drills.rolling_back import take_back
from tests.drills.rolling_hosts import HOSTS, Fleet, alarm, drain_delay, fleet, health_check
from tests.drills.rolling_load import Load, Tally

# Of 20 requests: most are cheap, an answer from memory; two read the database, one for the gallery's page.
MIX = {"/": 1, "/api/v1/images?limit=1": 1, "/upload": 3, "/api/v1/openapi.yaml": 15}
SCALE = 10.0  # the group's ten seconds are one here


@dataclass(frozen=True)
class Rolled:
    """A fleet that was rolled under load. strays: answers of a release that should have been gone."""

    restarts: int
    seconds: float
    tally: Tally
    strays: set[str]
    unclean: list[int]

    @property
    def faults(self) -> list[str]:
        """What contradicts the claim; nothing where it holds."""
        failures = [f"{count} × {name}" for name, count in self.tally.failures.items()]
        strays = [f"{release} still answered after it was replaced" for release in sorted(self.strays)]
        return failures + strays + [f"a process ended with {status}" for status in self.unclean]

    def __str__(self) -> str:
        times = sorted(self.tally.times)
        tenths = statistics.quantiles(times, n=1000) if len(times) > 1 else [0.0] * 999
        return (
            f"{self.restarts} restarts, {self.tally.asked} requests, {self.tally.failures.total()} failed, "
            f"{self.tally.asked / self.seconds:.0f} requests/s over {self.seconds:.0f} s; p50 "
            f"{1000 * tenths[499]:.0f} ms, p99 {1000 * tenths[989]:.0f} ms, p99.9 {1000 * tenths[998]:.0f} ms"
        )


@contextmanager
def stage(scale: float, balance: str) -> Iterator[Fleet]:
    """Load balancer and fleet in a folder of their own."""
    check = health_check(scale)
    with tempfile.TemporaryDirectory(prefix="drill-") as name:
        folder = Path(name)
        ports = [free_port() for _ in range(HOSTS + 2)]
        with (
            haproxy(folder, ports[0], ports[1:], check, balance) as proxy,
            fleet(proxy, folder, drain_delay(check)) as hosts,
        ):
            yield hosts


def roll(hosts: Fleet, *, restarts: int, requests: int, rate: float, seconds: float = math.inf) -> Rolled:
    """Roll the fleet over and over, host by host, until both are reached or time is up."""
    strays: set[str] = set()
    done, began = 0, time.monotonic()
    with Load(hosts.proxy.port, MIX, rate=rate) as load:
        for number in range(restarts):
            if time.monotonic() > began + seconds:
                break
            done += 1
            release = f"r{1 + number // HOSTS}"
            hosts.replace_oldest(release)
            if number % HOSTS == HOSTS - 1:
                moment = time.monotonic() + 0.5  # the tally counts by the half second
                time.sleep(1.1)
                strays |= load.tally.releases_since(moment) - {release}
            if number % 10 == 9:
                said = f"{load.tally.asked} requests, {load.tally.failures.total()} failed"
                print(f"  {number + 1} restarts, {said}", flush=True)
        while load.tally.asked < requests and time.monotonic() < began + seconds:
            time.sleep(0.1)
    return Rolled(done, time.monotonic() - began, load.tally, strays, hosts.unclean)


def main(arguments: list[str] | None = None) -> int:
    """0 where every claim holds, 1 where one does not."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # nothing that was started is left behind
    check, rule = health_check(options.scale), alarm(options.scale)
    times = f"checks each {check.interval:g} s, in after {check.rise}, out after {check.fall}"
    print(
        f"1/{options.scale:g} of the group's times: {times}; {drain_delay(check):g} s of service after SIGTERM"
    )
    print(f"load of this machine before: {os.getloadavg()[0]:.1f}")
    print(f"{HOSTS} hosts, {options.balance}; 100 connections, {options.rate:g} requests/s, {MIX}", flush=True)
    with stage(options.scale, options.balance) as hosts:
        rolled = roll(
            hosts,
            restarts=options.restarts,
            requests=options.requests,
            rate=options.rate,
            seconds=60 * options.minutes,
        )
        print(f"rolled: {rolled}", flush=True)
        taken = take_back(hosts, rule, MIX, rate=options.rate, scale=options.scale)
        print(f"taken back: {taken}", flush=True)
        complaints = hosts.proxy.complaints()
    print(f"load of this machine after: {os.getloadavg()[0]:.1f}")
    faults = rolled.faults + taken.faults
    if rolled.restarts < options.restarts or rolled.tally.asked < options.requests:
        faults.append(f"the time was too short for {options.restarts} restarts and {options.requests} requests")
    for fault in faults:
        print(f"FAULT: {fault}", file=sys.stderr)
    if faults:
        print("\n".join(rolled.tally.first + complaints[-200:]), file=sys.stderr)
    return 1 if faults else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Roll the web hosts under load; take a bad release back.")
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--requests", type=int, default=500_000)
    parser.add_argument("--rate", type=float, default=650.0, help="requests a second, over 100 connections")
    parser.add_argument("--minutes", type=float, default=60.0, help="for the first part, at most")
    parser.add_argument("--scale", type=float, default=SCALE, help="what the group's times are divided by")
    parser.add_argument("--balance", default="roundrobin", choices=("roundrobin", "leastconn"))
    return parser


if __name__ == "__main__":
    sys.exit(main())
