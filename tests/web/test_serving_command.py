"""The command ``python -m web``: settings, signals, and several processes."""

from __future__ import annotations

import errno
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Queue
from types import SimpleNamespace
from typing import Any

import pytest

from imgcore import bootstrap
from imgcore.db.connection import open_database
from imgcore.db.images import ImageRepository
from imgcore.db.migrations import migrate
from imgcore.errors import Misconfigured
from tests.support.waiting import wait_for
from tests.web.fakes import fake_gallery
from web import __main__ as command
from web import processes, server
from web.server import listen

ROOT = Path(__file__).parents[2]


def environment(**settings: str) -> dict[str, str]:
    """Enough to start; nothing of it is reached."""
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    made_up = {
        "AWS_ACCESS_KEY_ID": "made-up",
        "AWS_SECRET_ACCESS_KEY": "made-up",
        "AWS_DEFAULT_REGION": "eu-central-1",
    }
    buckets = {"UPLOADS_BUCKET": "made-up-uploads", "DERIVED_BUCKET": "made-up-derived"}
    database = {"DATABASE_URL": "sqlite:////made-up/gallery.db"}
    return {**keep, **made_up, **buckets, **database, "PORT": "0", **settings}


def start(module: str = "web", *, process_group: int | None = None, **settings: str) -> subprocess.Popen[str]:
    """``python -m web`` with these settings, or another module that serves."""
    return subprocess.Popen(
        [sys.executable, "-m", module],
        env=environment(**settings),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=process_group,
    )


def test_it_serves_before_it_has_counted_all_photos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A million photos, or a database that is away, take seconds; the load balancer waits for nothing of it."""
    serving, counted = threading.Event(), Queue[bool]()
    timeline = SimpleNamespace(months=lambda *_: counted.put(serving.wait(20)))
    gallery = replace(fake_gallery(tmp_path), timeline=timeline)
    monkeypatch.setattr(command.bootstrap, "gallery", lambda *_: gallery)
    monkeypatch.setattr(command.Server, "run", lambda *_, **__: serving.set())
    monkeypatch.setattr(command, "SWITCH_SECONDS", sys.getswitchinterval())
    monkeypatch.setattr(command, "_print_security_events", lambda: None)
    assert 0 == command.main(environment(WEB_PROCESSES="1"))
    assert counted.get(timeout=20)
    gallery.images.database.close()


def test_services_of_a_process_share_the_connections_to_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []

    def create_app(gallery: Any, *, accounts: Any, subscriptions: Any, **_: Any) -> None:
        made.extend([gallery.images, gallery.pages, accounts.store, subscriptions.addresses, subscriptions.log])
        raise Misconfigured("That is all.")

    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setattr(command, "create_app", create_app)
    monkeypatch.setattr(command, "_print_security_events", lambda: None)
    monkeypatch.setattr(ImageRepository, "ping", lambda self: None)
    assert 1 == command.main(environment(ACCOUNTS="on"))
    assert 5 == len(made)
    [database] = {repository._database for repository in made}
    assert database._pool._limit == bootstrap.CONNECTIONS


def test_connections_are_left_for_those_who_have_a_credential() -> None:
    """Those without one, and searches, may wait for the database in all of their threads."""
    assert bootstrap.CONNECTIONS >= 2 + server.SEARCH_THREADS + (
        server.ANONYMOUS_THREADS + server.ANONYMOUS_POST_THREADS + server.ANONYMOUS_SEARCH_THREADS
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


@pytest.mark.parametrize("count", ["1", "2"])
def test_while_it_drains_it_refuses_new_connections(count: str) -> None:
    """One that was accepted and never answered would be a lost request."""
    process = start(WEB_PROCESSES=count)
    try:
        port = int(re.search(r":(\d+)/$", process.stdout.readline())[1])
        client = socket.create_connection(("127.0.0.1", port), timeout=20)
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert client.recv(4096).startswith(b"HTTP/1.1 200")
        client.sendall(b"GET /healthz HTTP/1.1\r\n")  # its rest may come yet
        process.send_signal(signal.SIGTERM)
        wait_for(lambda: refused(port))
        assert process.poll() is None
        client.close()
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (0, "", "") == (process.returncode, out, err)


def test_no_process_is_started_once_the_end_is_asked_for() -> None:
    """It would get no SIGTERM, and its parent would wait for it."""
    parent = processes._Parent(1, lambda: None, listen("127.0.0.1", 0))
    parent._stop(signal.SIGTERM, None)
    parent._fork()
    assert parent._children == set()


def test_refused_process_is_started_again_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The other processes serve meanwhile, and no request sees that memory was short for a moment."""
    forks = iter([BlockingIOError(errno.EAGAIN, "no more processes"), OSError(errno.ENOMEM, "no memory"), 4242])

    def fork() -> int:
        outcome = next(forks)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    monkeypatch.setattr(processes.os, "fork", fork)
    monkeypatch.setattr(processes, "RESPAWN_SECONDS", 0.0)
    with listen("127.0.0.1", 0) as listener:
        parent = processes._Parent(1, lambda: None, listener)
        parent._fork()
    assert {4242} == parent._children
    assert ["no more processes", "no memory"] == [
        re.search("started: (.*); trying again", line)[1] for line in caplog.messages
    ]
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & processes._ENDING


def refused(port: int) -> bool:
    """Whether nothing listens. A connection that was being made while the listener was closed is reset."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=20).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


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


def test_parent_of_the_processes_keeps_no_connection_to_the_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/gallery.db"
    migrate(open_database(url))
    process = start(ACCOUNTS="on", WEB_PROCESSES="2", DATABASE_URL=url)
    try:
        process.stdout.readline()
        files = {link.readlink() for link in Path(f"/proc/{process.pid}/fd").iterdir()}
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert tmp_path / "gallery.db" not in files


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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_to_the_whole_group_lets_processes_drain(number: signal.Signals) -> None:
    """Ctrl-C reaches the group, and the parent sends each process SIGTERM besides."""
    process = start(process_group=0, WEB_PROCESSES="2")
    try:
        port = int(re.search(r":(\d+)/$", process.stdout.readline())[1])
        clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(4)]
        for client in clients:
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
            client.sendall(b"GET /healthz HTTP/1.1\r\n")  # the rest comes while it drains
        os.killpg(process.pid, number)
        wait_for(lambda: refused(port))
        for client in clients:
            client.sendall(b"Host: localhost\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 503")
            client.close()
        assert (0, "", "") == (process.wait(30), process.stdout.read(), process.stderr.read())
    finally:
        process.kill()


def test_failure_of_a_process_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent sees no more than that it has ended."""
    monkeypatch.setattr(processes.os, "_exit", SystemExit)
    with listen("127.0.0.1", 0) as listener:
        parent = processes._Parent(1, lambda: 1 // 0, listener)
    monkeypatch.setattr(parent, "_become_child", lambda: None)
    parent._be_child()
    assert "ZeroDivisionError" in caplog.text


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
