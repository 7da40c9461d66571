"""One Chromium for all tests here; a gallery of its own for each."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.browser.axe import axe_source
from tests.browser.chromium import Browser, start
from tests.support.report import artifacts
from tests.web.stage import Stage


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
    yield Browser(driver, scripts=False)
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
    """axe-core's source."""
    return axe_source()


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
