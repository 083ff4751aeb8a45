"""What callers do by themselves, over a real switch: the welcome, the languages, the state of an order."""

import pytest

from tests.live import heard, rtp

pytestmark = pytest.mark.live


def test_the_welcome_is_heard(hotline, phones):
    caller = phones.call("1000")
    caller.wait_answered()
    welcome = caller.wait_for(hotline.prompt("welcome"))
    menu = caller.wait_for(hotline.prompt("main-menu"), within=20)
    assert menu.at > welcome.at
    caller.hang_up()
