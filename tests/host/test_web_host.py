"""A real Debian 13 becomes a web host: what Ansible leaves there, and what starts from it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.host.conftest import RELEASE, Applied
from tests.host.debian import READ_ONLY, Debian
from tests.host.surroundings import CAPTIONED, Surroundings
from tests.mariadb import MariaDb
from web.server import SAME_SIGNAL_SECONDS

pytestmark = pytest.mark.timeout(1800)  # the first one makes the host, on a machine that may be busy

UNITS = ("caption-gallery", "caption-gallery-settings", "caption-gallery-logs")
HOME = "/opt/caption-gallery"
SETTINGS = "/etc/caption-gallery/environment"
EXPOSURE = 2.5  # of 10: what systemd-analyze calls OK ends at 4.9


def recap(said: str) -> dict[str, int]:
    """Ansible's recap as counts."""
    (line,) = re.findall(r"^\S+ +: (ok=.*)$", said, re.MULTILINE)
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}


def test_the_second_run_changes_nothing(applied: Applied) -> None:
    """The first run changed something."""
    first, second = recap(applied.first), recap(applied.second)
    assert (0, True) == (first["failed"], first["changed"] > 10)
    assert (0, 0) == (second["failed"], second["changed"])


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_nothing_wrong(host: Debian, unit: str) -> None:
    """systemd-analyze prints no complaint."""
    done = host.run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{unit}.service")
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("unit", UNITS)
def test_little_is_left_to_a_service_that_was_taken_over(host: Debian, unit: str) -> None:
    """systemd-analyze security measures it."""
    done = host.run(
        "systemd-analyze", "security", "--offline=true", "--no-pager", f"/etc/systemd/system/{unit}.service"
    )
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", done.stdout)
    assert found is not None, done.stdout + done.stderr
    assert float(found[1]) <= EXPOSURE


@pytest.mark.parametrize("unit", UNITS)
def test_it_starts_at_boot(host: Debian, unit: str) -> None:
    """systemd itself says so."""
    assert "enabled\n" == host.run("systemctl", "is-enabled", f"{unit}.service").stdout


def test_the_stop_leaves_time_for_all_of_the_drain(host: Debian) -> None:
    """Else systemd would cut off the last answers."""
    unit = host.unit("caption-gallery")
    environ = dict(word.split("=", 1) for line in unit.directives["Environment"] for word in line.split())
    needed = float(environ["DRAIN_DELAY_SECONDS"]) + float(environ["DRAIN_SECONDS"])
    assert unit.seconds("TimeoutStopSec") > needed > 25


@dataclass(frozen=True)
class Served:
    """The web process, as the unit starts it."""

    process: subprocess.Popen[str]
    port: int

    def get(self, path: str) -> tuple[int, dict[str, str], str]:
        """Status, headers in small letters, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, headers, answer.read().decode()
        finally:
            connection.close()


def boot(host: Debian, around: Surroundings) -> subprocess.CompletedProcess[str]:
    """What the settings' unit does at boot."""
    unit = host.unit("caption-gallery-settings")
    endpoint = f"AWS_EC2_METADATA_SERVICE_ENDPOINT={around.metadata.endpoint}"
    return host.run("env", "-i", endpoint, *unit.command({}))


@contextmanager
def served(host: Debian) -> Iterator[Served]:
    """Run the unit's command line: its user, its folder, its environment, no privilege, a read-only system."""
    unit = host.unit("caption-gallery")
    environ = unit.environ(host.root)
    user, group = unit.one("User"), unit.one("Group")
    drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"]
    drop += ["--inh-caps=-all", "--bounding-set=-all"]
    start = ["env", "-i", f"--chdir={unit.one('WorkingDirectory')}", *(f"{k}={v}" for k, v in environ.items())]
    command = host.inside([*drop, *start, *unit.command(environ)], mounts=READ_ONLY)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        said = process.stdout.readline()
        found = re.fullmatch(r"The gallery is at http://127\.0\.0\.1:(\d+)/\n", said)
        assert found is not None, said + process.stderr.read()
        yield Served(process, int(found[1]))
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running(host: Debian, around: Surroundings) -> Iterator[Served]:
    """The web process after a boot, on a free port."""
    around.tell(PORT="0")
    host.path("/etc/caption-gallery/ca.pem").write_bytes(around.ca.read_bytes())
    done = boot(host, around)
    assert done.returncode == 0, done.stderr
    with served(host) as found:
        yield found
    host.path("/etc/caption-gallery/ca.pem").unlink()
    host.path(SETTINGS).unlink(missing_ok=True)


