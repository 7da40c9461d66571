"""imgload beside the real ab, against the same server: the same lines, the same counts, the same endings."""

from __future__ import annotations

import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.load.commands import Warm, ab, figures, skeleton
from tests.load.odd_server import OddServer, odd_server
from tests.mariadb import certificate
from tests.support.waiting import wait_for

# What does not depend on how long anything took.
COUNTS = (
    "Server Software",
    "Server Hostname",
    "Server Port",
    "Document Path",
    "Document Length",
    "Concurrency Level",
    "Complete requests",
    "Failed requests",
    "(Connect",
    "Write errors",
    "Non-2xx responses",
    "Keep-Alive requests",
    "Total transferred",
    "Total body sent",
    "HTML transferred",
)
AGENT = ("-H", "User-Agent: load test")

TESTS = {
    "one request": "/ok",
    "several connections": "-n 20 -c 4 /ok",
    "keep-alive": "-k -n 20 -c 4 /ok",
    "progress": "-n 250 -c 5 /ok",
    "quiet": "-q -n 250 -c 5 /ok",
    "a missing page": "-n 9 -c 3 /missing",
    "a missing page, kept": "-n 9 -k /missing",
    "a redirect": "-n 9 -k /moved?to=x",
    "a post": "-n 9 -p BODY -T application/json /ok",
    "a post, kept": "-n 9 -k -c 3 -p BODY /ok",
    "a put": "-n 9 -u BODY /ok",
    "a named method with a body": "-n 3 -p BODY -m PATCH /ok",
    "a named method": "-n 3 -m DELETE /ok",
    "a head": "-n 9 -i /ok",
    "a head, kept": "-n 9 -i -k /ok",
    "headers": "-n 3 -C a=b -A user:word -P user:word -H X-One:1 -H accept:text/html /ok",
    "another host": "-n 3 -H Host:elsewhere /ok",
    "a length that changes": "-n 9 /changing",
    "a length that may change": "-n 9 -l /changing",
    "a large page": "-n 6 -c 2 /large",
    "a large page, kept": "-n 6 -c 2 -k /large",
    "no estimators": "-n 9 -S /ok",
    "no percentiles": "-n 9 -d /ok",
    "resets that are allowed": "-n 9 -r /reset",
    "an answer that breaks off": "-n 9 /cut-short",
    "an answer that breaks off, kept": "-n 9 -k /cut-short",
    "empty answers": "-n 9 -r /nothing",
    "some empty answers": "-n 9 -r /nothing-each-third",
    "no answer of HTTP": "-n 9 /garbage",
    "an old server": "-n 9 -k /old",
    "a limit of time": "-t 5 -n 20 /ok",
}


@pytest.fixture
def both(odd: OddServer, imgload: Warm, tmp_path: Path, request: pytest.FixtureRequest) -> tuple:
    """ab and imgload after the same test."""
    body = tmp_path / "body"
    body.write_bytes(b'{"a": 1}')
    *flags, path = TESTS[request.param].replace("BODY", str(body)).split(" ")
    arguments = [*AGENT, *flags, odd.origin + path]
    ended = []
    for command in (ab, imgload):
        odd.forget()
        ended.append((command(*arguments), list(odd.requests)))
    return tuple(ended)


