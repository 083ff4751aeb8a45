"""What holds for a run as a whole: what it may not skip, and the account of its live tests."""

from tests.live.account import pytest_configure, pytest_runtest_makereport, pytest_sessionfinish

__all__ = ["pytest_configure", "pytest_runtest_makereport", "pytest_sessionfinish"]
