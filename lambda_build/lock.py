"""Pin what goes into the zips: ``python -m lambda_build.lock``, after requirements.txt was locked.

The versions are those of requirements.txt, so that the functions run what the tests ran.
"""

from __future__ import annotations

import subprocess
import sys

from lambda_build.dependencies import find_uv
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
    """Write every lock; the exit status is uv's own."""
    try:
        uv = find_uv()
    except BuildError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, extras in LOCKS.items():
        command = [
            *uv,
            "pip",
            "compile",
            "pyproject.toml",
            "--quiet",
            "--universal",
            "--python-version",
            "3.11",
        ]
        command += ["--generate-hashes", "--no-annotate", "--constraints", "requirements.txt"]
        command += ["--custom-compile-command", "python -m lambda_build.lock"]
        command += [part for extra in extras for part in ("--extra", extra)]
        command += [part for package in NOT_LOADED for part in ("--no-emit-package", package)]
        done = subprocess.run([*command, "--output-file", str(HERE / name)], cwd=HERE.parent)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
