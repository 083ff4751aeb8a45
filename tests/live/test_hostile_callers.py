"""Callers who send what nobody should: it is stored and shown as it came, and does nothing."""

from pathlib import Path

import pytest

from tests.live import stories

pytestmark = pytest.mark.live

TOUCHED = Path("/tmp/hotline-was-here")

NAMES = {
    "runs a program": f"${{system(touch {TOUCHED})}}",
    "runs a program, the other way": f"@{{system(touch {TOUCHED})}} `touch {TOUCHED}` $(touch {TOUCHED})",
    "asks the switch": "${uuid_kill(${uuid})} ${hangup_cause}",
    "ends the channel's variables": "x}]sofia/agents/1001,[a=b",
    "calls a function": "${SHELL(touch /tmp/hotline-was-here)} $[1+1] ${CHANNEL(endpoint)}",
    "quotes": r"Robert\\\"); drop table orders; --'",
    "line ends": "a%0Ab%0D%0Ac\\u000a Event-Name: CHANNEL_HANGUP_COMPLETE",
    "a header that goes on in the next line": "first\r\n second",
    "line ends of Unicode": "a\u2028b\u2029c\u0085d",
    "emoji": "\N{TELEPHONE RECEIVER}\N{PILE OF POO} \N{RIGHT-TO-LEFT OVERRIDE}olleh",
    "a template": "{{ caller.number }} {% for x in range(9) %}x{% endfor %}",
    "very long": "x" * 4096,
}


# What the switch itself makes of a name before anybody else sees it. FreeSWITCH decodes %0A, takes "% f" for a control
# sign and that for a blank, and writes %{ for ${; Asterisk keeps 79 bytes.
CHANGED = {
    ("freeswitch", "runs a program"): f"%{{system(touch {TOUCHED})}}",
    ("freeswitch", "asks the switch"): "%{uuid_kill(%{uuid})} %{hangup_cause}",
    ("freeswitch", "calls a function"): "%{SHELL(touch /tmp/hotline-was-here)} $[1+1] %{CHANNEL(endpoint)}",
    ("freeswitch", "line ends"): "a\nb\r\nc\\u000a Event-Name: CHANNEL_HANGUP_COMPLETE",
    ("freeswitch", "a template"): "{{ caller.number }} { or x in range(9) %}x{ ndfor %}",
    ("asterisk", "runs a program, the other way"): NAMES["runs a program, the other way"][:79],
    ("asterisk", "very long"): "x" * 79,
}
DROPPED = {("asterisk", "a header that goes on in the next line")}  # the whole call: for Asterisk it is no SIP
CALLS = {}  # switch and what the name is -> the call


def hostile(what, name):
    """The story of one caller: queued and connected as everybody."""

    def story(hotline, phones):
        desk = hotline.desk()
        caller = phones.call(desk.number, name=name)
        if (hotline.kind, what) in DROPPED:
            phones.call(desk.number).wait_answered()  # who comes later is served
            assert not hotline.records(type="CallArrived", caller=caller.caller)
            return
        caller.wait_answered()
        call = hotline.call_of(caller.caller)
        CALLS[hotline.kind, what] = call
        hotline.until(lambda: call in hotline.queue(desk.queue), 10, "the caller to wait")
        phone = hotline.agent(phones, desk.agents[0], tone=1000)
        hotline.set_agent(desk.agents[0], "Ready")
        phone.wait_rung().wait_answered()
        caller.wait_for_tone(1000, within=15)
        caller.hang_up()
        hotline.until(lambda: hotline.records(type="CallEnded", call=call), 5, "the call to end")
        assert not TOUCHED.exists()

    return story


STORIES = [hostile(what, name) for what, name in NAMES.items()]
for story, what in zip(STORIES, NAMES, strict=True):
    story.__name__ = what.replace(" ", "_").replace(",", "")
told = stories.tell(STORIES)


@pytest.mark.parametrize("story", STORIES, ids=stories.names(STORIES))
def test_a_display_name_is_only_a_name(told, story):
    told.check(story)


def test_nothing_is_left(told):
    told.check_nothing_is_left()


@pytest.mark.parametrize("what", NAMES)
def test_a_name_is_stored_as_it_came(told, hotline, what):
    if (hotline.kind, what) in DROPPED:
        assert (hotline.kind, what) not in CALLS
        return
    [arrived] = hotline.records(type="CallArrived", call=CALLS[hotline.kind, what])
    assert arrived["caller_name"] == CHANGED.get((hotline.kind, what), NAMES[what])


def test_nothing_of_it_ran(told, hotline):
    assert not TOUCHED.exists()
    verdict = hotline.command("journal", "verify")
    assert "holes=0 doubles=0" in verdict


def test_an_anonymous_caller_is_a_caller(hotline, phones):
    caller = phones.call("1000", caller="")
    caller.wait_answered()
    caller.wait_for(hotline.opening("welcome"))
    caller.hang_up()
