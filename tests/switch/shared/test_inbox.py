"""The inbox of a leg: who reads what, what is kept, and an end that wins over everything."""

from datetime import UTC, datetime

import gevent
import pytest

from switch.port import ANY, NONE, CallEnded, Cause, Key, Notice, Parted
from switch.shared.clock import VirtualClock
from switch.shared.inbox import Inbox
from switch.shared.mailbox import Mailbox

HASH = frozenset("#")


class Word(Notice):
    pass


@pytest.fixture
def clock():
    return VirtualClock(datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture
def inbox(clock):
    return Inbox(clock)


def test_items_are_taken_in_their_order(inbox):
    for item in (Key("1"), Parted(), Key("2")):
        inbox.put(item)
    assert [inbox.take(0) for _ in range(4)] == [Key("1"), Parted(), Key("2"), None]


def test_cutting_in_looks_and_does_not_take(inbox):
    inbox.put(Key("1"))
    inbox.put(Key("#"))
    assert inbox.cut_in(HASH, 0) == Key("#")
    assert inbox.cut_in(NONE, 0) is None
    assert inbox.take(0) == Key("1")


def test_a_notice_cuts_in_whatever_the_keys(inbox):
    word = Word()
    inbox.put(word)
    assert inbox.cut_in(NONE, 0) is word


def test_waiting_ends_in_time(inbox, clock):
    waiting = gevent.spawn(inbox.cut_in, ANY, 2.5)
    clock.run_until(waiting.ready, longest=10)
    assert (waiting.get(), clock.now()) == (None, 2500)


def test_what_comes_meanwhile_wakes_the_one_that_waits(inbox, clock):
    waiting = gevent.spawn(inbox.take, 60)
    clock.after(1, lambda: inbox.put(Key("5")))
    clock.run_until(waiting.ready, longest=10)
    assert (waiting.get(), clock.now()) == (Key("5"), 1000)


def test_the_end_wins_over_what_came_before_and_stays(inbox):
    inbox.put(Key("1"))
    inbox.end(Cause.BUSY)
    inbox.end(Cause.NORMAL)
    inbox.put(Key("2"))
    for _ in range(2):
        with pytest.raises(CallEnded) as caught:
            inbox.take(0)
        assert caught.value.cause is Cause.BUSY


def test_one_of_two_equal_keys_is_taken(inbox):
    inbox.put(Key("1"))
    inbox.put(Key("1"))
    inbox.take_key(inbox.cut_in(ANY, 0))
    assert [inbox.take(0), inbox.take(0)] == [Key("1"), None]


def test_dropped_keys_leave_notices_alone(inbox):
    word = Word()
    for item in (Key("1"), word, Key("2")):
        inbox.put(item)
    inbox.drop_keys()
    assert [inbox.take(0), inbox.take(0)] == [word, None]


def test_a_flood_does_not_fill_the_memory(clock):
    box = Mailbox(clock, limit=10)
    assert [box.put(number) for number in range(12)] == [True] * 10 + [False] * 2
    assert len(box) == 10
