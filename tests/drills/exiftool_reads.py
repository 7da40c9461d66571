"""exiftool reads the words of a zip's sidecars and of photos with embedded words, hostile texts included.

Takes the exiftool of this machine, else that of Debian's package libimage-exiftool-perl, which it downloads.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from imgcore.collections.downloads import Contents, DownloadSize
from imgcore.gallery.models import EVERYBODY, Image
from imgcore.gallery.service import Gallery
from tests import images
from tests.drills.describing import unpacked
from tests.support.hostile_texts import TEXTS
from tests.web.fakes import add_done, fake_gallery

CAPTION, ALT, TAGS = "Description", "AltTextAccessibility", "Subject"
WORDS = ("A cat on a wall.", "Zwei Hunde, größer als früher", *TEXTS)


def main() -> int:
    """Print how many files were read, and each difference; return 1 where there is one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gallery = fake_gallery(folder)
        photos = [_photo(gallery, number, text) for number, text in enumerate(WORDS)]
        target = folder / "files"
        target.mkdir()
        archive = b"".join(
            gallery.downloads.archive(
                Contents([photo.public_id for photo in photos], DownloadSize.ORIGINAL, EVERYBODY)
            )
        )
        zipfile.ZipFile(io.BytesIO(archive)).extractall(target)
        for photo in photos:
            (target / f"embedded-{photo.name}").write_bytes(b"".join(gallery.downloads.embedded(photo).chunks))
        read = words_in(exiftool(folder), target)
        gallery.images.database.close()
    wrong = []
    for photo in photos:
        expected = [photo.caption, photo.alt_text, list(photo.tags)]
        wrong += [
            f"{file}: {read.get(file)} instead of {expected}"
            for file in (f"{photo.name}.xmp", f"embedded-{photo.name}")
            if read.get(file) != expected
        ]
    print(f"{2 * len(photos)} files read, {len(wrong)} differ", *wrong, sep="\n")
    return int(bool(wrong))


def _photo(gallery: Gallery, number: int, text: str) -> Image:
    form = ("JPEG", "PNG")[number % 2]
    name = f"{number:02}.{'jpg' if form == 'JPEG' else 'png'}"
    words = {"caption": text, "alt_text": f"Alt {text}", "tags": (text, "second")}
    photo = add_done(gallery, name, format=form, media_type=f"image/{form.lower()}", **words)
    gallery.storage.objects[photo.image_key] = images.encode(images.corners(), form)
    return photo


def exiftool(folder: Path) -> Sequence[str]:
    """Return the command of exiftool. folder: where a downloaded one is unpacked."""
    if found := shutil.which("exiftool"):
        return [found]
    root = unpacked("libimage-exiftool-perl", folder)
    return ["perl", f"-I{root / 'usr/share/perl5'}", str(root / "usr/bin/exiftool")]


def words_in(command: Sequence[str], folder: Path) -> dict[str, list[object]]:
    """Return caption, alt text and tags of each file by its name."""
    wanted = ("-XMP-dc:Description", "-XMP-iptcCore:AltTextAccessibility", "-XMP-dc:Subject")
    command = [*command, "-j", "-charset", "utf8", "-ext", "*", *wanted, str(folder)]
    done = subprocess.run(command, capture_output=True, check=True)
    found = json.loads(done.stdout)
    return {Path(row["SourceFile"]).name: [row.get(each) for each in (CAPTION, ALT, TAGS)] for row in found}


if __name__ == "__main__":
    sys.exit(main())
