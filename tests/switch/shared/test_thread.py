"""A native thread does what greenlets hand it, in order, while they and all others go on."""

import gc
import threading
import weakref

import gevent
import pytest

from switch.shared.thread import NativeThread

LONG = 20.0


@pytest.fixture
def thread():
    thread = NativeThread()
    yield thread
    thread.close()


def test_work_is_done_elsewhere_and_its_result_comes_back(thread):
    there = thread.do(threading.get_native_id)
    assert there != threading.get_native_id()
    assert thread.do(threading.get_native_id) == there


def test_the_hub_goes_on_while_the_thread_works(thread):
    opened = threading.Event()
    waiting = thread.start(lambda: opened.wait(LONG))
    gevent.sleep(0.01)
    assert not waiting.ready()
    opened.set()  # only reached because the hub is free
    assert waiting.get(timeout=LONG) is True


def test_tasks_of_many_greenlets_are_done_in_the_order_in_which_they_were_given(thread):
    done = []
    gevent.joinall([gevent.spawn(thread.do, lambda n=n: done.append(n)) for n in range(100)], timeout=LONG)
    assert done == list(range(100))


def test_what_a_task_raises_reaches_whoever_waits_and_the_next_task_is_done(thread):
    with pytest.raises(ZeroDivisionError):
        thread.do(lambda: 1 // 0)
    assert thread.do(lambda: "still there") == "still there"


def test_a_waiter_that_is_gone_keeps_nobody_else_from_its_result(thread):
    opened = threading.Event()
    gone = gevent.spawn(thread.do, lambda: opened.wait(LONG))
    gevent.sleep(0)
    patient = gevent.spawn(thread.do, lambda: 7)
    gone.kill(timeout=LONG)
    opened.set()
    assert patient.get(timeout=LONG) == 7


def test_nothing_of_a_task_is_kept_after_it(thread):
    class Large:
        pass

    large = Large()
    seen = weakref.ref(large)
    thread.do(lambda large=large: None)
    del large
    thread.do(lambda: None)
    gc.collect()
    assert seen() is None


def test_closing_waits_for_what_was_given():
    thread = NativeThread()
    outcomes = [thread.start(lambda n=n: n) for n in range(5)]
    thread.close()
    assert [outcome.get(timeout=LONG) for outcome in outcomes] == [0, 1, 2, 3, 4]


def test_a_thread_that_was_never_used_closes_too():
    NativeThread().close()
