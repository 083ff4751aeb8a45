"""The assembled house over the simulated exchange: star codes, admission, reload, what survives, what ends cleanly."""

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from config.appliance import Config
from crm import demo
from cti.server import Refused
from journal import writer
from journal.reader import records, segments, verify
from runtime import folding
from runtime.stage import Stage, make_tables
from runtime.standing import read_standing
from speech import catalogue
from speech.catalogue import Catalogue
from speech.library import Library
from speech.simulated import Simulated
from store.database import Database, Reason
from store.store import StoreFailed
from switch.port import Cause
from switch.shared.clock import RealClock, VirtualClock
from switch.shared.inbox import Inbox
from switch.simulated.audio import write_wav

CHECKOUT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
OPEN = datetime(2026, 11, 24, 10, tzinfo=SHANGHAI)

FLOW = """
number: "1000"
languages: [cmn, en]
start: main
steps:
  main:
    menu: {say: main-menu, options: {"1": wait}, timeout: 5s, tries: 1}
    otherwise: end
  wait:
    queue: {name: service}
    answered: goodbye
    overflowed: message
  message:
    voicemail: {box: service, longest: 30s}
    next: goodbye
  goodbye: {say: goodbye, next: end}
  end: {hangup: {}}
"""
QUEUES = """
service:
  ring-for: 15s
  wrap-up: 10s
  announce: {position: true, first: 10s, every: 30s}
  overflow:
    - {when: none-logged-on, exit: overflowed}
"""


class House:
    """A hotline in a folder of its own, with a small flow, and phones that the test answers."""

    def __init__(self, home):
        self.home = home
        (home / "flows").mkdir()
        (home / "var").mkdir()
        (home / "flows" / "hotline.yaml").write_text(FLOW)
        (home / "flows" / "queues.yaml").write_text(QUEUES)
        (home / "flows" / "queries.yaml").write_text((CHECKOUT / "flows" / "queries.yaml").read_text())
        self.config = Config(prompts_dir=CHECKOUT / "prompts").at(home)
        write_wav(self.config.sounds_dir / "beep.wav", np.zeros(1600))
        make_tables(self.config, home)
        crm = Database(self.config.crm.url, RealClock(), name="CRM", threads=1, create=True)
        demo.fill(crm, customers=3, orders=3, today=OPEN.date())
        crm.close()
        self.clock = VirtualClock(OPEN)
        self.stage = self.staged()
        self.stage.start(ready=())

    def staged(self, config=None):
        texts = catalogue.read(self.config.prompts_dir)
        library = Library(self.config.prompts_dir, self.home / "speech", texts, Simulated(), self.clock)
        return Stage(config or self.config, self.clock, self.home, library, agents_answer_after=None)

    @property
    def desk(self):
        return self.stage.appliance.desk

    def call(self, number="1000", caller="13800000001", **more):
        line = self.stage.exchange.ring_in(number, caller, **more)
        self.pass_time(0.1)
        return line

    def pass_time(self, seconds):
        end = self.clock.now() + round(seconds * 1000)
        with self.clock.after(seconds, lambda: None):
            assert self.clock.run_until(lambda: self.clock.now() >= end, longest=seconds)

    def until(self, true):
        assert self.clock.run_until(true, longest=300)

    def status(self):
        return self.ask("status")

    def ask(self, do, **arguments):
        """What the control socket's command answers, without the socket."""
        return self.stage.appliance.commands[do](arguments)

    def agent(self, id):
        return next(agent for agent in self.status()["agents"] if agent["id"] == id)

    def journaled(self, type):
        return [record for record in records(self.home / "journal") if record["type"] == type]

    def close(self):
        for line in list(self.stage.exchange.lines.values()):
            line.hang_up()
        self.pass_time(1)
        self.stage.stop()


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    yield house
    house.close()
    assert verify(tmp_path / "journal").sound
    assert verify(tmp_path / "journal").open == 0


# --- star codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "state", "reason"),
    [("*10", "NotReady", "logged on"), ("*12", "Ready", ""), ("*11", "LoggedOff", "")],
)
def test_a_star_code_moves_the_agent_whose_phone_dialled_it(house, code, state, reason):
    line = house.call(code, "1001", account="1001")
    house.until(lambda: line.ended is not None)
    assert (house.agent("1001")["state"], house.agent("1001")["reason"]) == (state, reason)
    assert line.heard[0].text


