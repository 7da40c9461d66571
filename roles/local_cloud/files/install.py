"""Run one installation command: show its progress, log its output, print one sentence if it fails.

Usage: install.py PURPOSE COMMAND [ARGUMENT …]. It uses the standard library alone, because nothing is installed
yet.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from children import Children, ProcessFailed, Stopped, discard_output, open_output
from prerequisites import ROOT, gallery_home

LOGS = gallery_home(os.environ) / "logs"
INDEX = "https://pypi.org/simple/"
INDEX_SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
PROXY_SETTINGS = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
CONNECT_SECONDS = 5.0
DISK_FULL = ("No space left on device", "Disk quota exceeded")
SHOWN = ("Downloading", "Downloaded", "Building", "Built", "Prepared", "Installed")


def main(arguments: Sequence[str]) -> int:
    """Run the command. Return 0 if it succeeds, 1 if it fails, 130 after Ctrl-C."""
    purpose, *command = arguments
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    open_output()
    with contextlib.suppress(BrokenPipeError):
        print(f"{purpose} ...", flush=True)
    code = install(command, stop)
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has exited, as `head` does; the packages are installed all the same
        discard_output()
    return code


def install(command: Sequence[str], stop: threading.Event) -> int:
    """Run the command until it ends or ``stop`` is set. Return the exit code of ``main``."""
    try:
        with Children(LOGS, stop) as children:
            child = children.start("installation", command, os.environ, ROOT)
            children.finish(child, progress)
    except Stopped:
        return 130
    except (ProcessFailed, OSError) as error:
        log = child.log.read_text(errors="replace") if isinstance(error, ProcessFailed) else str(error)
        print(f"make: {failure(log, os.environ)} Details: {LOGS / 'installation.log'}", file=sys.stderr)
        return 1
    return 0


def progress(log: str) -> str:
    """Return what uv or pip is doing, from its output: "Downloading ansible (55.5MiB)"."""
    lines = [line.strip() for line in log.splitlines() if line.strip().startswith(SHOWN)]
    return lines[-1] if lines else "Waiting for the package index"


def failure(log: str, environ: Mapping[str, str]) -> str:
    """Return the error message for a failed command, from its output and a connection test."""
    if any(words in log for words in DISK_FULL):
        return "The disk is full: make room, then run the same command again; what was downloaded is kept."
    if reason := unreachable(environ):
        return f"{reason} Check the network (or HTTPS_PROXY), then run the same command again."
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return f"The packages cannot be installed: {lines[-1] if lines else 'no message'}"


def unreachable(environ: Mapping[str, str]) -> str | None:
    """Return an error message if the package index, or the configured proxy, cannot be reached; else None."""
    index_setting = next((name for name in INDEX_SETTINGS if environ.get(name)), "")
    index = environ.get(index_setting, INDEX)
    if not index.startswith(("http://", "https://")):
        return None  # it is a folder
    proxy_setting = next((name for name in PROXY_SETTINGS if environ.get(name)), "")
    address = environ.get(proxy_setting, index)
    try:
        url = urlsplit(address if "://" in address else f"http://{address}")  # as uv and pip read a proxy
        host, port = url.hostname or "", url.port or (80 if url.scheme == "http" else 443)
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except ValueError as error:
        return f"{proxy_setting or index_setting} is not a URL ({error})."
    except OSError as error:
        what = "The proxy" if proxy_setting else "The package index"
        return f"{what} {host or address} cannot be reached ({error.strerror or error})."
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
