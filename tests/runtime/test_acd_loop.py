"""Offers from the engine to agents' phones and back, over the simulated exchange in virtual time."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
import structlog

from acd.engine import Acd
from acd.model import (
    Agent,
    AgentBecameReady,
    AgentState,
    Announcements,
    ConnectFailed,
    OfferAnswered,
    Overflow,
    QueueRule,
    TalkEnded,
)
from ivr.services import AgentReady, AnnouncementDue, CallerFacts, MusicChanged, QueueOver, QueueRequest
from journal.reader import records
from journal.writer import Journal
from runtime.acd_loop import AcdLoop
from runtime.agent_leg import AgentDialler
from switch.port import CallEnded, CannotJoin, Cause, Key, Parted, Sound
from switch.shared.clock import VirtualClock
from switch.simulated import Exchange, Phone, SimulatedSwitch
from switch.simulated.audio import write_wav
from switch.simulated.switch import SimulatedCall

SERVICE = QueueRule(
    name="service",
    ring_for=15_000,
    wrap_up=5_000,
    announce=Announcements(position=True, first=10_000, every=30_000),
    overflow=(Overflow(after=120_000, exit="overflowed"),),
    while_waiting={"2": "left"},
)


TOGETHER = QueueRule(name="together", strategy="ring-all", wrap_up=0)
OFFICE = QueueRule(
    name="office",
    calendar="office",
    overflow=(Overflow(when="emergency", exit="emergency"), Overflow(60_000, when="closed", exit="closed")),
)
AT_ONCE = QueueRule(name="at-once", whisper=False, wrap_up=0)
OLD_FRIENDS = QueueRule(name="friends", strategy="sticky", wrap_up=0, sticky_for=20_000)


class Floor:
    """A queue, its agents' phones and its callers, each caller on a queue step as short as it can be."""

    def __init__(self, tmp_path):
        self.directory = tmp_path
        self.clock = VirtualClock(datetime(2026, 11, 23, 10, tzinfo=UTC))
        self.exchange = Exchange(self.clock)
        self.switch = SimulatedSwitch(self.exchange)
        self.journal = Journal(tmp_path / "journal", self.clock)
        whisper = Sound(tmp_path / "whisper.wav", "from service")
        write_wav(whisper.path, np.zeros(8_000))
        ask = Sound(tmp_path / "ask.wav", "press one")
        write_wav(ask.path, np.zeros(8_000))
        self.dialler = AgentDialler(self.switch, self.clock, whisper=lambda _: [whisper], ask=lambda _: [ask])
        self.acd = AcdLoop(
            Acd(),
            clock=self.clock,
            journal=self.journal,
            dial=self.dialler,
            on_agent_state=self._shown,
            last_agent=lambda caller: self.last_agents.get(caller, ""),
            hours=lambda calendar: self.hours,
        )
        self.acd.start()
        self.acd.load((SERVICE, TOGETHER, OLD_FRIENDS, OFFICE, AT_ONCE))
        self.last_agents = {}
        self.hours = "open"
        self.shown = []  # agent, state, and how many offers were under way already
        self.log = []
        self.switch.serve(self._queue_step)

    def _shown(self, shown):
        self.shown.append((shown.agent, shown.state.value, len(self.acd._offers._legs)))
        if shown.state is AgentState.LOGGED_OFF:
            self.dialler.gone(shown.agent)

    def agent(self, id, *, at="", permanent=False, queue="service", **phone):
        """An agent who is Ready, at a phone of its own or at the address `at`."""
        self.exchange.phones[at or id] = Phone(at or id, **phone)
        self.acd.set_agent(Agent(id, phone=at or id, queues=(queue,), permanent=permanent))
        self.acd.agent_state(id, AgentState.READY)

    def caller(self, number, queue="service"):
        return self.exchange.ring_in(queue, number)

    def line_of(self, address):
        """The leg to a phone."""
        return next(line for line in self.exchange.lines.values() if line.dialled == address)

    def _queue_step(self, call):
        place = self.acd.enter(call, QueueRequest(call.dialled, 0, (), {}, "cmn", CallerFacts(number=call.caller)))
        try:
            call.hold(place.music)
            self.log.append((call.caller, self._wait(call, place)))
        except CallEnded:
            place.leave("abandoned")
            self.log.append((call.caller, "gone"))
            raise

    def _wait(self, call, place):
        while True:
            match call.wait(None):
                case AgentReady(leg=leg):
                    try:
                        call.join(leg)
                    except CannotJoin:
                        if place.connect_failed():
                            continue
                        return "answered before"
                    place.connected()
                case Parted():
                    place.leave("answered")
                    return "answered"
                case QueueOver(exit=exit):
                    return exit
                case AnnouncementDue(position=position):
                    self.log.append((call.caller, f"position {position}"))
                    place.announced()
                case MusicChanged():
                    call.hold(place.music)
                case Key(digit=key) if place.keys.get(key, "left") == "left":
                    place.leave("left")
                    return "left"

    def pass_time(self, seconds):
        end = self.clock.now() + round(seconds * 1000)
        self.clock.after(seconds, lambda: None)
        self.clock.run_until(lambda: self.clock.now() >= end, longest=seconds)

    def state(self, agent):
        view = next(view for view in self.acd.agents() if view.id == agent)
        return view.state.value, view.reason

    def waiting(self):
        return [call for queue in self.acd.queues() for call in queue.waiting]

    def journaled(self, type):
        return [record for record in records(self.directory / "journal") if record["type"] == type]


