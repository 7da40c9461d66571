"""The command ``imgcore export``: the images of the gallery as JSON lines, CSV, or a zip archive with files."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from imgcore import bootstrap, bootstrap_collections
from imgcore.cli import files
from imgcore.collections import tables
from imgcore.collections.downloads import Contents, DownloadSize
from imgcore.config import Config
from imgcore.errors import Invalid, Unavailable
from imgcore.gallery.models import EVERYBODY, Image

Progress = Callable[[Iterable[Any]], Iterable[Any]]


def add_to(parser: argparse.ArgumentParser, progress: Progress) -> None:
    """Add the options of ``export`` to ``parser``."""
    parser.add_argument("--format", choices=("json", "csv"), default="json", help="json: an object a line")
    parser.add_argument("--query", help="only images that contain these words")
    parser.add_argument("--excel", action="store_true", help="CSV with the mark that Excel needs to read UTF-8")
    parser.add_argument(
        "--zip", type=files.path, metavar="FILE", help="write files, sidecars and captions there"
    )
    sizes = tuple(DownloadSize)
    parser.add_argument("--size", choices=sizes, default=DownloadSize.ORIGINAL, help="of the files in the zip")

    def run(parsed: argparse.Namespace) -> int:
        if parsed.query is not None and not parsed.query.strip():
            raise Invalid("--query is empty: leave it out to export all images.", code="query")
        config = Config.read()
        found = progress(_images(config, parsed.query))
        if parsed.zip is not None:
            return _write_zip(config, parsed, found)
        _print(found, csv=parsed.format == "csv" or parsed.excel, excel=parsed.excel)
        return 0

    parser.set_defaults(run=run)


def _print(found: Iterable[Image], *, csv: bool, excel: bool) -> None:
    """Print a row for each image, in UTF-8 whatever the console uses."""
    out = sys.stdout
    if isinstance(out, io.TextIOWrapper):
        out.reconfigure(encoding="utf-8", newline="")
    if csv:
        out.write((tables.BOM if excel else "") + tables.csv_line(tables.FIELDS))
    for image in found:
        row = tables.image_row(image)
        out.write(tables.csv_row(row, tables.FIELDS) if csv else f"{tables.json_row(row)}\n")
    out.flush()


def _write_zip(config: Config, parsed: argparse.Namespace, found: Iterable[Image]) -> int:
    """Write the archive beside its place, and move it there when it is complete."""
    downloads = bootstrap_collections.downloads(config, bootstrap.database(config), bootstrap.storage(config))
    ids = [image.public_id for image in found]
    contents = Contents(ids, DownloadSize(parsed.size), EVERYBODY, excel=parsed.excel)
    part = parsed.zip.parent / f"{parsed.zip.name}.part"
    try:
        with part.open("wb") as file:
            file.writelines(downloads.archive(contents))
        part.replace(parsed.zip)
    except OSError as error:
        raise Unavailable(f"{parsed.zip} cannot be written: {error.strerror}.", code="unwritable") from error
    finally:
        with suppress(OSError):  # it was moved, or could not be opened
            part.unlink()
    return 0


def _images(config: Config, query: str | None) -> Iterator[Image]:
    pages = bootstrap.pages(config)
    cursor = None
    while True:
        page = pages.page(cursor=cursor, limit=100, query=query)
        yield from page.images
        if (cursor := page.next) is None:
            return
