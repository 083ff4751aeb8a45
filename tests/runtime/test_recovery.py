"""Killed with callers in every situation, and started again: on the simulated exchange, in virtual time."""

import os
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from journal.reader import records, verify
from runtime.stage import Stage
from speech import catalogue
from speech.library import Library
from speech.simulated import Simulated
from switch.port import Cause
from switch.simulated import SimulatedSwitch
from switch.simulated.audio import write_wav
from tests.runtime import test_house
from tests.runtime.test_house import House

FLOW = """
number: "1000"
languages: [cmn, en]
keys: {"0": wait}
start: main
steps:
  main:
    menu:
      say: main-menu
      options: {"1": wait, "2": order, "3": message, "4": pin, "9": english}
      timeout: 5s
    otherwise: end
  english: {language: en, next: main}
  order:
    collect: {say: ask-order-number, digits: {min: 6, max: 6}, into: number}
    next: told
    otherwise: end
  told:
    menu: {say: {cmn: "订单{{ number | digits }}", en: "Order {{ number | digits }}"}, options: {"1": end}, timeout: 9s}
    otherwise: end
  pin:
    collect: {say: ask-order-number, digits: {min: 4, max: 4}, into: code, sensitive: true}
    next: known
    otherwise: end
  known:
    menu: {say: main-menu, options: {"1": secret}, timeout: 9s}
    otherwise: end
  secret:
    branch: {cases: {"{{ code != '' }}": told-secret}}
    otherwise: end
  told-secret: {say: goodbye, next: end}
  wait:
    queue: {name: service, priority: "{{ 5 if caller.number == '+8613800000005' else 0 }}"}
    answered: after
    overflowed: message
  after: {say: {cmn: "感谢评价", en: "Thank you for waiting"}, next: end}
  message:
    voicemail: {box: service, longest: 60s}
    next: goodbye
  goodbye: {say: goodbye, next: end}
  end: {hangup: {}}
"""


QUEUES = """
service:
  ring-for: 15s
  wrap-up: 30s
  announce: {position: true, first: 300s, every: 300s}
  overflow:
    - {after: 10m, exit: overflowed}
"""


class Lives(House):
    """A hotline that can be killed, while its exchange and everybody on it live on."""

    exchange = None

    def staged(self, config=None):
        texts = catalogue.read(self.config.prompts_dir)
        library = Library(self.config.prompts_dir, self.home / "speech", texts, Simulated(), self.clock)
        return Stage(self.config, self.clock, self.home, library, agents_answer_after=None, exchange=self.exchange)

    def kill(self):
        self.exchange = self.stage.exchange
        self.stage.kill()

    def restart(self, after=1.0):
        """Killed, gone for so long, and there again."""
        self.kill()
        self.pass_time(after)
        self.start()

    def start(self):
        self.stage = self.staged()
        self.stage.start(ready=())
        self.pass_time(0.3)

    # what the tests say

    def waiting(self, caller="13800000001"):
        line = self.call(caller=caller)
        line.press("1")
        self.pass_time(0.3)
        return line

    def rings(self, agent="1001"):
        self.until(lambda: self.stage.exchange.ringing(agent) is not None)
        return self.stage.exchange.ringing(agent)

    def talking(self, agent="1001", caller="13800000001"):
        line = self.waiting(caller)
        self.stage.ready(agent)
        phone = self.rings(agent)
        phone.pick_up()
        self.until(lambda: line.partner is not None)
        self.pass_time(0.3)
        return line, phone

    def state(self, agent="1001"):
        return self.agent(agent)["state"]

    def of(self, line, *types):
        found = records(self.home / "journal")
        return [record for record in found if record["call"] == line.id and record["type"] in types]

    def queue(self):
        return self.status()["queues"][0]["waiting"]


def says(line):
    return [heard.text for heard in line.heard if heard.kind == "sound"]


