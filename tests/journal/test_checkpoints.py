"""Checkpoints: a start reads one segment, and what it makes of it is what the whole journal says."""

import json

import pytest

from journal import checkpoints, writer
from journal.checkpoints import caught_up
from journal.reader import Tail, last_seq, segments
from journal.writer import Journal
from switch.shared.clock import RealClock


class Open:
    """The smallest thing that can be made of a journal: which calls are open."""

    concerns = frozenset({"CallArrived", "CallEnded"})

    def __init__(self, seq=0, calls=()):
        self.seq, self.calls = seq, set(calls)

    def take(self, record):
        (self.calls.add if record["type"] == "CallArrived" else self.calls.discard)(record["call"])
        self.seq = record["seq"]

    def stored(self):
        return {"seq": self.seq, "calls": sorted(self.calls)}

    @classmethod
    def restored(cls, stored):
        return cls(stored["seq"], stored["calls"])


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 1000)
    journal = Journal(tmp_path, RealClock(), Open())
    for n in range(60):
        journal.append("CallArrived", f"c{n}")
        if n % 3:
            journal.append("CallEnded", f"c{n}")
    journal.close()
    return tmp_path


def read(directory):
    return caught_up(directory, Open, Open.restored)


LEFT = {f"c{n}" for n in range(0, 60, 3)}


def test_a_checkpoint_and_one_segment_say_what_the_whole_journal_says(written):
    assert len(segments(written)) > 5
    for segment in segments(written)[:-1]:
        segment.unlink()
    assert read(written).calls == LEFT


def test_without_checkpoints_the_whole_journal_is_read(written):
    for path in written.glob("*.checkpoint"):
        path.unlink()
    assert read(written).calls == LEFT


@pytest.mark.parametrize("torn", [b"", b'{"seq": 1', b"[]", b'{"seq": 3}'])
def test_a_checkpoint_that_cannot_be_read_is_passed_over(written, torn):
    max(written.glob("*.checkpoint")).write_bytes(torn)
    assert read(written).calls == LEFT


def test_a_checkpoint_ahead_of_the_journal_is_passed_over(written):
    """After a power cut the journal may end before what a checkpoint counts on; its numbers are given again."""
    newest = max(written.glob("*.checkpoint"))
    ahead = json.loads(newest.read_bytes()) | {"seq": last_seq(written) + 5, "calls": ["never-written"]}
    newest.write_text(json.dumps(ahead))
    assert read(written).calls == LEFT
    journal = Journal(written, RealClock(), read(written))
    for n in range(60, 70):
        journal.append("CallArrived", f"c{n}")
    journal.close()
    assert read(written).calls == LEFT | {f"c{n}" for n in range(60, 70)}


def test_only_the_newest_checkpoints_are_kept(written):
    assert len(list(written.glob("*.checkpoint"))) == checkpoints.KEPT


def test_who_reads_on_opens_no_segment_that_is_behind(written):
    end = last_seq(written)
    for segment in segments(written)[:-1]:
        segment.write_text("unreadable\n" * 20)
    assert [record["seq"] for record in Tail(written, after=end - 1).read()] == [end]