@pytest.fixture
def floor(tmp_path):
    floor = Floor(tmp_path)
    yield floor
    floor.acd.stop()
    floor.journal.close()


def test_a_caller_reaches_an_agent_who_heard_the_whisper_first(floor):
    floor.agent("1001", answers_after=3, talks_for=60, says="agent 1001")
    caller = floor.caller("13800000001")
    floor.pass_time(10)
    assert floor.state("1001") == ("Busy", "")
    assert [(heard.kind, heard.text, heard.at) for heard in caller.heard] == [
        ("music", "calm", 0),
        ("voice", "agent 1001", 4000),
    ]
    floor.pass_time(55)
    assert floor.log == [("13800000001", "answered")]
    assert floor.state("1001")[0] == "WorkingAfterCall"
    floor.pass_time(6)
    assert floor.state("1001")[0] == "Ready"


def test_without_a_whisper_the_agent_has_the_caller_at_once(floor):
    floor.agent("1001", queue="at-once", answers_after=3, talks_for=60, says="agent 1001")
    caller = floor.caller("13800000001", queue="at-once")
    floor.pass_time(4)
    line = floor.line_of("1001")
    assert caller.partner is line
    assert [(heard.text, heard.at) for heard in caller.heard] == [("calm", 0), ("agent 1001", 3000)]
    assert "from service" not in [heard.text for heard in line.heard]


def test_a_telephone_rings_before_anybody_is_shown_that_it_does(floor):
    floor.caller("13800000001")
    floor.pass_time(1)
    floor.agent("1001", answers_after=3)
    floor.pass_time(1)
    assert floor.shown == [("1001", "NotReady", 0), ("1001", "Ready", 1), ("1001", "Reserved", 1)]


def test_the_journal_knows_who_talked_to_whom_and_how_long(floor):
    floor.agent("1001", answers_after=3, talks_for=60)
    caller = floor.caller("13800000001")
    floor.pass_time(90)
    [connected], [ended] = floor.journaled("CallConnected"), floor.journaled("TalkEnded")
    assert (connected["call"], connected["agent"], connected["queue"], connected["waited"]) == (
        caller.id,
        "1001",
        "service",
        4000,
    )
    assert ended["talked"] == 59_000


def test_callers_are_served_in_the_order_in_which_they_came(floor):
    callers = []
    for number in ("1", "2", "3"):
        callers.append(floor.caller(number))
        floor.pass_time(1)
    assert floor.waiting() == [caller.id for caller in callers]
    floor.agent("1001", answers_after=1, talks_for=10)
    floor.pass_time(80)
    assert [entry for entry in floor.log if entry[1] == "answered"] == [(n, "answered") for n in ("1", "2", "3")]


def test_a_caller_who_hangs_up_while_the_phone_rings_frees_the_agent_at_once(floor):
    floor.agent("1001")
    caller = floor.caller("13800000001")
    floor.pass_time(5)
    assert floor.state("1001")[0] == "Reserved"
    caller.hang_up()
    floor.pass_time(1)
    assert floor.state("1001")[0] == "Ready"
    assert floor.exchange.lines == {}
    assert floor.log == [("13800000001", "gone")]


