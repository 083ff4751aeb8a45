"""queue: music, the spoken place, and a person in the end."""

import pytest

from ivr.services import CallerFacts
from switch.port import Cause

FLOW = """
start: queue
keys: {"0": other, "*": repeat}
longest: 60s
steps:
  queue:
    queue:
      name: service
      priority: "{{ 10 if caller.tier == 'gold' else 0 }}"
      skills: ["{{ language }}"]
      attach: [keyed, dialled]
    answered: bye
    overflowed: busy
    left: mail
  mail: {say: leave-message, next: number}
  number: {collect: {say: ask-number, into: keyed}, next: queue, otherwise: end}
  busy: {say: busy, next: end}
  other: {say: hello, next: end}
  bye: {say: bye, next: end}
  end: {hangup: {}}
"""


def queued(house, flow=FLOW, **caller):
    caller = house.ring(flow, caller=CallerFacts(**caller))
    return caller, house.enter_queue()


def test_the_queue_learns_who_waits_and_for_what(house):
    _, place = queued(house, tier="gold", name="王芳")
    asked = place.request
    assert (asked.queue, asked.priority, list(asked.skills), asked.language) == ("service", 10, ["cmn"], "cmn")
    assert asked.attached == {"dialled": "1000"}  # nothing was keyed yet
    assert asked.caller.name == "王芳"


def test_a_caller_who_waits_hears_music(house):
    caller, place = queued(house)
    caller.hears("(calm)").waits(600)
    assert caller.heard == ["(calm)"]
    assert place.told == []


def test_place_and_wait_are_told_between_music(house):
    caller, place = queued(house)
    caller.hears("(calm)")
    place.announce(position=2, wait=(60, 120))
    caller.hears("第二位").hears("一分钟到两分钟").hears("(calm)")
    assert place.told == ["announced"]
    place.announce(position=1)
    caller.hears("第一位").hears("(calm)")


def test_the_agent_is_joined_and_the_flow_goes_on_when_the_agent_has_left(house):
    caller, place = queued(house)
    leg = house.agent_leg(talks_for=30)
    place.agent_ready(leg)
    caller.hears("(agent)").hears("再见").is_over()
    assert place.told == ["connected", "left: answered"]
    assert house.exits[0] == ("queue", "answered")


def test_without_an_exit_for_it_the_call_ends_after_the_talk(house):
    _, place = queued(house, FLOW.replace("    answered: bye\n", "").replace("  bye: {say: bye, next: end}\n", ""))
    place.agent_ready(house.agent_leg(talks_for=30))
    house.clock.run_until(lambda: house.over, longest=60)
    assert house.notes[-1][1]["reason"] == "hangup"


def test_an_agent_who_is_ready_cuts_the_announcement_short(house):
    caller, place = queued(house)
    leg = house.agent_leg(talks_for=30)
    place.announce(position=1, wait=(0, 60))
    caller.hears("第一位").waits(0.4)
    place.agent_ready(leg)
    caller.hears("(agent)")
    assert "不到一分钟" not in caller.heard
    assert caller.heard.count("(calm)") == 1


def test_an_agent_who_was_gone_before_the_join_costs_nothing(house):
    caller, place = queued(house)
    leg = house.agent_leg()
    leg.hang_up()
    place.agent_ready(leg)
    caller.hears("(calm)").hears("(calm)")
    assert place.told == ["connect failed"]
    house.exchange.phones.clear()
    place.over("overflowed")
    caller.hears("占线")


def test_a_talk_that_only_the_agents_leg_has_heard_of_is_over(house):
    """The caller's connection broke in the join, which was done all the same."""
    caller, place = queued(house)
    place.has_talked = True
    leg = house.agent_leg()
    leg.hang_up()
    place.agent_ready(leg)
    caller.hears("再见")
    assert place.told == ["connect failed"]


def test_the_queue_gives_the_caller_back(house):
    caller, place = queued(house)
    place.over("overflowed")
    caller.hears("占线").is_over()
    assert place.told == []  # it was the queue's own decision


def test_an_unavailable_queue_goes_where_overflow_goes_unless_told_otherwise(house):
    caller, place = queued(house)
    place.over("unavailable")
    caller.hears("占线").is_over()
    assert house.exits[0] == ("queue", "unavailable")


def test_a_key_leaves_the_queue(house):
    caller, place = queued(house)
    caller.hears("(calm)").press("2").hears("请留言")
    assert place.told == ["left: left"]
    assert house.exits[0] == ("queue", "left")


@pytest.mark.parametrize(
    ("wait", "words"), [((0, 60), "不到一分钟"), ((180, 300), "三分钟到五分钟"), ((3600, None), "超过一小时")]
)
def test_the_wait_is_spoken_in_bands(house, wait, words):
    caller, place = queued(house)
    place.announce(wait=wait)
    caller.hears(words).hears("(calm)")
    assert place.told == ["announced"]


def test_other_words_of_the_queue_are_spoken_between_music(house):
    caller, place = queued(house)
    caller.hears("(calm)")
    place.prompt("please-wait")
    caller.hears("请稍等").hears("(calm)")
    assert place.told == ["announced"]


