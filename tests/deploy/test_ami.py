"""The name of a release, and what is taken from a host before it becomes an image."""

from __future__ import annotations

import http.client
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from lambda_build.build import CERTIFICATES, own_files
from lambda_build.targets import target
from tests.cloud import ROOT
from tests.deploy.test_web_host import PACKAGES

HASH = runpy.run_path(str(ROOT / "roles/ami/filter_plugins/content_hash.py"))
VARIABLES: dict[str, Any] = yaml.safe_load((ROOT / "roles/ami/vars/main.yml").read_text())
PARTS = ["code", "one.txt"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources."""
    for name in ("code/a.py", "code/deep/b.py", "code/c.sh", "one.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path


def name(tree: Path, *, parts: list[str] = PARTS, **more: Any) -> str:
    """What the sources are called."""
    return str(HASH["FilterModule"]().filters()["content_hash"](parts, str(tree), **more))


def test_release_of_same_contents_is_equal(tree: Path) -> None:
    before = name(tree)
    os.utime(tree / "code/a.py", (1, 1))
    (tree / "code/a.py").chmod(0o600)
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert before == name(tree, parts=PARTS[::-1])


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: (tree / "code/a.py").write_text("other"),
        lambda tree: (tree / "code/deep/b.py").rename(tree / "code/b.py"),
        lambda tree: (tree / "code/new.py").touch(),
        lambda tree: (tree / "code/c.sh").chmod(0o755),
        lambda tree: (tree / "one.txt").unlink() or (tree / "one.txt").write_text(""),
    ],
    ids=["content", "place", "another file", "mode", "emptied"],
)
def test_release_of_changed_contents_differs(tree: Path, change: Callable[[Path], Any]) -> None:
    before = name(tree)
    change(tree)
    assert before != name(tree)


def test_release_depends_on_base_and_edition(tree: Path) -> None:
    assert name(tree, further={"base": "13"}) != name(tree, further={"base": "14"})


@pytest.mark.parametrize("path", ["code/__pycache__/a.pyc", "code/README.md", "code/left/x.py"])
def test_release_ignores_excluded_files(tree: Path, path: str) -> None:
    before = name(tree, excluded=["code/left/*"])
    (tree / path).parent.mkdir(exist_ok=True)
    (tree / path).write_text("x")
    assert before == name(tree, excluded=["code/left/*"])


def test_release_of_missing_part_raises_with_its_name(tree: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gone must be part of the AMI"):
        name(tree, parts=["gone"])


def test_release_covers_everything_in_the_archive() -> None:
    counted = {
        path for _, path in HASH["files"](VARIABLES["__ami_parts"], str(ROOT), VARIABLES["__ami_excluded"])
    }
    host = target("web_host", "production")
    packed = {ROOT / name for name in own_files(host, set(PACKAGES))} | {host.requirements, CERTIFICATES}
    assert set() == {path for path in packed if path.suffix != ".md"} - {path.resolve() for path in counted}


def test_release_ignores_the_local_describer() -> None:
    names = {
        name for name, _ in HASH["files"](VARIABLES["__ami_parts"], str(ROOT), VARIABLES["__ami_excluded"])
    }
    assert not [name for name in names if name.startswith("imgcore/captioning/local/")]


def test_web_process_starts_with_the_builders_settings(tmp_path: Path) -> None:
    settings = VARIABLES["__ami_smoke_settings"].replace("{{ ami_region }}", "us-east-1")
    environ = dict(line.split("=", 1) for line in settings.splitlines() + VARIABLES["__ami_dummy_credentials"])
    environ |= {"PORT": "0", "RELEASE": "abc", "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "web"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stdout=subprocess.PIPE, text=True) as web:
        try:
            assert web.stdout is not None
            port = urlsplit(web.stdout.readline().split()[-1]).port
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            link.request("GET", "/healthz")
            answer = link.getresponse()
            assert (200, "abc") == (answer.status, answer.headers["X-Release"])
            link.close()
        finally:
            web.kill()


GONE = [
    "etc/ssh/ssh_host_rsa_key",
    "etc/ssh/ssh_host_rsa_key.pub",
    "var/lib/dbus/machine-id",
    "var/lib/systemd/random-seed",
    "var/lib/cloud/instance/user-data.txt",
    "etc/caption-gallery/environment",
    "var/lib/private/caption-gallery-logs/cursor",
    "root/.ssh/authorized_keys",
    "home/admin/.ssh/authorized_keys",
    "home/admin/.ansible/tmp/x",
    "home/admin/.bash_history",
    "root/.bash_history",
    "var/log/journal/1/system.journal",
    "var/lib/apt/lists/x",
    "var/cache/apt/archives/x.deb",
    "var/tmp/x",
    "tmp/x",
]
STAYS = [
    "etc/ssh/sshd_config",
    "etc/caption-gallery/keep",
    "opt/caption-gallery/current/web.py",
    "home/admin/.profile",
    "etc/passwd",
    "var/lib/dpkg/status",
]


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root that was somebody's host."""
    root = tmp_path_factory.mktemp("root")
    for path in [*GONE, *STAYS, "etc/machine-id", "var/log/cloud-init.log", "var/log/apt/history.log"]:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("somebody's")
    script = (ROOT / "roles/ami/files/clean.sh").read_text()
    subprocess.run(["/bin/sh", "-s", str(root)], input=script, check=True, text=True)
    return root


@pytest.mark.parametrize("path", GONE)
def test_clean_removes_files_of_the_builder(cleaned: Path, path: str) -> None:
    assert not (cleaned / path).exists()


@pytest.mark.parametrize("path", ["etc/machine-id", "var/log/cloud-init.log", "var/log/apt/history.log"])
def test_clean_truncates_machine_id_and_logs(cleaned: Path, path: str) -> None:
    assert "" == (cleaned / path).read_text()


@pytest.mark.parametrize("path", STAYS)
def test_clean_keeps_application_and_system(cleaned: Path, path: str) -> None:
    assert "somebody's" == (cleaned / path).read_text()


def test_clean_without_a_root_changes_nothing() -> None:
    script = (ROOT / "roles/ami/files/clean.sh").read_text()
    done = subprocess.run(["/bin/sh", "-s"], input=script, capture_output=True, text=True)
    assert 0 != done.returncode
    assert "Usage: clean.sh ROOT" in done.stderr
