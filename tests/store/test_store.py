"""What is stored comes back, on SQLite and on PostgreSQL alike."""

from datetime import UTC, datetime, timedelta, timezone

import gevent
import pytest

from store.demo import add_agents, add_boxes
from store.fold import fold
from store.rows import Membership, MessageState
from store.store import AlreadyThere, MailboxFull, Store, StoreFailed
from switch.shared.clock import RealClock

MONDAY = datetime(2026, 11, 23, 9, 30, 15, 250_000, tzinfo=UTC)

HOSTILE = {
    "quotes": """O'Brien "; drop table agents; --""",
    "newlines": "one\r\ntwo\n",
    "percent-encoded": "%0AReply-Text: +OK",
    "a line separator": "a\u2028b\u2029c",
    "emoji": "🧑‍🚒☎️",
    "markup": "<script>${system(reboot)}</script>",
    "right to left": "\u202e4321\u202c",
    "terminal": "\x1b[2J\x07\x7f",
}


def keep(store: Store, call: str = "call-1", visit: str = "leave-message/1", **facts):
    given = {
        "path": "/var/messages/1.wav",
        "seconds": 12.5,
        "received": MONDAY,
        "caller": "+8613800000001",
        "caller_name": "张伟",
    }
    return store.keep_message("service", call=call, visit=visit, **given | facts)


@pytest.fixture
def boxes(store):
    store.add_mailbox("service", limit=2)
    return store


def test_an_agent_comes_back_as_it_was_added(store):
    queues = [Membership("service"), Membership("experts", 2)]
    added = store.add_agent("1001", "王芳", skills={"cmn": 5, "claims": 3}, queues=queues, order=7)
    assert store.agent("1001") == added
    assert (added.phone, added.state, added.skills["claims"]) == ("1001", "LoggedOff", 3)
    assert added.order == 7
    assert added.queues == (Membership("service", 1), Membership("experts", 2))


def test_every_agent_gets_a_password_of_its_own_that_no_log_shows(store):
    one = store.add_agent("1001", "A", skills={}, queues=[])
    other = store.add_agent("1002", "B", skills={}, queues=[])
    assert one.password != other.password
    assert min(len(one.password), len(other.password)) >= 32
    assert one.password not in repr(one)


def test_agents_are_listed_by_id_and_not_added_twice(store):
    for id in ("1003", "1001", "1002"):
        store.add_agent(id, "", skills={}, queues=[])
    assert [agent.id for agent in store.agents()] == ["1001", "1002", "1003"]
    with pytest.raises(AlreadyThere):
        store.add_agent("1002", "again", skills={}, queues=[])
    with pytest.raises(AlreadyThere):
        store.add_agent("1009", "whose phone is taken", skills={}, queues=[], phone="1002")
    assert store.agent("1009") is None


def test_an_agent_who_was_removed_can_be_added_again(store):
    store.add_agent("1001", "A", skills={}, queues=[])
    assert store.remove_agent("1001")
    assert store.agents() == []
    assert not store.remove_agent("1001")
    store.add_agent("1001", "A", skills={}, queues=[])
    assert [agent.id for agent in store.agents()] == ["1001"]


def test_the_last_state_of_an_agent_is_remembered(store):
    store.add_agent("1001", "A", skills={}, queues=[])
    store.set_agent_state("1001", "NotReady", "lunch")
    store.set_agent_state("9999", "Ready")
    agent = store.agent("1001")
    assert (agent.state, agent.reason) == ("NotReady", "lunch")


def test_a_mailbox_keeps_its_pin_to_itself(store):
    store.add_mailbox("complaints", greeting="leave-complaint", email="a@example.org", limit=5, pin="2580")
    store.add_mailbox("service")
    box = store.mailbox("complaints")
    assert (box.greeting, box.email, box.limit, box.has_pin) == ("leave-complaint", "a@example.org", 5, True)
    assert [box.name for box in store.boxes()] == ["complaints", "service"]
    assert store.mailbox("nobody") is None


def test_a_message_comes_back_as_it_was_kept(boxes):
    kept = keep(boxes, received=MONDAY.astimezone(timezone(timedelta(hours=8))))
    assert boxes.messages("service") == [kept]
    assert (kept.received, kept.state, kept.seconds) == (MONDAY, MessageState.NEW, 12.5)


