"""AWS's descriptions of its services, read once for all clients of a test process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from botocore.loaders import JSONFileLoader


@contextmanager
def shared_models() -> Iterator[None]:
    """Read each file of botocore's data once; each session does so otherwise, in 50 ms for S3's.

    The clients of one session share what it has read in the same way.
    """
    load, read = JSONFileLoader.load_file, {}

    def shared(loader: JSONFileLoader, file_path: str) -> Any:
        if file_path not in read:
            read[file_path] = load(loader, file_path)
        return read[file_path]

    with patch.object(JSONFileLoader, "load_file", shared):
        yield
