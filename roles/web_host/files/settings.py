"""Write the environment file of the services from the instance's user data, at boot.

The user data consists of lines NAME=value: addresses, names and IDs of secrets, never a secret. Everyone with
ec2:DescribeInstanceAttribute can read it, so a line whose name is that of a secret is refused.
Runs with the host's own Python and the standard library only.
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
TIMEOUT = 120.0  # seconds until the instance metadata service must respond at boot
MAX_BYTES = 16 * 1024  # maximum size of user data on EC2

_LINE = re.compile(r"([A-Z][A-Z0-9_]{0,63})=([ !#-&(-\[\]-_a-~]*)")  # no quote, no backslash, no backtick
_SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|CREDENTIAL|DATABASE_URL|SECRET$|(^|_)KEY$|PRIVATE|ACCESS_KEY")
_LOADER = re.compile(r"LD_|PYTHON|GLIBC_|BASH|ENV$|IFS$|PATH$|HOME$|SHELL$")


class Refused(Exception):
    """The user data is invalid; the message says why and contains no value of it."""


def settings(user_data: str) -> dict[str, str]:
    """Return the settings in the user data; blank lines and lines that start with # are ignored.

    Raises Refused for a line that is not NAME=value, a name of a secret or of the loader, and a duplicate.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(user_data.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise Refused(f"line {number} of the user data is not NAME=value with plain ASCII characters")
        name, value = match.groups()
        if _SECRET.search(name):
            raise Refused(
                f"{name} is the name of a secret: store it in Secrets Manager and its ID in the user data"
            )
        if _LOADER.match(name):
            raise Refused(f"{name} is not a setting of the gallery")
        if name in found:
            raise Refused(f"{name} is set twice in the user data")
        found[name] = value
    return found


def rendered(found: Mapping[str, str]) -> str:
    """Return the contents of the environment file for systemd; values contain no quotes and backslashes."""
    return "".join(f'{name}="{value}"\n' for name, value in found.items())


def fetch(endpoint: str) -> str | None:
    """Return the user data, read over IMDSv2, or None if the instance has none.

    Raises OSError if the metadata service does not respond or returns an error, Refused if the data is no text.
    """
    status, token = _request(endpoint, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "60")
    if status != 200:
        raise OSError(f"the instance metadata service returned status {status} for a token")
    status, data = _request(endpoint, "GET", "/latest/user-data", "X-aws-ec2-metadata-token", token.decode())
    if status == 404:
        return None
    if status != 200:
        raise OSError(f"the instance metadata service returned status {status} for the user data")
    if len(data) > MAX_BYTES:
        raise Refused(f"the user data is longer than {MAX_BYTES} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Refused("the user data is not UTF-8 text") from error


def _request(endpoint: str, method: str, path: str, header: str, value: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, headers={header: value})
        answer = connection.getresponse()
        return answer.status, answer.read(MAX_BYTES + 1)
    except http.client.HTTPException as error:
        raise OSError(f"invalid response of the instance metadata service: {type(error).__name__}") from error
    finally:
        connection.close()


def retry(call: Callable[[], str | None], timeout: float = TIMEOUT) -> str | None:
    """Retry a call that raises OSError, because the network may not be up yet, for ``timeout`` seconds."""
    end, pause = time.monotonic() + timeout, 0.2
    while True:
        try:
            return call()
        except OSError:
            if time.monotonic() + pause > end:
                raise
            time.sleep(pause)
            pause = min(5.0, 2 * pause)


def write(path: Path, text: str) -> None:
    """Replace the file atomically, with mode 0600."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def main(path: Path, environ: Mapping[str, str]) -> int:
    """Write the file and return 0; on failure keep the old file, print a message and return 1."""
    endpoint = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "").rstrip("/") or ENDPOINT
    try:
        user_data = retry(lambda: fetch(endpoint))
        if user_data is None:
            raise Refused("the instance has no user data")
        found = settings(user_data)
        write(path, rendered(found))
    except (Refused, OSError) as error:
        sys.stderr.write(f"Settings not written: {error}.\n")
        return 1
    sys.stdout.write(f"{len(found)} settings: {', '.join(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), os.environ))
