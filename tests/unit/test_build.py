"""Packing the functions, with a uv that is a script and fetches nothing."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from lambda_build import build, dependencies, wheels
from lambda_build.targets import BuildError, Interpreter, Target, interpreter, target
from tests.support.programs import write_python_program
from tests.unit.build_files import names, write

HERE_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
LAMBDA_BUILD = Path(build.__file__).parent

# What the caption function imports, each as an empty module.
PACKAGES = ("PIL.py", "pillow_heif.py", "pymysql.py", "google.py", "httpx2.py", "numpy.py", "Stemmer.py")

FAKE_UV = """\
import json, pathlib, sys
with open({calls!r}, "a") as calls:
    calls.write(json.dumps(sys.argv[1:]) + "\\n")
if {says!r}:
    sys.exit({says!r})
folder = pathlib.Path(sys.argv[sys.argv.index("--target") + 1])
for name, text in {files!r}.items():
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
"""


# Top-level names of the packages that each function's lock holds, as far as it imports them.
_BASE = {"PIL", "Stemmer", "pillow_heif", "pymysql"}
LOCKED = {
    ("thumbnail", "production"): _BASE,
    ("thumbnail", "local"): _BASE,
    ("caption", "production"): _BASE | {"google", "httpx2"},
    ("caption", "local"): _BASE | {"google", "httpx2", "numpy"},
}


class FakeUv:
    """A script named in $UV that installs these files, or fails with these words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "uv"
        self._calls = folder / "calls"
        self.installs(
            {
                **dict.fromkeys(PACKAGES, ""),
                "library/__init__.py": "NAME = 'library'\n",
                "library.libs/lib.so": "\x7fELF",
            }
        )

    def installs(self, files: dict[str, str], says: str = "") -> None:
        write_python_program(self.path, FAKE_UV.format(calls=str(self._calls), says=says, files=files))

    def fails(self, says: str) -> None:
        self.installs({}, says)

    @property
    def calls(self) -> list[list[str]]:
        return (
            [json.loads(line) for line in self._calls.read_text().splitlines()] if self._calls.exists() else []
        )


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeUv:
    """A uv that needs no network."""
    folder = tmp_path / "tools"
    folder.mkdir()
    fake = FakeUv(folder)
    monkeypatch.setenv("UV", str(fake.path))
    return fake


@pytest.fixture
def here(tmp_path: Path) -> Target:
    """The caption function as `make run` packs it."""
    return target("caption", "local")


# Dependencies


def test_prune_removes_what_no_function_reads(tmp_path: Path) -> None:
    """Tests, stubs, scripts, metadata and unused clients go; code, libraries and asked-for versions stay."""
    kept = {
        "google/genai/client.py",
        "PIL/_imaging.cpython-313.so",
        "pillow.libs/libavif-1.so",
        "httpx2-2.0.dist-info/METADATA",
        "library/testing.py",
    }
    pruned = {
        "bin/websockets",
        "google/genai/tests/test_client.py",
        "google/genai/_gaos/sdk.py",
        "google/genai/__pycache__/client.cpython-313.pyc",
        "httpx2-2.0.dist-info/RECORD",
        "pillow-13.0.dist-info/METADATA",
        "PIL/_imagingft.cpython-313.so",
        "PIL/_imagingft.pyi",
        "PIL/py.typed",
        "pillow.libs/libharfbuzz-1.so",
    }
    write(tmp_path, dict.fromkeys(kept | pruned, "x"))

    dependencies.prune(tmp_path)

    assert kept == {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}