@contextmanager
def lives(home, monkeypatch):
    """A house with this file's flow and queues, open until the test is over."""
    monkeypatch.setattr(test_house, "FLOW", FLOW)
    monkeypatch.setattr(test_house, "QUEUES", QUEUES)
    house = Lives(home)
    yield house
    house.close()


@contextmanager
def accounted_lives(home, monkeypatch):
    """The same, whose journal is sound at the end, with no call left open."""
    with lives(home, monkeypatch) as house:
        yield house
    verdict = verify(home / "journal")
    assert (verdict.sound, verdict.open) == (True, 0), verdict


@pytest.fixture
def house(tmp_path, monkeypatch):
    with accounted_lives(tmp_path, monkeypatch) as house:
        yield house


def leaving_a_message(house):
    """A caller who has been speaking for ten seconds."""
    line = house.call()
    line.press("3")
    house.until(lambda: line.taped_since is not None)
    line.speak(30)
    house.pass_time(10)
    return line


# --- in a flow -----------------------------------------------------------------------------------


def test_a_caller_in_a_menu_hears_a_short_sorry_and_the_menu_again_in_its_language(house):
    line = house.call()
    line.press("9")
    house.pass_time(2)
    house.restart()
    house.pass_time(6)
    assert line.ended is None
    [*_, sorry, menu] = says(line)
    assert sorry == "Sorry for the interruption. Let us go on."
    assert menu == house.stage.appliance.library.catalogue_text("main-menu", "en")
    assert [record["visit"] for record in house.of(line, "StepEntered")] == [1, 2, 3, 3]


def test_what_a_caller_has_keyed_before_is_still_known(house):
    line = house.call()
    line.press("2")
    house.pass_time(0.5)
    for digit in "202611":
        line.press(digit)
    house.pass_time(1)
    assert says(line)[-1].startswith("订单")
    house.restart()
    house.pass_time(4)
    assert says(line)[-1] == says(line)[-3]


def test_a_caller_goes_on_in_the_version_that_the_call_began_with(house):
    before = house.call()
    house.pass_time(1)
    house.kill()
    flow = house.config.flows_dir / "hotline.yaml"
    text = flow.read_text().replace("menu:\n      say: main-menu", "menu:\n      say: goodbye")
    flow.write_text(text)
    house.pass_time(1)
    house.start()
    after = house.call()
    house.pass_time(6)
    menu, goodbye = (house.stage.appliance.library.catalogue_text(name, "cmn") for name in ("main-menu", "goodbye"))
    assert (says(before)[-1], says(after)[-1]) == (menu, goodbye)
    assert [record["version"] for record in house.of(before, "CallArrived", "CallReturned")] == [1, 1]
    assert [record["version"] for record in house.of(after, "CallArrived")] == [2]


def test_digits_that_were_half_keyed_are_asked_for_again(house):
    line = house.call()
    line.press("2")
    house.pass_time(1)
    line.press("2")
    line.press("0")
    house.pass_time(0.5)
    house.restart()
    house.pass_time(4)
    for digit in "202611":
        line.press(digit)
    house.pass_time(1)
    assert says(line)[-1].startswith("订单")


def test_a_secret_that_was_not_written_down_is_asked_for_again_where_it_is_needed(house):
    line = house.call()
    line.press("4")
    house.pass_time(0.5)
    for digit in "1234":
        line.press(digit)
    house.pass_time(1)
    assert house.of(line, "StepEntered")[-1]["step"] == "known"
    house.restart()
    house.pass_time(3)
    line.press("1")
    house.pass_time(0.5)
    assert [record["step"] for record in house.of(line, "StepEntered")][-2:] == ["known", "pin"]
    for digit in "1234":
        line.press(digit)
    house.pass_time(1)
    line.press("1")
    house.pass_time(1)
    assert [record["step"] for record in house.of(line, "StepLeft")][-1] == "secret"
    assert not [record for record in records(house.home / "journal") if "1234" in str(record)]