def test_not_ready_asks_for_a_reason(house):
    line = house.call("*13", "1001", account="1001")
    line.press("2")
    house.until(lambda: line.ended is not None)
    assert (house.agent("1001")["state"], house.agent("1001")["reason"]) == ("NotReady", "meal")


@pytest.mark.parametrize("account", ["", "9999"])
def test_a_star_code_from_elsewhere_moves_nobody(house, account):
    line = house.call("*12", "1001", account=account)
    house.until(lambda: line.ended is not None)
    assert house.agent("1001")["state"] == "LoggedOff"
    assert house.journaled("StarCodeRefused")


def wraps_up(house):
    """Agent 1001 has talked, and works after the call."""
    house.stage.ready("1001")
    caller = house.call()
    caller.press("1")
    house.until(lambda: house.stage.exchange.ringing("1001") is not None)
    house.stage.exchange.ringing("1001").pick_up()
    house.until(lambda: caller.partner is not None)
    caller.hang_up()
    house.until(lambda: house.agent("1001")["state"] == "WorkingAfterCall")


def test_a_star_code_gives_more_time_after_a_call(house):
    wraps_up(house)
    line = house.call("*14", "1001", account="1001")
    house.until(lambda: line.ended is not None)
    house.pass_time(50)
    assert house.agent("1001")["state"] == "WorkingAfterCall"
    house.pass_time(20)
    assert house.agent("1001")["state"] == "Ready"


def test_more_time_without_a_call_is_not_possible(house):
    line = house.call("*14", "1001", account="1001")
    house.until(lambda: line.ended is not None)
    assert line.heard[0].text == "很抱歉，现在无法执行此操作。"


def test_a_wrap_up_can_be_extended_and_what_came_of_the_call_said(house):
    with pytest.raises(Refused, match="no wrap-up to extend"):
        house.ask("agents.extend", agent="1001", seconds=60)
    with pytest.raises(Refused, match="no call to give a result for"):
        house.ask("agents.result", agent="1001", result="solved")
    wraps_up(house)
    with pytest.raises(Refused, match="at most 30 minutes"):
        house.ask("agents.extend", agent="1001", seconds=36_000)
    house.ask("agents.extend", agent="1001", seconds=60)
    noted = house.ask("agents.result", agent="1001", result="solved")
    assert (noted["queue"], noted["result"]) == ("service", "solved")
    assert [record["call"] for record in house.journaled("NoteResult")] == [noted["call"]]
    house.pass_time(30)
    assert house.agent("1001")["state"] == "WorkingAfterCall"


def test_a_result_that_the_queue_does_not_know_is_refused_with_a_suggestion(house):
    queues = house.home / "flows" / "queues.yaml"
    queues.write_text(QUEUES + "  results: [solved, call-back]\n")
    assert house.ask("flows.reload") == {"problems": []}
    wraps_up(house)
    with pytest.raises(Refused, match=r"no result 'sovled'\. Did you mean 'solved'\?"):
        house.ask("agents.result", agent="1001", result="sovled")


def test_a_result_of_another_queue_of_the_agents_is_refused_with_the_results_of_the_calls_own(house):
    queues = house.home / "flows" / "queues.yaml"
    queues.write_text(QUEUES + "  results: [solved, call-back]\nexperts: {results: [referred]}\n")
    assert house.ask("flows.reload") == {"problems": []}
    wraps_up(house)
    with pytest.raises(Refused, match=r"queue service has no result 'referred'\. There is call-back or solved"):
        house.ask("agents.result", agent="1001", result="referred")
    house.until(lambda: house.agent("1001")["state"] == "Ready")
    with pytest.raises(Refused, match="no call to give a result for"):
        house.ask("agents.result", agent="1001", result="sovled")


def test_a_supervisor_forces_a_state_and_the_journal_knows_who_and_why(house):
    house.ask("agents.state", agent="1002", state="Ready")
    house.ask("agents.state", agent="1002", state="NotReady", reason="training", by="li")
    assert house.agent("1002")["reason"] == "training"
    assert [(record["agent"], record["reason"], record["by"]) for record in house.journaled("AgentBecameNotReady")] == [
        ("1002", "training", "li")
    ]


def test_a_supervisor_logs_an_agent_off_and_the_journal_knows_who_and_why(house):
    house.ask("agents.state", agent="1002", state="Ready")
    house.ask("agents.state", agent="1002", state="LoggedOff", reason="training", by="li")
    assert (house.agent("1002")["state"], house.agent("1002")["reason"]) == ("LoggedOff", "training")
    assert [(record["agent"], record["reason"], record["by"]) for record in house.journaled("AgentLoggedOff")] == [
        ("1002", "training", "li")
    ]


