"""What holds for a run as a whole: what it may not skip, the account of its live tests, what stands still, the log."""

import pytest
import structlog

from tests.live.account import pytest_configure, pytest_runtest_makereport, pytest_sessionfinish

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_sessionfinish"]

pytest_plugins = ["tests.stuck"]


@pytest.fixture(autouse=True)
def own_log():
    """A command that was run in this process has set what is logged, and how; no other test is to notice."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()
