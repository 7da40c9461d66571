"""Pin what goes into the zips: ``python -m lambda_build.lock``, after requirements.txt was locked.

The versions are those of requirements.txt, so that the functions run what the tests ran.
"""

from __future__ import annotations

import sys

from lambda_build import wheels
from lambda_build.targets import HERE, BuildError

LOCKS = {
    "requirements-thumbnail.txt": ("mysql",),
    "requirements-caption.txt": ("mysql", "gemini"),
    "requirements-caption-local.txt": ("mysql", "gemini", "local"),
}
# google-genai asks for them and loads them only for credentials other than a key, which we never use.
# What is left out cannot shadow the urllib3 that AWS's own boto3 was tested with, either.
NOT_LOADED = (
    "cryptography",
    "cffi",
    "pycparser",
    "pyasn1",
    "pyasn1-modules",
    "requests",
    "urllib3",
    "charset-normalizer",
)


def main() -> int:
    """Write every lock: 0, or 1 with a sentence on standard error."""
    options = ["--universal", "--python-version", "3.11"]
    options += [part for package in NOT_LOADED for part in ("--no-emit-package", package)]
    try:
        for name, extras in LOCKS.items():
            by, what = "python -m lambda_build.lock", f"The packages of {name}"
            wheels.compile_lock(HERE / name, extras, options, by=by, what=what)
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
