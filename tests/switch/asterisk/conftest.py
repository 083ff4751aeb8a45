"""One private Asterisk for all the tests here that need a real one."""

import pytest

pytest.register_assert_rewrite("tests.switch.contract")

from tests.switch.asterisk import exchange as exchanges  # noqa: E402 - the asserts are to be rewritten before


@pytest.fixture(scope="session")
def exchange(tmp_path_factory):
    exchange = exchanges.prepare(tmp_path_factory.mktemp("asterisk") / "home")
    try:
        exchange.start()
        yield exchange
    finally:
        exchange.stop()
