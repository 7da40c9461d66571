"""The map from paths to drills, and the choice of drills that CI runs."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import drills as runner
from tests.support.catalogue import ROOT, Drill, drills, matches
from tests.support.processes import runs
from tests.support.waiting import wait_for

every = pytest.mark.parametrize("drill", drills().values(), ids=drills())
FOLDER = ROOT / "tests" / "drills"


@pytest.fixture(scope="module")
def tracked() -> list[str]:
    """The files of the repository."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return listed.splitlines()


def files_run_by(drill: Drill) -> list[str]:
    """Return the files and folders that a drill of pytest runs, without its options."""
    return [word for word in drill.run[1:] if word.startswith("tests/")]


@every
def test_drill_path_pattern_matches_a_tracked_file(drill: Drill, tracked: list[str]) -> None:
    unused = [pattern for pattern in drill.paths if not any(matches(file, pattern) for file in tracked)]
    assert [] == unused


@every
def test_drill_depends_on_its_own_program(drill: Drill) -> None:
    """A change of the drill itself makes CI run it."""
    programs = files_run_by(drill) if drill.run[0] == "pytest" else [f"{drill.run[0].replace('.', '/')}.py"]
    assert [] == [path for path in programs if not drill.concerns(path)]
    assert [] == [path for path in programs if not (ROOT / path).exists()]


@every
def test_drill_modules_can_be_imported(drill: Drill) -> None:
    """A drill runs rarely: a name that it imports may have been renamed since."""
    if drill.run[0] != "pytest":
        importlib.import_module(drill.run[0])
        return
    given = [ROOT / path for path in files_run_by(drill)]
    files = [file for path in given for file in ([path] if path.is_file() else path.glob("test_*.py"))]
    assert files
    for file in files:
        importlib.import_module(".".join(file.relative_to(ROOT).with_suffix("").parts))


def test_every_program_and_test_file_of_the_folder_is_a_drill() -> None:
    programs = [path.stem for path in FOLDER.glob("*.py") if "def main(" in path.read_text()]
    tests = [f"tests/drills/{path.name}" for path in FOLDER.glob("test_*.py")]
    run = {word for drill in drills().values() for word in drill.run}
    assert set() == {f"tests.drills.{name}" for name in programs} - run
    assert set() == set(tests) - run


def test_every_drill_fits_into_one_run() -> None:
    assert max(drill.minutes for drill in drills().values()) <= runner.LIMIT_MINUTES


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("roles/ami/tasks/main.yml", "roles/ami", True),
        ("roles/ami2/tasks/main.yml", "roles/ami", False),
        ("imgcore/accounts.py", "imgcore/accounts*", True),
        ("imgcore/accounts/service.py", "imgcore/accounts*", True),
        ("imgcore/db/accounts.py", "imgcore/accounts*", False),
        ("site.yml", "site.yml", True),
        ("site", "site/x.yml", False),
    ],
)
def test_matches_path_and_pattern_expected(path: str, pattern: str, expected: bool) -> None:
    assert expected == matches(path, pattern)


@pytest.mark.parametrize("first", [1, 100, 359])
def test_due_in_any_seven_days_each_drill_is_due_once(first: int) -> None:
    found = [name for day in range(first, first + 7) for name in runner.due(day, drills())]
    assert sorted(drills()) == sorted(found)


@pytest.mark.parametrize("day", range(1, 8))
def test_chosen_every_file_changed_due_drills_run_within_the_limit(day: int) -> None:
    taken, omitted = runner.chosen(None, day)
    assert sum(drills()[name].minutes for name in taken) <= runner.LIMIT_MINUTES
    assert set(drills()) == {*taken, *omitted}
    assert set(runner.due(day, drills())) <= set(taken)


def test_chosen_affected_drill_runs_with_the_file_as_reason() -> None:
    day = next(day for day in range(7) if "releases" not in runner.due(day, drills()))
    taken, omitted = runner.chosen(["README.md", "roles/ami/tasks/main.yml"], day, limit=1000)
    assert "roles/ami/tasks/main.yml was changed" == taken["releases"]
    assert [] == omitted
    security = {"security_operator", "security_production", "security_prowler"}
    affected = {"releases", "second_emulator", "site_rehearsals", "site_killed", "slow_aws", *security}
    assert {*affected, *runner.due(day, drills())} == set(taken)


def test_chosen_nothing_changed_only_due_drills_run() -> None:
    assert runner.due(3, drills()) == list(runner.chosen([], 3)[0])


def test_chosen_shortest_affected_drills_run_first() -> None:
    """More of them fit than in any other order."""
    taken, omitted = runner.chosen(None, 3, limit=60)
    due = runner.due(3, drills())
    affected = [drills()[name].minutes for name in taken if name not in due]
    assert affected
    assert max(affected) <= min(drills()[name].minutes for name in omitted)


