"""set: variables that are worked out of others."""

from ivr.services import CallerFacts

FLOW = """
start: pin
steps:
  pin:
    collect: {say: ask-number, digits: {max: 4}, sensitive: true, into: pin}
    next: work
    otherwise: end
  work:
    set: {copy: "{{ pin }}", gold: "{{ caller.tier == 'gold' }}", kind: complaint}
    next: swap
  swap:
    set: {kind: "{{ 'praise' if gold else kind }}", before: "{{ kind }}"}
    next: tell
  tell: {say: {cmn: "{{ kind }}{{ before }}{{ copy }}", en: "{{ kind }}"}, next: end}
  end: {hangup: {}}
"""


def test_variables_are_worked_out_all_before_the_first_is_set(house):
    house.ring(FLOW, caller=CallerFacts(tier="gold")).press("1234").hears("praise complaint 1234").is_over()


def test_what_is_made_of_something_sensitive_is_sensitive(house):
    house.ring(FLOW).press("1234").hears("complaint complaint 1234").is_over()
    assert house.notes.of("StepLeft", "step", "set")[1:3] == [
        ("work", {"gold": False, "kind": "complaint"}),
        ("swap", {"before": "complaint"}),
    ]
    assert "1234" not in str(house.notes)
    assert house.session.state.stored()["variables"].keys() == {"gold", "kind", "before"}


def test_a_name_that_every_call_knows_is_refused(told):
    refused = "work.caller: the key 'caller' has its value from the first step on; choose another name"
    assert refused in told(FLOW.replace("copy:", "caller:"))
