"""One private FreeSWITCH for all the tests here that need a real one."""

import pytest

from switch.freeswitch import private
from tests.live.conftest import programs
from tests.switch.freeswitch import exchange as exchanges

__all__ = ["exchange", "programs"]

pytest.register_assert_rewrite("tests.switch.contract")


@pytest.fixture(scope="session")
def exchange(tmp_path_factory, programs):
    if private.find() is None:
        pytest.skip("no FreeSWITCH here: PATH, /usr/local/freeswitch or FREESWITCH_PREFIX")
    exchange = exchanges.prepare(tmp_path_factory.mktemp("freeswitch"))
    try:
        exchange.start()
        yield exchange
    finally:
        exchange.stop()
