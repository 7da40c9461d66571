"""The port of the emulator of `make run`, and the check that it answers."""

from __future__ import annotations

import random
import socket
from threading import Thread

from roles.local_cloud.files.emulator import HOST, PORTS, answers, free_port


def test_free_port_seeded_random_numbers_gives_other_ports() -> None:
    """Test workers with the same seed, and pages that guess, must not know the port."""
    found = set()
    for _ in range(5):
        random.seed(1)
        found.add(free_port())
    assert len(found) > 1
    assert found <= set(PORTS)


def test_answers_server_of_another_protocol_is_no_answer() -> None:
    """MariaDB sends a greeting that is not HTTP to every client."""
    with socket.create_server((HOST, 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"d\0\0\0\n5.5.5-10.11\0")

        Thread(target=greet, daemon=True).start()
        assert not answers(f"http://{HOST}:{server.getsockname()[1]}/healthz")
