"""House rules for every test: a skipped test is not a passed one, and examples do not depend on the clock."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from endpoints import Endpoint

# The same examples every time, however slow the machine. `sparse` is for the run against the wheel (tools/wheel-suite).
settings.register_profile(
    "house", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("sparse", settings.get_profile("house"), max_examples=5)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))


# What a test is held against but is not ours to pass on: NIST's schema, beside the checkout.
ELSEWHERE = {
    "oscal": Path(__file__).parents[2] / "shared" / "data" / "oscal_assessment-results_schema.json",
}


def pytest_configure(config: pytest.Config) -> None:
    # what tests read on standard error are sentences; what programmes read there is tested by name
    os.environ["ATTESTORE_LOG"] = "human"
    config.addinivalue_line("markers", "elsewhere(name): needs a file that is not part of this repository")


def pytest_report_header() -> list[str]:
    """Whoever reads the result reads first what it does not cover."""
    return [
        f"deselected, for {path} is not there: tests of {name}" for name, path in ELSEWHERE.items() if not path.exists()
    ]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """A test whose file is not here is left out, and counted as deselected: it is neither passed nor skipped."""
    absent = [item for item in items if any(not ELSEWHERE[m.args[0]].exists() for m in item.iter_markers("elsewhere"))]
    if absent:
        items[:] = [item for item in items if item not in absent]
        config.hook.pytest_deselected(items=absent)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips itself fails."""
    del item, call
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself (``importorskip``) fails."""
    del collector
    report = yield
    if report.skipped:
        report.outcome = "failed"
    return report


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """One real S3 service for all tests of a worker; each makes buckets of its own."""
    from endpoints import endpoint  # noqa: PLC0415  boto3 is not loaded for tests that need none

    with endpoint(tmp_path_factory.mktemp("s3")) as running:
        yield running
