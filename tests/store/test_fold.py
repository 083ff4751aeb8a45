"""The fold is pure: the same records give the same rows, however they are cut, and nothing stops it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from store.fold import fold, told
from store.rows import Interaction

TYPES = (
    "CallArrived",
    "CallReturned",
    "CallAnswered",
    "StepLeft",
    "CallQueued",
    "MoveCall",
    "CallAbandoned",
    "CallConnected",
    "TalkEnded",
    "CallEnded",
    "ClockChanged",
    "MessageKept",
    "AgentReady",
)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "x", "\0", "9" * 300, [1]])
RECORDS = st.lists(
    st.fixed_dictionaries(
        {"type": st.sampled_from(TYPES), "call": st.sampled_from(["a", "b", ""])},
        optional={
            "at": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat) | ANYTHING,
            "by": st.integers(-4_000_000, 4_000_000) | ANYTHING,
            **dict.fromkeys(
                ("caller", "dialled", "flow", "version", "language", "queue", "agent", "waited", "talked", "outcome"),
                ANYTHING,
            ),
        },
    ),
    max_size=30,
)


@settings(deadline=None)
@given(RECORDS, st.integers(0, 30))
def test_folding_in_two_goes_is_folding_at_once(records, cut):
    first = fold({}, records[:cut])
    assert first | fold(first, records[cut:]) == fold({}, records)


def test_a_call_that_goes_through_two_queues_keeps_when_it_was_first_queued():
    rows = fold(
        {},
        [
            {"type": "CallQueued", "call": "c", "queue": "service", "at": "2026-11-23T09:00:00+00:00"},
            {"type": "CallQueued", "call": "c", "queue": "experts", "at": "2026-11-23T09:05:00+00:00"},
            {"type": "CallConnected", "call": "c", "agent": "1001", "waited": 400_000},
            {"type": "TalkEnded", "call": "c", "talked": 1000},
            {"type": "CallConnected", "call": "c", "agent": "1004", "waited": 2000},
            {"type": "TalkEnded", "call": "c", "talked": 500},
        ],
    )
    row = rows["c"]
    assert (row.queue, row.queued) == ("experts", datetime(2026, 11, 23, 9, 0, tzinfo=UTC))
    assert (row.agent, row.waited_ms, row.talked_ms) == ("1004", 2000, 1500)


def test_a_caller_who_gives_up_has_waited_too():
    rows = fold(
        {},
        [
            {"type": "CallQueued", "call": "c", "queue": "service", "at": "2026-11-23T09:00:00.000+00:00"},
            {"type": "MoveCall", "call": "c", "queue": "experts", "at": "2026-11-23T09:00:30.000+00:00"},
            {"type": "CallAbandoned", "call": "c", "at": "2026-11-23T09:00:42.500+00:00"},
            {"type": "CallEnded", "call": "c", "at": "2026-11-23T09:00:42.600+00:00", "outcome": "caller left"},
        ],
    )
    assert (rows["c"].queue, rows["c"].waited_ms, rows["c"].agent) == ("experts", 42_500, "")


def test_a_clock_that_is_set_lengthens_no_wait_and_no_call():
    queued = [
        {"type": "CallArrived", "call": "c", "caller": "1", "at": "2026-11-23T09:00:00+00:00"},
        {"type": "CallAnswered", "call": "c", "at": "2026-11-23T09:00:01+00:00"},
        {"type": "CallQueued", "call": "c", "queue": "service", "at": "2026-11-23T09:00:10+00:00"},
        {"type": "CallArrived", "call": "over", "at": "2026-11-23T09:00:11+00:00"},
        {"type": "CallEnded", "call": "over", "at": "2026-11-23T09:00:12+00:00"},
    ]
    gone = [
        {"type": "ClockChanged", "call": "", "by": 3_600_000, "at": "2026-11-23T10:00:40+00:00"},
        {"type": "CallAbandoned", "call": "c", "at": "2026-11-23T10:00:40+00:00"},
        {"type": "CallEnded", "call": "c", "at": "2026-11-23T10:00:40+00:00"},
    ]
    before = fold({}, queued)
    rows = before | fold(before, gone)
    assert rows["c"].waited_ms == 30_000
    assert rows["c"].ended - rows["c"].started == timedelta(seconds=40)
    assert rows["c"].queued - rows["c"].answered == timedelta(seconds=9)
    assert rows["over"] == before["over"]


def test_a_call_that_comes_back_after_a_restart_keeps_its_beginning():
    rows = fold(
        {},
        [
            {"type": "CallArrived", "call": "c", "caller": "1", "at": "2026-11-23T09:00:00+00:00"},
            {"type": "CallReturned", "call": "c", "caller": "1", "at": "2026-11-23T09:07:00+00:00"},
            {"type": "StepLeft", "call": "c", "step": "cantonese", "language": "yue"},
        ],
    )
    assert rows["c"].started == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert rows["c"].language == "yue"


def test_a_call_that_was_lost_and_came_back_ends_when_it_really_ended():
    rows = fold(
        {},
        [
            {"type": "CallArrived", "call": "c", "caller": "1", "at": "2026-11-23T09:00:00+00:00"},
            {"type": "CallEnded", "call": "c", "cause": "switch lost", "at": "2026-11-23T09:01:00+00:00"},
            {"type": "CallReturned", "call": "c", "caller": "1", "at": "2026-11-23T09:02:00+00:00"},
            {"type": "CallEnded", "call": "c", "cause": "normal", "at": "2026-11-23T09:03:00+00:00"},
        ],
    )
    assert rows["c"].ended == datetime(2026, 11, 23, 9, 3, tzinfo=UTC)
    assert rows["c"].cause == "normal"


def test_a_record_that_tells_nothing_new_changes_no_row():
    known = fold({}, [{"type": "StepLeft", "call": "c", "language": "cmn"}])
    assert fold(known, [{"type": "StepLeft", "call": "c", "language": "cmn"}] * 3) == {}


def test_records_of_no_call_and_of_unknown_types_make_no_row():
    assert fold({}, [{"type": "AgentReady", "call": ""}, {"type": "Invented", "call": "c"}]) == {}
    assert fold({}, [{"type": "CallEnded", "call": ""}]) == {}


def test_nonsense_leaves_what_is_known():
    row = Interaction("c", waited_ms=5, talked_ms=7)
    assert told(row, {"type": "CallConnected", "waited": "soon"}).waited_ms == 5
    assert told(row, {"type": "TalkEnded", "talked": -1}) == row
    assert told(row, {"type": "CallAnswered", "at": "yesterday"}).answered is None