def test_a_message_that_is_being_left_is_kept_and_the_caller_told(house):
    line = house.call()
    line.press("3")
    house.until(lambda: says(line)[-1:] != [] and line.taped_since is not None)
    line.speak(30)
    house.pass_time(10)
    house.restart(after=2)
    house.until(lambda: line.ended is not None)
    [kept] = house.of(line, "MessageKept")
    assert 11.5 < kept["seconds"] < 14
    [message] = house.stage.appliance.store.messages("service")
    assert message.caller.endswith("13800000001")
    assert house.stage.appliance.library.catalogue_text("sorry-message-kept", "cmn") in says(line)
    assert house.of(line, "FlowEnded")[-1]["reason"] == "hangup"


def test_a_message_whose_caller_has_gone_meanwhile_is_kept(house):
    line = leaving_a_message(house)
    house.kill()
    house.pass_time(3)
    line.hang_up()
    house.pass_time(20)
    house.start()
    house.until(lambda: house.of(line, "CallEnded"))
    [message] = house.stage.appliance.store.messages("service")
    assert 12 < message.seconds < 14
    assert house.of(line, "MessageKept")
    assert [record["cause"] for record in house.of(line, "CallEnded")] == ["unknown"]


def test_an_agent_is_rung_within_five_seconds_however_long_a_crowd_takes_to_be_taken_over(house, monkeypatch):
    lines = [house.waiting(f"138{number:08}") for number in range(40)]
    take = SimulatedSwitch.adopt

    def slowly(switch, call):
        house.clock.sleep(1.5)
        return take(switch, call)

    monkeypatch.setattr(SimulatedSwitch, "adopt", slowly)
    house.kill()
    began = house.clock.now()
    house.start()
    house.stage.ready("1001")
    house.rings()
    assert house.clock.now() - began < 5000
    for line in lines:
        line.hang_up()


def test_a_caller_of_whom_the_switch_says_nothing_as_it_is_looked_at_keeps_its_place_and_ends_once(house, monkeypatch):
    line, behind = house.waiting(), house.waiting("13800000002")
    house.kill()
    with monkeypatch.context() as lagging:
        lagging.setattr(SimulatedSwitch, "calls", lambda _: {})
        house.start()
    house.until(lambda: len(house.queue()) == 2)
    assert house.queue() == [line.id, behind.id]
    line.hang_up()
    house.pass_time(3)
    assert len(house.of(line, "CallReturned")) == len(house.of(line, "CallEnded")) == 1
    assert verify(house.home / "journal").sound


def test_a_message_is_kept_once_however_often_its_caller_is_looked_for_meanwhile(house, monkeypatch):
    line = leaving_a_message(house)
    house.kill()
    line.hang_up()
    salvage = SimulatedSwitch.salvage

    def slowly(switch, call, to):
        house.clock.sleep(3)
        return salvage(switch, call, to)

    monkeypatch.setattr(SimulatedSwitch, "salvage", slowly)
    house.start()
    house.stage.appliance.recovery.start()
    house.pass_time(15)
    house.stage.appliance.recovery.stop()
    assert len(house.of(line, "MessageKept")) == len(house.of(line, "CallEnded")) == 1


# --- waiting -------------------------------------------------------------------------------------


def test_those_who_wait_keep_place_wait_and_priority(house):
    first, second = house.waiting("13800000001"), house.waiting("13800000002")
    house.pass_time(60)
    gold = house.waiting("13800000005")
    order = [gold.id, first.id, second.id]
    assert house.queue() == order
    house.restart(after=5)
    assert house.queue() == order
    assert house.status()["queues"][0]["longest_wait"] == pytest.approx(66, abs=2)
    house.stage.ready("1001")
    house.rings().pick_up()
    house.until(lambda: gold.partner is not None)
    assert first.heard[-1].kind == "music"
    assert house.of(gold, "CallConnected")[-1]["waited"] == pytest.approx(8000, abs=2500)


