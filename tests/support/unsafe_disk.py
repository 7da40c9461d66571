"""Run a program on a disk that can fail: ``python unsafe_disk.py FOLDER SURVIVES FULL PROGRAM ARGUMENTS…``.

Each os.fsync of a file or a folder in FOLDER copies what is then certain to be on the disk to the folder
SURVIVES: the contents of a synced file, under the names that its synced folder has. A file whose folder was
synced and itself not is empty there. SURVIVES is what a power failure leaves.

While the file FULL exists, the disk is full: os.fsync of a file and os.makedirs raise ENOSPC, as a file system
with delayed allocation does.
"""

from __future__ import annotations

import errno
import os
import runpy
import shutil
import stat
import sys
from pathlib import Path
from typing import Any


class UnsafeDisk:
    """Replaces os.fsync and os.makedirs."""

    def __init__(self, folder: Path, survives: Path, full: Path) -> None:
        self._folder, self._survives, self._full = folder.resolve(), survives, full
        self._contents: dict[int, bytes] = {}  # by inode
        self._names: dict[Path, dict[str, bytes | None]] = {}  # by folder: files with contents, folders
        self._fsync, self._makedirs = os.fsync, os.makedirs

    def install(self) -> None:
        """Let all code of this process use the disk."""
        os.fsync, os.makedirs = self.fsync, self.makedirs  # type: ignore[assignment]

    def makedirs(self, *arguments: Any, **options: Any) -> None:
        """Create folders, unless the disk is full."""
        self._check_space()
        self._makedirs(*arguments, **options)

    def fsync(self, descriptor: int) -> None:
        """Sync, and copy what is synced."""
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        status = os.fstat(descriptor)
        if not path.is_relative_to(self._folder):
            self._fsync(descriptor)
        elif stat.S_ISDIR(status.st_mode):
            self._copy_names(path)
        else:
            self._check_space()
            self._contents[status.st_ino] = path.read_bytes()

    def _check_space(self) -> None:
        if self._full.exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _copy_names(self, folder: Path) -> None:
        self._names[folder] = {
            entry.name: None if entry.is_dir() else self._contents.get(entry.inode(), b"")
            for entry in os.scandir(folder)
        }
        self._write(folder)

    def _write(self, folder: Path) -> None:
        """Write the synced names of ``folder`` to its copy, if the folder's own name is synced."""
        copy = self._survives / folder.relative_to(self._folder)
        if not copy.is_dir():
            return
        names = self._names.get(folder, {})
        for old in os.scandir(copy):
            if old.name not in names:
                shutil.rmtree(old.path) if old.is_dir() else Path(old.path).unlink()
        for name, contents in names.items():
            if contents is not None:
                (copy / name).write_bytes(contents)
            elif not (copy / name).is_dir():
                (copy / name).mkdir()
                self._write(folder / name)


def main() -> None:
    """Run the program."""
    folder, survives, full, program = sys.argv[1:5]
    UnsafeDisk(Path(folder), Path(survives), Path(full)).install()
    sys.argv[:] = [program, *sys.argv[5:]]
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    main()
