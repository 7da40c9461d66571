"""The browsers of tests/browser, for drills that need them."""

from tests.browser.conftest import chromium, pytest_runtest_makereport, second_chromium

__all__ = ["chromium", "pytest_runtest_makereport", "second_chromium"]