def test_the_same_visit_of_the_same_call_keeps_one_message(boxes):
    first = keep(boxes)
    assert keep(boxes, seconds=99.0) == first
    other = keep(boxes, visit="leave-message/2", received=MONDAY + timedelta(minutes=1))
    assert [message.id for message in boxes.messages("service")] == [first.id, other.id]


def test_a_call_that_came_back_and_counts_its_visits_anew_leaves_another_message(boxes):
    first = keep(boxes)
    second = keep(boxes, path="/var/messages/2.wav", id="second")
    assert keep(boxes, path="/var/messages/2.wav", id="second") == second
    assert {message.path for message in boxes.messages("service")} == {first.path, second.path}


def test_a_full_mailbox_refuses_but_still_knows_what_it_kept(boxes):
    first = keep(boxes, call="a")
    assert not boxes.full("service")
    keep(boxes, call="b")
    assert boxes.full("service")
    with pytest.raises(MailboxFull):
        keep(boxes, call="c")
    assert keep(boxes, call="a") == first


def test_callers_at_the_same_time_do_not_overfill_a_mailbox(boxes):
    attempts = [gevent.spawn(keep, boxes, call=f"call-{number}") for number in range(8)]
    gevent.joinall(attempts, timeout=30)
    assert sorted(type(attempt.exception).__name__ for attempt in attempts) == ["MailboxFull"] * 6 + ["NoneType"] * 2
    assert len(boxes.messages("service")) == 2


def test_the_same_message_kept_at_the_same_time_is_one(boxes):
    attempts = [gevent.spawn(keep, boxes) for _ in range(4)]
    assert len({attempt.get(timeout=30).id for attempt in attempts}) == 1


def test_an_unknown_mailbox_is_a_failure(store):
    with pytest.raises(StoreFailed, match="no mailbox service"):
        keep(store)
    with pytest.raises(StoreFailed, match="no mailbox service"):
        store.full("service")


def test_messages_are_marked(boxes):
    kept = keep(boxes)
    assert boxes.mark(kept.id, MessageState.HEARD)
    assert boxes.messages("service")[0].state is MessageState.HEARD
    assert not boxes.mark("no such message", MessageState.SAVED)
    with pytest.raises(ValueError, match="burnt"):
        boxes.mark(kept.id, "burnt")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_callers_are_stored_as_they_are(boxes, text):
    keep(boxes, caller=text, caller_name=text)
    message = boxes.messages("service")[0]
    assert (message.caller, message.caller_name) == (text, text)
    boxes.fold([{"seq": 1, "at": MONDAY.isoformat(), "type": "CallArrived", "call": "c", "caller": text}])
    assert boxes.interaction("c").caller == text


@pytest.mark.parametrize(
    ("text", "stored"),
    [("a\0b", "a\ufffdb"), ("\ud83e half", "? half"), ("9" * 4096, "9" * 255 + "…")],
    ids=["NUL", "half a surrogate pair", "4 KB"],
)
def test_what_no_database_takes_is_replaced_and_the_endless_cut(boxes, text, stored):
    keep(boxes, caller=text, call=text)
    assert (boxes.messages("service")[0].caller, boxes.messages("service")[0].call) == (stored, stored)
    boxes.fold([{"seq": 1, "at": MONDAY.isoformat(), "type": "CallArrived", "call": text, "caller": text}])
    assert boxes.interaction(text).caller == stored


# Interactions

CALL = [
    {
        "type": "CallArrived",
        "call": "c1",
        "caller": "+8613800000001",
        "dialled": "1000",
        "flow": "hotline",
        "version": 3,
    },
    {"type": "CallAnswered", "call": "c1"},
    {"type": "StepLeft", "call": "c1", "step": "main", "language": "cmn"},
    {"type": "CallQueued", "call": "c1", "queue": "service"},
    {"type": "CallConnected", "call": "c1", "queue": "service", "agent": "1001", "waited": 8200},
    {"type": "TalkEnded", "call": "c1", "talked": 61_000},
    {"type": "CallEnded", "call": "c1", "cause": "normal", "outcome": "agent"},
]


def journal(*records, start: int = 1):
    return [
        {"seq": start + number, "at": (MONDAY + timedelta(seconds=number)).isoformat(), "v": 1, **record}
        for number, record in enumerate(records)
    ]


