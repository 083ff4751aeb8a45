"""The contract of every switch, on a real Asterisk."""

import pytest

from tests.switch.asterisk.rig import Rig
from tests.switch.contract import *  # noqa: F403

pytestmark = [pytest.mark.live, pytest.mark.asterisk]


@pytest.fixture
def rig(exchange, tmp_path):
    rig = Rig(exchange, tmp_path)
    yield rig
    rig.close()
