"""The fleet of the drill: real web processes in places behind the load balancer, and the rules of the real one.

The times of the target group and the alarm's rule are read from the roles that set them, and divided by a
scale that is said.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import yaml

from imgcore import bootstrap
from imgcore.config import Config
from tests.contract.images import CAPTION, THUMBNAIL, arrived, claim, finish
from tests.drills.haproxy import HaProxy, HealthCheck
from tests.support import guarded
from tests.support.repositories import Repositories

ROOT = Path(__file__).resolve().parents[2]
HOSTS = 3
PICTURES = 30
GOOD, BROKEN = "web", "tests.drills.rolling_broken"


@dataclass(frozen=True)
class Alarm:
    """Rings when more than ``threshold`` errors come in each of ``periods`` periods of ``seconds``."""

    threshold: int
    periods: int
    seconds: float


def health_check(scale: float) -> HealthCheck:
    """The target group's health check as the role edge sets it, its times divided.

    An answer may take as long as the interval, twice what the role says: a processor that is busy elsewhere
    does not hurry by the scale.
    """
    tasks = yaml.safe_load((ROOT / "roles/edge/tasks/balancer.yml").read_text())
    (group,) = (
        task["community.aws.elb_target_group"] for task in tasks if "community.aws.elb_target_group" in task
    )
    return HealthCheck(
        interval=group["health_check_interval"] / scale,
        timeout=group["health_check_interval"] / scale,
        rise=group["healthy_threshold_count"],
        fall=group["unhealthy_threshold_count"],
    )


def alarm(scale: float) -> Alarm:
    """The alarm that a release listens to, as the role observability sets it, its period divided."""
    role = ROOT / "roles/observability"
    template = (role / "templates/alarms.yml.j2").read_text()
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    fixed = {name: 1 if "{{" in str(value) else value for name, value in defaults.items()}  # not of web-5xx
    environment = jinja2.Environment(undefined=jinja2.ChainableUndefined, autoescape=False)
    rule = yaml.safe_load(environment.from_string(template).render(fixed))["web-5xx"]
    return Alarm(rule["Threshold"], rule["EvaluationPeriods"], rule["Period"] / scale)


def drain_delay(check: HealthCheck) -> float:
    """Seconds that a host serves on after SIGTERM, as the role web_host reckons them."""
    return check.interval * (check.fall + 1) + check.timeout


@dataclass
class Fleet:
    """Processes in places; one place more than hosts. module: what is started, by place."""

    proxy: HaProxy
    database: str
    delay: float
    log: Path
    places: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    oldest: deque[int] = field(default_factory=deque)
    unclean: list[int] = field(default_factory=list)  # exit statuses but 0

    def launch(self, release: str, module: str = GOOD) -> int:
        """Start a host of that release in the free place; which one it is. It is not in service yet."""
        place = next(number for number in range(len(self.proxy.ports)) if number not in self.places)
        environ = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {
            "AWS_ACCESS_KEY_ID": "made-up",
            "AWS_SECRET_ACCESS_KEY": "made-up",
            "AWS_REGION": "us-east-1",
            "UPLOADS_BUCKET": "made-up-uploads",
            "DERIVED_BUCKET": "made-up-derived",
            "DATABASE_URL": self.database,
            "DRAIN_DELAY_SECONDS": f"{self.delay:.3f}",
            "PORT": str(self.proxy.ports[place]),
            "RELEASE": release,
        }
        with self.log.open("ab") as log:
            self.places[place] = guarded.start(
                [sys.executable, "-m", module], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=log
            )
        self.oldest.append(place)
        return place

    def in_service(self, place: int, seconds: float = 300.0) -> None:
        """Wait until the load balancer has found it healthy. TimeoutError where it does not."""
        end = time.monotonic() + seconds
        while not self.proxy.up()[place]:
            if time.monotonic() > end or self.places[place].poll() is not None:
                raise TimeoutError(f"a host did not become healthy: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def terminate(self, place: int) -> None:
        """SIGTERM, as an instance that ends gives it to its services; until the process has ended."""
        self.oldest.remove(place)
        process = self.places[place]
        process.send_signal(signal.SIGTERM)
        if status := process.wait(60):
            self.unclean.append(status)
        guarded.ended(process)
        del self.places[place]

    def replace_oldest(self, release: str, module: str = GOOD) -> int:
        """Roll as the group does with 100 to 200 %: start a new host, then stop an old one."""
        place = self.launch(release, module)
        self.in_service(place)
        self.terminate(self.oldest[0])
        return place

    def close(self) -> None:
        """End all of them at once."""
        for process in self.places.values():
            process.kill()
            process.wait()
            guarded.ended(process)


@contextmanager
def fleet(proxy: HaProxy, folder: Path, delay: float) -> Iterator[Fleet]:
    """Three hosts of the release r0 in service, with photos in their database."""
    hosts = Fleet(proxy, photos(folder / "gallery.db"), delay, folder / "web.log")
    try:
        for _ in range(HOSTS):
            hosts.launch("r0")
        proxy.wait([number in hosts.places for number in range(len(proxy.ports))])
        yield hosts
    finally:
        hosts.close()


def photos(path: Path) -> str:
    """The URL of a new database with photos that are done with."""
    url = f"sqlite:///{path}"
    config = Config.read({"DATABASE_URL": url})
    bootstrap.migrate(config)
    repositories = Repositories(bootstrap.database(config))
    for number in range(PICTURES):
        image = arrived(repositories, f"photograph-{number}.jpg")
        for kind in (CAPTION, THUMBNAIL):
            finish(repositories, image, claim(repositories, image, kind))
    return url
