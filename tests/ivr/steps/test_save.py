"""save: writes once, whatever happens meanwhile."""

import json

import pytest

from ivr.state import Deed, State, replayed
from switch.port import CallEnded, Cause
from tests.ivr.conftest import flow_of

FLOW = """
start: number
steps:
  number:
    collect: {say: ask-number, digits: {max: 6}, into: keyed}
    next: file
    otherwise: end
  file:
    save: {query: open_ticket, with: {about: "{{ keyed }}"}, into: ticket}
    next: tell
    failed: busy
  tell: {say: {cmn: "编号{{ ticket.number }}", en: "Number {{ ticket.number }}"}, next: end}
  busy: {say: busy, next: end}
  end: {hangup: {}}
"""


def test_what_is_returned_is_known(house):
    house.ring(FLOW).press("202611").hears("编号1").is_over()
    assert house.orders.saved == [("open_ticket", {"about": "202611"}, "sim-1-2")]
    assert house.notes.of("DeedBegun", "key", "what") == [("sim-1-2", "save open_ticket")]
    assert house.notes.of("DeedDone", "key", "result") == [("sim-1-2", {"map": {"number": 1}})]


def test_it_is_written_down_before_and_after_it_is_done(house):
    house.ring(FLOW).press("202611").hears("编号1").is_over()
    assert [kind for kind, _ in house.notes if kind.startswith("Deed")] == ["DeedBegun", "DeedDone"]
    assert house.orders.noted_before == "DeedBegun"


def test_a_database_that_fails_is_an_exit_of_its_own(house):
    house.orders.failure = "the database is down"
    house.ring(FLOW).press("202611").hears("占线").is_over()
    assert house.notes.of("SaveFailed", "query", "reason") == [("open_ticket", "the database is down")]


def test_a_query_that_returns_no_row_has_failed_where_one_was_wanted(house):
    house.orders.row = None
    house.ring(FLOW).press("202611").hears("占线").is_over()
    assert house.notes.of("SaveFailed", "reason") == ["it returned no row"]


def test_what_is_made_of_something_sensitive_is_written_nowhere_else(house):
    house.orders.row = {"number": 4711}
    house.ring(FLOW.replace("into: keyed", "sensitive: true, into: keyed")).press("202611").hears("编号4711").is_over()
    told = [note for note in house.notes if note[0] != "PromptPlayed"]
    assert "4711" not in str(told)
    assert "202611" not in str(told)
    assert house.notes.of("PromptPlayed", "text") == ["编号•"]


# --- across a restart --------------------------------------------------------------------------------


def dies(house, flow=FLOW, *, after):
    """A call whose appliance dies as soon as a record of some type is written; what its journal says."""
    told = []

    class Died(CallEnded):
        pass

    def note(type, **facts):
        told.append({"type": type, **json.loads(json.dumps(facts))})
        if type == after:
            raise Died(Cause.SUPERSEDED)

    house.notes.note = note
    house.ring(flow).press("202611").is_over()
    del house.notes.note
    while told[-1]["type"] != after:
        told.pop()  # a dead process writes no end
    return replayed(told, house.flow(flow))


def test_what_was_done_is_not_done_again(house):
    state = dies(house, after="DeedDone")
    assert len(house.orders.saved) == 1
    house.orders.row = {"number": "another"}
    house.ring(FLOW, state=State.restored(json.loads(json.dumps(state.stored())))).hears("编号1").is_over()
    assert len(house.orders.saved) == 1


def test_what_was_done_with_something_sensitive_is_not_known_to_have_been_done():
    """Its result stands nowhere, so that the step could not go on with it."""
    flow = flow_of(FLOW)
    told = [
        {"type": "StepEntered", "step": "file", "visit": 2},
        {"type": "DeedBegun", "key": "c-2"},
        {"type": "DeedDone", "key": "c-2", "hidden": True},
    ]
    assert replayed(told, flow).deed == Deed("c-2")
    assert replayed([*told[:2], {"type": "DeedDone", "key": "c-2"}], flow).deed == Deed("c-2")


def test_what_may_have_been_done_is_repeated_under_the_same_key(house):
    state = dies(house, after="DeedBegun")
    assert (state.step, state.variables, state.deed.done) == ("file", {"keyed": "202611"}, False)
    house.ring(FLOW, state=state).hears("编号1").is_over()
    assert house.orders.saved == [("open_ticket", {"about": "202611"}, "sim-1-2")]


def test_what_may_have_been_done_and_must_not_be_done_twice_has_failed(house):
    state = dies(house, after="DeedBegun")
    house.orders.may_repeat = False
    house.ring(FLOW, state=state).hears("占线").is_over()
    assert house.orders.saved == []
    assert "restarted" in house.notes.of("SaveFailed", "reason")[0]


def test_the_next_step_has_a_key_of_its_own(house):
    twice = FLOW.replace("next: tell\n    failed", "next: again\n    failed").replace(
        "  tell:",
        "  again: {save: {query: open_ticket, with: {about: x}, into: ticket}, next: tell, failed: busy}\n  tell:",
    )
    house.ring(twice).press("202611").hears("编号2").is_over()
    assert [key for *_, key in house.orders.saved] == ["sim-1-2", "sim-1-3"]


# --- the checker -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("open_ticket", "open_tickt", "file.query: no query 'open_tickt'. Did you mean 'open_ticket'?"),
        ("query: open_ticket", "query: order", "file.query: the query 'order' only reads; use the verb 'lookup'"),
        ("save: {query", "lookup: {query", "file.query: the query 'open_ticket' writes; use the verb 'save'"),
        ("{about:", "{abuot:", "file.with.abuot: the query 'open_ticket' has no parameter 'abuot'; it needs about"),
        ("{about:", "{key: x, about:", "file.with.key: the query 'open_ticket' has no parameter 'key'"),
        ("with: {about: \"{{ keyed }}\"}, ", "", "file.with: the query 'open_ticket' needs about"),
        ("ticket.number }}\", en", "ticket.nummer }}\", en", "tell.cmn: 'ticket' has no 'nummer'."),
        ("query: open_ticket", "query: forget", "file.into: the query 'forget' returns nothing"),
    ],
)  # fmt: skip
def test_a_save_that_cannot_work_is_told(told, before, after, message):
    assert before in FLOW
    found = told(FLOW.replace(before, after))
    assert any(one.startswith(message) for one in found), found


def test_a_failed_save_has_set_nothing(told):
    found = told(FLOW.replace("busy: {say: busy", 'busy: {say: {cmn: "{{ ticket.number }}", en: x}'))
    assert found == ["busy.cmn: 'ticket' has no value yet on the way number -> file -> busy; it is set in file"]