def test_a_caller_who_hangs_up_during_the_whisper_frees_the_agent_at_once(floor):
    floor.agent("1001", answers_after=2)
    caller = floor.caller("13800000001")
    floor.pass_time(2.5)
    caller.hang_up()
    floor.pass_time(0.1)
    assert floor.state("1001")[0] == "Ready"
    assert floor.exchange.lines == {}


@pytest.mark.parametrize("phone", [{"refuses": Cause.BUSY}, {"refuses": Cause.REJECTED}, {"registered": False}])
def test_a_phone_that_does_not_answer_costs_the_caller_nothing(floor, phone):
    floor.agent("1001", **phone)
    first = floor.caller("1")
    floor.pass_time(1)
    second = floor.caller("2")
    floor.pass_time(20)
    assert floor.waiting() == [first.id, second.id]
    floor.agent("1002", answers_after=1, talks_for=5)
    floor.pass_time(4)
    assert first.partner is not None
    assert second.heard[-1].kind == "music"


def test_a_phone_that_rings_out_twice_makes_its_agent_not_ready(floor):
    floor.agent("1001")
    floor.caller("1")
    floor.pass_time(60)
    assert floor.state("1001") == ("NotReady", "no answer")


def test_an_agent_who_hangs_up_in_the_moment_of_the_join_leaves_the_caller_its_place(floor):
    floor.agent("1001", answers_after=2, talks_for=1.0)
    caller = floor.caller("1")
    floor.pass_time(5)
    assert floor.waiting() == [caller.id]
    assert caller.ended is None
    assert caller.heard[-1].kind == "music"


def test_an_agent_whose_caller_is_gone_in_the_moment_of_the_join_is_let_go(floor, monkeypatch):
    """The switch says only that the two cannot be joined, not which of them is gone."""

    def gone(call, leg):
        floor.exchange.lines[call.id].hang_up()
        raise CannotJoin("the other leg is gone")

    monkeypatch.setattr(SimulatedCall, "join", gone)
    floor.agent("1001", answers_after=2)
    floor.caller("139")
    floor.pass_time(5)
    assert not floor.exchange.lines
    assert floor.state("1001")[0] == "Ready"


def test_a_talk_that_ended_before_the_caller_knew_of_its_beginning_leaves_no_caller_behind(floor, monkeypatch):
    """The caller's connection broke in the join; the agent's leg has heard the whole talk."""

    def broken(call, leg):
        floor.acd.post(TalkEnded(floor.acd._places[call.id].offer))
        raise CannotJoin("the connection broke")

    monkeypatch.setattr("switch.simulated.switch.SimulatedCall.join", broken)
    floor.agent("1001", answers_after=2)
    floor.caller("139")
    floor.pass_time(10)
    assert floor.log[-1] == ("139", "answered before")
    assert floor.waiting() == []
    assert floor.acd._places == {}
    assert floor.state("1001") == ("Ready", "")


def test_a_caller_whose_agent_goes_in_the_join_has_not_left_by_a_key(floor, monkeypatch):
    """That the agent has gone is known before the caller's side can say that the two are joined."""
    join = SimulatedCall.join

    def joined_as_the_agent_goes(call, leg):
        join(call, leg)
        floor.acd.post(ConnectFailed(floor.acd._places[call.id].offer))
        floor.line_of("1001").hang_up()
        floor.clock.sleep(0.01)

    monkeypatch.setattr(SimulatedCall, "join", joined_as_the_agent_goes)
    floor.agent("1001", answers_after=2)
    caller = floor.caller("139")
    floor.pass_time(10)
    assert (floor.log, floor.waiting()) == ([("139", "answered")], [])
    assert [(left["call"], left["reason"]) for left in floor.journaled("CallLeft")] == [(caller.id, "agent gone")]


def test_positions_are_announced(floor):
    floor.caller("1")
    floor.caller("2")
    floor.pass_time(11)
    assert floor.log == [("1", "position 1"), ("2", "position 2")]


def test_a_caller_may_leave_by_key(floor):
    caller = floor.caller("1")
    floor.pass_time(5)
    caller.press("2")
    floor.pass_time(1)
    assert floor.log == [("1", "left")]
    assert floor.waiting() == []
    assert [left["reason"] for left in floor.journaled("CallLeft")] == [""]


def test_the_longest_wait_gives_the_caller_back_to_its_flow(floor):
    floor.caller("1")
    floor.pass_time(121)
    assert floor.log[-1] == ("1", "overflowed")


