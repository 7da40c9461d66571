"""At boot: the instance's user data becomes the environment file of the services.

The user data are lines NAME=value: addresses, names, and the ids of secrets, never a secret itself. AWS shows
them to whoever may describe the instance, so a line that looks like a secret is refused, by its name alone.
Runs on the host's own Python with nothing but the standard library.
"""

from __future__ import annotations

import http.client
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ENDPOINT = "http://169.254.169.254"
PATIENCE = 120.0  # seconds that the instance's metadata may take to answer at boot
MAX_BYTES = 16 * 1024  # of user data: AWS's own limit

_LINE = re.compile(r"([A-Z][A-Z0-9_]{0,63})=([ !#-&(-\[\]-_a-~]*)")  # no quote, no backslash, no backtick
_SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|CREDENTIAL|DATABASE_URL|SECRET$|(^|_)KEY$|PRIVATE|ACCESS_KEY")
_LOADER = re.compile(r"LD_|PYTHON|GLIBC_|BASH|ENV$|IFS$|PATH$|HOME$|SHELL$")


class Refused(Exception):
    """The user data cannot be used; the message says why and holds no value of it."""


def settings(user_data: str) -> dict[str, str]:
    """The settings that the user data hold; blank lines and those that begin with # say nothing."""
    found: dict[str, str] = {}
    for number, line in enumerate(user_data.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise Refused(f"line {number} of the user data is not NAME=value in plain letters")
        name, value = match.groups()
        if _SECRET.search(name):
            raise Refused(
                f"{name} would be a secret in the user data: put it into Secrets Manager, and its id here"
            )
        if _LOADER.match(name):
            raise Refused(f"{name} is no setting of the gallery's")
        if name in found:
            raise Refused(f"{name} is said twice in the user data")
        found[name] = value
    return found


def rendered(found: Mapping[str, str]) -> str:
    """The environment file, as systemd reads it; no value holds a quote or a backslash."""
    return "".join(f'{name}="{value}"\n' for name, value in found.items())


def fetch(endpoint: str) -> str | None:
    """The user data, over IMDSv2; None where the instance has none. OSError where nobody answers well."""
    status, token = _ask(endpoint, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
    if status != 200:
        raise OSError(f"the instance's metadata give no token: {status}")
    status, data = _ask(endpoint, "GET", "/latest/user-data", "X-aws-ec2-metadata-token", token.decode())
    if status == 404:
        return None
    if status != 200:
        raise OSError(f"the instance's metadata give no user data: {status}")
    if len(data) > MAX_BYTES:
        raise Refused(f"the user data are longer than {MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Refused("the user data are not text") from error


def _ask(endpoint: str, method: str, path: str, header: str, value: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, headers={header: value})
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_BYTES + 1)
    except http.client.HTTPException as error:
        raise OSError(f"the instance's metadata answer with {type(error).__name__}") from error
    finally:
        connection.close()


def patiently(ask: Callable[[], str | None], patience: float = PATIENCE) -> str | None:
    """What ``ask`` gives, as soon as the network is there. OSError after ``patience`` seconds without it."""
    end, pause = time.monotonic() + patience, 0.2
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)
            pause = min(5.0, 2 * pause)


def write(path: Path, text: str) -> None:
    """All of it or nothing, and for root alone."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def main(path: Path, environ: Mapping[str, str]) -> int:
    """0 where the file holds this boot's settings, 1 with a sentence otherwise."""
    endpoint = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "").rstrip("/") or ENDPOINT
    try:
        user_data = patiently(lambda: fetch(endpoint))
        if user_data is None:
            raise Refused("the instance has no user data")
        found = settings(user_data)
        write(path, rendered(found))
    except (Refused, OSError) as error:
        sys.stderr.write(f"No settings: {error}.\n")
        return 1
    sys.stdout.write(f"{len(found)} settings: {', '.join(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), os.environ))
