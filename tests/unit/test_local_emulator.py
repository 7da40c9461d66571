"""The port of the emulator of `make run`, and the check that it answers."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from roles.local_cloud.files import emulator
from roles.local_cloud.files.emulator import HOST, PORTS, answers, emulator_at, free_port, is_free, reserve


def test_free_port_seeded_random_numbers_gives_other_ports() -> None:
    """Test workers with the same seed, and pages that guess, must not know the port."""
    found = set()
    for _ in range(5):
        random.seed(1)
        found.add(free_port())
    assert len(found) > 1
    assert found <= set(PORTS)


def test_free_port_two_threads_do_not_draw_one_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two emulators that start at once draw before either listens."""
    monkeypatch.setattr(emulator, "PORTS", range(29_900, 30_000))
    with ThreadPoolExecutor(8) as pool:
        drawn = list(pool.map(lambda _: free_port(), range(40)))
    assert len(set(drawn)) == 40


def test_free_port_reserved_by_another_process_is_not_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other process has drawn the port and does not listen yet; once it is killed the port is free."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import emulator; "
        "print(emulator.free_port(), flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(Path(emulator.__file__).parent)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        taken = int(other.stdout.readline())
        try:
            assert is_free(taken)
            assert not reserve(taken)
            monkeypatch.setattr(emulator, "PORTS", [taken])
            with pytest.raises(StopIteration):
                free_port()
        finally:
            other.kill()
    assert free_port() == taken


def test_prepare_own_port_is_kept_and_a_reserved_one_replaced(tmp_path: Path) -> None:
    """A restart keeps the port that queue URLs contain, unless another process has reserved it."""
    first = emulator_at(tmp_path).prepare()
    assert first.prepare().port == first.port
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, 0))
        port = other.getsockname()[1]
        assert replace(first, port=port).prepare().port != port


def test_answers_server_of_another_protocol_is_no_answer() -> None:
    """MariaDB sends a greeting that is not HTTP to every client."""
    with socket.create_server((HOST, 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"d\0\0\0\n5.5.5-10.11\0")

        Thread(target=greet, daemon=True).start()
        assert not answers(f"http://{HOST}:{server.getsockname()[1]}/healthz")