def test_a_lost_switch_frees_every_agent(floor):
    floor.agent("1001", answers_after=1)
    floor.agent("1002")
    floor.caller("1")
    floor.caller("2")
    floor.pass_time(5)
    floor.exchange.lose()
    floor.pass_time(30)
    assert {floor.state(agent)[0] for agent in ("1001", "1002")} <= {"Ready", "WorkingAfterCall", "NotReady"}
    assert sorted(floor.log) == [("1", "gone"), ("2", "gone")]


def test_a_deadline_that_cannot_be_handled_does_not_hold_all_calls(floor, monkeypatch):
    broken = floor.acd._engine
    monkeypatch.setattr(broken, "next_deadline", lambda: 0)
    monkeypatch.setattr(broken, "handle", lambda event, now: 1 / 0)
    floor.acd.agent_state("1001", AgentState.READY)
    floor.pass_time(5)
    monkeypatch.undo()
    floor.agent("1002")
    floor.pass_time(1)
    assert floor.state("1002") == ("Ready", "")


def test_every_agent_state_is_journaled_in_order(floor):
    floor.agent("1001", answers_after=1, talks_for=10)
    floor.caller("1")
    floor.pass_time(30)
    states = [record["state"] for record in floor.journaled("AgentStateChanged")]
    assert states[-5:] == ["Ready", "Reserved", "Busy", "WorkingAfterCall", "Ready"]


# --- any telephone -------------------------------------------------------------------------------

AWAY = "tel:+8613800138000"


def remote(floor, **phone):
    """An agent at a telephone somewhere, whose call is answered: by a person or a voicemail."""
    floor.agent("1005", at=AWAY, **({"answers_after": 1} | phone))
    caller = floor.caller("1")
    floor.pass_time(2.5)  # the whisper is being spoken
    return caller, floor.line_of(AWAY)


def test_a_remote_agent_hears_who_calls_and_accepts_by_a_key(floor):
    caller, line = remote(floor)
    floor.pass_time(1)
    assert [heard.text for heard in line.heard] == ["from service", "press one"]
    assert caller.partner is None
    line.press("1")
    floor.pass_time(0.1)
    assert caller.partner is line
    assert floor.state("1005") == ("Busy", "")


def test_a_voicemail_that_answers_is_no_agent(floor):
    caller, line = remote(floor)
    floor.pass_time(12)
    assert line.ended is not None
    assert caller.partner is None
    assert floor.waiting() == [caller.id]
    assert [record["type"] for record in floor.journaled("OfferNotAnswered")] == ["OfferNotAnswered"]
    assert floor.journaled("OfferAnswered") == []


def test_a_voicemail_that_answers_twice_makes_its_agent_not_ready(floor):
    remote(floor)
    floor.pass_time(60)
    assert floor.state("1005") == ("NotReady", "no answer")
    assert floor.exchange.lines.keys() == set(floor.waiting())


def test_a_voicemail_that_hangs_up_by_itself_is_no_agent_either(floor):
    caller, line = remote(floor)
    line.hang_up()
    floor.pass_time(0.1)
    assert floor.state("1005") == ("Ready", "no answer")
    assert floor.waiting() == [caller.id]
    floor.pass_time(7.5)  # it is spared for five seconds, then rung again
    floor.line_of(AWAY).hang_up()
    floor.pass_time(60)
    assert floor.state("1005") == ("NotReady", "no answer")
    assert len(floor.journaled("OfferNotAnswered")) == 2
    assert floor.journaled("OfferDeclined") == []


def test_an_agent_who_hangs_up_while_told_who_calls_declines(floor):
    floor.agent("1001", answers_after=1)
    caller = floor.caller("1")
    floor.pass_time(1.5)
    floor.line_of("1001").hang_up()
    floor.pass_time(0.1)
    assert [record["cause"] for record in floor.journaled("OfferDeclined")] == ["hung up before the caller came"]
    assert floor.waiting() == [caller.id]


def test_a_remote_agent_declines_by_a_key(floor):
    caller, line = remote(floor)
    line.press("2")
    floor.pass_time(0.1)
    assert floor.state("1005")[0] == "Ready"
    assert line.ended is not None
    assert [record["cause"] for record in floor.journaled("OfferDeclined")] == ["rejected"]
    assert floor.waiting() == [caller.id]


def test_another_key_neither_accepts_nor_declines(floor):
    caller, line = remote(floor)
    line.press("7")
    floor.pass_time(3)
    assert caller.partner is None
    line.press("1")
    floor.pass_time(0.1)
    assert caller.partner is line


