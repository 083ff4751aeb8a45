"""The journal of each golden call, on real switches, is what the committed file says: the same on all of them.

The calls stand in tests/golden_calls.py, the files in golden/. After a change that is meant, record them anew from one
switch, look at what git says of them, and run again without the variable, for the others must agree:

    HOTLINE_RECORD_GOLDEN=freeswitch .venv/bin/pytest tests/live/test_golden.py -m freeswitch
"""

import os
import threading

import pytest

from journal.reader import Tail
from tests import golden, golden_calls
from tests.live import stories

pytestmark = pytest.mark.live

RECORDED = os.environ.get("HOTLINE_RECORD_GOLDEN")


class RealHouse(golden_calls.House):
    """A desk of its own on a running Hotline."""

    def __init__(self, hotline, phones):
        super().__init__()
        self.hotline, self.phones = hotline, phones
        self.desk = hotline.desk()
        self.queue, self.number, self.agents = self.desk.queue, self.desk.number, self.desk.agents
        hotline.until(lambda: hotline.records(type="QueuesChanged"), 10, "the agents and queues to be known")
        self._tail = Tail(hotline.config.data_dir / "journal", after=hotline.records()[-1]["seq"])
        self._records = []
        self._telephones = {}

    def dial(self, number, caller):
        return RealFar(self, self.phones.call(number, caller=caller), caller)

    def dial_as(self, agent, number):
        return RealFar(self, self._telephone(agent).dial(number), agent)

    def at_work(self, agent, how):
        telephone = self._telephone(agent)
        telephone.decline_with = 603 if how is golden_calls.DECLINES else None
        telephone.answer_after = None if how is golden_calls.RINGS else 0.3
        self.hotline.set_agent(agent, "Ready")

    def rung(self, agent):
        return self._telephones[agent].wait_rung()

    def until(self, true, what):
        self.hotline.until(true, 30, what)

    def records(self):
        self._records += self._tail.read()
        return self._records

    def state(self, agent):
        return self.hotline.agent_state(agent)

    def log_off(self, agent):
        self.hotline.set_agent(agent, "LoggedOff")

    def _telephone(self, agent):
        if agent not in self._telephones:
            self._telephones[agent] = self.hotline.agent(self.phones, agent)
        return self._telephones[agent]


class RealFar(golden_calls.Far):
    def __init__(self, house, leg, caller):
        super().__init__(house)
        self._leg = leg
        leg.wait_answered()
        self.call = house.hotline.call_of(caller, besides=house.calls)
        house.calls.append(self.call)

    def press(self, keys):
        self._leg.press(keys)

    def speak(self):
        self._leg.tone(440)

    def listen(self, seconds):
        threading.Event().wait(seconds)

    def hang_up(self):
        self._leg.hang_up()


def story(call):
    """The call as a story, which fails with the difference to its golden file."""

    def told(hotline, phones):
        house = RealHouse(hotline, phones)
        hotline.crm(
            "insert or replace into orders (number, status, status_text, eta)"
            " values (:number, :status, :status_text, :eta)",
            golden_calls.ORDER,
        )
        call(house)
        lines = house.journal()
        for agent in house.agents:
            house.log_off(agent)
        if hotline.kind == RECORDED:
            golden.record(golden_calls.name(call), lines)
        if difference := golden.difference(golden_calls.name(call), lines):
            pytest.fail(difference, pytrace=False)

    told.__name__ = call.__name__
    return told


STORIES = [story(call) for call in golden_calls.CALLS]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_the_journal_is_the_golden_one(told, story):
    told.check(story)