def test_a_call_is_folded_into_one_row(store):
    store.fold(journal(*CALL))
    row = store.interaction("c1")
    assert (row.started, row.answered, row.ended) == (
        MONDAY,
        MONDAY + timedelta(seconds=1),
        MONDAY + timedelta(seconds=6),
    )
    assert (row.caller, row.dialled, row.flow, row.version) == ("+8613800000001", "1000", "hotline", "3")
    assert (row.language, row.queue, row.queued) == ("cmn", "service", MONDAY + timedelta(seconds=3))
    assert (row.agent, row.waited_ms, row.talked_ms) == ("1001", 8200, 61_000)
    assert (row.cause, row.outcome) == ("normal", "agent")
    assert store.last_folded() == len(CALL)


def test_what_was_folded_before_changes_nothing(store):
    records = journal(*CALL)
    for upto in (1, 3, 3, 6, 2, 7, 7):
        store.fold(records[:upto])
    assert store.interaction("c1").talked_ms == 61_000
    assert store.interactions() == list(fold({}, records).values())


def test_readers_at_the_same_time_fold_each_record_once(store):
    records = journal(*CALL)
    gevent.joinall([gevent.spawn(store.fold, records) for _ in range(4)], timeout=30, raise_error=True)
    assert store.interaction("c1").talked_ms == 61_000


def test_a_long_journal_is_folded_in_pieces(store):
    calls = [{"type": "CallArrived", "call": f"call-{number:04}", "caller": ""} for number in range(1203)]
    store.fold(journal(*calls))
    assert store.last_folded() == 1203
    assert len(store.interactions(limit=5000)) == 1203
    assert [row.call for row in store.interactions(limit=2)] == ["call-1202", "call-1201"]


def test_folding_is_set_back_to_the_end_of_a_journal_that_has_lost_records_and_their_rows_stay(store):
    store.fold(journal(*CALL))
    assert store.set_back(100) == len(CALL)
    assert store.last_folded() == len(CALL)
    assert store.set_back(3) == len(CALL)
    assert store.last_folded() == 3
    assert store.interaction("c1").outcome == "agent"
    store.fold(journal({"type": "CallArrived", "call": "c2", "caller": "1"}, start=4))
    assert {row.call for row in store.interactions()} == {"c1", "c2"}


def test_who_waits_while_the_clock_is_set_is_told_of_it_in_whatever_pieces(store):
    records = journal(*CALL[:4], *({**each, "call": "c2"} for each in CALL))
    hour = journal({"type": "ClockChanged", "call": "", "by": 3_600_000}, start=len(records) + 1)
    left = {"type": "CallAbandoned", "call": "c1", "at": (MONDAY + timedelta(hours=1, seconds=33)).isoformat()}
    store.fold(records)
    store.fold(hour)
    store.fold(journal(left, start=len(records) + 2))
    assert store.interaction("c1").waited_ms == 30_000
    assert store.interaction("c1").started == MONDAY + timedelta(hours=1)
    assert store.interaction("c2").started == MONDAY + timedelta(seconds=4)


def test_the_interactions_can_be_rebuilt(store):
    store.fold(journal(*CALL))
    before = store.interactions()
    store.unfold()
    assert (store.interactions(), store.last_folded()) == ([], 0)
    store.fold(journal(*CALL))
    assert store.interactions() == before


# Beginnings and failures


def test_the_demo_begins_with_four_agents_and_the_flows_mailboxes_once(store):
    assert (add_agents(store), add_boxes(store)) == (4, 2)
    assert (add_agents(store), add_boxes(store)) == (0, 0)
    assert [agent.id for agent in store.agents()] == ["1001", "1002", "1003", "1004"]
    assert [box.name for box in store.boxes()] == ["complaints", "service"]
    for language in ("cmn", "yue", "en"):
        assert any(language in agent.skills for agent in store.agents())


def test_without_tables_every_method_says_so(url, database):
    store = Store(url, RealClock())
    database.run(lambda _: None, within=20)
    with pytest.raises(StoreFailed, match="agents"):
        store.agents()
    with pytest.raises(StoreFailed, match="folds"):
        store.fold(journal(*CALL))
    store.close()
