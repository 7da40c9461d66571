"""The command ``imgcore``. It prints JSON lines on standard output and its progress on standard error."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from imgcore import bootstrap, captioners
from imgcore.cli import caption, checkout, cost, export, files, recaption, users
from imgcore.config import Config
from imgcore.errors import ImgcoreError, Misconfigured
from imgcore.gallery.keys import DISPLAY_SIDE
from imgcore.pipeline.models import RecordCall, ignore_call

IF_RUNNING = "if running"  # of a command that also works without a gallery
NO_KEY_HERE = (
    "No API key is set for this command. The gallery tries its own key with the next photo that is due or that"
    " is described again."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    0: done. 1: failed, with a message on standard error. 2: wrong arguments. 130: interrupted by Ctrl-C.
    """
    parsed = _parser().parse_args(arguments)
    try:
        if parsed.on_gallery:
            checkout.use_running_gallery(os.environ, required=parsed.on_gallery != IF_RUNNING)
        run: Callable[[argparse.Namespace], int] = parsed.run
        return run(parsed)
    except ImgcoreError as error:
        print(f"imgcore: {error.message}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output has closed the pipe
        return 0
    except OSError as error:  # such as a full disk
        where = f": {error.filename}" if error.filename else ""
        print(f"imgcore: {error.strerror or error}{where}.", file=sys.stderr)
        with suppress(OSError, ValueError):  # else Python writes what is left once more when it ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="imgcore", description="Captions and thumbnails for images.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], help_text: str, *, on_gallery: bool | str = False
    ) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=help_text, description=help_text)
        found.set_defaults(run=run, on_gallery=on_gallery)
        return found

    described = commands.add_parser("caption", help="Describe images and folders: one JSON object a line.")
    described.set_defaults(on_gallery=False)
    caption.add_to(described, _print, _progress)
    thumbnail = command("thumbnail", _thumbnail, "Make thumbnails and display images: one JSON object a line.")
    thumbnail.add_argument("files", nargs="+", type=files.path, metavar="FILE")
    thumbnail.add_argument("--out", required=True, type=files.path, metavar="DIR")
    thumbnail.add_argument("--fit", choices=("crop", "fit"), default="crop")
    command("migrate", _migrate, "Migrate the database to the current schema.", on_gallery=True)
    command(
        "sweep",
        _sweep,
        "Run the sweep once: due retries, lost uploads, notifications.",
        on_gallery=True,
    )
    command(
        "backfill",
        _backfill,
        "Make what photos of earlier releases lack: the timeline's pictures, hashes to find similar ones.",
        on_gallery=True,
    )
    command(
        "probe",
        _probe,
        "Print the captioner, and whether the model accepts the key.",
        on_gallery=IF_RUNNING,
    )
    exported = commands.add_parser("export", help="Print every image of the gallery with its description.")
    exported.set_defaults(on_gallery=True)
    export.add_to(exported, _progress)
    again = commands.add_parser("recaption", help="Describe images of the gallery again; edits are kept.")
    recaption.add_recaption(again, _print)
    campaign = commands.add_parser("campaign", help="List, show, watch, pause, resume and cancel campaigns.")
    recaption.add_campaign(campaign, _print)
    for parser_ in (again, campaign):
        parser_.set_defaults(on_gallery=True)
    user = commands.add_parser("user", help="Accounts: add, list, password, delete.")
    user.set_defaults(on_gallery=True)
    users.add_to(user, _print)
    spent = commands.add_parser("cost", help="Print what the models cost.")
    spent.set_defaults(on_gallery=True)
    cost.add_to(spent, _print)
    return parser


