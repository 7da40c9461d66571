"""Build what is deployed: ``python -m lambda_build.build [NAME …]``.

thumbnail.zip and caption.zip are the Lambda functions, migrator.zip is the function that sets up the database
and gallery.tar.gz is the site-packages folder of a web host. An archive holds the modules that its entry point
needs, the data files beside them, and its locked packages for the Python and the machine that run it. Equal
inputs (sources, locks, the interpreter that compiles) make equal bytes, whenever and wherever they are built.
The archive's stamp is the hash of these inputs: nothing is written where it has not changed.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from pathlib import Path

from lambda_build import archive, dependencies
from lambda_build.imports import needed_modules
from lambda_build.targets import (
    ARTIFACTS,
    FUNCTIONS,
    HERE,
    PROFILES,
    BuildError,
    Interpreter,
    Target,
    interpreter,
    target,
)

ROOT = HERE.parent
OUT = {"production": ROOT / "dist", "local": ROOT / ".local" / "dist"}
# Where modules are looked up, below the repository.
SOURCES = (".", "roles/database/files/migrator")
CERTIFICATES = ROOT / "roles/database/files/rds-ca.pem"  # of Amazon RDS, all regions
_NOT_DATA = ("py.typed", "__pycache__")


def build(
    target: Target, out: Path, *, cache: Path | None = None, certificates: Path = CERTIFICATES
) -> tuple[Path, bool]:
    """Build one archive in the folder ``out``; return its path and whether it was written.

    cache: of packages. certificates: the file that authenticates the database, if the archive holds one.
    BuildError: something is missing.
    """
    compiler = interpreter(target.python) if target.artifact.compiled else None
    packages = dependencies.ensure(target, compiler, cache or dependencies.CACHE)
    files = own_files(target, archive.top_level_names(packages))
    if target.artifact.certificates:
        files[CERTIFICATES.name] = certificates.read_bytes()
    path, stamp = out / target.artifact.file, inputs(target, compiler, files)
    if archive.read_stamp(path) == stamp:
        return path, False
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for name, data in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
        if compiler is not None:
            archive.compile_into(folder, compiler)
        archive.write(path, folder, base=packages, stamp=stamp, level=target.level)
    return path, True


def own_files(target: Target, packages: Collection[str], root: Path = ROOT) -> dict[str, bytes]:
    """Return the project's own files for the archive by their names in it.

    packages: top-level names of the packages that the archive holds. root: the repository.
    BuildError: the entry point cannot run with them.
    """
    roots = [root / folder for folder in SOURCES]
    available = {*packages, *target.artifact.provided}
    files, packages_used = {}, {}
    for name, path in needed_modules(target.artifact.entries, roots, available).items():
        initial = path.name == "__init__.py"
        folder = path.parents[name.count(".") + initial]
        files[path.relative_to(folder).as_posix()] = path.read_bytes()
        if not initial:  # a package that only lends its name to those in it keeps its data: nothing reads them
            packages_used[path.parent] = folder
    for package, folder in packages_used.items():
        for file in _data(package):
            files[file.relative_to(folder).as_posix()] = file.read_bytes()
    return dict(sorted(files.items()))


def _data(package: Path) -> Iterator[Path]:
    """Yield the data files of a package."""
    if not (package / "__init__.py").exists():
        return
    packages = {init.parent for init in package.rglob("*/__init__.py")}
    for file in package.rglob("*"):
        inner = packages.isdisjoint(file.parents) and not {*_NOT_DATA} & {*file.parts}
        if inner and file.is_file() and file.suffix != ".py":
            yield file


def inputs(target: Target, compiler: Interpreter | None, files: dict[str, bytes]) -> str:
    """Return a hash of everything that decides the archive's bytes."""
    digest = hashlib.sha256(dependencies.key(target, compiler).encode())
    for name, data in files.items():
        digest.update(f"\0{name}\0".encode() + hashlib.sha256(data).digest())
    return digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line names; return 1, with the reason on standard error, if it fails."""
    options = _parser().parse_args(arguments)
    out = options.out or OUT[options.profile]
    for name in options.names or FUNCTIONS:
        wanted = target(name, options.profile, options.python, options.platform)
        started = time.monotonic()
        try:
            path, built = build(wanted, out, certificates=options.certificates)
        except BuildError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        except OSError as error:
            sys.stderr.write(f"{wanted.artifact.file} cannot be written: {error}.\n")
            return 1
        _report(wanted, path, f"built in {time.monotonic() - started:.1f} s" if built else "unchanged")
    return 0


def _report(target: Target, path: Path, what: str) -> None:
    parts = [f"{path.stat().st_size / 2**20:.1f} MiB", f"Python {target.python}", target.platform]
    if target.artifact.compiled:
        compiler = interpreter(target.python)
        missing = f"not compiled: no Python {target.python} on this machine"
        parts.append(f"compiled by {compiler.version}" if compiler else missing)
    sys.stdout.write(f"{path}: {', '.join(parts)}; {what}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lambda_build.build", description=__doc__.split("\n", 1)[0])
    names = f"one of {', '.join(ARTIFACTS)} (default: {' and '.join(FUNCTIONS)})"
    parser.add_argument("names", nargs="*", metavar="NAME", type=_name, help=names)
    parser.add_argument(
        "--out", type=Path, help="folder of the archives (default: dist; with local, .local/dist)"
    )
    parser.add_argument("--profile", choices=PROFILES, default="production")
    parser.add_argument("--python", help="version that runs it (default: 3.13; with local, this one)")
    parser.add_argument(
        "--platform", help="as uv names it, or 'this' (default: production's; with local, this)"
    )
    parser.add_argument(
        "--certificates",
        type=Path,
        default=CERTIFICATES,
        help="that authenticate the database (default: RDS's)",
    )
    return parser


def _name(text: str) -> str:
    if text not in ARTIFACTS:
        raise argparse.ArgumentTypeError(f"{text!r} is not one of {', '.join(ARTIFACTS)}")
    return text


if __name__ == "__main__":
    sys.exit(main())