def test_dependencies_offline_fail_with_a_sentence(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    uv.fails("error: dns error")

    with pytest.raises(BuildError) as caught:
        dependencies.ensure(here, None, tmp_path / "cache")

    expected = (
        f"The packages of the caption function cannot be fetched for Python {HERE_PYTHON} on this machine. "
        "Is this machine offline? The first build needs a package index; later ones do not. uv says:\n"
        "error: dns error"
    )
    assert expected == str(caught.value)


def test_dependencies_failed_fetch_leaves_the_cache_unchanged(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    uv.fails("error: dns error")

    with pytest.raises(BuildError):
        dependencies.ensure(here, None, tmp_path / "cache")

    assert [] == list((tmp_path / "cache").iterdir())


def test_dependencies_outdated_zip_is_removed(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    """The cache keeps the newest zip of each kind."""
    first = dependencies.ensure(here, None, tmp_path)
    second = dependencies.ensure(here, interpreter(HERE_PYTHON), tmp_path)

    assert ({second}, False) == (set(tmp_path.glob("*.zip")), first == second)


def test_dependencies_zip_that_another_build_made_meanwhile_stays(
    uv: FakeUv, here: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two builds that begin at once pack the same packages; the first may be reading its zip already."""
    made, install, removed = dependencies.ensure(here, None, tmp_path), wheels.install, []
    made.rename(tmp_path / "aside")

    def later(folder: Path, *further: Any, **named: Any) -> None:
        install(folder, *further, **named)
        (tmp_path / "aside").rename(made)

    monkeypatch.setattr(wheels, "install", later)
    monkeypatch.setattr(Path, "unlink", lambda path, **_: removed.append(path))

    assert made == dependencies.ensure(here, None, tmp_path)
    assert made not in removed


def test_wheels_are_locked_and_never_built(uv: FakeUv, tmp_path: Path) -> None:
    """The installer compiles and resolves nothing, and checks every hash."""
    dependencies.ensure(target("thumbnail", "production"), None, tmp_path)

    asked = " ".join(uv.calls[0])
    wanted = ("--no-deps --require-hashes", "--only-binary :all:", "--python-platform aarch64-manylinux_2_28")
    assert [True, True, True] == [part in asked for part in wanted]


def test_find_uv_with_a_relative_path_uses_the_repository_root(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """$UV may be relative to the repository's root."""
    monkeypatch.setenv("UV", "pyproject.toml")
    monkeypatch.chdir(tmp_path)

    assert [str(LAMBDA_BUILD.parent / "pyproject.toml")] == wheels.find_uv()


def test_find_uv_without_variable_uses_path(monkeypatch: pytest.MonkeyPatch, uv: FakeUv) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", str(uv.path.parent))

    assert [str(uv.path)] == wheels.find_uv()


def test_find_uv_without_path_uses_the_tools_folder(monkeypatch: pytest.MonkeyPatch, uv: FakeUv) -> None:
    monkeypatch.delenv("UV")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(wheels, "TOOLS_UV", uv.path)

    assert [str(uv.path)] == wheels.find_uv()


@pytest.mark.parametrize(
    ("installed", "expected"),
    [(True, [sys.executable, "-m", "uv"]), (False, "uv is needed to fetch packages")],
)
def test_find_uv_without_any_command_uses_the_module_or_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, installed: bool, expected: object
) -> None:
    monkeypatch.delenv("UV", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(wheels, "TOOLS_UV", tmp_path / "none")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if installed else None)

    try:
        found: object = wheels.find_uv()
    except BuildError as error:
        found = str(error)[: len(str(expected))]

    assert expected == found


def test_find_uv_with_a_wrong_path_fails_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, here: Target, tmp_path: Path
) -> None:
    monkeypatch.setenv("UV", str(tmp_path / "none"))

    with pytest.raises(BuildError, match="uv cannot be started"):
        dependencies.ensure(here, None, tmp_path)


# The build


def test_build_zip_holds_modules_packages_and_bytecode(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    path, _ = build.build(here, tmp_path / "out", cache=tmp_path / "cache")

    tag = sys.implementation.cache_tag
    expected = {
        "lambda_build/handlers/caption.py",
        "lambda_build/handlers/common.py",
        "imgcore/pipeline/processing.py",
        f"imgcore/pipeline/__pycache__/processing.{tag}.pyc",
        "library/__init__.py",
        f"library/__pycache__/__init__.{tag}.pyc",
        "library.libs/lib.so",
    }
    assert expected <= names(path)


def test_build_without_the_interpreter_has_no_bytecode(uv: FakeUv, tmp_path: Path) -> None:
    """Sources alone run too, a little later."""
    path, _ = build.build(target("thumbnail", "production", "3.99"), tmp_path / "out", cache=tmp_path / "cache")

    assert set() == {name for name in names(path) if name.endswith(".pyc")}


def test_build_with_unchanged_inputs_writes_nothing(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    """The second build ends at once and leaves the file alone."""
    path, first = build.build(here, tmp_path / "out", cache=tmp_path / "cache")
    before = path.stat()
    _, second = build.build(here, tmp_path / "out", cache=tmp_path / "cache")

    after = path.stat()
    assert (True, False, (before.st_ino, before.st_mtime_ns)) == (
        first,
        second,
        (after.st_ino, after.st_mtime_ns),
    )


def test_build_with_a_changed_module_fetches_nothing(
    uv: FakeUv, here: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = build.build(here, tmp_path / "out", cache=tmp_path / "cache")
    before = path.read_bytes()
    ours = build.own_files(here, LOCKED["caption", "local"]) | {"imgcore/gallery/models.py": b"# changed\n"}
    monkeypatch.setattr(build, "own_files", lambda target, packages: ours)
    _, built = build.build(here, tmp_path / "out", cache=tmp_path / "cache")

    assert (True, 1, False) == (built, len(uv.calls), before == path.read_bytes())


def test_build_with_a_damaged_zip_writes_it_again(uv: FakeUv, here: Target, tmp_path: Path) -> None:
    path, _ = build.build(here, tmp_path / "out", cache=tmp_path / "cache")
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    build.build(here, tmp_path / "out", cache=tmp_path / "cache")

    assert whole == path.read_bytes()


def test_build_inputs_of_another_interpreter_differ(here: Target) -> None:
    """The bytecode may differ."""
    one, two = (build.inputs(here, Interpreter("python", f"CPython 3.13.{patch}"), {}) for patch in (0, 1))

    assert one != two


@pytest.mark.parametrize(
    ("function", "profile", "expected"),
    [
        ("thumbnail", "production", set()),
        ("thumbnail", "local", set()),
        ("caption", "production", {"captioning.gemini"}),
        ("caption", "local", {"captioning.gemini", "captioning.local"}),
    ],
)
def test_own_files_hold_only_the_packages_of_the_function(
    function: str, profile: str, expected: set[str]
) -> None:
    files = build.own_files(target(function, profile), LOCKED[function, profile])

    packages = {".".join(name.split("/")[1:-1]) for name in files if name.startswith("imgcore/")}
    others = {"captioning.gemini", "captioning.local", "cli", "accounts.common_passwords"}
    assert expected == packages & others
    assert "imgcore/__main__.py" not in files


def test_own_files_hold_one_handler() -> None:
    files = build.own_files(target("thumbnail", "production"), LOCKED["thumbnail", "production"])

    handlers = {Path(name).stem for name in files if name.startswith("lambda_build/handlers/")}
    assert {"__init__", "common", "logs", "thumbnail"} == handlers


def test_own_files_hold_no_cached_bytecode() -> None:
    """Bytecode of the builder's own Python is no source."""
    files = build.own_files(target("caption", "local"), LOCKED["caption", "local"])

    assert [] == [name for name in files if "__pycache__" in name]


# The command line


def test_command_line_without_names_builds_both_functions(
    uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line each: where, how large, for what, compiled by whom."""
    monkeypatch.setattr(dependencies, "CACHE", tmp_path / "cache")

    status = build.main(["--profile", "local", "--out", str(tmp_path)])

    lines = capsys.readouterr().out.splitlines()
    pattern = rf".*\.zip: [\d.]+ MiB, Python {HERE_PYTHON}, this, compiled by CPython [\d.]+; built in [\d.]+ s"
    assert (0, 2, {True}) == (status, len(lines), {bool(re.fullmatch(pattern, line)) for line in lines})


def test_command_line_reports_a_zip_without_bytecode(
    uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A zip without bytecode starts more slowly; nobody has to find out by measuring."""
    monkeypatch.setattr(dependencies, "CACHE", tmp_path / "cache")

    build.main(["thumbnail", "--python", "3.99", "--out", str(tmp_path)])

    assert "not compiled: no Python 3.99 on this machine" in capsys.readouterr().out


def test_command_line_failure_prints_the_reason(
    uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dependencies, "CACHE", tmp_path / "cache")
    uv.fails("error: dns error")

    status = build.main(["--out", str(tmp_path)])

    said = capsys.readouterr().err
    assert (1, True, False) == (status, "Is this machine offline?" in said, "Traceback" in said)


def test_command_line_with_an_unwritable_folder_names_the_file(
    uv: FakeUv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk, or a file where the folder should be."""
    monkeypatch.setattr(dependencies, "CACHE", tmp_path / "cache")
    (tmp_path / "file").write_text("")

    status = build.main(["--profile", "local", "--out", str(tmp_path / "file")])

    said = capsys.readouterr().err
    assert (1, True) == (status, said.startswith("thumbnail.zip cannot be written:"))