def test_who_waits_hears_no_word_and_hardly_a_gap(house):
    line = house.waiting()
    house.pass_time(10)
    before = len(says(line))
    house.restart(after=3)
    assert len(says(line)) == before
    assert [heard.kind for heard in line.heard[-2:]] == ["music", "music"]
    assert line.heard[-1].at - line.heard[-2].until < 100


def test_the_limit_of_a_wait_counts_from_before(house):
    line = house.waiting()
    house.pass_time(590)
    house.restart(after=5)
    house.pass_time(10)
    assert house.of(line, "StepEntered")[-1]["step"] == "message"


def test_nobody_is_served_before_those_who_were_ahead_are_back(house):
    house.stage.ready("1001")
    talker, phone = house.talking()
    lines = [house.waiting(f"1380000001{n}") for n in range(5)]
    house.pass_time(5)
    house.restart()
    phone.hang_up()
    house.stage.ready("1001")
    answered = []
    while len(answered) < 5:
        ringing = house.rings()
        ringing.pick_up()
        house.until(lambda: any(line.partner is not None for line in lines))
        [line] = [line for line in lines if line.partner is not None]
        answered.append(line)
        line.hang_up()
        house.pass_time(0.5)
        house.stage.ready("1001")
        house.pass_time(0.1)
    assert answered == lines
    assert talker.ended is not None or says(talker)[-1] == "感谢评价"


def test_a_caller_who_gave_up_meanwhile_is_ended_and_nobody_rings_for_it(house):
    line = house.waiting()
    house.kill()
    line.hang_up()
    house.start()
    house.stage.ready("1001")
    house.pass_time(5)
    assert house.stage.exchange.ringing("1001") is None
    assert [record["outcome"] for record in house.of(line, "CallEnded")] == ["ended while no appliance was running"]


def test_while_a_phone_rings_the_ringing_stops_and_the_agent_is_offered_the_call_once(house):
    house.stage.ready("1001")
    line = house.waiting()
    former = house.rings()
    house.restart()
    assert former.ended is not None
    again = house.rings()
    again.pick_up()
    house.until(lambda: line.partner is not None)
    assert line.partner is again
    assert len(house.of(line, "CallConnected")) == 1


def test_during_the_whisper_the_agent_is_let_go_and_rung_again(house):
    house.stage.ready("1001")
    line = house.waiting()
    former = house.rings()
    former.pick_up()
    house.pass_time(0.05)
    assert line.partner is None
    house.restart()
    assert former.ended is not None
    house.rings().pick_up()
    house.until(lambda: line.partner is not None)


# --- talking -------------------------------------------------------------------------------------


def test_those_who_talk_go_on_talking_and_are_watched_again(house):
    line, phone = house.talking()
    house.pass_time(30)
    heard = len(line.heard), len(phone.heard)
    house.restart(after=10)
    house.pass_time(20)
    assert (len(line.heard), len(phone.heard)) == heard
    assert (line.partner, phone.partner, house.state()) == (phone, line, "Busy")
    phone.hang_up()
    house.pass_time(1)
    assert says(line)[-1] == "感谢评价"
    [ended] = house.of(line, "TalkEnded")
    assert ended["talked"] == pytest.approx(61_000, abs=2000)
    assert house.state() == "WorkingAfterCall"
    house.pass_time(31)
    assert house.state() == "Ready"


def test_an_agent_whose_caller_leaves_after_the_restart_is_let_go(house):
    line, phone = house.talking()
    house.restart()
    line.hang_up()
    house.pass_time(1)
    assert phone.ended is not None
    assert house.state() == "WorkingAfterCall"


def test_a_talk_that_ended_meanwhile_is_over_and_its_caller_goes_on(house):
    line, phone = house.talking()
    house.kill()
    house.pass_time(5)
    phone.hang_up()
    house.pass_time(5)
    house.start()
    house.pass_time(3)
    assert says(line)[-1] == "感谢评价"
    assert house.state() == "WorkingAfterCall"