@pytest.mark.parametrize("both", TESTS, indirect=True)
def test_it_does_what_ab_does(both: tuple) -> None:
    """The same requests, the same lines in the same order, the same counts, the same progress, the same end."""
    (theirs, their_requests), (ours, our_requests) = both

    assert their_requests == our_requests
    assert skeleton(theirs.out) == skeleton(ours.out)
    counts = [{name: text.get(name) for name in COUNTS} for text in (figures(theirs.out), figures(ours.out))]
    assert counts[0] == counts[1]
    assert (theirs.code, theirs.err) == (ours.code, ours.err)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_speaks_https_as_ab_does(imgload: Warm, tmp_path: Path, version: ssl.TLSVersion) -> None:
    """The lines about protocol, cipher and keys are equal, except values that Python's ssl hides."""
    certificate(tmp_path, tmp_path / "certificate.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "certificate.pem", tmp_path / "key.pem")
    tls.maximum_version = version
    with odd_server(tls) as server:
        url = f"https://localhost:{server.port}/ok"
        theirs, ours = (command("-k", "-n", "9", "-c", "3", url) for command in (ab, imgload))

    assert skeleton(theirs.out) == skeleton(ours.out)
    names = (*COUNTS, "SSL/TLS Protocol", "Server Temp Key", "TLS Server Name")
    found = [
        {name: text[name] for name in names if name in text} for text in map(figures, (theirs.out, ours.out))
    ]
    assert found[0] == found[1]
    assert "256" == found[1]["SSL/TLS Protocol"].split(",")[2]


def unused() -> int:
    """A port of 127.0.0.1 where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


ENDINGS = {
    "nobody listens": "-n 9 http://127.0.0.1:UNUSED/",
    "a reset": "-n 9 ODD/reset",
    "silence": "-n 2 -s 1 ODD/silent",
    "an unknown host": "-n 2 http://nowhere.invalid/",
    "no path": "-n 2 http://127.0.0.1",
    "no URL": "-n 2",
    "two URLs": "-n 2 ODD/ok ODD/ok",
    "a flag without its value": "-n",
    "no requests": "-n 0 ODD/ok",
    "words for numbers": "-n many ODD/ok",
    "more connections than requests": "-n 2 -c 3 ODD/ok",
    "no such file": "-p /nowhere/at/all ODD/ok",
    "HEAD with a body": "-i -p /dev/null ODD/ok",
    "a body after a method": "-m PATCH -p /dev/null ODD/ok",
}


@pytest.mark.parametrize("name", ENDINGS)
def test_it_ends_as_ab_ends(odd: OddServer, imgload: Warm, name: str) -> None:
    """The same code and the same sentence where ab gives up."""
    text = ENDINGS[name].replace("ODD", odd.origin).replace("UNUSED", str(unused()))
    theirs, ours = ab(*text.split()), imgload(*text.split())

    assert theirs.code == ours.code
    assert _complaint(theirs.err) == _complaint(ours.err.replace("imgload: ", "ab: "))
    assert theirs.out.splitlines()[4:] == ours.out.splitlines()[4:]


def _complaint(text: str) -> list[str]:
    """What is said before the usage text."""
    return text.partition("Usage: ")[0].splitlines()


def test_ctrl_c_ends_it_with_a_report(odd: OddServer) -> None:
    """The report covers what happened until then; the exit code is 1."""
    ended = []
    for program in (["ab"], [sys.executable, "-m", "imgload"]):
        odd.forget()
        command = [*program, "-q", "-t", "600", "-c", "2", f"{odd.origin}/ok"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        wait_for(lambda: len(odd.requests) > 100, seconds=60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        ended.append((process.returncode, skeleton(out), int(figures(out)["Complete requests"]) > 90))

    assert (1, True) == ended[0][::2]
    assert ended[0] == ended[1]


def test_both_files_are_like_abs(odd: OddServer, imgload: Warm, tmp_path: Path) -> None:
    """-e and -g: the same heads, the same columns, as many rows."""
    shapes = []
    for name, command in (("ab", ab), ("imgload", imgload)):
        csv, tsv = tmp_path / f"{name}.csv", tmp_path / f"{name}.tsv"
        command("-n", "200", "-c", "4", "-e", str(csv), "-g", str(tsv), f"{odd.origin}/ok")
        shapes.append([_shape(csv.read_text(), ","), _shape(tsv.read_text(), "\t")])

    assert shapes[0] == shapes[1]
    assert (102, 201) == (len(shapes[1][0]), len(shapes[1][1]))


def _shape(text: str, mark: str) -> list[object]:
    """The first line as it is, of the others what kind of thing each column holds."""
    head, *rows = text.splitlines()
    return [head, *([_kind(cell) for cell in row.split(mark)] for row in rows)]


def _kind(cell: str) -> str:
    if cell.isdigit():
        return "whole number"
    whole, point, places = cell.partition(".")
    return f"{len(places)} places" if point and (whole + places).isdigit() else f"{len(cell.split())} words"
