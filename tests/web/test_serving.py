"""The server itself: what it refuses, how it stops, and the command that starts it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from imgcore.db.connection import open_database
from imgcore.db.migrations import migrate
from tests.web.fake_bucket import wait_for
from tests.web.fakes import fake_gallery
from web.app import create_app
from web.http.headers import security_headers
from web.http.templates import TemplateRenderer
from web.server import SETTINGS, Server, listen

ROOT = Path(__file__).parents[2]


class Running:
    """A server in a thread, whose gallery page can be held up."""

    def __init__(self, *, trusted_proxy: str | None = None, delay: float = 0.0) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="gallery-serving-")
        self.gallery = fake_gallery(Path(self._folder.name))
        self.entered = threading.Event()
        self.release = threading.Event()
        self.release.set()
        page = self.gallery.pages.page_versions

        def held(**asked: object) -> object:
            self.entered.set()
            self.release.wait(20)
            return page(**asked)

        self.gallery.pages.page_versions = held
        listener = listen("127.0.0.1", 0)
        self.port = listener.getsockname()[1]
        app = create_app(self.gallery)
        self.server = Server(app, listener, trusted_proxy=trusted_proxy, delay=delay)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def connect(self) -> http.client.HTTPConnection:
        """A connection that stays open between requests."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def close(self) -> None:
        """Stop, whatever is under way."""
        self.release.set()
        self.server.stop(drain=0)
        self.server.stop(drain=0)
        self.thread.join(20)
        self.gallery.images.database.close()
        self._folder.cleanup()

    def refuses(self) -> bool:
        """Whether nobody listens any more."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) != 0


@pytest.fixture
def running() -> Iterator[Running]:
    """Stopped at the end, whatever happened."""
    running = Running()
    yield running
    running.close()


def test_an_answer_under_way_is_finished(running: Running) -> None:
    """The listener is closed meanwhile, and the process ends right after."""
    running.release.clear()
    connection = running.connect()
    connection.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop()
    wait_for(running.refuses)
    running.release.set()
    answer = connection.getresponse()
    assert (200, "close") == (answer.status, answer.getheader("Connection"))
    assert answer.read().endswith(b"</html>\n")
    running.thread.join(20)
    assert not running.thread.is_alive()


def test_health_check_fails_before_the_listener_closes(running: Running) -> None:
    """The load balancer uses a kept connection while another response is in progress."""
    balancer = running.connect()
    balancer.request("GET", "/healthz")
    assert b"ok\n" == balancer.getresponse().read()
    running.release.clear()
    slow = running.connect()
    slow.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop()
    balancer.request("GET", "/healthz")
    answer = balancer.getresponse()
    assert (503, b"stopping\n", "close") == (answer.status, answer.read(), answer.getheader("Connection"))
    running.release.set()
    assert 200 == slow.getresponse().status


def test_idle_connections_do_not_hold_up_the_end(running: Running) -> None:
    """A browser keeps several open."""
    connection = running.connect()
    connection.request("GET", "/healthz")
    connection.getresponse().read()
    with socket.create_connection(("127.0.0.1", running.port)):
        running.server.stop()
        running.thread.join(20)
    assert not running.thread.is_alive()


def test_asked_twice_it_stops_at_once(running: Running) -> None:
    """An answer that does not come is given up."""
    running.release.clear()
    connection = running.connect()
    connection.request("GET", "/")
    assert running.entered.wait(10)
    running.server.stop(drain=600)
    wait_for(running.refuses)
    running.server.stop()
    running.thread.join(20)
    assert not running.thread.is_alive()


def test_it_serves_on_until_the_load_balancer_has_seen_it() -> None:
    """New connections too; only the health check fails, and every answer is the last of its connection."""
    running = Running(delay=600)
    try:
        running.server.stop()
        health = []
        for path in ("/healthz", "/", "/healthz", "/upload"):
            connection = running.connect()
            connection.request("GET", path)
            answer = connection.getresponse()
            health.append((path, answer.status, answer.getheader("Connection")))
        expected = [(path, 503 if path == "/healthz" else 200, "close") for path, *_ in health]
        assert expected == health
    finally:
        running.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /api/v1/uploads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
        (b"\r\x00\r\n\r\n", 400),
    ],
)
def test_what_the_server_itself_refuses_is_a_problem_too(
    running: Running, request_bytes: bytes, status: int
) -> None:
    """JSON with a sentence, and the connection is closed."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(request_bytes)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        problem = json.loads(answer.read())
    assert (status, status) == (answer.status, problem["status"])
    assert "application/problem+json" == answer.getheader("Content-Type")
    assert answer.getheader("Server") is None
    assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()