def test_a_place_that_changes_has_other_music_and_other_keys(house):
    caller, place = queued(house)
    caller.hears("(calm)")
    place.changes("lively", {"9": "left"})
    caller.hears("(lively)").press("2").waits(5)
    assert place.told == []
    caller.press("9").hears("请留言")
    assert place.told == ["left: left"]


def test_other_music_does_not_cut_what_is_being_said(house):
    caller, place = queued(house)
    place.prompt("please-wait")
    caller.hears("请稍等").waits(0.3)
    place.changes("lively", {})
    caller.hears("(lively)")
    assert not caller.line.heard[-2].cut


def test_who_is_asked_may_stay(house):
    caller, place = queued(house)
    place.prompt("please-wait")
    caller.hears("请稍等").waits(0.3).press("1").hears("(calm)")
    assert place.told == ["announced"]
    assert caller.line.heard[-2].cut
    assert ("KeyPressed", {"key": "1", "step": "queue"}) in house.notes


def test_who_is_asked_may_leave(house):
    caller, place = queued(house)
    place.prompt("please-wait")
    caller.hears("请稍等").waits(0.3).press("2").hears("请留言")
    assert place.told == ["announced", "left: left"]


def test_an_agent_who_is_ready_cuts_the_question_short(house):
    caller, place = queued(house)
    place.prompt("please-wait")
    caller.hears("请稍等").waits(0.3)
    place.agent_ready(house.agent_leg(talks_for=30))
    caller.hears("(agent)")
    assert place.told == ["announced", "connected"]


@pytest.mark.parametrize("keys", ["1", "0", "*", "7#"])
def test_no_other_key_gives_the_place_away(house, keys):
    caller, place = queued(house)
    caller.hears("(calm)").press(keys).waits(30)
    assert caller.heard == ["(calm)"]
    assert place.told == []


def test_a_key_of_the_queue_cuts_an_announcement_short(house):
    caller, place = queued(house)
    place.announce(position=1, wait=(0, 60))
    caller.hears("第一位").waits(0.3).press("2").hears("请留言")
    assert place.told == ["announced", "left: left"]


def test_a_caller_who_hangs_up_gives_the_place_up(house):
    caller, place = queued(house)
    caller.waits(20).hangs_up()
    assert place.told == ["left: abandoned"]
    assert house.cause == Cause.NORMAL


def test_a_caller_who_hangs_up_in_an_announcement_gives_the_place_up(house):
    caller, place = queued(house)
    place.announce(position=1)
    caller.hears("第一位").waits(0.5).hangs_up()
    assert place.told == ["left: abandoned"]


def test_a_caller_who_hangs_up_while_talking_was_answered(house):
    caller, place = queued(house)
    place.agent_ready(house.agent_leg(talks_for=300))
    caller.hears("(agent)").waits(10).hangs_up()
    assert place.told == ["connected", "left: answered"]


def test_keys_while_talking_mean_nothing_afterwards(house):
    caller, place = queued(house)
    place.agent_ready(house.agent_leg(talks_for=30))
    caller.hears("(agent)").press("12345").hears("再见").is_over()
    assert not caller.line.heard[-1].cut


def test_what_was_meant_for_an_earlier_place_is_ignored(house):
    caller, old = queued(house)
    caller.hears("(calm)").press("2").hears("请留言")
    old.announce(position=1)  # too late, in the middle of a prompt
    caller.hears("请输入号码").press("12#")
    place = house.enter_queue()
    old.over("overflowed")
    old.agent_ready(house.agent_leg())
    caller.hears("(calm)").waits(10)
    assert place.told == []
    assert place.request.attached == {"keyed": "12", "dialled": "1000"}
    assert "第一位" not in caller.heard


def test_waiting_and_talking_do_not_count_towards_the_longest_call(house):
    caller, place = queued(house)
    caller.waits(600)
    place.agent_ready(house.agent_leg(talks_for=600))
    caller.hears("(agent)").hears("再见", within=700).is_over()
    assert house.notes[-1][1]["reason"] == "hangup"


def test_an_announcement_that_cannot_be_spoken_does_not_cost_the_place(house):
    caller, place = queued(house)
    house.voice.broken.add("第一位")
    place.announce(position=1)
    caller.hears("(calm)").hears("(calm)")
    assert place.told == ["announced"]


def test_a_priority_that_is_no_number_counts_as_none(house):
    _, place = queued(
        house, FLOW.replace("\"{{ 10 if caller.tier == 'gold' else 0 }}\"", '"{{ caller.tier }}"'), tier="gold"
    )
    assert place.request.priority == 0


def test_a_call_can_be_left_ringing_for_the_agent_to_answer(house):
    caller, place = queued(house, FLOW.replace("longest: 60s", "answer: false"))
    place.announce(position=1)
    caller.waits(20)
    assert not caller.line.answered
    assert caller.heard == []
    assert place.told == ["announced"]
    place.agent_ready(house.agent_leg(talks_for=30))
    caller.hears("(agent)")
    assert caller.line.answered


def test_a_queue_that_breaks_gives_the_caller_back_with_an_apology(house):
    def breaks(*_):
        raise RuntimeError

    house.queues.enter = breaks
    house.ring(FLOW).hears("系统故障").hears("占线").is_over()
    assert house.exits[0] == ("queue", "unavailable")