def test_it_is_healthy(running: Served) -> None:
    """The response names the release."""
    status, headers, body = running.get("/healthz")
    assert (200, RELEASE, "ok\n") == (status, headers["x-release"], body)


def test_a_gallery_page_comes_from_the_database(running: Served) -> None:
    """The page shows the photo from MariaDB, and another the release."""
    status, _, body = running.get("/")
    assert 200 == status
    assert CAPTIONED in body
    assert f"Release {RELEASE}" in running.get("/about")[2]


def test_all_that_it_needs_answers(running: Served) -> None:
    """The database over TLS, with the password from Secrets Manager; the bucket with the instance's keys."""
    status, _, body = running.get("/readyz")
    assert (200, {"database": None, "storage": None}) == (status, json.loads(body)["checks"])


def test_without_its_database_it_says_so_and_comes_back(running: Served, mariadb_server: MariaDb) -> None:
    """A page with a sentence, for now; the process itself stays in service, and needs no restart."""
    mariadb_server.kill()
    try:
        status, headers, body = running.get("/")
        ready = json.loads(running.get("/readyz")[2])
        assert (503, True, True) == (status, "retry-after" in headers, "Try again" in body)
        assert (False, 200) == (ready["ready"], running.get("/healthz")[0])
        assert {"The database cannot be reached just now."} == set(
            ready["checks"].values()
        )  # nor its newest photo
    finally:
        mariadb_server.start()
    assert CAPTIONED in running.get("/")[2]


def test_it_is_nobody_in_particular(host: Debian, running: Served) -> None:
    """The process has its own user, no capability, and cannot gain one."""
    status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", status_of(running), re.MULTILINE))
    (entry,) = re.findall(r"^gallery:.*$", host.path("/etc/passwd").read_text(), re.MULTILINE)
    _, _, uid, gid, _, home, shell = entry.split(":")
    assert {uid} == set(status["Uid"].split())
    assert ({gid}, "") == (set(status["Gid"].split()), status.get("Groups", "").strip())
    assert ["1", "0" * 16, "0" * 16] == [status["NoNewPrivs"], status["CapEff"], status["CapBnd"]]
    assert ("/nonexistent", "/usr/sbin/nologin") == (home, shell)


def status_of(running: Served) -> str:
    """What the kernel says of the process."""
    return Path(f"/proc/{running.process.pid}/status").read_text()


def test_the_settings_are_for_root_alone(host: Debian, running: Served) -> None:
    """Names and ids; the password came from Secrets Manager into memory."""
    path = host.path(SETTINGS)
    assert (0, 0o600) == (path.stat().st_uid, stat.S_IMODE(path.stat().st_mode))
    assert 'DB_SECRET_ID="made-up/database/app"\n' in path.read_text()


def test_asked_to_stop_it_serves_until_the_balancer_knows(host: Debian, around: Surroundings) -> None:
    """Asked again, it ends at once, in order."""
    around.tell(PORT="0", DRAIN_DELAY_SECONDS="600")
    host.path("/etc/caption-gallery/ca.pem").write_bytes(around.ca.read_bytes())
    assert 0 == boot(host, around).returncode
    with served(host) as leaving:
        assert 200 == leaving.get("/healthz")[0]
        leaving.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + 10
        while leaving.get("/healthz")[0] == 200 and time.monotonic() < end:
            time.sleep(0.01)
        assert (503, 200) == (leaving.get("/healthz")[0], leaving.get("/upload")[0])
        time.sleep(SAME_SIGNAL_SECONDS)  # an earlier one may be the first, sent to the whole process group
        leaving.process.send_signal(signal.SIGTERM)
        assert 0 == leaving.process.wait(30)


def test_with_accounts_it_asks_who_is_there(host: Debian, around: Surroundings) -> None:
    """A host of the fleet runs this; the password hasher is installed too."""
    around.tell(PORT="0", ACCOUNTS="on")
    host.path("/etc/caption-gallery/ca.pem").write_bytes(around.ca.read_bytes())
    assert 0 == boot(host, around).returncode
    with served(host) as running:
        status, headers, _ = running.get("/")
        assert (303, "/setup", 200) == (status, headers.get("location"), running.get("/setup")[0])