def before_anybody_is_adopted(monkeypatch, leaves):
    """Who leaves does so after the new life has looked at what lives, and before it takes anybody over."""
    adopt, left = SimulatedSwitch.adopt, []

    def late(switch, call_id):
        if not left:
            left.append(leaves)
            leaves.hang_up()
        return adopt(switch, call_id)

    monkeypatch.setattr(SimulatedSwitch, "adopt", late)


def test_a_talk_that_the_agent_ends_just_before_its_caller_is_taken_over_is_over(house, monkeypatch):
    line, phone = house.talking()
    before_anybody_is_adopted(monkeypatch, phone)
    house.restart()
    house.pass_time(3)
    assert says(line)[-1] == "感谢评价"
    assert house.state() == "WorkingAfterCall"


def test_a_talk_that_the_caller_ends_just_before_the_agent_is_taken_over_is_over(house, monkeypatch):
    line, phone = house.talking()
    before_anybody_is_adopted(monkeypatch, line)
    house.restart()
    house.pass_time(3)
    assert phone.ended is not None
    assert house.state() == "WorkingAfterCall"


def test_a_talk_is_watched_through_several_lives(house):
    line, phone = house.talking()
    for _ in range(3):
        house.pass_time(5)
        house.restart()
    assert house.state() == "Busy"
    phone.hang_up()
    house.pass_time(1)
    assert says(line)[-1] == "感谢评价"
    assert len(house.of(line, "TalkEnded")) == 1


def test_two_who_were_just_joined_are_found_talking(house):
    """The life before had joined them, and did not live to write it down."""
    line, phone = house.talking()
    path = house.home / "journal" / "000001.jsonl"
    house.kill()
    kept = []
    for written in path.read_text().splitlines(keepends=True):
        if '"type":"CallConnected"' in written:
            break
        kept.append(written)
    path.write_text("".join(kept))
    house.start()
    house.pass_time(5)
    assert (line.partner, house.state()) == (phone, "Busy")
    phone.hang_up()
    house.pass_time(1)
    assert says(line)[-1] == "感谢评价"
    assert house.state() == "WorkingAfterCall"


# --- agents --------------------------------------------------------------------------------------


def test_agents_are_what_they_were(house):
    house.stage.ready("1001")
    house.stage.not_ready("1002")
    house.pass_time(1)
    house.restart()
    assert [house.state(agent) for agent in ("1001", "1002", "1003")] == ["Ready", "NotReady", "LoggedOff"]
    assert house.agent("1002")["reason"] == "break"
    assert house.agent("1001")["since"] > 1.5


def test_wrap_up_ends_when_it_would_have_ended(house):
    line, phone = house.talking()
    phone.hang_up()
    house.pass_time(10)
    house.restart(after=5)
    assert house.state() == "WorkingAfterCall"
    house.pass_time(10)
    assert house.state() == "WorkingAfterCall"
    house.pass_time(5.5)
    assert house.state() == "Ready"
    assert line.ended is not None


def test_a_wrap_up_that_ended_meanwhile_is_over(house):
    _, phone = house.talking()
    phone.hang_up()
    house.pass_time(10)
    house.restart(after=60)
    assert house.state() == "Ready"


def test_what_an_agent_asked_for_during_a_talk_follows_it_still(house):
    line, phone = house.talking()
    house.stage.not_ready("1001")
    house.pass_time(1)
    house.restart()
    phone.hang_up()
    house.pass_time(1)
    assert (house.state(), house.agent("1001")["reason"]) == ("NotReady", "break")
    assert line.ended is None or line.ended is Cause.NORMAL