def test_a_caller_who_hangs_up_while_a_remote_agent_is_asked_frees_it(floor):
    caller, line = remote(floor)
    caller.hang_up()
    floor.pass_time(0.1)
    assert line.ended is not None
    assert floor.state("1005")[0] == "Ready"


# --- a phone that stays off hook -----------------------------------------------------------------


def test_the_leg_of_a_permanent_line_is_kept_for_the_next_caller(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    first = floor.caller("1")
    floor.pass_time(4)
    line = floor.line_of("1001")
    assert first.partner is line
    first.hang_up()
    floor.pass_time(6)
    assert line.ended is None
    second = floor.caller("2")
    floor.pass_time(0.5)
    assert line.heard[-1].text == "from service"  # no ringing: the whisper at once
    floor.pass_time(1)
    assert second.partner is line
    assert [heard.text for heard in line.heard if heard.kind == "voice"] == ["1", "2"]


def test_an_agent_on_a_permanent_line_ends_the_talk_by_a_key(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    caller = floor.caller("1")
    floor.pass_time(10)
    line = floor.line_of("1001")
    line.press("*")
    floor.pass_time(0.1)
    assert (caller.partner, line.ended) == (None, None)
    assert floor.log == [("1", "answered")]
    assert floor.state("1001")[0] == "WorkingAfterCall"


def test_keys_of_an_agent_whose_phone_is_its_own_end_nothing(floor):
    floor.agent("1001", answers_after=2)
    caller = floor.caller("1")
    floor.pass_time(10)
    floor.line_of("1001").press("*")
    floor.pass_time(1)
    assert caller.partner is not None


def test_a_permanent_line_that_was_hung_up_is_rung_again(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    floor.caller("1")
    floor.pass_time(4)
    first = floor.line_of("1001")
    first.hang_up()
    floor.pass_time(6)
    caller = floor.caller("2")
    floor.pass_time(4)
    assert floor.line_of("1001") is not first
    assert caller.partner is floor.line_of("1001")


def test_a_caller_who_leaves_in_the_whisper_leaves_the_line_for_the_next(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    floor.caller("1")
    floor.pass_time(4)
    line = floor.line_of("1001")
    line.partner.hang_up()
    floor.pass_time(6)
    hasty, patient = floor.caller("2"), floor.caller("3")
    floor.pass_time(0.5)
    hasty.hang_up()
    floor.pass_time(2)
    assert line.ended is None
    assert patient.partner is line


def test_an_agent_on_a_permanent_line_who_gets_another_phone_is_rung_there(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    floor.caller("1")
    floor.pass_time(4)
    old = floor.line_of("1001")
    old.partner.hang_up()
    floor.pass_time(6)
    floor.agent("1001", at="1999", permanent=True, answers_after=2)
    caller = floor.caller("2")
    floor.pass_time(4)
    assert old.ended is not None
    assert caller.partner is floor.line_of("1999")


def test_logging_off_hangs_up_a_permanent_line_when_nobody_talks(floor):
    floor.agent("1001", permanent=True, answers_after=2)
    caller = floor.caller("1")
    floor.pass_time(4)
    line = floor.line_of("1001")
    floor.acd.agent_state("1001", AgentState.LOGGED_OFF)
    floor.pass_time(1)
    assert caller.partner is line
    caller.hang_up()
    floor.pass_time(1)
    assert line.ended is not None
    assert floor.state("1001")[0] == "LoggedOff"


def test_a_permanent_line_to_a_telephone_asks_for_the_key_once(floor):
    floor.agent("1005", at=AWAY, permanent=True, answers_after=1)
    floor.caller("1")
    floor.pass_time(3)
    line = floor.line_of(AWAY)
    line.press("1")
    floor.pass_time(1)
    line.partner.hang_up()
    floor.pass_time(6)
    caller = floor.caller("2")
    floor.pass_time(2)
    assert caller.partner is line


# --- several phones at once, and the agent of last time --------------------------------------------


def test_ring_all_connects_one_agent_and_the_others_phones_stop_without_blame(floor):
    floor.agent("1001", queue="together", answers_after=3)
    floor.agent("1002", queue="together", answers_after=5)
    floor.agent("1003", queue="together")
    caller = floor.caller("1", "together")
    floor.pass_time(2)
    assert {line.dialled for line in floor.exchange.lines.values()} == {"together", "1001", "1002", "1003"}
    floor.pass_time(2.5)
    assert caller.partner is floor.line_of("1001")
    assert [floor.state(agent) for agent in ("1001", "1002", "1003")] == [("Busy", ""), ("Ready", ""), ("Ready", "")]
    assert {line.dialled for line in floor.exchange.lines.values()} == {"together", "1001"}


def test_two_who_answer_in_the_same_moment_get_one_caller(floor):
    floor.agent("1001", queue="together", answers_after=3)
    floor.agent("1002", queue="together", answers_after=3)
    caller = floor.caller("1", "together")
    floor.pass_time(5)
    assert sorted(floor.state(agent)[0] for agent in ("1001", "1002")) == ["Busy", "Ready"]
    assert len(floor.journaled("CallConnected")) == 1
    assert len(floor.exchange.lines) == 2
    assert caller.partner is not None


def test_the_agent_of_last_time_is_waited_for(floor):
    floor.agent("1001", queue="friends", answers_after=1, talks_for=10)
    floor.caller("1", "friends")
    floor.pass_time(4)
    floor.agent("1002", queue="friends", answers_after=1)
    floor.last_agents["2"] = "1001"
    friend, other = floor.caller("2", "friends"), floor.caller("3", "friends")
    floor.pass_time(4)
    assert (friend.partner, other.partner) == (None, floor.line_of("1002"))
    floor.pass_time(10)
    assert friend.partner is floor.line_of("1001")


def test_the_agent_of_last_time_is_known_in_every_queue_while_there_is_a_sticky_one(floor):
    """A caller may come there by overflow."""
    floor.last_agents["2"] = "1001"
    floor.caller("2", "service")
    floor.pass_time(1)
    assert [record["last_agent"] for record in floor.journaled("CallQueued")] == ["1001"]


# --- a caller who is moved, and rules that change ---------------------------------------------------

HURRIED = QueueRule(name="hurried", overflow=(Overflow(after=10_000, to_queue="patient"),))
PATIENT = QueueRule(name="patient", music="lively", while_waiting={"9": "left", "2": "stay"})


def test_who_is_moved_hears_the_music_of_the_other_queue_and_has_its_keys(floor):
    floor.acd.load((HURRIED, PATIENT))
    caller = floor.caller("1", "hurried")
    floor.pass_time(11)
    assert [heard.text for heard in caller.heard] == ["calm", "lively"]
    caller.press("2")
    floor.pass_time(1)
    assert floor.waiting() == [caller.id]
    caller.press("9")
    floor.pass_time(1)
    assert floor.log == [("1", "left")]


def test_rules_that_change_change_the_music_and_the_keys_of_who_waits(floor):
    caller = floor.caller("1")
    floor.pass_time(1)
    floor.acd.load((replace(SERVICE, music="lively", while_waiting={"2": "stay"}),))
    floor.pass_time(1)
    assert [heard.text for heard in caller.heard] == ["calm", "lively"]
    caller.press("2")
    floor.pass_time(1)
    assert floor.waiting() == [caller.id]


# --- the calendar ----------------------------------------------------------------------------------


def test_who_waits_when_the_office_closes_is_given_back_when_it_has_waited_enough(floor):
    floor.caller("1", "office")
    floor.pass_time(30)
    floor.hours = "closed"
    floor.pass_time(29)
    assert floor.log == []
    floor.pass_time(2)
    assert floor.log == [("1", "closed")]


def test_an_emergency_is_noticed_while_people_wait(floor):
    floor.caller("1", "office")
    floor.caller("2", "service")
    floor.pass_time(30)
    floor.hours = "emergency"
    floor.pass_time(6)
    assert [entry for entry in floor.log if "position" not in entry[1]] == [("1", "emergency")]


def test_who_comes_in_an_emergency_is_given_back_at_once_though_an_agent_is_free(floor):
    floor.agent("1001", queue="office", answers_after=1)
    floor.hours = "emergency"
    floor.caller("1", "office")
    floor.pass_time(0.1)
    assert floor.log == [("1", "emergency")]
    floor.hours = "open"
    caller = floor.caller("2", "office")
    floor.pass_time(4)
    assert caller.partner is floor.line_of("1001")


def test_a_queue_that_was_away_is_told_anew_that_it_is_closed(floor):
    floor.hours = "closed"
    floor.caller("1", "office")
    floor.pass_time(1)
    floor.acd.load((SERVICE, TOGETHER, OLD_FRIENDS, AT_ONCE))
    floor.pass_time(1)
    floor.acd.load((SERVICE, TOGETHER, OLD_FRIENDS, AT_ONCE, OFFICE))
    floor.log.clear()
    floor.caller("2", "office")
    floor.pass_time(70)
    assert floor.log == [("2", "closed")]


# --- what is unknown, and reloads -------------------------------------------------------------------


@pytest.mark.parametrize("ends", [lambda caller: caller.hang_up(), lambda caller: caller.partner.hang_up()])
def test_the_end_of_a_talk_which_both_sides_tell_is_nothing_to_log(floor, ends):
    floor.agent("1001", answers_after=2.0)
    with structlog.testing.capture_logs() as logs:
        caller = floor.caller("1")
        floor.pass_time(10)
        assert caller.partner is not None
        ends(caller)
        floor.pass_time(10)
    assert floor.acd.ignored["TalkEnded"]
    assert [entry for entry in logs if entry["log_level"] != "info"] == []


def test_events_about_nothing_known_are_counted_and_logged_once(floor):
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            floor.acd.post(OfferAnswered("of another life"))
            floor.acd.post(AgentBecameReady("9999"))
        floor.pass_time(0.1)
    assert floor.acd.ignored == {"OfferAnswered": 3, "AgentBecameReady": 3}
    assert [entry["happened"] for entry in logs if "nothing that is known" in entry["event"]] == [
        "OfferAnswered",
        "AgentBecameReady",
    ]


def test_a_reload_while_people_wait_drops_nobody(floor):
    callers = [floor.caller("1"), floor.caller("2")]
    floor.acd.load((replace(SERVICE, wrap_up=1_000), TOGETHER))
    floor.pass_time(1)
    assert floor.waiting() == [caller.id for caller in callers]
    floor.agent("1001", answers_after=1, talks_for=5)
    floor.pass_time(30)
    assert [entry for entry in floor.log if entry[1] == "answered"] == [("1", "answered"), ("2", "answered")]


def test_callers_of_a_queue_that_is_gone_go_to_its_successor_or_back_to_their_flow(floor):
    floor.acd.load((replace(SERVICE, successor="together"), TOGETHER, OLD_FRIENDS))
    heir, homeless = floor.caller("1"), floor.caller("2", "friends")
    floor.pass_time(1)
    floor.acd.load((TOGETHER,))
    floor.pass_time(1)
    assert floor.waiting() == [heir.id]
    assert floor.log == [("2", "overflowed")]
    assert homeless.ended is not None
    floor.agent("1001", queue="together", answers_after=1)
    floor.pass_time(4)
    assert heir.partner is floor.line_of("1001")


def lets_go_slowly(floor, monkeypatch):
    """A hang-up takes a moment."""
    dial = floor.switch.dial

    def slowly(*arguments, **more):
        call = dial(*arguments, **more)
        hang_up = call.hang_up
        call.hang_up = lambda cause=Cause.NORMAL: (floor.clock.sleep(0.2), hang_up(cause))
        return call

    monkeypatch.setattr(floor.switch, "dial", slowly)


def test_a_phone_is_let_go_before_it_rings_for_the_next_caller(floor, monkeypatch):
    """As a telephone with one line needs it: it would be busy."""
    lets_go_slowly(floor, monkeypatch)
    floor.agent("1001")
    first, second = floor.caller("1"), floor.caller("2")
    floor.pass_time(1)
    ringing, before = floor.line_of("1001"), []
    floor.exchange.on_phone_rings.append(lambda line: before.append(ringing.ended))
    first.hang_up()
    floor.pass_time(1)
    assert before == [Cause.CANCELLED]
    floor.line_of("1001").pick_up()
    floor.pass_time(2)
    assert second.partner is not None


def test_an_offer_that_is_withdrawn_before_the_phone_was_let_go_rings_nowhere(floor, monkeypatch):
    lets_go_slowly(floor, monkeypatch)
    floor.agent("1001")
    first, second = floor.caller("1"), floor.caller("2")
    floor.pass_time(1)
    rung = []
    floor.exchange.on_phone_rings.append(rung.append)
    first.hang_up()
    floor.pass_time(0.1)
    second.hang_up()
    floor.pass_time(1)
    assert rung == []
    assert floor.state("1001") == ("Ready", "")
