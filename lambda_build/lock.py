"""Pin the packages of every archive: ``python -m lambda_build.lock``, after requirements.txt was locked.

The versions are those of requirements.txt, so that what is deployed runs what the tests ran.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lambda_build import wheels
from lambda_build.targets import HERE, HOST_PYTHON, BuildError

_UNIVERSAL = ("--universal", "--python-version", "3.11")


@dataclass(frozen=True, slots=True)
class Lock:
    """What one lock pins: the needs of ``extras`` of pyproject.toml, except the packages ``without``."""

    extras: tuple[str, ...]
    without: tuple[str, ...] = ()
    options: tuple[str, ...] = _UNIVERSAL


# google-genai requires them and imports them only for credentials other than an API key, which are never used.
# A urllib3 of our own would also hide the one that AWS tested its boto3 with.
_NOT_IMPORTED = (
    "cryptography",
    "cffi",
    "pycparser",
    "pyasn1",
    "pyasn1-modules",
    "requests",
    "urllib3",
    "charset-normalizer",
)
LOCKS = {
    "requirements-thumbnail.txt": Lock(("mysql",), _NOT_IMPORTED),
    "requirements-caption.txt": Lock(("mysql", "gemini"), _NOT_IMPORTED),
    "requirements-caption-local.txt": Lock(("mysql", "gemini", "local"), _NOT_IMPORTED),
    "requirements-migrator.txt": Lock(("mysql",), ("pillow", "pillow-heif")),
    "requirements-web-host.txt": Lock(
        ("aws", "mysql", "web"), options=("--python-version", HOST_PYTHON, "--python-platform", "linux")
    ),
}


def main() -> int:
    """Write every lock; return 1, with the reason on standard error, if that is not possible."""
    try:
        for name, lock in LOCKS.items():
            options = [
                *lock.options,
                *(part for package in lock.without for part in ("--no-emit-package", package)),
            ]
            by, what = "python -m lambda_build.lock", f"The packages of {name}"
            wheels.compile_lock(HERE / name, lock.extras, options, by=by, what=what)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
