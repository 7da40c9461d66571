"""What a test run says at its end: the time of each suite, and where a failure's logs and screenshots are."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FAILURES = ROOT / ".local" / "test-failures"


def artifacts(nodeid: str) -> Path:
    """Return the folder for what the browsers of one failed test showed."""
    return FAILURES / "".join(each if each.isalnum() or each in "-_." else "-" for each in nodeid)[-150:]


class Report:
    """Adds up the time of each suite, which is a folder of tests/."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.failed: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        suite = "/".join(report.nodeid.partition("::")[0].split("/")[:2])
        self.tests[suite] += report.when == "call"
        self.seconds[suite] += report.duration
        if report.failed and report.nodeid not in self.failed:
            self.failed.append(report.nodeid)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print a line for each suite, and one for each place to look at after a failure."""
        terminalreporter.section("suites")
        for suite, seconds in self.seconds.most_common():
            terminalreporter.line(f"{suite:20} {self.tests[suite]:5} tests {seconds:7.1f} s in all workers")
        if terminalreporter.config.getoption("randomly_reorganize", False) and self.seconds:
            seed = terminalreporter.config.getoption("randomly_seed")
            terminalreporter.line(f"The order of the tests was that of --randomly-seed={seed}")
        for nodeid in self.failed:
            if (folder := artifacts(nodeid)).is_dir():
                terminalreporter.line(f"Screenshot, page source and console of {nodeid}: {folder}")
        if self.failed:
            basetemp = terminalreporter.config._tmp_path_factory.getbasetemp()
            terminalreporter.line(f"Logs of the servers that tests started: {basetemp}, in folders named logs")


def pytest_configure(config: pytest.Config) -> None:
    """Report from the process that prints, not from its workers."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Report())
