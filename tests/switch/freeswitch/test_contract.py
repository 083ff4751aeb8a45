"""The contract of every switch, on a real FreeSWITCH with our configuration."""

import pytest

from tests.switch.contract import *  # noqa: F403
from tests.switch.freeswitch.rig import Rig

pytestmark = [pytest.mark.live, pytest.mark.freeswitch]


@pytest.fixture
def rig(exchange, tmp_path):
    rig = Rig(exchange, tmp_path)
    yield rig
    rig.close()
