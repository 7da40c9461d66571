"""Write the environment file of the services from the instance's user data, at boot.

The user data consists of lines NAME=value: addresses, names and IDs of secrets, never a secret. Everyone with
ec2:DescribeInstanceAttribute can read it, so a line whose name is that of a secret is refused. Where lines are
refused, the file has only what the log service needs to send the reason, and the web process does not start.
Runs with the host's own Python and the standard library only. The role fleet calls ``problem`` for the settings
of an inventory, before it rolls the hosts.
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

NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
FOR_LOGS = ("AWS_REGION", "LOG_GROUP")  # what ship.py reads
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")  # systemd ignores a value that contains one
_SECRET = re.compile(r"PASSWORD|PASSWD|TOKEN|CREDENTIAL|DATABASE_URL|SECRET$|(^|_)KEY$|ACCESS_KEY")
_LOADER = re.compile(r"LD_|PYTHON|GLIBC_|BASH|ENV$|IFS$|PATH$|HOME$|SHELL$")
TRANSIENT, REFUSED = 1, 2  # exit codes; after the second one, systemd does not restart the service


class Refused(Exception):
    """The user data is invalid; the message says why and contains no value of it."""


def problem(name: str, value: str) -> str:
    """Return why a setting is refused, or an empty string. name: matches NAME."""
    if _SECRET.search(name):
        return f"{name} is the name of a secret: store it in Secrets Manager and its ID in the user data"
    if _LOADER.match(name):
        return f"{name} is not a setting of the gallery"
    if _CONTROL.search(value):
        return f"the value of {name} contains a line break or another control character"
    return ""


def settings(user_data: str) -> tuple[dict[str, str], list[str]]:
    """Return the settings in the user data, and a message for each line that is refused.

    Blank lines and lines that start with # are ignored.
    """
    found: dict[str, str] = {}
    refused = []
    for number, line in enumerate(user_data.split("\n"), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not NAME.fullmatch(name):
            refused.append(f"line {number} of the user data is not NAME=value with a name in capital letters")
        elif reason := problem(name, value):
            refused.append(reason)
        elif name in found:
            refused.append(f"{name} is set twice in the user data")
        else:
            found[name] = value
    return found, refused


def rendered(found: Mapping[str, str]) -> str:
    """Return the contents of the environment file; in double quotes, systemd reads these two escapes."""
    escaped = {name: value.replace("\\", "\\\\").replace('"', '\\"') for name, value in found.items()}
    return "".join(f'{name}="{value}"\n' for name, value in escaped.items())


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
    """Write the file and return 0; else print a message and return 1 for a transient error, 2 for a refusal."""
    endpoint = environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "").rstrip("/") or ENDPOINT
    try:
        user_data = retry(lambda: fetch(endpoint))
        if user_data is None:
            raise Refused("the instance has no user data")
        found, refused = settings(user_data)
        if refused:
            write(path, rendered({name: found[name] for name in FOR_LOGS if name in found}))
            raise Refused("; ".join(refused))
        write(path, rendered(found))
    except (Refused, OSError) as error:
        sys.stderr.write(f"Settings not written: {error}.\n")
        return REFUSED if isinstance(error, Refused) else TRANSIENT
    sys.stdout.write(f"{len(found)} settings: {', '.join(found)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), os.environ))
