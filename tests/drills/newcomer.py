"""The newcomer's path on a fresh Debian 13: ``python -m tests.drills.newcomer`` (root on Linux, half an hour).

An ordinary user on a system with make, git and python3-venv alone clones the repository. What prevents an
installation comes first (no network, 300 MB of disk, a read-only folder, …): each must be answered with one
sentence. Then `make run`, every command of the documents, Ctrl-C and `make check`.
What needs an AWS account must fail for want of credentials and nothing else. Prints figures; ends with 1 where
a claim does not hold.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.deploy.test_local_run import Run
from tests.host.debian import ROOT, System, system
from tests.support.documents import ACTIVATION, PAGES, Command, commands, python_code

PACKAGES = "ca-certificates,git,make,python3-venv"
USER_ID = 47_110  # no user of this machine, so that its processes are known by it
HOME = "/home/newcomer"
FOLDER = f"{HOME}/gallery"
# How this machine reaches the package index; all else of its environment stays out.
KEPT = re.compile(r"(?i:https?_proxy|no_proxy)|(PIP|UV)_(DEFAULT_)?INDEX(_URL)?|PIP_CERT|SSL_CERT_FILE")
NO_CREDENTIALS = re.compile(r"credentials|config profile", re.IGNORECASE)
# The drill runs `make run` and `make check` itself; `make test` and other drills need packages, or root;
# benchmarks take minutes or miss their goals on a busy machine, mutants take minutes; a command with an ID
# needs the reader's own. The documents say what needs Node.js or the AWS command line.
LEFT_OUT = re.compile(
    r"make (run|test|check|drill|bench|load|mutate)\b|ORDER=random |(node|aws) |.* ID\b"
    r"|\.venv/bin/python -m (pytest tests/unit --randomly|tests\.support\.pauses"
    r"|tests\.load\.bench_(images|pipeline|quality|zips))"
)
# What cannot work on this machine or in this gallery, and the sentence that says so.
REFUSED = {
    "imgcore user reset-second-factor": "This account has no second factor",
    "imgcore recaption --source local --batch": "set GEMINI_API_KEY",
    ".venv/bin/python -m tests.load.bench_page_view": "Node.js with npm is not installed",
    ".venv/bin/python -m tests.load.bench_scrolling": "chromium is not installed",
    ".venv/bin/python -m tests.support.javascript": "Node.js with npm is not installed",
    ".venv/bin/python -m tests.load.bench_pages": "mariadb-install-db is not installed",
    ".venv/bin/python -m tests.load.bench_repository": "mariadb-install-db is not installed",
    ".venv/bin/python -m tests.load.mixed": "mariadb-install-db is not installed",
}
SHORTENED = {"imgload -n 40000": "imgload -n 400"}  # the page's own number of requests takes minutes
SILENCE_SECONDS = 30.0  # `make run` says something at least that often


@dataclass
class Newcomer:
    """The user and the machine. faults: what contradicts the claims."""

    machine: System
    faults: list[str] = field(default_factory=list)

    def command(self, text: str, *, mounts: str = "", network: bool = True, **environ: str) -> list[str]:
        """Return the command line that runs this text in a terminal of the newcomer's, in the clone."""
        kept = {name: value for name, value in os.environ.items() if KEPT.fullmatch(name)}
        seen = {"HOME": HOME, "USER": "newcomer", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **kept, **environ}
        user = ["setpriv", f"--reuid={USER_ID}", f"--regid={USER_ID}", "--clear-groups", "env", "-i"]
        user += [f"{name}={value}" for name, value in seen.items()]
        return self.machine.inside(
            [*user, "bash", "-c", f"cd {FOLDER}\n{text}"], mounts=mounts, network=network
        )

    def paste(
        self, text: str, *, mounts: str = "", network: bool = True, **environ: str
    ) -> tuple[int, str, float]:
        """Run it; its exit code, its output, and the seconds that it took."""
        started = time.monotonic()
        done = subprocess.run(
            self.command(text, mounts=mounts, network=network, **environ),
            input="made-up\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=1800,
        )
        return done.returncode, done.stdout, time.monotonic() - started

    def expect(self, what: str, holds: bool, said: str, seconds: float) -> None:
        """Print one line; where the claim does not hold, print all that was said and remember it."""
        print(f"{'ok  ' if holds else 'FAIL'} {seconds:6.1f} s  {what}", flush=True)
        if not holds:
            print(said[-4000:], flush=True)
            self.faults.append(what)

    def refused(self, what: str, sentence: str, text: str = "make run", **given: Any) -> None:
        """The command fails soon with this sentence alone; make adds a line of its own."""
        code, said, seconds = self.paste(text, **given)
        own = [line for line in said.splitlines() if not re.match(r"make: \*\*\*|Installing | +\S", line)]
        holds = code != 0 and len(own) == 1 and re.search(sentence, own[0]) is not None
        self.expect(f"{what}: {own[-1] if own else 'nothing'}", holds, said, seconds)

    def processes(self) -> list[str]:
        """The user's processes, by their command lines."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if entry.stat().st_uid == USER_ID:
                    found.append((entry / "cmdline").read_text().replace("\0", " "))
            except OSError:  # it has ended meanwhile
                continue
        return found


@contextmanager
def newcomer() -> Iterator[Newcomer]:
    """A fresh machine with the user, and a clone of what is committed here."""
    with tempfile.TemporaryDirectory() as folder, system(Path(folder), PACKAGES) as machine:
        machine.run("useradd", "--create-home", f"--uid={USER_ID}", "newcomer")
        clone = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(machine.path(FOLDER))]
        subprocess.run(clone, check=True)
        machine.run("chown", "--recursive", f"{USER_ID}:{USER_ID}", HOME)
        yield Newcomer(machine)


def refusals(user: Newcomer) -> None:
    """Check what prevents an installation; the installation that comes later must succeed all the same."""
    user.refused("no network", r"index pypi\.org cannot be reached", network=False)
    small = f"{HOME}/small"
    user.machine.run("mkdir", small)
    tmpfs = f"mount -t tmpfs -o size=300m,uid={USER_ID} tmpfs {{root}}{small}"
    clone = f"git clone --quiet {FOLDER} {small}/gallery && cd {small}/gallery && make run"
    user.refused("300 MB of disk", r"MB left; [\d,]+ MB are needed", clone, mounts=tmpfs, HOME=small)
    bind = f"mount --bind {{root}}{FOLDER} {{root}}{FOLDER}; mount -o remount,bind,ro {{root}}{FOLDER}"
    user.refused("a read-only folder", r"not writable for newcomer: clone", mounts=bind)
    user.machine.run("mkdir", "-p", f"{FOLDER}/.local/logs")
    user.machine.run("chown", "0", f"{FOLDER}/.local/logs")
    user.refused("a folder of root's", r"logs is not writable for newcomer: change its owner")
    user.machine.run("rm", "-r", f"{FOLDER}/.local")
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        user.refused("a busy port", rf"Port {port} is in use by another program", PORT=port)
    user.refused("a port of root's", r"Port 80 is reserved for root.* PORT=80[89]\d", PORT="80")
    user.refused("an address for others", r"HOST is 0\.0\.0\.0, but without accounts", HOST="0.0.0.0")


@contextmanager
def gallery(user: Newcomer) -> Iterator[Run]:
    """`make run` until the end of the block, then Ctrl-C; says how long each took."""
    started = last = time.monotonic()
    process = subprocess.Popen(
        user.command("make run"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    said, silence, address = "", 0.0, ""
    for line in process.stdout:
        print(f"      | {line}", end="", flush=True)
        said, silence, last = said + line, max(silence, time.monotonic() - last), time.monotonic()
        if found := re.match(r"The gallery is at (\S+)/ \(Ctrl-C", line):
            address = found[1]
            break
    seconds = time.monotonic() - started
    user.expect(f"make run; {used(user)}", bool(address), said, seconds)
    user.expect(f"it was never silent for more than {silence:.0f} s", silence < SILENCE_SECONDS, said, seconds)
    try:
        yield Run(process, address, said, seconds)
    finally:
        started = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        code, rest = process.wait(60), process.stdout.read()
        ended = (
            code in (0, -signal.SIGINT) and "Stopped" in rest
        )  # a shell that was interrupted ends by the signal
        user.expect("Ctrl-C ends it", ended, f"{rest}{code}", time.monotonic() - started)
        left = user.processes()
        user.expect("no process is left", not left, "\n".join(left), 0.0)


def used(user: Newcomer) -> str:
    """What the installation and the gallery occupy."""
    folders = [f"{FOLDER}/.venv", f"{FOLDER}/.local", f"{HOME}/.cache"]
    done = user.machine.run("du", "--summarize", "--block-size=1M", "--total", *folders)
    return ", ".join(" MB ".join(line.split()) for line in done.stdout.splitlines())


def pasted(user: Newcomer) -> None:
    """Every command of every page's blocks, in their order, each in a terminal of its own."""
    for page in PAGES:
        for command in commands(page):
            if command.block and command.words[0] != "." and not LEFT_OUT.match(command.text):
                _pasted(user, command)
    code, said, seconds = user.paste(f"{ACTIVATION}\npython - <<'END'\n{python_code(PAGES[0])}END")
    user.expect("README.md's Python", code == 0 and "Traceback" not in said, said, seconds)


