"""branch: the first true expression wins."""

import pytest

from ivr.services import CallerFacts

FLOW = """
start: number
steps:
  number:
    collect: {say: ask-number, digits: {min: 1, max: 4}, into: keyed}
    next: which
    otherwise: end
  which:
    branch:
      cases:
        "{{ keyed > 'x' and keyed > 500 }}": high
        "{{ caller.tier == 'gold' }}": gold
        "{{ caller.name }}": named
    otherwise: other
  high: {say: busy, next: end}
  gold: {say: hello, next: end}
  named: {say: ask, next: end}
  other: {say: bye, next: end}
  end: {hangup: {}}
""".replace("keyed > 'x' and ", "")


@pytest.mark.parametrize(
    ("keyed", "caller", "said"),
    [
        ("501", CallerFacts(tier="gold"), "占线"),
        ("500", CallerFacts(tier="gold", name="王芳"), "你好"),
        ("7", CallerFacts(name="王芳"), "请按键"),
        ("7", CallerFacts(), "再见"),
    ],
)
def test_the_first_true_case_leads_on(house, keyed, caller, said):
    house.ring(FLOW, caller=caller).press(f"{keyed}#").hears(said).is_over()


def test_what_cannot_be_worked_out_is_not_true(house):
    flow = FLOW.replace("{{ keyed > 500 }}", "{{ caller.tier > 500 }}")
    house.ring(flow, caller=CallerFacts(tier="gold")).press("7#").hears("你好").is_over()
    assert house.notes.of("CaseNotEvaluated", "step", "case") == [("which", "{{ caller.tier > 500 }}")]


def test_the_way_is_written_down_as_the_case(house):
    house.ring(FLOW, caller=CallerFacts(tier="gold")).press("7#").hears("你好").is_over()
    assert house.exits[1] == ("which", "{{ caller.tier == 'gold' }}")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('"{{ caller.name }}"', "named", "which.cases.named: a case is one expression, for example"),
        ('"{{ caller.name }}"', '"{{ caller.nam }}"', "which.cases.{{ caller.nam }}: 'caller' has no 'nam'."),
        ('"{{ caller.name }}": named', '"{{ caller.name }}": namd', "which.cases.{{ caller.name }}: no step 'namd'."),
        ('"{{ caller.name }}"', '"{{ caller.name"', "which.cases.{{ caller.name: the key '{{' is not closed by '}}'"),
    ],
)  # fmt: skip
def test_a_case_is_checked_like_everything_else(told, before, after, message):
    assert any(one.startswith(message) for one in told(FLOW.replace(before, after))), told(FLOW.replace(before, after))


def test_cases_that_lead_round_in_no_time_are_found(told):
    assert told(FLOW.replace('"{{ caller.name }}": named', '"{{ caller.name }}": which')) == [
        "which: the call goes round which -> which in no time, and the caller hears nothing",
        "named: no way leads to this step",
    ]
