"""The image collections of Pillow and pillow-heif: no file does harm to the process that decodes it."""

from __future__ import annotations

from collections import Counter

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