def _thumbnail(parsed: argparse.Namespace) -> int:
    from imgcore.imaging.decode import decode
    from imgcore.imaging.render import render

    names: set[str] = set()

    def make(data: bytes, file: Path) -> dict[str, Any]:
        picture = decode(data, max_side=DISPLAY_SIDE)
        made = render(picture, "0" * 32, fit=parsed.fit)
        stem = _free_name(file.stem, names)
        with files.write_errors(parsed.out):
            parsed.out.mkdir(parents=True, exist_ok=True)
        written = {}
        for what in ("thumbnail", "thumbnail_2x", "grid", "display"):
            if (rendition := getattr(made, what)) is None:
                continue
            path = parsed.out / f"{stem}-{Path(rendition.key).stem}.webp"
            with files.write_errors(path):
                path.write_bytes(rendition.data)
            written[what] = {"file": str(path), "width": rendition.width, "height": rendition.height}
        return written | {"placeholder": made.placeholder}

    return _each(parsed.files, make, with_file=True)


def _each(paths: Sequence[Path], work: Callable[..., dict[str, Any]], *, with_file: bool = False) -> int:
    failed = False
    for file in _progress(paths):
        try:
            found = work(files.read(file), file) if with_file else work(files.read(file))
            _print({"file": str(file)} | found)
        except ImgcoreError as error:
            failed = True
            _print({"file": str(file), "error": error.code, "message": error.message})
    return int(failed)


def _free_name(stem: str, taken: set[str]) -> str:
    """Return ``stem``, with a number where a file of another folder has used it."""
    name, number = stem, 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}"
    taken.add(name)
    return name


def _migrate(_: argparse.Namespace) -> int:
    for name in bootstrap.migrate(Config.read()):
        _print({"applied": name})
    return 0


def _backfill(_: argparse.Namespace) -> int:
    for progress in bootstrap.backfill(Config.read()).run():
        _print({"made": progress.made, "skipped": progress.skipped})
    return 0


def _sweep(_: argparse.Namespace) -> int:
    _print(asdict(bootstrap.sweeper(Config.read()).sweep()))
    return 0


def _probe(_: argparse.Namespace) -> int:
    """Check the key; where a database is configured, open or close the circuit breaker, as the page shows."""
    from imgcore.pipeline.guard import MISCONFIGURED_SECONDS

    config = Config.read()
    who, name = captioners.describer(config), captioners.breaker_name(config)
    if name is None:
        _print({"describer": who})
        return 0
    known = bool(config.database_url or config.db_host)
    breakers = bootstrap.breakers(config) if known else None
    try:
        captioners.model(config).probe(_recorder(config) if known else ignore_call)
    except ImgcoreError as error:
        if breakers is not None and error.code in ("key_missing", "key_refused") and _lacks_key(config):
            breakers.allow_probe(name)
            _print({"describer": who, "error": "key_missing", "message": NO_KEY_HERE})
            return 1
        if breakers is not None and isinstance(error, Misconfigured):
            breakers.open(name, wait=MISCONFIGURED_SECONDS, reason=error.code, message=error.message)
        _print({"describer": who, "error": error.code, "message": caption.message_of(error)})
        return 1
    if breakers is not None:
        breakers.close(name)
    _print({"describer": who})
    return 0


def _lacks_key(config: Config) -> bool:
    """Return whether this process has no key, which the settings of a running gallery do not include."""
    if config.captioner == "openai":
        return config.openai_api_key is None
    return config.gemini_api_key is None and config.gemini_secret_id is None


def _recorder(config: Config) -> RecordCall:
    """Return what records a call in the ledger."""
    return bootstrap.spending(config).record


def _print(row: dict[str, Any]) -> None:
    """Print a JSON line, in ASCII where the output cannot encode it: a file name need not be UTF-8."""
    line = json.dumps(row, ensure_ascii=False)
    try:
        line.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        line = json.dumps(row)
    print(line, flush=True)


def _progress(items: Iterable[Any]) -> Iterable[Any]:
    """Show a progress bar on a terminal, if tqdm (imgcore[cli]) is installed."""
    if not sys.stderr.isatty():
        return items
    try:
        from tqdm import tqdm
    except ImportError:
        return items
    return tqdm(items, unit=" images", leave=False)
