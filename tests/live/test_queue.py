"""Callers wait for agents, in order, and talk with them: measured in what both ends heard."""

import pytest

from tests.live import heard, rtp, stories

pytestmark = pytest.mark.live

TONES = (440, 660, 880)


def queued(hotline, caller, queue):
    """The id of a caller's call, when it waits."""
    caller.wait_answered()
    call = hotline.call_of(caller.caller)
    hotline.until(lambda: call in hotline.queue(queue), 10, f"{caller} to wait in {queue}")
    return call


def at_work(hotline, phones, agent):
    """The telephone of an agent who is ready."""
    phone = hotline.agent(phones, agent)
    hotline.set_agent(agent, "Ready")
    return phone


def talk_for_a_second(hotline, caller, leg, frequency):
    """Both hear each other's tone for a second and more."""
    leg.wait_for_tone(frequency, within=15)
    caller.wait_for_tone(1000)
    hotline.until(lambda: heard.tone_seconds(leg.heard(), frequency) > 1, 10, f"a second of {frequency} Hz")
    hotline.until(lambda: heard.tone_seconds(caller.heard(), 1000) > 1, 10, "a second of 1 kHz")


def three_callers_reach_the_agent_in_their_order(hotline, phones):
    """The agent hears 440, 660 and 880 Hz in this order, each of them hears 1 kHz, and never two seconds of nothing."""
    desk = hotline.desk()
    callers = []
    for frequency in TONES:
        callers.append(phones.call(desk.number, tone=frequency))
        queued(hotline, callers[-1], desk.queue)
    phone = at_work(hotline, phones, desk.agents[0])
    for count, (caller, frequency) in enumerate(zip(callers, TONES, strict=True), 1):
        rung = phone.wait_rung(count)
        talk_for_a_second(hotline, caller, rung, frequency)
        rung.hang_up()
    for caller, leg, frequency in zip(callers, phone.calls, TONES, strict=True):
        caller.wait_for(hotline.prompt("goodbye"))
        caller.wait_ended()
        assert {tone.frequency for tone in heard.tones(leg.heard(), *TONES)} == {frequency}
        assert heard.longest_silence(caller.heard()) < 2.0


def the_agent_hears_who_calls_before_the_caller_is_there(hotline, phones):
    desk = hotline.desk()
    name = hotline.crm(
        "select name from customers join customer_numbers on id = customer_id where number = '+8613800000001'"
    )[0][0]
    phone = at_work(hotline, phones, desk.agents[0])
    caller = phones.call(desk.number, caller="13800000001", tone=440)
    rung = phone.wait_rung()
    whisper = hotline.prompt("whisper-named", queue=desk.queue, name=name)
    told = rung.wait_for(whisper, within=15)
    rung.wait_for_tone(440, within=15)
    assert heard.tones(rung.heard(until=told.at + len(whisper) / rtp.RATE - 0.3), 440) == []
    caller.hang_up()


def a_place_that_got_better_is_told(hotline, phones):
    desk = hotline.desk()
    first = phones.call(desk.number)
    queued(hotline, first, desk.queue)
    second = phones.call(desk.number)
    call = queued(hotline, second, desk.queue)
    second.wait_for(hotline.prompt("your-position", position=2))
    first.hang_up()
    hotline.until(lambda: hotline.queue(desk.queue) == [call], 5, "the first caller to be gone")
    second.wait_for(hotline.prompt("your-position", position=1), within=15)
    assert heard.longest_silence(second.heard()) < 2.0
    second.hang_up()


def not_taken(hotline, phones, how):
    """An agent does not take the call: the caller keeps music and place, and the next agent gets it."""
    desk = hotline.desk()
    caller = phones.call(desk.number, tone=440)
    call = queued(hotline, caller, desk.queue)
    behind = queued(hotline, phones.call(desk.number, tone=880), desk.queue)
    phone = hotline.agent(phones, desk.agents[0])
    how(phone)
    hotline.set_agent(desk.agents[0], "Ready")
    over = {"OfferDeclined", "OfferNotAnswered", "OfferFailed"}
    hotline.until(
        lambda: [record for record in hotline.records(call=call) if record["type"] in over], 15, "the offer to be over"
    )
    assert hotline.queue(desk.queue) == [call, behind]
    talk_for_a_second(hotline, caller, at_work(hotline, phones, desk.agents[1]).wait_rung(), 440)
    assert heard.longest_silence(caller.heard()) < 2.0
    caller.hang_up()


def an_agent_who_is_busy_costs_the_caller_nothing(hotline, phones):
    not_taken(hotline, phones, lambda phone: setattr(phone, "decline_with", 486))


def an_agent_who_declines_costs_the_caller_nothing(hotline, phones):
    not_taken(hotline, phones, lambda phone: setattr(phone, "decline_with", 603))


def an_agent_who_does_not_answer_costs_the_caller_nothing(hotline, phones):
    not_taken(hotline, phones, lambda phone: setattr(phone, "answer_after", None))


def an_agent_whose_phone_is_not_registered_costs_the_caller_nothing(hotline, phones):
    not_taken(hotline, phones, lambda phone: phone.unregister())


