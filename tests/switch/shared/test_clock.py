"""Virtual time: passes when nothing can run, in the order of its alarms, and stands still for the real world."""

from datetime import UTC, datetime

import gevent
import gevent.event
import pytest
from gevent.threadpool import ThreadPool

from switch.shared.clock import RealClock, VirtualClock
from switch.shared.mailbox import Mailbox

START = datetime(2026, 11, 23, 10, tzinfo=UTC)


@pytest.fixture
def clock():
    return VirtualClock(START)


def test_a_day_passes_at_once(clock):
    sleeping = gevent.spawn(clock.sleep, 86_400)
    assert clock.run_until(sleeping.ready, longest=90_000)
    assert clock.now() == 86_400_000
    assert clock.wall() == datetime(2026, 11, 24, 10, tzinfo=UTC)


def test_alarms_fire_in_their_order_equal_ones_as_they_were_set(clock):
    fired = []
    for name, seconds in (("c", 3), ("a", 1), ("b", 2), ("b2", 2)):
        clock.after(seconds, lambda name=name: fired.append((name, clock.now())))
    clock.run_until(lambda: len(fired) == 4, longest=10)
    assert fired == [("a", 1000), ("b", 2000), ("b2", 2000), ("c", 3000)]


def test_a_cancelled_alarm_does_not_fire(clock):
    fired = []
    with clock.after(1, lambda: fired.append(1)) as alarm:
        assert not alarm.fired
    clock.after(2, lambda: None)
    clock.run_until(lambda: clock.now() >= 2000, longest=5)
    assert fired == []


def test_time_passes_also_when_nothing_happens(clock):
    assert not clock.run_until(lambda: False, longest=10)
    assert clock.now() == 10_000


def test_it_goes_no_further_than_it_may(clock):
    fired = []
    clock.after(60, lambda: fired.append(1))
    assert not clock.run_until(lambda: False, longest=10)
    assert (clock.now(), fired) == (10_000, [])


def test_greenlets_that_talk_to_each_other_finish_before_time_passes(clock):
    boxes = [Mailbox(clock) for _ in range(50)]
    seen = []

    def pass_on(number):
        item = boxes[number].get(100)
        seen.append((number, clock.now()))
        if number + 1 < len(boxes):
            boxes[number + 1].put(item)

    greenlets = [gevent.spawn(pass_on, number) for number in range(50)]
    boxes[0].put("baton")
    clock.run_until(lambda: all(greenlet.ready() for greenlet in greenlets), longest=200)
    assert seen == [(number, 0) for number in range(50)]


def test_it_stands_still_while_somebody_works_in_the_real_world(clock):
    threads = ThreadPool(1)

    def work():
        with clock.working():
            threads.apply(lambda: sum(range(100_000)))
        return clock.now()

    working = gevent.spawn(work)
    clock.after(1, lambda: None)
    assert clock.run_until(working.ready, longest=10)
    assert working.get() == 0
    threads.kill()


@pytest.mark.parametrize("moment", [0.1 + 0.2, 65.996, 1e-9, 0.0004])
def test_who_waits_for_a_rounding_error_sees_time_pass(clock, moment):
    def wait():
        while clock.now() / 1000 < moment:
            clock.sleep(moment - clock.now() / 1000)

    waiting = gevent.spawn(wait)
    assert clock.run_until(waiting.ready, longest=100)


def test_the_real_clock_fires_and_cancels():
    clock = RealClock()
    fired = gevent.event.Event()
    never = gevent.event.Event()
    with clock.after(30, never.set), clock.after(0.001, fired.set) as alarm:
        assert fired.wait(5)
        assert alarm.fired
    assert not never.is_set()
    assert clock.wall().tzinfo is not None