def test_a_reason_to_be_ready_is_refused_as_it_would_be_lost(house):
    with pytest.raises(Refused, match="Ready has no reason"):
        house.ask("agents.state", agent="1002", state="Ready", reason="training")


def test_reasons_are_those_of_the_house_by_telephone_and_by_command(house):
    (house.home / "flows" / "reasons.yaml").write_text("round: {key: 7}\nhandover: {}\n")
    assert house.ask("flows.reload") == {"problems": []}
    line = house.call("*13", "1001", account="1001")
    line.press("7")
    house.until(lambda: line.ended is not None)
    assert house.agent("1001")["reason"] == "round"
    assert house.ask("agents.state", agent="1001", state="NotReady", reason="handover")["reason"] == "handover"
    with pytest.raises(Refused, match=r"no reason 'handoevr'\. Did you mean 'handover'\?"):
        house.ask("agents.state", agent="1001", state="NotReady", reason="handoevr")
    with pytest.raises(Refused, match=r"no reason 'meal'\. There is handover or round"):
        house.ask("agents.state", agent="1001", state="NotReady", reason="meal")
    assert house.agent("1001")["reason"] == "handover"


def test_reasons_that_are_wrong_are_refused_with_their_place_and_the_last_good_ones_stay(house):
    (house.home / "flows" / "reasons.yaml").write_text("round: {key: 7}\nmeal: {key: 7}\n")
    (problem,) = house.ask("flows.reload")["problems"]
    assert problem.endswith("reasons.yaml:2:13: meal.key: the key 7 means 'round' already")
    assert house.ask("agents.state", agent="1001", state="NotReady", reason="training")["reason"] == "training"


# --- calls ---------------------------------------------------------------------------------------


def test_a_number_that_no_flow_answers_is_refused(house):
    line = house.call("7777")
    house.until(lambda: line.ended is not None)
    assert line.ended is Cause.UNREACHABLE
    assert house.journaled("CallEnded")[-1]["outcome"] == "no flow for the dialled number"


def limited(house, **limits):
    """The same house, opened anew with other limits."""
    house.stage.stop()
    house.stage = house.staged(
        house.config.model_copy(update={"limits": house.config.limits.model_copy(update=limits)})
    )
    house.stage.start(ready=())


def texts(line):
    return [heard.text for heard in line.heard]


def test_beyond_the_limit_callers_are_told_to_hold_and_come_in_when_there_is_room(house):
    limited(house, calls=2)
    first, second, third = (house.call(caller=str(number)) for number in range(3))
    house.pass_time(1)
    assert [first.id, second.id] == list(house.desk.in_progress)
    assert texts(third) == ["fallback-sorry", "fallback-sorry"]
    first.hang_up()
    house.until(lambda: third.id in house.desk.in_progress)
    assert third.ended is None
    deferred = [record["call"] for record in house.journaled("CallDeferred")]
    assert deferred == [third.id]
    arrivals = [record["call"] for record in house.journaled("CallArrived")]
    assert arrivals == [first.id, second.id, third.id]
    assert house.status()["deferred"] == 1


def test_a_crowd_in_one_second_is_spread_over_the_next_tries_and_nobody_is_lost(house):
    limited(house, calls_per_second=3)
    lines = [house.stage.exchange.ring_in("1000", str(number)) for number in range(8)]
    house.pass_time(0.5)
    assert len(house.desk.in_progress) == 3
    house.until(lambda: len(house.journaled("CallArrived")) == 8)
    assert all("fallback-sorry" in texts(line) for line in lines[3:])


def test_nobody_new_comes_in_while_the_hub_lags_and_those_inside_go_on(house):
    inside = house.call()
    for _ in range(3):
        house.stage.appliance.admission.looked(0.4)
    outside = house.call(caller="2")
    inside.press("1")
    house.until(lambda: house.journaled("CallQueued"))
    assert texts(outside) == ["fallback-sorry", "fallback-sorry"]
    for _ in range(20):
        house.stage.appliance.admission.looked(0.01)
    house.until(lambda: outside.id in house.desk.in_progress)


def test_those_who_hold_for_room_are_not_taken_for_calls_that_nobody_controls(house):
    limited(house, calls=2)
    recovery = house.stage.appliance.recovery
    recovery.start()
    for number in range(6):
        house.call(caller=str(number))
    fullest = 0
    for _ in range(60):
        house.pass_time(1)
        fullest = max(fullest, len(house.desk.in_progress))
    recovery.stop()
    assert fullest == 2


