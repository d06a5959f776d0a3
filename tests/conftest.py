"""Set up pytest: Hypothesis without a stopwatch, and nothing skipped in CI."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest
from hypothesis import Phase, settings

# Machines are slow, and no example depends on time.
settings.register_profile("ohmulator", deadline=None)
settings.load_profile("ohmulator")
# Of mutants: the same examples for each, and no time spent on making a failure small.
settings.register_profile(
    "mutation", deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return without_skip((yield))


def without_skip(report: Report) -> Report:
    """Make a failure of a skipped test in CI, where a program that is missing is a mistake."""
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, which is a failure in CI: {reason}"
    return report
