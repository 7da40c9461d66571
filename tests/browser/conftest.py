"""One Chromium for all tests here; a gallery of its own for each."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from lambda_build.wheels import find_uv
from tests.browser.chromium import Browser, start
from tests.support.report import artifacts
from tests.support.shared import locked
from tests.web.stage import Stage

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Started once; its profile is empty."""
    driver = start(tmp_path_factory.mktemp("chromium"))
    yield Browser(driver)
    driver.quit()


@pytest.fixture(scope="session")
def chromium_without_scripts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Another one, whose settings forbid JavaScript."""
    driver = start(tmp_path_factory.mktemp("plain"), scripts=False)
    yield Browser(driver)
    driver.quit()


@pytest.fixture(scope="session")
def second_chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Another person's computer."""
    driver = start(tmp_path_factory.mktemp("second"))
    yield Browser(driver)
    driver.quit()


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A gallery with a small pipeline."""
    stage = Stage()
    yield stage
    stage.close()


@pytest.fixture
def browser(chromium: Browser, stage: Stage) -> Iterator[Browser]:
    """A window that is as new, at the gallery; afterwards nothing may have been complained of."""
    chromium.prepare(stage.origin)
    yield chromium
    assert [] == chromium.console()


@pytest.fixture
def plain(chromium_without_scripts: Browser, stage: Stage) -> Browser:
    """A window without JavaScript, as new, at the gallery."""
    chromium_without_scripts.prepare(stage.origin)
    return chromium_without_scripts


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's source, out of a PyPI package that carries it (its playwright is not needed here)."""
    target = ROOT / ".local" / "test-cache" / "axe"
    source = target / "axe_playwright_python" / "axe.min.js"
    with locked(target):
        if not source.exists():
            command = [*find_uv(), "pip", "install", "--quiet", "--python", sys.executable]
            command += [
                "--target",
                str(target),
                "--no-deps",
                "--require-hashes",
                "-r",
                str(Path(__file__).with_name("axe.txt")),
            ]
            subprocess.run(command, check=True, cwd=ROOT)
    return source.read_text("utf-8")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Save what each browser of a failed test shows: a screenshot, the page's source and its console."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, Browser):
                value.save(artifacts(item.nodeid), name)
    return report