def test_a_call_that_is_held_while_the_house_drains_is_not_taken_for_a_stuck_one(house):
    house.desk.hold_new_calls()
    house.call()
    house.pass_time(120)
    assert house.desk.stuck() == 0


def test_agents_phones_and_calls_that_were_here_before_come_in_however_full_it_is(house):
    limited(house, calls=1)
    inside = house.call()
    code = house.call("*12", "1001", account="1001")
    house.until(lambda: code.ended is not None)
    assert house.agent("1001")["state"] == "Ready"
    leaves_its_controller(inside)
    house.pass_time(1)
    full = house.call(caller="2")
    house.stage.exchange.on_ring_in(inside)
    house.pass_time(0.1)
    assert full.id in house.desk.in_progress
    assert inside.id in house.desk.in_progress


def test_an_error_in_one_call_ends_that_call_alone(house, monkeypatch):
    good = house.call()
    monkeypatch.setattr(house.desk, "_services", lambda call: 1 / 0)
    bad = house.call()
    house.until(lambda: bad.ended is not None)
    assert house.journaled("CallEnded")[-1]["outcome"] == "error"
    assert good.ended is None


def test_a_lost_switch_ends_every_call_in_the_journal_and_frees_agents(house):
    house.stage.ready("1001")
    talking, waiting = house.call(), house.call(caller="2")
    talking.press("1")
    house.until(lambda: house.stage.exchange.ringing("1001") is not None)
    house.stage.exchange.ringing("1001").pick_up()
    house.until(lambda: talking.partner is not None)
    waiting.press("1")
    house.pass_time(1)
    house.stage.exchange.lose()
    house.pass_time(5)
    assert not house.desk.in_progress
    assert not house.journaled("CallEnded")  # it may be back in a moment, and they with it
    house.pass_time(30)
    assert {record["cause"] for record in house.journaled("CallEnded")} == {"switch lost"}
    assert house.agent("1001")["state"] == "WorkingAfterCall"
    house.pass_time(11)
    assert house.agent("1001")["state"] == "Ready"
    assert not house.status()["ready"]


def leaves_its_controller(line):
    """The switch goes on with the call; the connection over which we had it is gone."""
    former, line.inbox = line.inbox, Inbox(line.clock)
    former.end(Cause.SWITCH_LOST)


def types_of(house, line, *wanted):
    told = records(house.home / "journal")
    return [record["type"] for record in told if record["call"] == line.id and record["type"] in wanted]


def test_a_call_whose_connection_broke_goes_on_where_it_was_and_ends_once(house):
    line = house.call()
    leaves_its_controller(line)
    house.pass_time(1)
    house.stage.exchange.on_ring_in(line)
    house.until(lambda: line.ended is not None)
    house.pass_time(1)
    found = types_of(house, line, "CallArrived", "CallDetached", "CallReturned", "CallEnded", "StepEntered")
    assert found == [
        "CallArrived",
        "StepEntered",
        "CallDetached",
        "CallReturned",
        "StepEntered",
        "StepEntered",
        "CallEnded",
    ]


def two_who_wait(house):
    house.stage.ready("1001")
    first, second = house.call(), house.call(caller="2")
    house.stage.not_ready("1001")
    for line in (first, second):
        line.press("1")
        house.pass_time(1)
    return first, second


def test_who_is_back_before_the_loss_could_be_written_down_keeps_the_place(house):
    """The old greenlet still waits for the disk when the dialplan brings the caller again."""
    first, second = two_who_wait(house)
    former, first.inbox = first.inbox, Inbox(first.clock)
    house.stage.exchange.on_ring_in(first)
    former.end(Cause.SWITCH_LOST)
    house.pass_time(1)
    assert house.status()["queues"][0]["waiting"] == [first.id, second.id]
    assert types_of(house, first, "CallArrived", "CallReturned") == ["CallArrived", "CallReturned"]
    for line in (first, second):
        line.hang_up()
    house.pass_time(5)
    assert types_of(house, first, "CallEnded") == ["CallEnded"]
    assert not house.desk.returning


def test_a_call_whose_connection_broke_is_found_where_nobody_brings_it_back(house):
    line = house.call()
    leaves_its_controller(line)
    house.until(lambda: line.id in house.desk.in_progress and line.id not in house.desk.detached)
    house.until(lambda: line.ended is not None)
    house.pass_time(1)
    assert types_of(house, line, "CallDetached", "CallReturned", "CallEnded") == [
        "CallDetached",
        "CallReturned",
        "CallEnded",
    ]