def git(folder: Path, *arguments: str, days_ago: float = 0) -> str:
    """Run git in a repository of the test's own; return what it prints. days_ago: the time of a commit."""
    who = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
    environ = os.environ | {"GIT_COMMITTER_DATE": f"@{int(time.time() - days_ago * 86_400)} +0000"}
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits on main."""
    folder = tmp_path / "origin"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name in ("first", "second"):
        (folder / name).write_text(name)
        git(folder, "add", name)
        git(folder, "commit", "-q", "-m", name)
    return folder


def test_base_on_the_main_branch_is_the_previous_commit(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(repository), "clone")
    since = runner.base(tmp_path / "clone")
    assert git(repository, "rev-parse", "HEAD^") == since
    assert ["second"] == runner.changed(tmp_path / "clone", since)


@pytest.mark.parametrize(
    ("days_ago", "expected"), [((3, 2, 0.5, 0), 1), ((3, 2, 1.5, 0), 2), ((0.5, 0.2, 0.1, 0), 2), ((4, 3), 0)]
)
def test_base_on_the_main_branch_is_the_last_commit_of_the_day_before(
    tmp_path: Path, days_ago: tuple[float, ...], expected: int
) -> None:
    """Commits may arrive together. Where all are younger, it is the previous one."""
    git(tmp_path, "init", "-q", "-b", "main")
    for days in days_ago:
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", f"{days}", days_ago=days)
    commits = git(tmp_path, "rev-list", "--reverse", "HEAD").splitlines()
    assert commits[expected] == runner.base(tmp_path)


def test_base_on_another_branch_is_the_merge_base(repository: Path) -> None:
    git(repository, "checkout", "-q", "-b", "feature")
    for name in ("third", "fourth"):
        (repository / name).write_text(name)
        git(repository, "add", name)
        git(repository, "commit", "-q", "-m", name)
    (repository / "new").write_text("not committed")
    since = runner.base(repository)
    assert git(repository, "rev-parse", "main") == since
    assert ["fourth", "third", "new"] == runner.changed(repository, since)


def test_base_in_a_shallow_clone_is_unknown(repository: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "shallow")
    since = runner.base(tmp_path / "shallow")
    assert since is None
    assert runner.changed(tmp_path / "shallow", since) is None


def test_base_of_a_first_commit_is_unknown(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    assert runner.base(tmp_path) is None


def test_run_failing_program_is_reported(capfd: pytest.CaptureFixture[str]) -> None:
    failing = Drill("failing", "nothing", ("no_such_module",), 1, ())
    assert not runner.run(failing, 60)
    assert "FAILED  failing" in capfd.readouterr().out


def test_run_slow_program_is_stopped(capfd: pytest.CaptureFixture[str]) -> None:
    slow = Drill("slow", "nothing", ("http.server", "--bind", "127.0.0.1", "0"), 1, ())
    assert not runner.run(slow, 0.2)
    assert "TOO SLOW  slow" in capfd.readouterr().out


def test_run_slow_program_is_interrupted_although_the_shell_ignores_sigint(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        waiting = Drill("waiting", "nothing", ("http.server", "--bind", "127.0.0.1", "0"), 1, ())
        alive: list[bool] = []
        monkeypatch.setattr(runner.os, "killpg", lambda group, _: alive.append(psutil.pid_exists(group)))
        assert not runner.run(waiting, 0.2)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "TOO SLOW  waiting" in capfd.readouterr().out
    assert [False] == alive  # it was interrupted, not killed


@pytest.mark.parametrize("end", ["sys.exit()", "os.kill(os.getpid(), 9)"])
def test_run_leaves_nothing_that_the_program_has_started(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep the pipe of CI's output open."""
    (tmp_path / "leaving.py").write_text(
        "import os, pathlib, subprocess, sys\nchild = subprocess.Popen(['sleep', '3600'])\n"
        f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(child.pid))\n{end}\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    runner.run(Drill("leaving", "nothing", ("leaving",), 1, ()), None)
    left = int((tmp_path / "pid").read_text())
    wait_for(lambda: not runs(left))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, float | None]]:
    """The drills that run, with their seconds; those of security fail, and no package is installed."""
    ran: list[tuple[str, float | None]] = []

    def run(drill: Drill, seconds: float | None) -> bool:
        ran.append((drill.name, seconds))
        return not drill.name.startswith("security")

    monkeypatch.setattr(runner, "run", run)
    monkeypatch.setattr(runner.subprocess, "run", _without_packages(subprocess.run))
    return ran


def _without_packages(run: Callable[..., Any]) -> Callable[..., Any]:
    def answer(command: list[str], **options: Any) -> Any:
        return subprocess.CompletedProcess(command, 0) if command[0] == "sh" else run(command, **options)

    return answer


@pytest.mark.parametrize(("names", "code"), [(("tour", "host"), 0), (("security_operator", "tour"), 1)])
def test_main_failed_drill_sets_the_exit_code(
    asked: list[tuple[str, float | None]], names: tuple[str, ...], code: int
) -> None:
    assert code == runner.main(*names)
    assert [(name, None) for name in names] == asked


def test_main_changed_runs_what_the_base_tells(
    asked: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BASE", "HEAD")
    seen: list[str | None] = []
    monkeypatch.setattr(runner, "changed", lambda root, since: seen.append(since) or [])
    monkeypatch.setattr(runner, "due", lambda *_: ["tour", "mixed"])
    assert 0 == runner.main("changed")
    assert ["HEAD"] == seen
    assert ["tour", "mixed"] == [name for name, _ in asked]
    assert all(0 < seconds <= 60 * runner.DEADLINE_MINUTES for _, seconds in asked)
    monkeypatch.setattr(runner, "DEADLINE_MINUTES", 10)
    assert 0 == runner.main("changed")
    assert "Not run, because 10 minutes are nearly over: mixed" in capsys.readouterr().out


def test_main_changed_beside_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == runner.main("changed", "rolling")
    assert "There is no drill changed." in capsys.readouterr().err


def test_main_base_that_is_no_commit_is_refused(
    asked: list[tuple[str, float | None]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BASE", "no-such-commit")
    assert 2 == runner.main("changed")
    assert "BASE is no-such-commit, which is no commit of this repository." in capsys.readouterr().err
    assert [] == asked


def test_main_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == runner.main("no_such_drill")
    assert f"There is no drill no_such_drill. There are: {', '.join(drills())}." in capsys.readouterr().err
