"""One private Asterisk for all the tests here that need a real one."""

import pytest

pytest.register_assert_rewrite("tests.switch.contract")

from tests.live.conftest import programs  # noqa: E402 - the asserts are to be rewritten before
from tests.switch.asterisk import exchange as exchanges  # noqa: E402

__all__ = ["exchange", "programs"]


@pytest.fixture(scope="session")
def exchange(tmp_path_factory, programs):
    exchange = exchanges.prepare(tmp_path_factory.mktemp("asterisk") / "home")
    try:
        exchange.start()
        yield exchange
    finally:
        exchange.stop()
