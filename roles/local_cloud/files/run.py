"""``make run``: run the gallery and its functions on this machine, until Ctrl-C.

Start the AWS emulator, build the function zips, run playbooks/local.yml (skipped if nothing has changed and
its resources exist), migrate the database, serve the gallery, and stop every process at the end.
HOST (127.0.0.1) and PORT (8080) are the gallery's address, RESET=1 deletes the data first, GALLERY_HOME
(.local) is the data folder; checks.IMAGE_SETTINGS are passed to the functions.
"""

# ruff: noqa: E402 - signals are handled before the imports, which take a third of a second

from __future__ import annotations

import signal
import threading

STOP = threading.Event()
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(_number, lambda *_: STOP.set())

import contextlib
import json
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import checks
import prerequisites
import steps
from children import Child, Children, ProcessFailed, Stopped, discard_output, open_output
from emulator import Emulator, answers, base_environment, emulator_at
from health import WorkerFailed, resources_exist, start_workers
from install import unreachable

ROOT = Path(__file__).resolve().parents[3]
HOME = prerequisites.gallery_home(os.environ)
STARTED = time.monotonic()


def main() -> int:
    """Return 0 after a clean stop, 1 after an error message."""
    open_output()
    os.umask(0o077)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # never use the user's AWS accounts
    os.environ.update(base_environment())
    try:
        prerequisites.check_home(HOME)
        with checks.exclusive_lock(HOME):
            prerequisites.check_host(os.environ)
            port = prerequisites.port(os.environ)
            prerequisites.check_space(HOME)
            if os.environ.get("RESET", "0") not in ("", "0"):
                steps.reset(HOME)
            run(port, checks.image_settings(os.environ))
    except Stopped:
        with contextlib.suppress(OSError):
            print_progress("Stopped")
        return 0
    except BrokenPipeError:  # the reader of standard output has exited
        discard_output()
        return 0
    except (prerequisites.Refused, ProcessFailed, WorkerFailed) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


def run(port: int, image_settings: Mapping[str, str]) -> None:
    """Start all processes in order and run until Stopped. Raise ProcessFailed or WorkerFailed if one fails."""
    describer = checks.describer(image_settings)
    address = prerequisites.gallery_url(prerequisites.listening_host(os.environ), port)
    steps.write_running(HOME, {"PUBLIC_URL": address})
    saved = steps.pop_fingerprint(HOME)
    emulator = emulator_at(HOME).prepare()
    fingerprint = aws = None
    try:
        with Children(HOME / "logs", STOP) as children:
            print_progress("Starting the AWS emulator")
            # The functions inherit PUBLIC_URL, so that another port does not require the playbook
            environ = emulator.environ() | {"PUBLIC_URL": address}
            aws = children.start("emulator", emulator.command, environ, HOME)
            fingerprint = create_resources(children, emulator, image_settings, saved)
            gallery = serve(children, emulator, address, port, image_settings)
            message = captioner_message(children, describer, image_settings)
            steps.write_running(HOME, steps.running_settings(HOME, emulator, image_settings, address))
            print_progress("Ready")
            print(f"\n{message}")
            print(f"The gallery is at {address}/ (Ctrl-C stops everything)", flush=True)
            if setup := setup_message(gallery):
                print(setup, flush=True)
            children.wait(lambda: False, "a signal")
    finally:
        steps.running_file(HOME).unlink(missing_ok=True)
        if fingerprint and aws and aws.process.returncode == 0:
            steps.save_fingerprint(HOME, fingerprint)


def create_resources(
    children: Children, emulator: Emulator, image_settings: Mapping[str, str], saved: str | None
) -> str:
    """Create the zips, buckets, queues and functions. Return the fingerprint of their sources."""
    print_progress("Building the functions (the first time with some downloads)")
    build_zips(children)
    children.wait(emulator.healthy, "the AWS emulator", 60)
    fingerprint = steps.fingerprint(ROOT, emulator, image_settings)
    if saved != fingerprint or not resources_exist(emulator.root(), HOME):
        print_progress("Creating buckets, queues and functions with Ansible")
        environ = steps.ansible_environ(ROOT, emulator, image_settings)
        child = children.start("playbook", steps.playbook(HOME), environ, ROOT)
        children.finish(child, steps.current_task)
    return fingerprint


def build_zips(children: Children) -> None:
    """Build the function zips. Raise ProcessFailed if that fails; a network error omits the log."""
    try:
        children.finish(children.start("build", steps.build(HOME), os.environ, ROOT), steps.next_zip)
    except ProcessFailed as error:
        if reason := unreachable(os.environ):
            raise ProcessFailed(
                f"{reason} The first build of the functions downloads their packages from there."
            ) from error
        raise


def serve(
    children: Children, emulator: Emulator, address: str, port: int, image_settings: Mapping[str, str]
) -> Child:
    """Migrate the database, start the functions' workers and the gallery. Return the gallery's process."""
    print_progress("Migrating the database and starting the functions")
    environ = steps.web_environ(HOME, image_settings, port)
    children.finish(children.start("migration", steps.python("imgcore", "migrate"), environ, ROOT))
    with ThreadPoolExecutor(1) as pool:
        workers = pool.submit(start_workers, emulator.root(), steps.WORKERS)
        gallery = children.start("gallery", steps.python("web"), environ, ROOT)
        children.wait(lambda: answers(f"{address}/healthz"), "the gallery", 60)
        children.wait(workers.done, "the workers of the functions", 120)
        workers.result()
    return gallery


def captioner_message(children: Children, describer: str, image_settings: Mapping[str, str]) -> str:
    """Return which captioner is used and, for Gemini, the error if it rejects the key."""
    message = f"Photos are described by {describer}."
    if not describer.startswith("Gemini"):
        return message if image_settings else f"{message} To use Gemini: GEMINI_API_KEY=… make run."
    environ = {**steps.web_environ(HOME, image_settings, 0), **image_settings}
    probe = children.start("probe", steps.python("imgcore", "probe"), environ, ROOT)
    try:
        children.finish(probe, seconds=20)
    except ProcessFailed:
        return f"{message} {gemini_error(probe)}"
    return message


def setup_message(gallery: Child) -> str:
    """Return the line of the gallery's log with the setup link, which it prints while no account exists."""
    return next((line for line in gallery.tail().splitlines() if "/setup" in line), "")


def gemini_error(probe: Child) -> str:
    """Return the error message of a failed Gemini check."""
    try:
        return str(json.loads(probe.tail(1))["message"])
    except (ValueError, KeyError, TypeError):
        return "Gemini has not answered yet."


def print_progress(text: str) -> None:
    """Print a line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:5.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
