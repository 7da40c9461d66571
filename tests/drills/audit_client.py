"""An HTTP client for a gallery of any release, and the gallery as ``make run`` of a tree starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from imgcore.gallery.models import UploadForm
from roles.local_cloud.files.emulator import free_port
from tests.pipeline.stage import send

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "four quiet herons fishing"
DISK_BYTES = 48 * 2**20  # of the objects
QUOTA_UPLOADS = 20
START_SECONDS = 600.0


@dataclass(frozen=True)
class Answer:
    """A response. reason: why there was none."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    reason: str = ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode(errors="replace")

    @property
    def secret(self) -> str:
        """The secret that the page shows once; empty where it shows none."""
        found = re.search(r'class="secret"[^>]*>([^<]+)<', self.text)
        return found[1] if found else ""


@dataclass
class Client:
    """A browser with cookies, at an address of loopback of its own."""

    port: int
    address: str = "127.0.0.1"
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Send a request on a connection of its own; status 0 where nothing is answered within ten seconds."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(self.address, 0)
        )
        jar = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, body, ({"Cookie": jar} if jar else {}) | (headers or {}))
            response = connection.getresponse()
            found = Answer(response.status, response.read(), tuple(response.getheaders()))
        except (OSError, http.client.HTTPException) as error:
            return Answer(0, reason=type(error).__name__)
        finally:
            connection.close()
        for name, value in found.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return found

    def post(self, page: str, action: str, **fields: str) -> Answer:
        """Open a page and send a form of it, with its form token."""
        found = re.search(r'name="token" value="([^"]+)"', self.request("GET", page).text)
        body = urlencode({"token": found[1] if found else "", **fields}).encode()
        return self.request("POST", action, body, {"Content-Type": "application/x-www-form-urlencoded"})

    def sign_in(self, name: str, password: str) -> Answer:
        """Send the sign-in form."""
        return self.post("/login", "/login", name=name, password=password)


@dataclass
class Audited:
    """A gallery with accounts, an administrator and an API key of theirs."""

    process: subprocess.Popen[str]
    home: Path
    port: int
    owner: Client
    password: str = PASSWORD
    key: str = ""

    def new_key(self, *scopes: str, **fields: str) -> str:
        """Create an API key on the account page; empty where that is refused."""
        wanted = {f"scope_{scope}": "yes" for scope in scopes}
        return self.owner.post("/account", "/account/keys", label="audit", **wanted, **fields).secret

    def api(self, method: str, path: str, data: Any = None, key: str = "") -> Answer:
        """Send a request with an API key."""
        headers = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        body = None if data is None else json.dumps(data).encode()
        return Client(self.port).request(method, f"/api/v1{path}", body, headers)

    def form(self, name: str, size: int, key: str = "") -> tuple[str, UploadForm]:
        """Return the id of a new photo and the form for its file. RuntimeError where it is refused."""
        answer = self.api("POST", "/uploads", {"name": name, "size": size, "type": "image/jpeg"}, key)
        if answer.status not in (200, 201):
            raise RuntimeError(f"An upload was answered with {answer.status}: {answer.text[:200]}")
        made = json.loads(answer.body)
        form = made["form"]
        return made["image"]["id"], UploadForm(form["url"], form["fields"])

    def image(self, public_id: str) -> dict[str, Any]:
        """Return a photo as the API shows it."""
        return dict(json.loads(self.api("GET", f"/images/{public_id}").body))

    def upload(self, name: str, data: bytes, seconds: float = 90.0) -> str:
        """Upload a photo, wait until it is described, and return its id."""
        public_id, form = self.form(name, len(data))
        assert send(form, data) in (201, 204)
        assert self.done(public_id, seconds) is not None, f"{name} was not described within {seconds} s"
        return public_id

    def done(self, public_id: str, seconds: float) -> float | None:
        """Return after how many seconds a photo was described; None where it was not."""
        begin = time.monotonic()
        while time.monotonic() < begin + seconds:
            if self.image(public_id).get("status") == "done":
                return time.monotonic() - begin
            time.sleep(0.3)
        return None

    @property
    def cpu(self) -> float:
        """The seconds of processors that all processes of the gallery have used."""
        return sum(_cpu(pid) for pid in _descendants(self.process.pid))


def _descendants(pid: int) -> Iterator[int]:
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from _descendants(int(child))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def tree_of(commit: str) -> Iterator[Path]:
    """Export a commit and create its environment as its own Makefile does."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    with tempfile.TemporaryDirectory(prefix="audited-", ignore_cleanup_errors=True) as name:
        with tarfile.open(fileobj=BytesIO(archive)) as tar:
            tar.extractall(name, filter="data")
        left_out = ("VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "UV", "PYTHONPATH")
        environ = {key: value for key, value in os.environ.items() if key not in left_out}
        subprocess.run(["make", "--silent", ".venv/.run"], cwd=name, env=environ, check=True, stdout=2)
        yield Path(name)


@contextmanager
def audited(tree: Path) -> Iterator[Audited]:
    """Start the gallery of a tree with accounts, its objects on a small disk; create the first account."""
    folder = Path(tempfile.mkdtemp(prefix="audit-"))
    home, objects = folder / "home", folder / "home" / "objects"
    objects.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES},mode=700", "tmpfs", str(objects)]
    subprocess.run(mount, check=True)
    try:
        with (folder / "terminal.txt").open("w") as out:
            port = free_port()
            process = _start(tree, home, port, out)
        try:
            token = _token(process, folder / "terminal.txt")
            found = Audited(process, home, port, Client(port))
            found.owner.post("/setup", "/setup", setup_token=token, name="boss", password=PASSWORD)
            found.key = found.new_key("read", "upload", "edit", password=PASSWORD)
            assert found.key, "no API key was created"
            yield found
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    finally:
        subprocess.run(["umount", "-l", str(objects)], check=True)
        shutil.rmtree(folder, ignore_errors=True)


def _start(tree: Path, home: Path, port: int, out: Any) -> subprocess.Popen[str]:
    own = ("AWS_", "GEMINI", "GOOGLE", "PYTHONPATH", "VIRTUAL_ENV")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    environ |= {"GALLERY_HOME": str(home), "PORT": str(port), "ACCOUNTS": "on", "API_RATE": "100000"}
    environ |= {"QUOTA_UPLOADS": str(QUOTA_UPLOADS)}
    command = [str(tree / ".venv" / "bin" / "python"), "-u", "roles/local_cloud/files/run.py"]
    return subprocess.Popen(command, stdout=out, stderr=out, env=environ, cwd=tree, text=True)


def _token(process: subprocess.Popen[str], log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        said = log.read_text()
        found = re.search(r"with the token (\S+)", said)
        if found and "The gallery is at" in said:
            return found[1]
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"The gallery does not start: {log.read_text()[-2000:]}")
