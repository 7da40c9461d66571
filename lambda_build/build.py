"""Pack the Lambda functions: ``python -m lambda_build.build``.

A zip holds the handlers, the modules of imgcore that they use, and the locked dependencies for the Python
and machine that will run it; boto3 comes with AWS's own runtime. Equal inputs (sources, locks, and the
interpreter that compiles) make equal bytes, whenever and wherever it is built; the zip's comment is their
hash, so a build whose inputs did not change ends at once.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
import time
from pathlib import Path

from lambda_build import archive, dependencies
from lambda_build.targets import FUNCTIONS, HERE, PROFILES, BuildError, Interpreter, Target, interpreter, target

ROOT = HERE.parent
OUT = {"production": ROOT / "dist", "local": ROOT / ".local" / "dist"}
# What both handlers import.
COMMON = ("__init__", "handlers/__init__", "handlers/common", "handlers/logs")


def build(target: Target, out: Path, cache: Path | None = None) -> tuple[Path, bool]:
    """Build one zip; where it is, and whether anything had to be done. BuildError says what is missing."""
    compiler = interpreter(target.python)
    path = out / f"{target.function}.zip"
    files = own_files(target)
    stamp = inputs(target, compiler, files)
    if archive.comment(path) == stamp:
        return path, False
    base = dependencies.ensure(target, compiler, cache or dependencies.CACHE)
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".") as scratch:
        folder, fresh = Path(scratch, "tree"), Path(scratch, "zip")
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        if compiler is not None:
            archive.compile_into(folder, compiler)
        shutil.copyfile(base, fresh)
        archive.append(fresh, folder, comment=stamp, level=target.level)
        fresh.replace(path)
    return path, True


def own_files(target: Target, root: Path = ROOT) -> dict[str, bytes]:
    """Our part of the zip: each file by its name in there."""
    ours = [root / "lambda_build" / f"{name}.py" for name in (*COMMON, f"handlers/{target.function}")]
    files = {path.relative_to(root).as_posix(): path for path in ours}
    for source in (root / "imgcore").rglob("*"):
        name = source.relative_to(root)
        left_out = name.as_posix().removeprefix("imgcore/").startswith(target.left_out)
        if source.is_file() and not left_out and "__pycache__" not in name.parts and name.name != "py.typed":
            files[name.as_posix()] = source
    return {name: files[name].read_bytes() for name in sorted(files)}


def inputs(target: Target, compiler: Interpreter | None, files: dict[str, bytes]) -> str:
    """A hash of everything that decides the zip's bytes."""
    digest = hashlib.sha256(dependencies.key(target, compiler).encode())
    digest.update((HERE / "build.py").read_bytes())
    for name, data in files.items():
        digest.update(f"\0{name}\0".encode() + hashlib.sha256(data).digest())
    return digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line names; 1 where that cannot be done, with the reason on standard error."""
    options = _parser().parse_args(arguments)
    out = options.out or OUT[options.profile]
    for function in options.function or FUNCTIONS:
        wanted = target(function, options.profile, options.python, options.platform)
        started = time.monotonic()
        try:
            path, built = build(wanted, out)
        except BuildError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except OSError as error:
            sys.stderr.write(f"The {function} zip cannot be written: {error}.\n")
            return 1
        _report(wanted, path, f"built in {time.monotonic() - started:.1f} s" if built else "unchanged")
    return 0


def _report(target: Target, path: Path, what: str) -> None:
    compiler = interpreter(target.python)
    compiled = (
        f"compiled by {compiler.version}" if compiler else f"not compiled: no Python {target.python} here"
    )
    size = path.stat().st_size / 1e6
    sys.stdout.write(f"{path}: {size:.1f} MB, Python {target.python}, {target.platform}, {compiled}; {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lambda_build.build", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, help="folder of the zips (default: dist; with local, .local/dist)")
    parser.add_argument("--profile", choices=PROFILES, default="production")
    parser.add_argument("--function", choices=FUNCTIONS, action="append", help="only this one (default: both)")
    parser.add_argument("--python", help="version it runs on (default: 3.13; with local, this one's)")
    parser.add_argument("--platform", help="as uv names it, or 'this' (default: arm64 Linux; with local, this)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