def test_error_page_that_fails_is_answered_with_headers(
    running: Running, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server is the last error boundary."""
    monkeypatch.setattr(TemplateRenderer, "render", lambda *args, **values: 1 / 0)
    connection = running.connect()
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert (500, 500) == (answer.status, json.loads(answer.read())["status"])
    assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()
    assert "ZeroDivisionError" in caplog.text


def test_malformed_proxy_header_is_refused_with_headers() -> None:
    """waitress's middleware refuses it before the application is called."""
    running = Running(trusted_proxy="127.0.0.1")
    try:
        connection = running.connect()
        connection.request("GET", "/", headers={"X-Forwarded-For": '"unbalanced'})
        answer = connection.getresponse()
        assert 400 == answer.status
        assert security_headers([], "").keys() <= dict(answer.getheaders()).keys()
    finally:
        running.close()


def test_health_check_does_not_wait_for_other_requests(running: Running) -> None:
    """All threads of the server are busy."""
    running.release.clear()
    busy = [running.connect() for _ in range(SETTINGS["threads"] + 2)]
    for connection in busy:
        connection.request("GET", "/")
    assert running.entered.wait(10)
    check = running.connect()
    check.request("GET", "/healthz")
    assert 200 == check.getresponse().status
    running.release.set()
    assert [200] * len(busy) == [connection.getresponse().status for connection in busy]


def test_a_hundred_half_open_connections_block_nobody(running: Running) -> None:
    """More than waitress allows by default."""
    idle = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(150)]
    try:
        for connection in idle:
            connection.sendall(b"GET / HTTP/1.1\r\n")
        asked = running.connect()
        asked.request("GET", "/healthz")
        assert 200 == asked.getresponse().status
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize(("proxy", "secure"), [("127.0.0.1", True), ("192.0.2.1", False), (None, False)])
def test_only_the_trusted_proxy_says_that_it_was_https(proxy: str | None, secure: bool) -> None:
    """The cookie is marked accordingly."""
    running = Running(trusted_proxy=proxy)
    try:
        connection = running.connect()
        connection.request("GET", "/upload", headers={"X-Forwarded-Proto": "https"})
        assert secure is ("Secure" in connection.getresponse().getheader("Set-Cookie"))
    finally:
        running.close()


# python -m web


