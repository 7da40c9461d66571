"""The role web_host as text: its entry points, its units, and the packing of a release.

`make drill D=host` applies it to a real Debian.
"""

from __future__ import annotations

import importlib
import re
import tarfile
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from lambda_build import build, wheels
from lambda_build.targets import target
from tests.cloud import ROOT
from tests.drills.rolling_hosts import Alarm, alarm, drain_delay, health_check
from tests.host.units import Unit, read_unit
from web.server import (
    ANONYMOUS_POST_THREADS,
    ANONYMOUS_SEARCH_THREADS,
    ANONYMOUS_THREADS,
    SEARCH_THREADS,
    THREADS,
)

ROLE = ROOT / "roles/web_host"
LOCK = target("web_host", "production").requirements
LOCKED = frozenset(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE))
# Top-level names of what the lock holds, as installed here.
PACKAGES = sorted(
    name
    for name, distributions in packages_distributions().items()
    if LOCKED & {re.sub(r"[-_.]+", "-", distribution).lower() for distribution in distributions}
)
UNITS = ("caption-gallery", "caption-gallery-settings", "caption-gallery-logs")
DENIALS = (
    *("NoNewPrivileges", "ProtectHome", "PrivateTmp", "PrivateDevices", "ProtectClock", "ProtectHostname"),
    *("ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "ProtectControlGroups"),
    *("RestrictNamespaces", "RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "RemoveIPC"),
    "MemoryDenyWriteExecute",
)


def load(path: str) -> Any:
    """A YAML file of the role."""
    return yaml.safe_load((ROLE / path).read_text())


def options(entry: str) -> dict[str, Any]:
    """Return the inputs that one of its entry points declares."""
    return load("meta/argument_specs.yml")["argument_specs"][entry]["options"]


def unit(name: str) -> Unit:
    """A unit as the role's defaults make it."""
    values = load("defaults/main.yml") | load("vars/main.yml") | {"web_host_release": "r1"}
    for _ in range(3):  # a variable may name others that name others
        values = {
            key: jinja2.Template(value).render(values)
            if isinstance(value, str) and "lookup" not in value
            else value
            for key, value in values.items()
        }
    templates = jinja2.Environment(  # as Ansible's
        loader=jinja2.FileSystemLoader(ROLE / "templates"), trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    return read_unit(templates.get_template(f"{name}.service.j2").render(values))


def test_web_host_inputs_are_declared_with_default_or_required() -> None:
    required = {name for name, option in options("main").items() if option.get("required")}
    assert {"web_host_release", "web_host_source"} == required
    assert set(options("main")) - required == set(load("defaults/main.yml"))


def test_web_host_inputs_have_type_and_description() -> None:
    every = [item for entry in ("main", "pack") for item in options(entry).items()]
    assert [] == [name for name, option in every if "type" not in option or option["description"][-1] != "."]


def test_web_host_readme_has_sections_and_every_input() -> None:
    text = (ROLE / "README.md").read_text()
    headings = ["Outcome", "Inputs", "What it leaves behind", "Idempotent?", "Check mode?", "Rollback"]
    assert headings == re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert set(options("main")) == set(re.findall(r"^\| `(web_host_\w+)`", text, re.MULTILINE))


@pytest.mark.parametrize("name", UNITS)
def test_service_units_are_sandboxed(name: str) -> None:
    found = unit(name).directives
    for directive in DENIALS:
        assert ["yes"] == found[directive], directive
    assert (["strict"], [""], [""]) == tuple(
        found[n] for n in ("ProtectSystem", "CapabilityBoundingSet", "AmbientCapabilities")
    )
    assert ["@system-service", "~@privileged @resources"] == found["SystemCallFilter"]
    assert ["AF_INET AF_INET6"] == found["RestrictAddressFamilies"]


def test_web_unit_always_restarts() -> None:
    web = unit("caption-gallery")
    assert ("gallery", "gallery", "1G", "always", "0") == tuple(
        web.one(name) for name in ("User", "Group", "MemoryMax", "Restart", "StartLimitIntervalSec")
    )
    assert "/etc/caption-gallery/environment" == web.one("EnvironmentFile")


def test_web_unit_has_room_for_the_threads_of_32_processors() -> None:
    """Beyond the limit a process cannot start its threads, ends and is started again, for ever."""
    of_searches = SEARCH_THREADS + ANONYMOUS_SEARCH_THREADS
    of_visitors = THREADS + ANONYMOUS_THREADS + ANONYMOUS_POST_THREADS + of_searches
    assert int(unit("caption-gallery").one("TasksMax")) >= 32 * (
        of_visitors + 10
    )  # with health checks, signals and the counting of photos


def test_drain_delay_covers_the_health_check() -> None:
    tasks = yaml.safe_load((ROOT / "roles/edge/tasks/balancer.yml").read_text())
    group = tasks[0]["community.aws.elb_target_group"]
    checks = group["unhealthy_threshold_count"] + 1
    noticed = group["health_check_interval"] * checks + group["health_check_timeout"]
    web = unit("caption-gallery")
    environ = dict(word.split("=", 1) for line in web.directives["Environment"] for word in line.split())
    delay, drain = float(environ["DRAIN_DELAY_SECONDS"]), float(environ["DRAIN_SECONDS"])
    assert (noticed, True) == (delay, web.seconds("TimeoutStopSec") > delay + drain)


def test_settings_unit_reaches_only_the_metadata_service() -> None:
    settings = unit("caption-gallery-settings").directives
    assert (["any"], ["localhost 169.254.169.254 fd00:ec2::254"]) == (
        settings["IPAddressDeny"],
        settings["IPAddressAllow"],
    )
    assert ["/etc/caption-gallery"] == settings["ReadWritePaths"]


def test_refused_settings_stop_the_web_process_and_not_the_log_service() -> None:
    """Else the reason stays on a host that nobody can log in to."""
    program = importlib.import_module("roles.web_host.files.settings")
    web, settings, logs = (unit(name) for name in UNITS)
    unit_name = "caption-gallery-settings.service"
    assert ([unit_name], None) == (web.directives["Requires"], logs.directives.get("Requires"))
    assert [logs.one("After")] == logs.directives["Wants"] == [f"network-online.target {unit_name}"]
    assert ("direct", str(program.REFUSED)) == tuple(
        settings.one(name) for name in ("RestartMode", "RestartPreventExitStatus")
    )


@pytest.fixture
def packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that a release was packed into, with a stub of each package that the application imports."""

    def install(folder: Path, requirements: Path, *, python: str, platform: str, what: str) -> None:
        stubs = [f"{package}.py" for package in PACKAGES]
        for name in (*stubs, "bottle-1.dist-info/METADATA", "bottle-1.dist-info/RECORD", "bin/bottle.py"):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(platform)

    monkeypatch.setattr(wheels, "install", install)
    assert pack(tmp_path / "once")
    return tmp_path / "once"


def pack(out: Path, platform: str | None = None) -> bool:
    """Build the archive of the release; whether it was written."""
    wanted = target("web_host", "production", platform=platform)
    return build.build(wanted, out, cache=out.with_name(f"{out.name}-cache"))[1]


def test_archive_contains_only_runtime_files(packed: Path) -> None:
    with tarfile.open(packed / "gallery.tar.gz") as archive:
        entries = archive.getmembers()
    names = {entry.name for entry in entries}
    wanted = {
        "imgcore/bootstrap.py",
        "imgcore/cli/main.py",
        "web/views/layout.tpl",
        "web/static/icon.svg",
        "rds-ca.pem",
        "bottle.py",
    }
    assert wanted | {"bottle-1.dist-info/METADATA"} <= names
    assert [] == [
        name for name in names if re.search(r"captioning/local|__pycache__|^tests|\.git|RECORD|^bin/", name)
    ]
    assert {(0, 0, 0, 0o644)} == {(entry.uid, entry.gid, entry.mtime, entry.mode) for entry in entries}


def test_archive_of_same_sources_is_identical(packed: Path, tmp_path: Path) -> None:
    pack(tmp_path / "again")
    assert len({(tmp_path / name / "gallery.tar.gz").read_bytes() for name in ("once", "again")}) == 1


def test_archive_that_is_current_is_not_built_again(packed: Path) -> None:
    assert not pack(packed)
    with (packed / "gallery.tar.gz").open("ab") as archive:
        archive.write(b"x")
    assert pack(packed)
    assert pack(packed, "aarch64-manylinux_2_28")


def test_locked_packages_have_hashes() -> None:
    lock = LOCK.read_text()
    packages = re.split(r"^(?=[a-z0-9-]+==)", lock, flags=re.MULTILINE)[1:]
    assert (True, []) == (len(packages) > 8, [p for p in packages if "--hash=sha256:" not in p])


def test_lock_contains_no_tools_and_no_describer() -> None:
    assert {"boto3", "bottle", "pymysql", "waitress"} <= LOCKED
    assert set() == LOCKED & {
        "numpy",
        "google-genai",
        "ansible",
        "ansible-core",
        "ministack",
        "pytest",
        "locust",
    }


def test_rolling_drill_uses_the_health_check_and_the_alarm_of_the_roles() -> None:
    """The target group's ten seconds, and the alarm that a release listens to."""
    check = health_check(1.0)
    assert (10, 2, 3, 50) == (check.interval, check.rise, check.fall, drain_delay(check))
    assert Alarm(threshold=5, periods=2, seconds=60.0) == alarm(1.0)
