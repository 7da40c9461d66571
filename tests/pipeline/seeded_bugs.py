"""Bugs that the comparison of a history with the gallery has to find.

::

    python -m tests.pipeline.seeded_bugs "fence removed" MODULE [ARGUMENT…]     # run a module with one of them
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from imgcore.db import tasks
from imgcore.db.images import ImageRepository
from imgcore.errors import Unavailable


@contextmanager
def acknowledgement_before_commit() -> Iterator[None]:
    """Answer an edit as done although its transaction failed."""
    edit = ImageRepository.edit

    def early(self: ImageRepository, public_id: str, *given: Any) -> Any:
        try:
            return edit(self, public_id, *given)
        except Unavailable:
            return self.get(public_id)

    with patch.object(ImageRepository, "edit", early):
        yield


@contextmanager
def fence_removed() -> Iterator[None]:
    """Store the result of a worker whose lease another one has."""
    with patch.object(tasks, "_END", tasks._END.replace("lease_token = :token", ":token = :token")):
        yield


@contextmanager
def deletion_before_commit() -> Iterator[None]:
    """Answer a deletion as done although its transaction failed."""
    delete = ImageRepository.delete

    def early(self: ImageRepository, public_id: str) -> bool:
        try:
            return delete(self, public_id)
        except Unavailable:
            return True

    with patch.object(ImageRepository, "delete", early):
        yield


BUGS = {
    "acknowledgement before commit": acknowledgement_before_commit,
    "deletion before commit": deletion_before_commit,
    "fence removed": fence_removed,
}

if __name__ == "__main__":
    bug, module, *arguments = sys.argv[1:]
    sys.argv[:] = [module, *arguments]
    with BUGS[bug]():
        runpy.run_module(module, run_name="__main__", alter_sys=True)