def test_a_caller_who_waits_keeps_the_place_over_a_broken_connection(house):
    first, second = two_who_wait(house)
    leaves_its_controller(first)
    house.pass_time(0.5)
    assert house.status()["queues"][0]["waiting"] == [second.id]
    house.until(lambda: house.status()["queues"][0]["waiting"] == [first.id, second.id])
    assert "CallAbandoned" not in types_of(house, first, "CallAbandoned")
    first.hang_up()
    house.pass_time(1)
    assert types_of(house, first, "CallerLost", "CallAbandoned") == ["CallerLost", "CallAbandoned"]


def test_a_talk_goes_on_without_the_callers_connection_and_is_watched_again(house):
    house.stage.ready("1001")
    line = house.call()
    line.press("1")
    house.until(lambda: house.stage.exchange.ringing("1001") is not None)
    phone = house.stage.exchange.ringing("1001")
    phone.pick_up()
    house.until(lambda: line.partner is not None)
    house.pass_time(1)
    leaves_its_controller(line)
    house.pass_time(10)
    assert house.agent("1001")["state"] == "Busy"
    assert line.partner is not None
    phone.hang_up()
    house.until(lambda: line.ended is not None)
    house.pass_time(1)
    assert [record["step"] for record in house.journaled("StepEntered")] == ["main", "wait", "wait", "goodbye", "end"]
    assert types_of(house, line, "CallEnded") == ["CallEnded"]


def test_a_call_that_died_with_the_switch_has_ended_as_soon_as_the_switch_is_back(house):
    line = house.call()
    house.stage.exchange.lose()
    house.pass_time(3)
    house.stage.exchange.restore()
    house.pass_time(3)
    assert [record["cause"] for record in house.journaled("CallEnded")] == ["switch lost"]
    assert types_of(house, line, "CallEnded") == ["CallEnded"]


def test_a_call_that_is_back_before_its_loss_was_noticed_belongs_to_the_newer_one(house):
    line = house.call()
    former, line.inbox = line.inbox, Inbox(line.clock)
    house.stage.exchange.on_ring_in(line)
    house.pass_time(0.1)
    former.end(Cause.SWITCH_LOST)
    house.pass_time(0.1)
    assert list(house.desk.in_progress) == [line.id]
    house.until(lambda: line.ended is not None)
    house.pass_time(1)
    assert not house.desk.in_progress
    assert [record["outcome"] for record in house.journaled("CallEnded")] == ["flow ended"]


def test_a_house_that_is_closed_leaves_its_calls_open_for_the_next_one(tmp_path):
    house = House(tmp_path)
    line = house.call()
    house.desk.close()
    leaves_its_controller(line)
    house.pass_time(1)
    assert not house.desk.in_progress
    house.stage.stop()
    assert house.journaled("CallEnded") == []
    assert read_standing(tmp_path / "journal").calls.keys() == {line.id}


def test_a_message_left_by_hanging_up_is_kept(house):
    line = house.call()
    line.press("1")
    house.until(lambda: bool(line.heard) and line.heard[-1].path is not None and line.heard[-1].path.stem == "beep")
    house.pass_time(1.5)
    line.speak(5)
    house.pass_time(4)
    line.hang_up()
    house.pass_time(1)
    [kept] = house.journaled("MessageKept")
    [stored] = house.stage.appliance.store.messages("service")
    assert (stored.id, stored.caller) == (kept["message"], "+8613800000001")


def test_a_full_disk_while_recording_is_told_and_leaves_no_half_message(house):
    house.stage.exchange.disk_full = True
    line = house.call()
    line.press("1")
    house.until(lambda: line.ended is not None)
    sorry = house.stage.appliance.library.catalogue_text("message-not-kept", "cmn")
    assert sorry in [heard.text for heard in line.heard]
    assert list((house.home / "messages").rglob("*.wav")) == []


# --- control -------------------------------------------------------------------------------------


def test_status_shows_who_waits_for_whom(house):
    house.stage.not_ready("1001")
    line = house.call()
    line.press("1")
    house.pass_time(5)
    status = house.status()
    assert [queue["waiting"] for queue in status["queues"]] == [[line.id]]
    assert status["queues"][0]["longest_wait"] == pytest.approx(5, abs=0.2)
    [call] = status["calls"]
    assert (call["id"], call["flow"], call["step"]) == (line.id, "hotline", "wait")