@pytest.mark.parametrize("name", ["DB_PASSWORD", "GEMINI_API_KEY", "DATABASE_URL", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_in_the_user_data_stops_the_boot(host: Debian, around: Surroundings, name: str) -> None:
    """The file is for the log service alone; the name is said, the value is not."""
    around.tell(LOG_GROUP="/made-up/web", **{name: "made-up-value"})
    done = boot(host, around)
    found = shlex.split(host.path(SETTINGS).read_text())
    assert (2, {"AWS_REGION", "LOG_GROUP"}) == (done.returncode, {line.partition("=")[0] for line in found})
    assert name in done.stderr
    assert "made-up-value" not in done.stdout + done.stderr


# What lies on the disk


def files(root: Path) -> Iterator[Path]:
    """Every plain file, links left out."""
    for folder, _, names in os.walk(root):
        yield from (path for name in names if not (path := Path(folder, name)).is_symlink())


def test_no_compiler_and_no_installer_is_there(host: Debian) -> None:
    """pip, compilers and build tools would help an attacker."""
    wrong = re.compile(r"(.*-)?(gcc|cc|c\+\+|g\+\+|clang|tcc|as|ld|make|pip3?|uv|git|curl|wget)(-[\d.]+)?")
    folders = [host.root / "usr/bin", host.root / "usr/sbin", *(host.path(HOME)).glob("releases/*/venv/bin")]
    assert [] == [path for folder in folders for path in folder.iterdir() if wrong.fullmatch(path.name)]


def test_nothing_of_the_workshop_is_there(host: Debian) -> None:
    """No repository, no tests of ours, no tools, no local describer."""
    installed = host.path(f"{HOME}/current").readlink()
    packages = host.path(f"{installed}/venv/lib/python3.13/site-packages")
    tops = {path.name for path in packages.iterdir()}
    assert {"imgcore", "web", "bottle.py", "waitress", "rds-ca.pem"} <= tops
    assert set() == tops & {"tests", "lambda_build", "roles", "pytest", "ansible", "numpy", "google", "pip"}
    names = {path.name for path in files(host.path(HOME))} | {path.name for path in packages.rglob("*")}
    assert set() == names & {".git", "conftest.py", "describing"}
    assert [] == [path for path in files(host.root) if path.parent.name == ".git"]


def test_no_secret_is_there(host: Debian, around: Surroundings) -> None:
    """Private keys, AWS keys and the database password are looked for."""
    canaries = [around.password, around.metadata.emulator.secret_key]
    secret = re.compile(
        rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\n|(?<![A-Z0-9])(AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])|"
        + b"|".join(re.escape(canary.encode()) for canary in canaries)
    )
    places = [
        host.root / top
        for top in ("etc", "home", "root", "srv", "opt/caption-gallery/bin", "var/lib", "var/log")
    ]
    packages = host.path(f"{HOME}/releases/{RELEASE}/venv/lib/python3.13/site-packages")
    places += [packages / "imgcore", packages / "web"]
    found = (path for place in places for path in files(place) if host.path("/var/lib/apt") not in path.parents)
    assert [] == [path for path in found if secret.search(path.read_bytes())]


def test_the_process_owns_nothing_that_it_runs(host: Debian) -> None:
    """All of it is root's, and nobody else may write there."""
    paths = [path for path in host.path(HOME).rglob("*") if not path.is_symlink()]
    wrong = [p for p in paths if p.stat().st_uid or p.stat().st_gid or p.stat().st_mode & 0o022]
    assert (True, []) == (len(paths) > 1000, wrong)


def test_security_updates_alone_come_by_themselves(host: Debian) -> None:
    """Every day, without a restart of the host."""
    output = host.run("apt-config", "dump").stdout
    assert [
        'Unattended-Upgrade::Origins-Pattern:: "origin=Debian,codename=${distro_codename}-security,'
        'label=Debian-Security";'
    ] == re.findall(r"^Unattended-Upgrade::Origins-Pattern::.*$", output, re.MULTILINE)
    for line in ('APT::Periodic::Unattended-Upgrade "1";', 'Unattended-Upgrade::Automatic-Reboot "false";'):
        assert line in output.splitlines()