def an_agent_whose_phone_lost_its_power_costs_the_caller_nothing(hotline, phones):
    not_taken(hotline, phones, lambda phone: phone.unplug())


def a_caller_who_gives_up_while_it_rings_stops_the_ringing(hotline, phones):
    desk = hotline.desk()
    phone = at_work(hotline, phones, desk.agents[0])
    phone.answer_after = None
    caller = phones.call(desk.number)
    rung = phone.wait_rung()
    caller.hang_up()
    assert rung.wait_ended() == "cancelled"
    hotline.until_agent(desk.agents[0], "Ready", within=5)


def a_caller_who_gives_up_during_the_whisper_frees_the_agent_at_once(hotline, phones):
    desk = hotline.desk()
    phone = at_work(hotline, phones, desk.agents[0])
    caller = phones.call(desk.number)
    rung = phone.wait_rung()
    rung.wait_answered()
    caller.hang_up()
    assert rung.wait_ended() == "them"
    hotline.until_agent(desk.agents[0], "Ready", within=5)


def an_agent_works_after_the_call_and_is_ready_again(hotline, phones):
    desk = hotline.desk()
    phone = at_work(hotline, phones, desk.agents[0])
    caller = phones.call(desk.number, tone=440)
    phone.wait_rung().wait_for_tone(440, within=15)
    hotline.until_agent(desk.agents[0], "Busy")
    caller.hang_up()
    hotline.until_agent(desk.agents[0], "Ready", within=5)
    changes = hotline.records(type="AgentStateChanged", agent=desk.agents[0])
    assert [change["state"] for change in changes[-3:]] == ["Busy", "WorkingAfterCall", "Ready"]


def star_codes_move_the_agent(hotline, phones):
    agent = hotline.desk().agents[0]
    phone = hotline.agent(phones, agent)
    for code, keys, prompt, state in (
        ("*10", "", "logged-on", "NotReady"),
        ("*12", "", "ready", "Ready"),
        ("*13", "2", "not-ready", "NotReady"),
        ("*12", "", "ready", "Ready"),
        ("*11", "", "logged-off", "LoggedOff"),
    ):
        call = phone.dial(code)
        call.wait_answered()
        call.press(keys)
        call.wait_for(hotline.prompt(prompt))
        assert call.wait_ended() == "them"
        assert hotline.agent_state(agent) == state
    assert hotline.records(type="StarCodeDialled", agent=agent, code="*13")[-1]["reason"] == "meal"


def a_caller_who_claims_to_be_an_agent_moves_nobody(hotline, phones):
    agent = hotline.desk().agents[0]
    caller = phones.call("*12", caller=agent, name=agent)
    caller.wait_ended(15)
    assert hotline.agent_state(agent) == "LoggedOff"


def agents_call_each_other(hotline, phones):
    desk = hotline.desk()
    first, second = (
        hotline.agent(phones, agent, tone=tone) for agent, tone in zip(desk.agents, (660, 880), strict=True)
    )
    call = first.dial(desk.agents[1])
    call.tone(660)
    call.wait_answered()
    call.wait_for_tone(880)
    second.wait_rung().wait_for_tone(660)
    call.hang_up()
    assert second.wait_rung().wait_ended() == "them"


STORIES = [
    three_callers_reach_the_agent_in_their_order,
    the_agent_hears_who_calls_before_the_caller_is_there,
    a_place_that_got_better_is_told,
    an_agent_who_is_busy_costs_the_caller_nothing,
    an_agent_who_declines_costs_the_caller_nothing,
    an_agent_who_does_not_answer_costs_the_caller_nothing,
    an_agent_whose_phone_is_not_registered_costs_the_caller_nothing,
    an_agent_whose_phone_lost_its_power_costs_the_caller_nothing,
    a_caller_who_gives_up_while_it_rings_stops_the_ringing,
    a_caller_who_gives_up_during_the_whisper_frees_the_agent_at_once,
    an_agent_works_after_the_call_and_is_ready_again,
    star_codes_move_the_agent,
    a_caller_who_claims_to_be_an_agent_moves_nobody,
    agents_call_each_other,
]
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_callers_and_agents(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()


def test_a_softphone_takes_callers_in_their_order(hotline, phones, softphone):
    desk = hotline.desk()
    callers = []
    for frequency in TONES:
        callers.append(phones.call(desk.number, tone=frequency))
        queued(hotline, callers[-1], desk.queue)
    agent = softphone(desk.agents[0])
    hotline.set_agent(desk.agents[0], "Ready")
    for count, caller in enumerate(callers, 1):
        agent.wait_for("CALL_INCOMING", count)
        agent.answer()
        caller.wait_for_tone(1000, within=15)
        hotline.until(lambda caller=caller: heard.tone_seconds(caller.heard(), 1000) > 1, 5, "a second of the tone")
        caller.hang_up()
        agent.wait_for("CALL_CLOSED", count)
    # Sets: a tone with a gap in it, on a busy machine, is still that one caller's.
    assert [{tone.frequency for tone in heard.tones(call, *TONES)} for call in agent.heard()] == [{440}, {660}, {880}]