def test_an_agent_asked_to_be_ready_is(house):
    assert house.ask("agents.state", agent="1002", state="Ready") == {"id": "1002", "state": "Ready", "reason": ""}


def test_the_last_states_of_agents_are_in_the_store(house):
    house.ask("agents.state", agent="1002", state="NotReady", reason="meal")
    house.pass_time(1)
    stored = house.stage.appliance.store.agent("1002")
    assert (stored.state, stored.reason) == ("NotReady", "meal")


def test_calls_are_folded_into_interactions(house):
    line = house.call()
    house.until(lambda: line.ended is not None)
    house.pass_time(6)
    row = house.stage.appliance.store.interaction(line.id)
    assert (row.caller, row.dialled, row.flow, row.outcome) == ("13800000001", "1000", "hotline", "flow ended")
    assert row.answered is not None
    assert row.ended is not None


def test_a_whisper_that_cannot_be_said_costs_the_whisper_and_not_the_call(house):
    texts = house.stage.appliance.library.catalogue.texts
    house.stage.appliance.library.catalogue = Catalogue(
        {**texts, "whisper": {"cmn": "{{ nobody.knows }}"}, "whisper-named": {"cmn": "{{ nobody.knows }}"}}
    )
    house.stage.ready("1001")
    line = house.call()
    line.press("1")
    house.until(lambda: house.stage.exchange.ringing("1001") is not None)
    house.stage.exchange.ringing("1001").pick_up()
    house.until(lambda: line.partner is not None or line.ended is not None)
    assert line.partner is not None


def test_agents_that_cannot_be_read_again_are_refused_in_one_line(house, monkeypatch):
    def away():
        raise StoreFailed(Reason.DOWN, "nobody answers")

    monkeypatch.setattr(house.stage.appliance.store, "agents", away)
    with pytest.raises(Refused, match="the agents cannot be read: nobody answers"):
        house.ask("agents.reload")


def test_a_state_that_the_database_did_not_take_is_written_later(house, monkeypatch):
    store = house.stage.appliance.store

    def away(*_):
        raise StoreFailed(Reason.DOWN, "nobody answers")

    monkeypatch.setattr(store, "set_agent_state", away)
    house.ask("agents.state", agent="1002", state="NotReady", reason="meal")
    house.pass_time(1)
    monkeypatch.undo()
    house.pass_time(10)
    assert store.agent("1002").reason == "meal"


def test_what_is_folded_leaves_the_journal_after_its_time(house, monkeypatch):
    monkeypatch.setattr(writer, "SEGMENT_BYTES", 2000)
    monkeypatch.setattr(folding, "DROP_EVERY", timedelta(0))
    monkeypatch.setattr(house.stage.appliance.folder, "_keep", timedelta(seconds=60))
    lines = [house.call() for _ in range(5)]
    house.until(lambda: all(line.ended is not None for line in lines))
    before = len(segments(house.home / "journal"))
    house.pass_time(90)
    assert 1 <= len(segments(house.home / "journal")) < before
    assert house.stage.appliance.store.interaction(lines[0].id).outcome == "flow ended"


# --- edits ---------------------------------------------------------------------------------------


def test_a_wrong_edit_changes_nothing_and_says_everything(house):
    path = house.home / "flows" / "hotline.yaml"
    path.write_text(FLOW.replace("answered: goodbye", "answered: godbye").replace("box: service", "box: servise"))
    problems = house.ask("flows.reload")["problems"]
    assert len(problems) == 2
    assert "Did you mean 'goodbye'?" in "".join(problems)
    assert house.call().ended is None
    assert house.status()["troubles"]


def test_an_edit_is_for_new_calls_and_running_ones_keep_theirs(house):
    old = house.call()
    (house.home / "flows" / "hotline.yaml").write_text(FLOW.replace('"1": wait', '"2": wait'))
    assert house.ask("flows.reload")["problems"] == []
    new = house.call(caller="2")
    old.press("1")
    new.press("1")
    house.pass_time(2)
    assert [record["call"] for record in house.journaled("CallQueued")] == [old.id]
    assert [flow["version"] for flow in house.status()["flows"]] == [2]


def test_an_edit_of_the_queues_reaches_the_acd(house):
    (house.home / "flows" / "queues.yaml").write_text(QUEUES + "experts: {}\n")
    assert house.ask("flows.reload")["problems"] == []
    house.pass_time(1)
    assert {queue["name"] for queue in house.status()["queues"]} == {"service", "experts"}
