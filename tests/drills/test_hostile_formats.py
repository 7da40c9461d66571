"""Mutants of TIFF, BMP, animations, camera raw files and colours: none harms the process that decodes it."""

from __future__ import annotations

import struct
from collections import Counter
from pathlib import Path

import pytest

from tests import images as samples
from tests import raw_files
from tests.contract.hostile_files import faults, judged
from tests.unit.test_imaging_colour import profile_with
from tests.unit.test_imaging_more_formats import runs

MUTANTS = 4_000  # of each kind
_SIZE = (64, 48)


def tiffs() -> list[bytes]:
    """Return TIFF files of each packing that is accepted, in each mode of pixels, and a tiled one."""
    picture = samples.photo(*_SIZE)
    packings = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits")
    modes = [picture.convert(mode) for mode in ("1", "L", "P", "RGB", "RGBA", "CMYK", "I;16")]
    return [
        *(samples.encode(mode, "TIFF", compression=packing) for mode in modes for packing in packings),
        samples.encode(picture, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),  # horizontal differencing
        samples.encode(picture, "TIFF", save_all=True, append_images=[picture.rotate(180)]),
    ]


def bitmaps() -> list[bytes]:
    """Return BMP files of each depth that Pillow writes, and one of run lengths."""
    picture = samples.photo(*_SIZE)
    packed = runs(picture.convert("RGB").quantize(16))
    return [packed, *(samples.encode(picture.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA"))]


def animations() -> list[bytes]:
    """Return animations of each format, with and without transparency."""
    frames = [samples.photo(*_SIZE, seed=seed) for seed in range(3)]
    clear = [frame.convert("RGBA") for frame in frames]
    for number, frame in enumerate(clear):
        frame.putalpha(80 * number + 40)
    return [
        samples.encode(each[0], form, save_all=True, append_images=each[1:], duration=40)
        for form in ("GIF", "WEBP", "AVIF", "PNG")
        for each in (frames, clear)
    ]


def camera_raws() -> list[bytes]:
    """Return camera raw files of each kind."""
    return [*raw_files.all_kinds(samples.jpeg(*_SIZE)).values()]


def colours() -> list[bytes]:
    """Return files that state their colours in each way: code points, a profile with them, and numbers."""
    picture = samples.photo(*_SIZE)
    png, avif = samples.encode(picture, "PNG"), samples.encode(picture, "AVIF")
    at = avif.index(b"nclx") + 4
    points = [samples.chunk(b"cICP", bytes([primaries, 16, 0, 1])) for primaries in (1, 9, 12)]
    light = samples.chunk(b"cLLI", struct.pack(">LL", 4_000_000, 1_000_000))
    numbers = samples.chunk(b"gAMA", struct.pack(">L", 55_556)) + samples.chunk(
        b"cHRM", struct.pack(">8L", 31_270, 32_900, 64_000, 33_000, 30_000, 60_000, 15_000, 6_000)
    )
    return [
        *(png[:33] + chunks + png[33:] for chunks in (*points, points[1] + light, numbers)),
        *(avif[:at] + struct.pack(">HH", 9, transfer) + avif[at + 4 :] for transfer in (16, 18)),
        avif.replace(b"colrnclx", b"freenclx"),
        *(
            samples.encode(picture, form, icc_profile=profile_with((9, 16)))
            for form in ("JPEG", "PNG", "WEBP", "AVIF")
        ),
    ]


SEEDS = {"colours": colours, "TIFF": tiffs, "BMP": bitmaps, "animation": animations, "camera raw": camera_raws}


@pytest.mark.parametrize("kind", SEEDS)
def test_mutants_of_a_kind_do_no_harm(kind: str, tmp_path: Path) -> None:
    """The seeds are shown; of their mutants some are, and the others are refused with a reason."""
    seeds = SEEDS[kind]()
    made = {
        **{f"seed {number}": data for number, data in enumerate(seeds)},
        **{str(number): data for number, data in enumerate(samples.mutants(seeds, MUTANTS))},
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)

    outcomes = judged([tmp_path / name for name in made])

    counts = Counter(outcome.result for outcome in outcomes)
    print(f"{kind}: {dict(counts)}; at most {max(outcome.cpu for outcome in outcomes):.2f} s of CPU")
    print(f"and {max(outcome.memory for outcome in outcomes) / 1e6:.0f} MB")
    assert [] == faults(outcomes)
    refused = [each.name for each in outcomes if "seed" in each.name and each.result != "ok"]
    assert [] == refused
    assert {"ok", "rejected"} == {result.split()[0] for result in counts}
