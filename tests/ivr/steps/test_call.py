"""call and return: one flow runs another, and goes on behind it."""

import json

import pytest

from ivr.services import CallerFacts
from ivr.state import State, replayed
from switch.port import CallEnded, Cause

MAIN = """
number: "1000"
languages: [cmn, en]
start: hello
keys: {"*": main}
steps:
  hello: {say: hello, next: who}
  who:
    call: {flow: identify, with: {tier: "{{ caller.tier }}"}, into: identity}
    next: tell
  tell: {say: {cmn: "号码{{ identity.number }}", en: "Number {{ identity.number }}"}, next: main}
  main: {say: bye, next: end}
  end: {hangup: {}}
"""
IDENTIFY = """
languages: [cmn, en]
start: pick
takes: [tier]
keys: {"0": nobody}
steps:
  pick:
    menu: {say: ask, options: {"1": ask, "2": english, "9": out}}
    otherwise: nobody
  english: {language: en, next: ask}
  ask:
    collect: {say: ask-number, digits: {min: 2, max: 4}, into: keyed}
    next: back
    otherwise: nobody
  back: {return: {number: "{{ keyed }}{{ tier }}"}}
  nobody: {return: {number: none}}
  out: {hangup: {}}
"""
COLLECT = "collect: {say: ask-number, digits: {max: 4}, sensitive: true, into: pin}, next: who, otherwise: end"
FLOWS = {"main": MAIN, "identify": IDENTIFY}


@pytest.fixture
def main(flows):
    return flows(FLOWS)["main"]


def test_the_other_flow_runs_and_what_it_gives_is_known(house, main):
    caller = house.ring(main, caller=CallerFacts(tier="gold")).hears("你好").press("1 12#")
    assert caller.hears("号码12gold").is_over().heard[-1] == "再见"
    assert house.exits == [
        ("hello", "next"), ("pick", "1"), ("ask", "next"), ("back", "back"),
        ("who", "next"), ("tell", "next"), ("main", "next"), ("end", "ended"),
    ]  # fmt: skip
    assert house.notes.of("StepEntered", "visit") == [1, 2, 3, 4, 5, 6, 7, 8]
    assert house.notes.of("StepLeft", "step", "set")[4] == ("who", {"identity": {"map": {"number": "12gold"}}})


def test_a_language_chosen_there_stays(house, main):
    house.ring(main).hears("你好").press("2 12#").hears("Number 12").hears("Bye").is_over()


def test_each_flow_has_its_own_keys_and_variables(house, main):
    caller = house.ring(main).hears("你好").hears("请按键").press("*").hears("没有这个选项").press("0")
    caller.hears("号码none").is_over()
    assert set(house.session.state.variables) == {"identity"}


def test_a_hang_up_there_ends_the_call(house, main):
    house.ring(main).hears("请按键").press("9").is_over()
    assert house.notes[-1] == ("FlowEnded", {"flow": "main", "step": "out", "reason": "hangup"})


def test_the_longest_call_is_that_of_the_flow_which_took_it(house, flows):
    flow = flows({**FLOWS, "main": MAIN.replace("start: hello", "start: hello\nlongest: 9s")})["main"]
    house.ring(flow).is_over()
    assert house.notes[-1][1] == {"flow": "main", "step": "pick", "reason": "longest"}


def test_a_flow_that_was_not_called_ends_where_it_would_lead_back(house, flows):
    alone = IDENTIFY.replace("languages", 'number: "1000"\nlanguages', 1).replace("takes: [tier]\n", "")
    house.ring(flows({"main": alone.replace("{{ tier }}", "")})["main"]).press("0").is_over()
    assert house.notes[-1][1]["reason"] == "hangup"


def test_what_is_given_or_given_back_of_something_sensitive_is_sensitive(house, flows):
    secret = {
        "main": MAIN.replace("start: hello", "start: pin").replace("say: hello, next: who", COLLECT)
        .replace("  hello", "  pin").replace("caller.tier", "pin"),
        "identify": IDENTIFY,
    }  # fmt: skip
    house.ring(flows(secret)["main"]).press("4711 1 12#").hears("号码124711").is_over()
    assert "4711" not in str([note for note in house.notes if note[0] != "PromptPlayed"])
    assert "4711" not in json.dumps(house.session.state.stored())


# --- taken up again ----------------------------------------------------------------------------------