def _pasted(user: Newcomer, command: Command) -> None:
    activation = f"{ACTIVATION}\n" if command.activated else ""
    text = command.text
    for long, short in SHORTENED.items():
        text = text.replace(long, short)
    code, said, seconds = user.paste(activation + text)
    elsewhere = command.words[0] == "ansible-playbook" and "estimate.yml" not in command.text
    if elsewhere:
        holds = code != 0 and NO_CREDENTIALS.search(said) is not None
        user.expect(f"{command} (no credentials)", holds, said, seconds)
    elif sentence := next((words for start, words in REFUSED.items() if command.text.startswith(start)), ""):
        holds = code != 0 and sentence in said and "Traceback" not in said
        user.expect(f"{command} ({sentence})", holds, said, seconds)
    else:
        user.expect(str(command), code == 0, said, seconds)


def running(user: Newcomer, run: Run) -> None:
    """What is asked of a gallery that is running; imgcore finds it by itself and says so."""
    user.refused("a second make run", rf"already running at {re.escape(run.address)}/")
    image = run.upload()
    user.expect("a photo is described", image["status"] == "done", str(image), 0.0)
    for text, shown in (
        ("imgcore recaption --source local", '"finished"'),
        ("imgcore sweep", '"redelivered"'),
        ("imgcore user list", f"the gallery at {run.address}/"),
    ):
        code, said, seconds = user.paste(f"{ACTIVATION}\n{text}")
        user.expect(text, code == 0 and shown in said and run.address in said, said, seconds)


