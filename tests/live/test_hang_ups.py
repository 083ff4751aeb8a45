"""Callers hang up at every moment: nothing may be left, on the switch, in the queue or in the journal."""

import threading

import pytest

from tests.live import stories

pytestmark = pytest.mark.live

MOMENTS = (0.0, 0.05, 0.15, 0.3, 0.6, 1.0, 1.7, 2.5, 3.5, 5.0)


def after(seconds, number, keys=""):
    """The story of one caller, who presses keys at once and hangs up so long after the answer."""

    def story(hotline, phones):
        caller = phones.call(number)
        caller.press(keys)
        if seconds:
            caller.wait_answered()
            threading.Event().wait(seconds)
        caller.hang_up()

    story.__name__ = f"{number}{'_with_keys' if keys else ''}_after_{seconds}_s"
    return story


STORIES = [
    *(after(seconds, "1000") for seconds in MOMENTS),
    *(after(seconds, "1000", "1202611#1") for seconds in MOMENTS[2:]),
    *(after(seconds, "1100") for seconds in MOMENTS[4:]),
    *(after(seconds, "3000") for seconds in MOMENTS[4:]),
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_a_caller_hangs_up(told, story):
    told.check(story)


def test_nothing_is_left_of_them(told, hotline):
    told.check_nothing_is_left()
    assert [queue["waiting"] for queue in hotline.status()["queues"] if queue["waiting"]] == []
    arrived = {record["call"] for record in hotline.records(type="CallArrived")}
    ended = [record["call"] for record in hotline.records(type="CallEnded")]
    assert sorted(ended) == sorted(arrived)
    verdict = hotline.command("journal", "verify")
    assert f"calls={len(arrived)} ended={len(arrived)} open=0 holes=0 doubles=0" in verdict