def test_why_a_supervisor_logged_an_agent_off_during_a_talk_is_known_after_it(house):
    _, phone = house.talking()
    house.ask("agents.state", agent="1001", state="LoggedOff", reason="training", by="li")
    house.restart()
    phone.hang_up()
    house.pass_time(1)
    assert (house.state(), house.agent("1001")["reason"]) == ("LoggedOff", "training")


# --- nobody's calls ------------------------------------------------------------------------------


def test_a_call_that_nobody_knows_is_taken(house):
    line = house.call()
    house.kill()
    for path in (house.home / "journal").glob("*"):
        path.unlink()
    house.start()
    house.pass_time(45)
    assert house.of(line, "CallArrived")
    assert line.ended is None or line.ended is Cause.NORMAL


def test_a_telephone_that_somebody_dialled_and_nobody_wants_is_let_go(house):
    phone = house.stage.exchange.phones["1003"]
    phone.answers_after = 0.1
    line = house.stage.exchange.ring_out("1003", "nobody-knows-it", "139", "", 30)
    house.pass_time(45)
    assert line.ended is not None


# --- stopped on purpose --------------------------------------------------------------------------


def drained(house, within=60):
    """Begins to drain; the list is not empty any more once the appliance would stop."""
    stopped = []
    house.stage.appliance.drain.on_drained = lambda: stopped.append(house.clock.now())
    house.busy = house.ask("drain", within=within)["busy"]
    return stopped


def test_draining_waits_for_menus_and_not_for_music_or_talks(house):
    talker, _ = house.talking("1002", "13800000002")
    waiter = house.waiting()
    chooser = house.call(caller="13800000003")
    stopped = drained(house)
    house.pass_time(2)
    assert (house.busy, stopped) == (1, [])
    chooser.press("1")
    house.pass_time(1)
    assert stopped
    house.restart()
    assert house.queue() == [waiter.id, chooser.id]
    assert talker.partner is not None


def test_draining_does_not_wait_longer_than_it_may(house):
    house.call()
    stopped = drained(house, within=1)
    house.pass_time(1.5)
    assert stopped


def test_who_calls_while_it_drains_hears_music_and_is_served_by_the_next_life(house):
    house.call()
    drained(house)
    late = house.call(caller="13800000009")
    assert [heard.kind for heard in late.heard] == ["music"]
    house.restart()
    assert says(late) == [house.stage.appliance.library.catalogue_text("main-menu", "cmn")]
    late.press("1")
    house.pass_time(0.5)
    assert house.queue() == [late.id]


def test_a_message_that_is_being_left_when_it_is_stopped_is_whole(house):
    """SIGTERM: what the caller has said so far stays with the switch, and is kept by the next life."""
    line = leaving_a_message(house)
    house.restart(after=3)
    house.until(lambda: line.ended is not None)
    [message] = house.stage.appliance.store.messages("service")
    assert message.seconds > 12


def test_those_who_were_queued_in_the_same_millisecond_keep_their_order(house):
    lines = [house.call(caller=str(number)) for number in range(6)]
    for line in reversed(lines):
        line.press("1")
    house.pass_time(0.5)
    order = house.queue()
    assert set(order) == {line.id for line in lines}
    house.restart()
    house.until(lambda: len(house.queue()) == len(lines))
    assert house.queue() == order
    for line in lines:
        line.hang_up()
    house.pass_time(1)


def test_a_message_whose_switch_is_away_for_good_is_filed_from_what_there_is(house):
    """The switch wrote the file itself, and nobody can be asked about it any more."""
    line = leaving_a_message(house)
    [begun] = house.of(line, "MessageBegun")
    write_wav(Path(begun["path"]), np.full(80_000, 0.2))
    os.utime(begun["path"], (0, 0))  # it was written long ago, by the house's own time
    house.stage.exchange.lose()
    house.until(lambda: house.of(line, "CallEnded"))
    house.until(lambda: house.of(line, "MessageKept"))
    [message] = house.stage.appliance.store.messages("service")
    assert message.seconds == 10
    house.stage.exchange.restore()