def stopped(user: Newcomer) -> None:
    """What is asked of a gallery that is stopped: it says so, and nothing changes."""
    database = user.machine.path(f"{FOLDER}/.local/gallery.db")
    before = database.read_bytes()
    for text in ("imgcore recaption --source local", "imgcore sweep", "imgcore user list"):
        user.refused(f"{text}, stopped", r"^imgcore: .* is stopped", f"{ACTIVATION}\n{text}")
    user.expect("nothing has changed", before == database.read_bytes(), "the database", 0.0)
    user.machine.run("rm", "-r", f"{FOLDER}/.local/dist", f"{FOLDER}/.local/lambda")
    alone: dict[str, Any] = {"network": False, "mounts": "ip link set lo up", "UV_CACHE_DIR": f"{HOME}/empty"}
    user.refused("no network for the functions", r"index pypi\.org cannot be reached", **alone)


def main() -> int:
    """0 where every claim holds."""
    subprocess.run(["sh", "tests/host/system.sh"], cwd=ROOT, check=True)
    with newcomer() as user:
        refusals(user)
        with gallery(user) as run:
            running(user, run)
            pasted(user)
        stopped(user)
        code, said, seconds = user.paste("make check")
        user.expect("make check", code == 0, said, seconds)
        print(f"     {used(user)}")
    print(f"{len(user.faults)} claims do not hold." if user.faults else "Every claim holds.")
    return 1 if user.faults else 0


if __name__ == "__main__":
    sys.exit(main())
