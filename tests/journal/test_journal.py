"""The journal: contiguous, written before append returns, mended after a power cut, honest when checked."""

import errno
import json
import os
import shutil
import threading
from datetime import UTC, datetime

import gevent
import pytest
from gevent.event import Event
from structlog.testing import capture_logs

from journal import writer
from journal.keeping import drop_old
from journal.reader import Tail, Verdict, records, segments, verify
from journal.writer import Journal
from switch.shared.clock import RealClock, VirtualClock


@pytest.fixture
def clock():
    return RealClock()


def test_a_record_is_in_the_file_when_append_returns(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    assert journal.append("CallArrived", "c1", caller="+8613800000001") == 1
    [record] = records(tmp_path)
    assert record["type"] == "CallArrived"
    assert (record["seq"], record["v"], record["call"], record["caller"]) == (1, 1, "c1", "+8613800000001")
    assert datetime.fromisoformat(record["at"]).tzinfo is not None
    journal.close()


def test_what_is_jotted_down_stands_before_the_next_that_is_waited_for(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    journal.jot("KeyPressed", "c1", key="1")
    journal.jot("StepLeft", "c1")
    journal.append("StepEntered", "c1")
    assert [record["type"] for record in records(tmp_path)] == ["KeyPressed", "StepLeft", "StepEntered"]
    journal.jot("CallEnded", "c1")
    journal.close()
    assert [record["seq"] for record in records(tmp_path)] == [1, 2, 3, 4]


def test_many_greenlets_share_groups_and_the_order_is_contiguous(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    gevent.joinall([gevent.spawn(journal.append, "StepEntered", f"c{n}") for n in range(500)], raise_error=True)
    journal.close()
    assert [record["seq"] for record in records(tmp_path)] == list(range(1, 501))


def test_who_reads_along_gets_every_line_once_it_is_written(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    written_before: list[bool] = []
    lines: list[bytes] = []
    journal.readers.append(lambda line: written_before.append(line in (tmp_path / "000001.jsonl").read_bytes()))
    journal.readers.append(lines.append)
    journal.append("CallArrived", "c1")
    journal.append_all([("CallEnded", "c1", {}), ("CallArrived", "c2", {})])
    journal.close()
    assert [json.loads(line)["seq"] for line in lines] == [1, 2, 3]
    assert written_before == [True, True, True]


def test_seq_goes_on_after_a_restart(tmp_path, clock):
    for expected in (1, 2, 3):
        journal = Journal(tmp_path, clock)
        assert journal.append("CallArrived", str(expected)) == expected
        journal.close()
    assert verify(tmp_path) == Verdict(calls=3, ended=0, open=3, holes=0, doubles=0)


def test_a_torn_last_line_is_cut_off_and_its_seq_given_again(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    journal.close()
    with segments(tmp_path)[0].open("ab") as file:
        file.write(b'{"seq":2,"at":"2026')
    journal = Journal(tmp_path, clock)
    assert journal.lost == 19
    assert journal.append("CallEnded", "c1") == 2
    journal.close()
    assert verify(tmp_path) == Verdict(1, 1, 0, 0, 0)


def test_segments_follow_each_other(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 500)
    journal = Journal(tmp_path, clock)
    for n in range(40):
        journal.append("CallArrived", f"c{n}")
    journal.close()
    assert len(segments(tmp_path)) > 3
    assert [record["seq"] for record in records(tmp_path)] == list(range(1, 41))
    reopened = Journal(tmp_path, clock)
    assert reopened.append("CallArrived", "c40") == 41
    reopened.close()


def test_a_full_disk_stops_no_call_and_loses_no_record(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    real, full = os.write, True

    def write(file, data):
        if full:
            real(file, bytes(data)[:7])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data)

    monkeypatch.setattr(os, "write", write)
    journal.append("CallAnswered", "c1")
    journal.append("CallEnded", "c1")
    assert journal.trouble == "No space left on device"
    full = False
    journal.close()
    monkeypatch.undo()
    assert [record["type"] for record in records(tmp_path)] == ["CallArrived", "CallAnswered", "CallEnded"]


def test_who_came_while_the_write_failed_does_not_wait_for_the_disk_either(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    journal = Journal(tmp_path, clock)
    real, full = os.write, True
    failing, may_fail = threading.Event(), threading.Event()

    def write(file, data):
        if not full:
            return real(file, data)
        failing.set()
        may_fail.wait(5)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    first = gevent.spawn(journal.append, "CallArrived", "c1")
    while not failing.is_set():
        gevent.sleep(0.001)
    second = gevent.spawn(journal.append, "CallArrived", "c2")
    gevent.sleep(0)
    may_fail.set()
    gevent.joinall([first, second], timeout=5)
    assert (first.value, second.value) == (1, 2)
    assert journal.trouble
    full = False
    while journal.trouble:
        gevent.sleep(0.001)
    assert journal.append("CallEnded", "c1") == 3
    assert [record["seq"] for record in records(tmp_path)] == [1, 2, 3]
    journal.close()


def test_a_folder_that_was_taken_away_stops_no_call(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 100)
    directory = tmp_path / "journal"
    journal = Journal(directory, clock)
    journal.append("CallArrived", "c1")
    shutil.rmtree(directory)
    journal.append("CallEnded", "c1")
    assert journal.trouble == "No such file or directory"
    journal.close()


@pytest.fixture
def disk(monkeypatch):
    """A disk that stands still from the moment in which somebody holds it."""
    monkeypatch.setattr(writer, "STALL_SECONDS", 0.01)
    disk = Disk()
    monkeypatch.setattr(os, "write", disk.write)
    yield disk
    disk.held.set()


class Disk:
    def __init__(self):
        self._real = os.write
        self.held = threading.Event()
        self.held.set()

    def write(self, file, data):
        self.held.wait(30)
        return self._real(file, data)


def until(happened):
    with gevent.Timeout(30):
        while not happened():
            gevent.sleep(0.001)


def test_a_disk_that_stands_still_stops_no_call_and_loses_no_record(tmp_path, clock, disk):
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    disk.held.clear()
    with gevent.Timeout(30):
        journal.append("CallAnswered", "c1")
        journal.append("CallEnded", "c1")
    assert journal.trouble == "the disk stands still"
    assert not journal.stuck
    disk.held.set()
    until(lambda: not journal.trouble)
    assert journal.append("CallArrived", "c2") == 4
    assert [record["seq"] for record in records(tmp_path)] == [1, 2, 3, 4]
    journal.close()


def test_memory_holds_the_newest_records_while_the_disk_stands_still(tmp_path, clock, disk, monkeypatch):
    monkeypatch.setattr(writer, "KEPT_WHILE_FAILING", 10)
    journal = Journal(tmp_path, clock)
    disk.held.clear()
    journal.append("CallArrived", "c1")
    with capture_logs() as logs:
        for _ in range(25):
            journal.jot("KeyPressed", "c1")
        disk.held.set()
        journal.append("CallEnded", "c1")
        journal.close()
    assert [record["seq"] for record in records(tmp_path)] == [1, *range(18, 28)]
    assert sum("oldest records are lost" in told["event"] for told in logs) == 1
    assert next(told["lost"] for told in logs if "written again" in told["event"]) == 16


def test_a_journal_is_closed_though_the_disk_stands_still(tmp_path, clock, disk, monkeypatch):
    monkeypatch.setattr(writer, "CLOSE_SECONDS", 0.01)
    journal = Journal(tmp_path, clock)
    disk.held.clear()
    journal.append("CallArrived", "c1")
    with gevent.Timeout(30), capture_logs() as logs:
        journal.close()
    assert journal.closed
    assert [(told["log_level"], told["lost"]) for told in logs] == [("error", 1)]


def test_what_a_full_disk_has_not_taken_when_the_journal_is_closed_is_counted(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")

    def full(file, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with capture_logs() as logs:
        journal.append("CallEnded", "c1")
        journal.jot("CallArrived", "c2")
        journal.close()
    monkeypatch.undo()
    last = logs[-1]
    assert (last["log_level"], last["lost"], last["error"]) == ("error", 2, "No space left on device")
    assert [record["seq"] for record in records(tmp_path)] == [1]


def test_a_journal_that_is_closed_with_all_written_says_nothing(tmp_path, clock):
    with capture_logs() as logs:
        journal = Journal(tmp_path, clock)
        journal.jot("CallArrived", "c1")
        journal.close()
    assert logs == []


def test_an_error_of_the_program_itself_ends_no_writing(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "RETRY_SECONDS", 0.001)
    journal = Journal(tmp_path, clock)
    real, wrong = os.write, True

    def write(file, data):
        if wrong:
            raise RuntimeError("dictionary changed size during iteration")
        return real(file, data)

    monkeypatch.setattr(os, "write", write)
    with gevent.Timeout(30):
        journal.append("CallArrived", "c1")
    assert journal.trouble == "an error of the program itself: RuntimeError"
    wrong = False
    until(lambda: not journal.trouble)
    assert [record["type"] for record in records(tmp_path)] == ["CallArrived"]
    journal.close()


def test_whoever_reads_along_and_breaks_off_ends_no_writing(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    lines = []

    def breaks(line):
        raise KeyError("a reader's own error")

    journal.readers += [breaks, lines.append]
    with gevent.Timeout(30):
        journal.append("CallArrived", "c1")
        journal.append("CallEnded", "c1")
    journal.close()
    assert len(lines) == 2


def test_a_journal_that_nobody_writes_any_more_is_stuck(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    assert not journal.stuck

    def ends(line):
        raise gevent.GreenletExit

    journal.readers.append(ends)
    journal.jot("CallArrived", "c1")
    until(lambda: journal.stuck)


def test_records_that_nobody_takes_for_long_are_noticed(tmp_path):
    clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    held, go_on = Event(), Event()

    def holds(line):
        held.set()
        go_on.wait()

    journal.readers.append(holds)
    journal.jot("CallAnswered", "c1")
    clock.run_until(lambda: False, longest=1)
    held.wait(30)
    journal.jot("CallEnded", "c1")
    clock.run_until(lambda: False, longest=writer.STUCK_SECONDS)
    assert not journal.stuck
    clock.run_until(lambda: False, longest=1)
    assert journal.stuck
    go_on.set()
    journal.close()
    assert [record["seq"] for record in records(tmp_path)] == [1, 2, 3]


def test_what_json_cannot_hold_is_told_to_who_writes_it_and_leaves_no_hole(tmp_path, clock):
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    with pytest.raises(TypeError):
        journal.append("StepLeft", "c1", set={(1, 2): "a key that is none"})
    assert journal.append("CallEnded", "c1") == 2
    journal.close()


def test_virtual_time_stands_still_while_a_record_is_written(tmp_path):
    clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
    journal = Journal(tmp_path, clock)
    writing = gevent.spawn(journal.append, "CallArrived", "c1")
    clock.after(3600, lambda: None)
    assert clock.run_until(writing.ready, longest=7200)
    assert clock.now() == 0
    assert next(records(tmp_path))["at"] == "2026-11-23T10:00:00.000+00:00"
    journal.close()


def test_a_tail_leaves_a_half_written_line_for_the_next_time(tmp_path):
    path = tmp_path / "000001.jsonl"
    path.write_bytes(b'{"seq":1,"type":"A"}\n{"seq":2,"ty')
    tail = Tail(tmp_path)
    assert [record["seq"] for record in tail.read()] == [1]
    assert tail.read() == []
    with path.open("ab") as file:
        file.write(b'pe":"B"}\n')
    (tmp_path / "000002.jsonl").write_bytes(b'{"seq":3,"type":"C"}\n')
    assert [record["seq"] for record in tail.read()] == [2, 3]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([(1, "CallArrived", "a"), (2, "CallEnded", "a")], Verdict(1, 1, 0, 0, 0)),
        ([(1, "CallArrived", "a"), (3, "CallEnded", "a")], Verdict(1, 1, 0, 1, 0)),
        ([(1, "CallArrived", "a"), (1, "CallArrived", "b")], Verdict(1, 0, 1, 0, 1)),
        ([(1, "CallArrived", "a"), (2, "CallEnded", "a"), (3, "CallEnded", "a")], Verdict(1, 1, 0, 0, 1)),
        (
            [(1, "CallArrived", "a"), (2, "CallEnded", "a"), (3, "CallReturned", "a"), (4, "CallEnded", "a")],
            Verdict(1, 1, 0, 0, 1),
        ),
        ([(1, "CallArrived", "a"), (2, "CallDetached", "a"), (3, "CallReturned", "a")], Verdict(1, 0, 1, 0, 0)),
        ([(1, "CallEnded", "ghost")], Verdict(0, 0, 0, 0, 1)),
        ([(5, "CallArrived", "a"), (6, "StepEntered", "a")], Verdict(1, 0, 1, 0, 0)),
    ],
)
def test_verify_counts_calls_holes_and_doubles(tmp_path, lines, expected):
    text = "".join(json.dumps({"seq": seq, "type": type, "call": call}) + "\n" for seq, type, call in lines)
    (tmp_path / "000001.jsonl").write_text(text)
    assert verify(tmp_path) == expected
    assert verify(tmp_path).sound == (expected.holes == expected.doubles == 0)


def test_what_is_folded_and_old_is_dropped_and_the_rest_still_verifies(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 300)
    clock = VirtualClock(datetime(2026, 11, 1, 10, tzinfo=UTC))
    journal = Journal(tmp_path, clock)
    for n in range(10):
        gevent.spawn(journal.append, "CallArrived", f"c{n}").join()
        clock.after(86_400, lambda: None)
        assert clock.run_until(lambda n=n: clock.now() >= (n + 1) * 86_400_000, longest=100_000)
    for n in range(10):
        journal.append("CallEnded", f"c{n}")
    journal.close()
    assert drop_old(tmp_path, folded=0, before=clock.wall()) == []
    assert drop_old(tmp_path, folded=5, before=datetime(2026, 11, 9, tzinfo=UTC))
    kept = [record["seq"] for record in records(tmp_path)]
    assert kept == list(range(kept[0], 21))
    assert 1 < kept[0] <= 6
    assert verify(tmp_path).sound
    drop_old(tmp_path, folded=20, before=datetime(2027, 1, 1, tzinfo=UTC))
    assert len(segments(tmp_path)) == 1
    reopened = Journal(tmp_path, clock)
    assert reopened.append("CallArrived", "c10") == 21
    reopened.close()


def test_verify_counts_an_unreadable_line_as_one_hole(tmp_path):
    (tmp_path / "000001.jsonl").write_bytes(
        b'{"seq":1,"type":"CallArrived","call":"a"}\n{broken\n{"seq":3,"type":"CallEnded","call":"a"}\n'
    )
    assert verify(tmp_path) == Verdict(1, 1, 0, 1, 0)


def test_a_tail_reads_up_to_a_record_and_goes_on_there(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 300)
    journal = Journal(tmp_path, clock)
    for n in range(10):
        journal.append("CallArrived", f"c{n}")
    journal.close()
    assert len(segments(tmp_path)) > 2
    tail = Tail(tmp_path)
    read = [[record["seq"] for record in tail.read(4, upto=upto)] for upto in (0, 1, 1, 3, 8, 8, 20)]
    assert read == [[], [1], [], [2, 3], [4, 5, 6, 7], [8], [9, 10]]


def test_it_is_known_up_to_which_record_the_disk_has_flushed(tmp_path, clock, monkeypatch):
    journal = Journal(tmp_path, clock)
    journal.append("CallArrived", "c1")
    assert journal.flush() == 1

    def fails(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)
    journal.append("CallEnded", "c1")
    assert journal.flush() == 1
    monkeypatch.undo()
    assert journal.flush() == 2
    journal.append("CallArrived", "c2")
    journal.close()
    assert journal.flush() == 3
