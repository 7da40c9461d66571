"""How often does the keyless describer name a subject, and how often is the name right?

Downloads Debian packages that contain photos, decodes each photo of describing.tsv as the pipeline
does and compares the name with the tags that are true of it. A photo belongs to the tuning half, on which
thresholds were chosen, or to the other one by the first digit of its hash. Prints both, the wrong names, and
the share of each wording; with file names it describes those instead. Ends non-zero where the held-out half
falls below the goals: a subject for 60 %, 95 % of the names right.

The shape of the families was chosen while both halves were looked at; only the thresholds were fitted to one.
Stamps of tuxpaint are cut out and laid on white. On another release of Debian some packages hold other files:
what is not found is printed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as LocalDescriber sets it, before numpy is imported

from imgcore.captioning.local import LocalDescriber
from imgcore.captioning.local.findings import Findings
from imgcore.captioning.local.sentences import caption
from imgcore.captioning.local.vision import Sight
from imgcore.imaging.decode import decode

TABLE = Path(__file__).with_suffix(".tsv")  # package, path in it, SHA-256, tags that are true
SIDE = LocalDescriber.side
NAMED, RIGHT = 0.60, 0.95
FEWEST = 100  # photos, so that a percentage means something


@dataclass(frozen=True)
class Photo:
    """A row of the table."""

    package: str
    path: str
    sha256: str
    tags: frozenset[str]

    @property
    def held_out(self) -> bool:
        """Whether no threshold was fitted to it."""
        return int(self.sha256[0], 16) % 2 == 1


def photos() -> list[Photo]:
    """Return the rows of the table."""
    rows = (line.split("\t") for line in TABLE.read_text("utf-8").splitlines())
    return [Photo(package, path, sha, frozenset(tags.split(", "))) for package, path, sha, tags in rows]


def unpacked(package: str, folder: Path) -> Path:
    """Download a Debian package and unpack it into ``folder``."""
    subprocess.run(["apt-get", "download", "-q", package], cwd=folder, check=True, capture_output=True)
    [archive] = folder.glob(f"{package}_*.deb")
    target = folder / package
    subprocess.run(["dpkg-deb", "-x", archive, target], check=True)
    archive.unlink()
    return target


def described(folder: Path) -> Iterator[tuple[Photo, Findings]]:
    """Yield each photo with the findings in it."""
    sight = Sight()
    for package, rows in groupby(photos(), key=lambda photo: photo.package):
        root = unpacked(package, folder)
        for photo in rows:
            path = root / photo.path
            data = path.read_bytes() if path.exists() else b""
            if sha256(data).hexdigest() != photo.sha256:
                print(f"not found: {package} {photo.path}")
                continue
            yield photo, sight.look(decode(data, max_side=SIDE), lambda: None)


def name(found: Findings) -> tuple[str, str] | None:
    """Return the first tag of what is named, and how sure the wording is; None if nothing is named."""
    if found.subject:
        return found.subject.tags[0], "looks like" if found.subject.sure else "possibly"
    return ("person", "people counted") if found.faces else None


def report(half: str, results: list[tuple[Photo, tuple[str, str] | None]]) -> tuple[float, float]:
    """Print the figures of one half; return the share that is named and the share of names that are right."""
    named = [(photo, *said) for photo, said in results if said]
    right = [photo.tags & {tag} for photo, tag, _ in named]
    share, correct = len(named) / len(results), sum(map(bool, right)) / len(named)
    print(f"{half}: {len(results)} photos, {len(named)} named ({share:.1%}), {correct:.1%} of these right")
    for wording in ("looks like", "possibly", "people counted"):
        hits = [bool(photo.tags & {tag}) for photo, tag, how in named if how == wording]
        print(f"  {wording}: {len(hits)}, right {sum(hits)}")
    for photo, tag, how in named:
        if tag not in photo.tags:
            print(f"  wrong: {Path(photo.path).name}: {how} {tag}; true: {', '.join(sorted(photo.tags))}")
    return share, correct


def main(names: list[str]) -> int:
    """Describe the named files, or all of the table; return the exit code."""
    if names:
        sight = Sight()
        for file in names:
            picture = decode(Path(file).read_bytes(), max_side=SIDE)
            print(f"{Path(file).name}: {caption(sight.look(picture, lambda: None), picture.facts)}")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        results = [(photo, name(found)) for photo, found in described(Path(folder))]
    report("tuning", [row for row in results if not row[0].held_out])
    held_out = [row for row in results if row[0].held_out]
    share, correct = report("held out", held_out)
    print(f"goal: at least {NAMED:.0%} of at least {FEWEST} named, {RIGHT:.0%} of the names right")
    return int(len(held_out) < FEWEST or share < NAMED or correct < RIGHT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
