"""No file crashes, hangs or swells the process that decodes it.

Each file is decoded and rendered in a child of its own. ``HOSTILE_MUTANTS`` is the number of mutants: the drill
``hostile`` tries 19,000; tests/drills/test_hostile_images.py has the collections of Pillow and pillow-heif.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests import images as samples
from tests.contract.hostile_files import faults, judged
from tests.hostile import CPU_SECONDS, MEMORY, Outcome
from tests.sdists import files

ROOT = Path(__file__).parents[2]
MUTANTS = int(os.environ.get("HOSTILE_MUTANTS", "2000"))


def written(folder: Path, data: dict[str, bytes]) -> list[Path]:
    paths = []
    for name, content in data.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    return paths


def test_metadata_does_no_harm(tmp_path: Path) -> None:
    """What unpacks to hundreds of megabytes, or keeps a careless reader busy for hours."""
    assert [] == faults(judged(written(tmp_path, samples.metadata_bombs())))


def test_large_metadata_does_no_harm(tmp_path: Path) -> None:
    """The same at nearly the largest size that is accepted at all."""
    assert [] == faults(judged(written(tmp_path, samples.metadata_bombs(20_500_000))))


def test_pixels_do_no_harm(tmp_path: Path) -> None:
    """Claimed ones and real ones, up to the limit of fifty million."""
    assert [] == faults(judged(written(tmp_path, samples.size_bombs())))


ATTACKS = {
    "HEIF": samples.heif_attacks,
    "high range": samples.high_range_attacks,
    "PNG": samples.png_attacks,
    "profiles": samples.profile_attacks,
    "JPEG": samples.jpeg_attacks,
    "animations": samples.animation_attacks,
    "containers": samples.container_attacks,
}


@pytest.mark.parametrize("kind", ATTACKS)
def test_attacks_do_no_harm(kind: str, tmp_path: Path) -> None:
    """Files that were found to cost seconds or hundreds of megabytes, and others of their kinds."""
    assert [] == faults(judged(written(tmp_path, ATTACKS[kind]())))


def test_large_files_of_several_passes_do_no_harm(tmp_path: Path) -> None:
    """A codec passes over all pixels before a cut shows: nothing may take much longer than the whole file.

    A PNG without end takes 1.6 times the CPU of the whole one, one with a wrong checksum twice; a
    core that is shared adds to either.
    """
    outcomes = {
        outcome.name.rpartition("/")[2]: outcome for outcome in judged(written(tmp_path, samples.cut_bombs()))
    }
    assert [] == faults([replace(outcome, pixels=49_000_000) for outcome in outcomes.values()])
    whole = {name: outcome.cpu for name, outcome in outcomes.items()}
    slow = [
        f"{name}: {outcome.cpu:.1f} s"
        for name, outcome in outcomes.items()
        if outcome.cpu > max(CPU_SECONDS, 3 * whole[re.sub(", (cut|without end|wrong checksum)$", "", name)])
    ]
    assert [] == slow
    assert {"ok", "rejected"} == {outcome.result.split()[0] for outcome in outcomes.values()}
    assert "rejected damaged" == outcomes["AVIF, twenty layers"].result
    assert "rejected damaged" == outcomes["HEIF, twenty pictures"].result
    assert "ok" == outcomes["AVIF, four layers"].result


def test_mutants_do_no_harm(tmp_path: Path) -> None:
    """Return mutants of every accepted format, the same ones each time."""
    seeds = [path.read_bytes() for path in (*files("pillow", "Tests"), *files("pillow-heif", "tests"))]
    accepted = [data for data in seeds if 0 < len(data) < 200_000 and samples.is_accepted(data)]
    made = samples.mutants(accepted, MUTANTS)
    outcomes = judged(written(tmp_path, {str(number): data for number, data in enumerate(made)}))
    assert [] == faults(outcomes)
    assert {"ok", "rejected"} == {outcome.result.split()[0] for outcome in outcomes}


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (Outcome("x", "died of signal 11", "", 0, 0.0, 0), "died of signal 11"),
        (Outcome("x", "raised", "KeyError", 0, 0.0, 0), "raised"),
        (
            Outcome("x", "rejected damaged", "", 0, CPU_SECONDS + 1, 0),
            "took 3.0 s of CPU, on a machine 1.0 times slower than usual",
        ),
        (Outcome("x", "rejected damaged", "", 0, CPU_SECONDS + 1, 0, slowness=2.0), None),
        (Outcome("x", "ok", "", 1_000_000, 0.1, MEMORY + 18_000_000), "took 60 MB for 1.0 megapixels"),
        (Outcome("x", "ok", "", 1_000_000, 0.1, MEMORY + 16_000_000), None),
    ],
)
def test_a_fault_is_seen_as_one(outcome: Outcome, fault: str | None) -> None:
    """The tests above can fail."""
    assert fault == outcome.fault


def test_a_child_that_swells_or_hangs_is_seen(tmp_path: Path) -> None:
    """The judge's own measure, tried on a decoder that takes memory and time."""
    script = (
        "import time, json, sys\n"
        "from dataclasses import asdict\n"
        "from tests import hostile\n"
        "def careless(data, **_):\n"
        "    held = bytearray(100 << 20); end = time.process_time() + 2.2\n"
        "    while time.process_time() < end: pass\n"
        "    raise hostile.Rejected('no', code='damaged')\n"
        "hostile.decode = careless\n"
        "print([json.dumps(asdict(outcome)) for outcome in hostile.judge([('x', b'x')])][0])"
    )
    reported = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    outcome = Outcome(**json.loads(reported))
    assert outcome.memory > 90 << 20
    assert outcome.cpu > CPU_SECONDS
    assert outcome.fault
