"""``make run``: the whole pipeline on this machine, until Ctrl-C.

Starts the emulator, packs the functions, applies playbooks/local.yml (unless nothing has changed and all of
it still stands), brings the database up to date, serves the gallery, and leaves no process behind.
PORT (8080) is the gallery's port, RESET=1 starts empty, GALLERY_HOME (.local) is where the data live; what
concerns captions goes on to the functions.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import checks
import prerequisites
import steps
from children import Child, Children, Died, Stopped
from emulator import HOST, Emulator, ambient, answers, emulator_at
from install import unreachable
from standing import Asleep, stands, wake

ROOT = Path(__file__).resolve().parents[3]
HOME = prerequisites.gallery_home(os.environ)
STARTED = time.monotonic()
STOP = threading.Event()


def main() -> int:
    """0 after an orderly stop, 1 with a sentence otherwise."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: STOP.set())
    os.umask(0o077)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]  # a person's real accounts play no part here
    os.environ.update(ambient())
    try:
        prerequisites.check_owned(HOME)
        with checks.only_one(HOME):
            port = prerequisites.port(os.environ)
            prerequisites.check_host(os.environ)
            prerequisites.check_space(HOME)
            if os.environ.get("RESET", "0") not in ("", "0"):
                steps.reset(HOME)
            run(port, checks.wishes(os.environ))
    except Stopped:
        with contextlib.suppress(OSError):
            say("Stopped")
        return 0
    except BrokenPipeError:  # nobody reads any more what is said here
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (prerequisites.Refused, Died, Asleep) as error:
        print(f"make run: {error}", file=sys.stderr)
        return 1
    return 0


def run(port: int, wishes: Mapping[str, str]) -> None:
    """Start everything in order and stay until Stopped. Died or Asleep where a part of it fails."""
    who = checks.describer(wishes)
    address = f"http://{HOST}:{port}"
    steps.write_running(HOME, {"PUBLIC_URL": address})
    applied = steps.take_mark(HOME)
    emulator = emulator_at(HOME).prepare()
    mark = cloud = None
    try:
        with Children(HOME / "logs", STOP) as children:
            say("Starting this machine's own cloud, an emulator of AWS")
            # The functions inherit its environment; the playbook need not run again for another port
            environ = emulator.environ() | {"PUBLIC_URL": address}
            cloud = children.start("cloud", emulator.command, environ, HOME)
            mark = provide(children, emulator, wishes, applied)
            gallery = serve(children, emulator, port, wishes)
            said = introduce(children, who, wishes)
            steps.write_running(HOME, steps.running_settings(HOME, emulator, wishes, address))
            say("Ready")
            print(f"\n{said}")
            print(f"The gallery is at {address}/ (Ctrl-C stops everything)", flush=True)
            if first := invitation(gallery):
                print(first, flush=True)
            children.wait(lambda: False)
    finally:
        steps.running_file(HOME).unlink(missing_ok=True)
        if mark and cloud and cloud.process.returncode == 0:
            steps.leave_mark(HOME, mark)


def provide(children: Children, emulator: Emulator, wishes: Mapping[str, str], applied: str | None) -> str:
    """Zips, buckets, queues and functions; a mark of what they were made of."""
    say("Packing the two functions (the first time with some downloads)")
    pack(children)
    children.wait(emulator.healthy, 60)
    mark = steps.mark(ROOT, emulator, wishes)
    if applied != mark or not stands(emulator.root(), HOME):
        say("Making buckets, queues and functions with Ansible")
        environ = steps.ansible_environ(ROOT, emulator, wishes)
        child = children.start("playbook", steps.playbook(HOME), environ, ROOT)
        children.finish(child, steps.current_task)
    return mark


def pack(children: Children) -> None:
    """Make the zips. Died where that fails; without a network, with a sentence about it alone."""
    try:
        children.finish(children.start("build", steps.build(HOME), os.environ, ROOT), steps.next_zip)
    except Died as error:
        if reason := unreachable(os.environ):
            raise Died(f"{reason} The functions' packages come from there, the first time.") from error
        raise


def serve(children: Children, emulator: Emulator, port: int, wishes: Mapping[str, str]) -> Child:
    """Start the database and the gallery, and warm the functions before the first upload."""
    say("Bringing the database up to date and waking the functions")
    environ = steps.web_environ(HOME, wishes, port)
    children.finish(children.start("migration", steps.python("imgcore", "migrate"), environ, ROOT))
    with ThreadPoolExecutor(1) as aside:
        waking = aside.submit(wake, emulator.root(), steps.WORKERS)
        gallery = children.start("gallery", steps.python("web"), environ, ROOT)
        children.wait(lambda: answers(f"http://{HOST}:{port}/healthz"), 60)
        children.wait(waking.done, 120)
        waking.result()
    return gallery


def introduce(children: Children, who: str, wishes: Mapping[str, str]) -> str:
    """Return who describes photos, and whether Gemini accepts the key."""
    said = f"Photos are described by {who}."
    if not who.startswith("Gemini"):
        return said if wishes else f"{said} GEMINI_API_KEY=… make run has Gemini do it."
    environ = {**steps.web_environ(HOME, wishes, 0), **wishes}
    probe = children.start("probe", steps.python("imgcore", "probe"), environ, ROOT)
    try:
        children.finish(probe, seconds=20)
    except Died:
        return f"{said} {refusal(probe)}"
    return said


def invitation(gallery: Child) -> str:
    """What the gallery says where nobody has an account yet (ACCOUNTS=on): the way to the first one."""
    return next((line for line in gallery.tail().splitlines() if "/setup" in line), "")


def refusal(probe: Child) -> str:
    """What is wrong with Gemini, in a sentence."""
    try:
        return str(json.loads(probe.tail(1))["message"])
    except (ValueError, KeyError, TypeError):
        return "It has not answered yet."


def say(text: str) -> None:
    """A line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - STARTED:5.1f} s  {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