def environment(**settings: str) -> dict[str, str]:
    """Enough to start; nothing of it is reached."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    made_up = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    buckets = {"UPLOADS_BUCKET": "made-up-uploads", "DERIVED_BUCKET": "made-up-derived"}
    return {**keep, **made_up, **buckets, "DATABASE_URL": "sqlite:///made-up.db", "PORT": "0", **settings}


def start(module: str = "web", **settings: str) -> subprocess.Popen[str]:
    """``python -m web`` with these settings, or another module that serves."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env=environment(**settings),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_its_address_serves_and_stops_in_order(number: signal.Signals) -> None:
    """SIGTERM from systemd and Ctrl-C stop it; only the address is printed."""
    process = start()
    try:
        said = process.stdout.readline()
        port = int(re.fullmatch(r"The gallery is at http://127\.0\.0\.1:(\d+)/\n", said)[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/healthz")
        assert 200 == connection.getresponse().status
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (0, "", "") == (process.returncode, out, err)


def test_defective_release_of_the_drills_is_healthy_and_answers_500() -> None:
    process = start("tests.drills.rolling_broken", RELEASE="broken")
    try:
        port = int(re.search(r":(\d+)/$", process.stdout.readline())[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        answers = []
        for path in ("/healthz", "/upload"):
            connection.request("GET", path)
            with connection.getresponse() as response:
                response.read()
                answers.append((response.status, response.headers["X-Release"]))
    finally:
        process.kill()
        process.communicate()
    assert [(200, "broken"), (500, "broken")] == answers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_it_refuses_to_serve_others_without_accounts(host: str) -> None:
    """One sentence, before anything listens."""
    out, err = (process := start(HOST=host)).communicate(timeout=30)
    assert (1, "") == (process.returncode, out)
    expected = (
        f"HOST is {host}, but without accounts the gallery serves this machine only: leave HOST at 127.0.0.1.\n"
    )
    assert expected == err


def test_a_busy_port_is_said_in_a_sentence() -> None:
    """The message names the solution."""
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        out, err = (process := start(PORT=str(port))).communicate(timeout=30)
    assert (1, "") == (process.returncode, out)
    assert f"127.0.0.1:{port} cannot be used: Address already in use. Choose another PORT.\n" == err


@pytest.mark.parametrize("port", ["x", "70000", "-1"])
def test_a_port_that_is_none_is_said_in_a_sentence(port: str) -> None:
    """The message names the accepted values."""
    out, err = (process := start(PORT=port)).communicate(timeout=30)
    assert (1, "", f"PORT must be a number from 0 to 65535; it is {port!r}.\n") == (
        process.returncode,
        out,
        err,
    )


@pytest.mark.parametrize("delay", ["soon", "-1", "3601", "nan"])
def test_a_delay_that_is_none_is_said_in_a_sentence(delay: str) -> None:
    """The message names the accepted values."""
    out, err = (process := start(DRAIN_DELAY_SECONDS=delay)).communicate(timeout=30)
    expected = f"DRAIN_DELAY_SECONDS must be a number from 0 to 3600; it is {delay!r}.\n"
    assert (1, "", expected) == (process.returncode, out, err)


def test_a_missing_setting_is_named() -> None:
    """The message names the variable."""
    out, err = (process := start(UPLOADS_BUCKET="")).communicate(timeout=30)
    assert (1, "", "UPLOADS_BUCKET is not set.\n") == (process.returncode, out, err)


def test_with_accounts_it_serves_others_and_prints_the_token(tmp_path: Path) -> None:
    """The reader of the terminal creates the first account."""
    url = f"sqlite:///{tmp_path}/gallery.db"
    migrate(open_database(url))
    process = start(ACCOUNTS="on", HOST="0.0.0.0", DATABASE_URL=url)
    try:
        assert re.fullmatch(r"The gallery is at http://0\.0\.0\.0:\d+/\n", process.stdout.readline())
        invited = re.search(r"at /setup with the token ([A-Za-z0-9_-]{32})\n", process.stdout.readline())
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (True, 0, "") == (invited is not None, process.returncode, err)


def test_idle_connections_give_way_to_new_ones(running: Running) -> None:
    """A fresh request is answered beside 1,200 sockets that send nothing, or half of a request."""
    idle: list[socket.socket] = []
    try:
        for number in range(1200):
            idle.append(socket.create_connection(("127.0.0.1", running.port), timeout=20))
            if number % 2:
                idle[-1].sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        for path in ("/healthz", "/"):
            connection = running.connect()
            connection.request("GET", path)
            assert 200 == connection.getresponse().status
            connection.close()
    finally:
        for each in idle:
            each.close()


def test_request_in_progress_is_not_evicted(running: Running) -> None:
    """The connections that wait for the server stay open."""
    running.release.clear()
    slow = running.connect()
    slow.request("GET", "/")
    assert running.entered.wait(10)
    idle = [socket.create_connection(("127.0.0.1", running.port), timeout=20) for _ in range(1000)]
    fresh = running.connect()
    fresh.request("GET", "/healthz")
    assert 200 == fresh.getresponse().status
    running.release.set()
    assert 200 == slow.getresponse().status
    for each in idle:
        each.close()


# Several processes


def children_of(pid: int) -> set[int]:
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/healthz")
    return connection.getresponse().status == 200


@pytest.fixture
def two() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """``python -m web`` with two processes, and its port."""
    process = start(WEB_PROCESSES="2")
    said = process.stdout.readline()
    yield process, int(said.rstrip("/\n").rpartition(":")[2])
    process.kill()
    process.communicate(timeout=30)


def test_a_process_that_dies_is_replaced(two: tuple[subprocess.Popen[str], int]) -> None:
    process, port = two
    before = children_of(process.pid)
    victim = min(before)
    os.kill(victim, signal.SIGKILL)

    wait_for(lambda: len(children_of(process.pid) - {victim}) == 2)
    assert len(before) == 2
    assert all(answers(port) for _ in range(10))
    assert f"Web process {victim} ended with status -9" in process.stderr.readline()


def test_all_processes_drain_on_sigterm(two: tuple[subprocess.Popen[str], int]) -> None:
    process, port = two
    children = children_of(process.pid)
    assert answers(port)
    process.send_signal(signal.SIGTERM)

    assert 0 == process.wait(timeout=30)
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_the_processes_end_with_their_parent(two: tuple[subprocess.Popen[str], int]) -> None:
    """A parent that is killed leaves nobody on the port."""
    process, port = two
    children = children_of(process.pid)
    assert answers(port)
    process.kill()
    process.wait(timeout=30)

    wait_for(lambda: not any(_runs(child) for child in children))


def _runs(pid: int) -> bool:
    """Return whether the process exists and is not a zombie that its new parent has not waited for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
