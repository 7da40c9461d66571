"""The image collections of Pillow and pillow-heif, and large files of small pictures.

No file does harm to the process that decodes it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from pathlib import Path

from tests import images as samples
from tests.contract.hostile_files import faults, judged
from tests.sdists import files


def test_pillows_own_samples_do_no_harm() -> None:
    """A thousand files: crashes of the past, bombs, every format, most of which are refused."""
    outcomes = judged(files("pillow", "Tests"))
    assert [] == faults(outcomes)
    counts = Counter(outcome.result.split()[0] for outcome in outcomes)
    assert counts["ok"] > 400
    assert counts["rejected"] > 400


def test_real_heic_and_avif_files_do_no_harm() -> None:
    """Images of phones and cameras, with depth maps, bursts and alpha, and broken ones."""
    outcomes = judged(files("pillow-heif", "tests"))
    assert [] == faults(outcomes)
    assert sum(outcome.result == "ok" for outcome in outcomes) > 50


def test_spare_bytes_are_not_held(tmp_path: Path) -> None:
    """A small picture costs little, wherever the bytes are that a large file has besides it."""
    files = samples.spare_byte_attacks(95_000_000)
    outcomes = []
    while some := list(itertools.islice(files, 8)):
        for name, data in some:
            (tmp_path / name).write_bytes(data)
        outcomes += judged([tmp_path / name for name, _ in some])
        for path in tmp_path.iterdir():
            path.unlink()
    print(f"{len(outcomes)} files: at most {max(outcome.memory for outcome in outcomes) / 1e6:.0f} MB")
    print(f"and {max(outcome.cpu for outcome in outcomes):.2f} s of CPU")
    assert [] == faults(outcomes)