def hears_and_dies(house, main, *keys):
    """A call whose appliance dies while it waits for a key; what its journal says."""
    caller = house.ring(main, caller=CallerFacts(tier="gold"))
    for key in keys:
        caller.listens().press(key)
    caller.listens()

    def superseded(within):
        raise CallEnded(Cause.SUPERSEDED)

    state = State.restored(json.loads(json.dumps(house.session.state.stored())))
    house.call.wait = superseded
    caller.line.press("#")
    caller.waits(0.1)
    return state, [{"type": type, **facts} for type, facts in json.loads(json.dumps(list(house.notes)))]


def test_a_call_in_another_flow_goes_on_there(house, main):
    state, _ = hears_and_dies(house, main, "1")
    assert (state.step, state.inner.step, state.inner.variables) == ("who", "ask", {"tier": "gold"})
    house.notes.clear()
    house.ring(main, state=state).hears("请输入号码").press("12#").hears("号码12gold").is_over()
    assert house.notes.of("StepEntered", "step", "visit")[0] == ("ask", 4)
    assert house.notes.of("StepLeft", "step", "exit")[:3] == [("ask", "next"), ("back", "back"), ("who", "next")]


def test_the_journal_tells_where_a_call_stood(house, main):
    state, told = hears_and_dies(house, main, "1")
    again = replayed(told, main)
    assert again.stored() | {"spent": 0} == state.stored() | {"spent": 0}


def test_the_journal_of_a_resumed_call_tells_it_too(house, main):
    _, told = hears_and_dies(house, main, "1")
    house.over, house.cause = False, None
    begun = house.ring(main, state=replayed(told, main)).hears("请输入号码").press("12#").hears("号码12gold")
    said = [{"type": type, **facts} for type, facts in json.loads(json.dumps(list(house.notes)))]
    at_tell = replayed(said, main)
    assert (at_tell.step, at_tell.visit, at_tell.inner) == ("tell", 6, None)
    assert at_tell.variables == {"identity": {"number": "12gold"}}
    begun.is_over()


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_journal_that_ends_anywhere_tells_a_step_of_the_flow(house, main, cut):
    house.ring(main).hears("你好").press("1 12#").hears("号码12").is_over()
    told = [{"type": type, **facts} for type, facts in house.notes]
    state = replayed(told[:cut], main)
    assert state.step in {*main.steps, ""}
    assert state.inner is None or state.inner.step in {*main.calls["identify"].steps, ""}


# --- the checker -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flow", "before", "after", "message"),
    [
        ("main", "flow: identify", "flow: identfy", "who.flow: no flow 'identfy'. Did you mean 'identify'?"),
        ("main", "with: {tier: \"{{ caller.tier }}\"}, ", "", "who.with: the flow 'identify' takes tier"),
        ("main", "with: {tier:", "with: {tire:", "who.with.tire: the flow 'identify' takes no 'tire'"),
        ("main", "identity.number", "identity.nummer", "tell.cmn: 'identity' has no 'nummer'. Did you mean 'number'?"),
        ("identify", "{number: none}", "{}", "who.into: the flow 'identify' gives nothing back"),
        ("identify", "[cmn, en]", "[cmn]", "who: the flow 'identify' does not speak en"),
        ("identify", "nobody: {return: {number: none}}", "nobody: {call: {flow: main}, next: back}",
         "who: the flows call each other without end: main -> identify -> main"),
        ("identify", "languages", 'number: "7"\nlanguages', "takes: a flow that takes variables is called"),
        ("identify", "tier }}", "tear }}", "back.number: no variable 'tear'. Did you mean 'tier'?"),
    ],
)  # fmt: skip
def test_flows_that_do_not_fit_together_are_told(told, flow, before, after, message):
    assert before in FLOWS[flow]
    found = told({**FLOWS, flow: FLOWS[flow].replace(before, after)})
    assert any(one.startswith(message) for one in found), found


def test_a_flow_that_never_comes_back_is_told(told):
    never = "languages: [cmn, en]\nstart: end\ntakes: [tier]\nsteps: {end: {hangup: {}}}"
    found = told({"main": MAIN, "identify": never})
    assert "who: the flow 'identify' never comes back; lead it to a step {return: {}}" in found


def test_a_flow_that_calls_itself_is_told(told):
    itself = MAIN.replace('flow: identify, with: {tier: "{{ caller.tier }}"}, into: identity', "flow: main")
    found = told({"main": itself.replace("identity.number", "now")})
    assert "who: the flows call each other without end: main -> main" in found
