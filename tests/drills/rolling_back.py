"""A release that answers 500, the alarm that notices, and the way back: what the group's refresh does.

A new host first; when the load balancer has found it healthy and it has warmed up, an old one goes. When the
alarm rings, nothing more is rolled out, hosts of the old release are launched where they are missing, and the
bad ones go.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field

from tests.drills.rolling_hosts import BROKEN, HOSTS, Alarm, Fleet
from tests.drills.rolling_load import SLICE, Load, Tally

WARM_UP = 120.0  # seconds that the group waits after each new host
LAG = 60.0  # seconds after which CloudWatch knows what a minute held
TOLERANCE = 0.03  # of all answers: shares are reckoned by the half second


@dataclass(frozen=True)
class TakenBack:
    """A release that was rolled back. fair: the bad hosts' part of all hosts, weighed by the answers."""

    asked: int
    errors: int
    fair: float
    worst: float
    bad_hosts: int
    rang: float
    gone: float
    other: dict[str, int]
    left: int

    @property
    def share(self) -> float:
        """What traffic saw of the bad release while it was there."""
        return self.errors / self.asked

    @property
    def faults(self) -> list[str]:
        """What contradicts the claim; nothing where it holds."""
        found = [f"{count} × {name}" for name, count in self.other.items()]
        if self.share > self.fair + TOLERANCE:
            found.append(f"the bad release had {self.share:.1%} of the requests; its share was {self.fair:.1%}")
        if self.left:
            found.append(f"{self.left} errors after it had gone")
        return found

    def __str__(self) -> str:
        return (
            f"{self.asked} requests while it was there, {self.share:.1%} answered with 500; its share of the "
            f"hosts was {self.fair:.1%}, {self.worst:.0%} at most; {self.bad_hosts} bad hosts; the alarm rang "
            f"after {self.rang:.1f} s, the last had gone after {self.gone:.1f} s; errors since: {self.left}"
        )


@dataclass
class Watch:
    """Looks at the load balancer and at the alarm's metric. bad: the places of bad hosts."""

    hosts: Fleet
    tally: Tally
    rule: Alarm
    lag: float
    bad: set[int] = field(default_factory=set)
    began: float = field(default_factory=time.monotonic)
    shares: dict[int, list[float]] = field(default_factory=dict)  # slice → the part of the hosts that was bad
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._thread = threading.Thread(target=self._look)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def rings(self) -> bool:
        """Whether the newest periods that are known, as many as the rule wants, held too many errors each."""
        ended = int((time.monotonic() - self.lag - self.began) / self.rule.seconds)
        edges = [self.began + n * self.rule.seconds for n in range(ended - self.rule.periods, ended + 1)]
        return ended >= self.rule.periods and all(
            self.tally.errors_between(*period) > self.rule.threshold for period in itertools.pairwise(edges)
        )

    def rings_within(self, seconds: float) -> bool:
        """Wait for the alarm so long at most."""
        end = time.monotonic() + seconds
        while not self.rings():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def fair(self) -> float:
        """The bad hosts' part of all answers, had every host that was in service got the same."""
        answers = {at: n for at, n in self.tally.answers_by_slice().items() if at in self.shares}
        owed = sum(n * sum(self.shares[at]) / len(self.shares[at]) for at, n in answers.items())
        return owed / sum(answers.values())

    def _look(self) -> None:
        while not self._stop.wait(0.02):
            up = self.hosts.proxy.up()
            bad = sum(up[place] for place in self.bad.copy())
            at = int((time.monotonic() - self.tally.started) / SLICE)
            self.shares.setdefault(at, []).append(bad / max(1, sum(up)))


def take_back(hosts: Fleet, rule: Alarm, mix: dict[str, int], *, rate: float, scale: float) -> TakenBack:
    """Roll out the release that answers 500, host by host, until the alarm rings; then roll back."""
    with Load(hosts.proxy.port, mix, rate=rate) as load:
        with Watch(hosts, load.tally, rule, LAG / scale) as watch:
            _roll_out(hosts, watch, WARM_UP / scale)
            rang, count = time.monotonic(), len(watch.bad)
            _roll_back(hosts, watch)
            gone = time.monotonic()
        time.sleep(1.5)
    errors = load.tally.errors_between(watch.began, gone)
    return TakenBack(
        asked=load.tally.answers_between(watch.began, gone),
        errors=errors,
        fair=watch.fair(),
        worst=max(share for shares in watch.shares.values() for share in shares),
        bad_hosts=count,
        rang=rang - watch.began,
        gone=gone - watch.began,
        other={name: n for name, n in load.tally.failures.items() if name != "status 500"},
        left=load.tally.errors_between(gone + SLICE, time.monotonic()),
    )


def _roll_out(hosts: Fleet, watch: Watch, warm_up: float) -> None:
    for _ in range(HOSTS):
        place = hosts.launch("broken", BROKEN)
        watch.bad.add(place)
        hosts.in_service(place)
        if watch.rings_within(warm_up):
            return
        hosts.terminate(next(at for at in hosts.oldest if at not in watch.bad))
    raise RuntimeError("the alarm did not ring before the bad release was everywhere")


def _roll_back(hosts: Fleet, watch: Watch) -> None:
    while watch.bad:
        if len(hosts.places) <= HOSTS:
            hosts.in_service(hosts.launch("r-back"))
        place = max(watch.bad)
        hosts.terminate(place)
        watch.bad.discard(place)
