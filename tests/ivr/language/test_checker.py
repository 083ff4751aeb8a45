"""Every message of the checker: one slip in a flow, what is said of it, and where.

The slips stand in slips.py, of which docs/messages.md is made.
"""

from pathlib import Path

import pytest

from config.document import arranged, parse
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.templates import template
from speech import words
from speech.catalogue import load as load_catalogue
from switch.port import Capability
from tests.ivr.language.slips import FLOW, SLIPS

HERE = Path(__file__).parents[3]
CATALOGUE, _ = load_catalogue(HERE / "prompts")
PROMPTS = {
    name: {language: template(text) for language, text in texts.items()} for name, texts in CATALOGUE.texts.items()
} | {"beep": dict.fromkeys(words.languages()), "half": {"cmn": None}}
HOUSE = House(
    prompts=PROMPTS,
    languages=words.languages(),
    queues=["service"],
    queries={
        "order_by_number": QueryFacts(
            frozenset({"number", "status", "status_text", "status_text_yue", "status_text_en", "eta"}),
            frozenset({"number"}),
        )
    },
    calendars=["office"],
    skills=["cmn", "yue", "en"],
    boxes=["service", "complaints"],
)


def told(text, house=HOUSE):
    document, problems = parse(text, "flows/hotline.yaml")
    drafts = [] if document is None else [read(document)]
    return [str(problem) for problem in arranged([*problems, *check(drafts, house)])]


def test_the_flow_without_slips_is_right():
    assert told(FLOW) == []


def position(text, marker):
    """Line and column of the first place where a text stands after what the slip changed; of its last word's start."""
    start = text.index(marker) + (len(marker) - len(marker.lstrip()))
    line = text.count("\n", 0, start) + 1
    return line, start - (text.rfind("\n", 0, start) + 1) + 1


@pytest.mark.parametrize("slip", SLIPS, ids=[slip.message[:60] for slip in SLIPS])
def test_a_slip_is_told_once_and_where_it_stands(slip):
    assert slip.before in FLOW
    text = FLOW.replace(slip.before, slip.after, 1)
    found = told(text)
    matching = [line for line in found if line.split(": ", 1)[1].startswith(slip.message)]
    assert matching, found
    line, column = (int(part) for part in matching[0].split(":")[1:3])
    assert (line, column) == (position(text, slip.at) if isinstance(slip.at, str) else slip.at)
    consequences = {"the text in yue is missing", "no step 'main-again'"}  # what was renamed is no longer there
    assert [line for line in found if line not in matching and not any(c in line for c in consequences)] == []


def test_all_slips_at_once_are_all_told():
    text = FLOW
    for before, after in (
        ('"1": track,', '"1": trak,'),
        ("timeout: 5s", "timeout: 5"),
        ("box: complaints", "box: complaint"),
        ("预计{{ order.eta", "预计{{ order.etd"),
        ("name: service", "name: servce"),
        ("hangup: {}", "hangpu: {}"),
    ):
        text = text.replace(before, after, 1)
    assert told(text) == [
        "flows/hotline.yaml:20:22: main.options.1: no step 'trak'. Did you mean 'track'?",
        "flows/hotline.yaml:21:16: main.timeout: '5' is not a duration; write for example 500ms, 5s, 2m or 1h",
        "flows/hotline.yaml:52:12: tell-order.cmn: 'order' has no 'etd'. Did you mean 'eta'?",
        "flows/hotline.yaml:66:22: complaint.box: no box 'complaint'. Did you mean 'complaints'?",
        "flows/hotline.yaml:84:13: queue-service.name: no queue 'servce'. Did you mean 'service'?",
        "flows/hotline.yaml:95:9: end: no verb 'hangpu'. Did you mean 'hangup'?",
    ]


def test_a_switch_without_an_ability_refuses_the_verbs_that_need_it():
    house = House(**{n: getattr(HOUSE, n) for n in HOUSE.__slots__} | {"capabilities": frozenset({Capability.RECORD})})
    assert told(FLOW, house) == [
        "flows/hotline.yaml:83:5: queue-service: the verb 'queue' needs a switch that can join; this one cannot"
    ]


def test_a_list_is_nothing_to_say():
    assert told(FLOW.replace("say: ask-order-number", "say: [ask-order-number]")) == [
        "flows/hotline.yaml:34:12: track.say: a prompt id, or a text for each language, is expected here"
    ]


def test_what_is_not_known_is_not_checked():
    house = House(**{n: getattr(HOUSE, n) for n in HOUSE.__slots__} | {"boxes": None, "skills": None})
    assert told(FLOW.replace("box: complaints", "box: anything"), house) == []


@pytest.mark.parametrize("text", ["", "- a\n", "a\n", "steps: {}\n", "steps: []\n", 'number: "1"\nsteps: {a: b}\n'])
def test_what_is_no_flow_at_all_is_told(text):
    assert told(text)


# --- variables ---------------------------------------------------------------------------------------

TWO_WAYS = """
number: "1"
languages: [en]
start: main
steps:
  main: {menu: {say: main-menu, options: {"1": first, "2": second}}, otherwise: end}
  first: {collect: {say: ask-order-number, into: a}, next: third, otherwise: end}
  second: {collect: {say: ask-order-number, into: {{into}}}, next: third, otherwise: end}
  third: {say: {en: "{{ a }}"}, next: end}
  end: {hangup: {}}
"""


def test_a_value_that_every_way_sets_is_there():
    assert told(TWO_WAYS.replace("{{into}}", "a")) == []


def test_a_value_that_one_way_leaves_unset_is_told_with_that_way():
    assert told(TWO_WAYS.replace("{{into}}", "b")) == [
        "flows/hotline.yaml:9:21: third.en: 'a' has no value yet on the way main -> second -> third; it is set in first"
    ]


def test_a_value_is_set_by_one_exit_and_not_by_the_others():
    text = TWO_WAYS.replace("{{into}}", "a").replace(
        "into: a}, next: third, otherwise: end}", "into: a}, next: third, otherwise: third}", 1
    )
    assert told(text) == [
        "flows/hotline.yaml:9:21: third.en: 'a' has no value yet on the way main -> first -> third;"
        " it is set in first or second"
    ]


def test_a_key_that_works_everywhere_leads_past_what_sets_a_value():
    text = TWO_WAYS.replace("{{into}}", "a").replace("start: main", 'start: main\nkeys: {"0": third}')
    assert told(text) == [
        "flows/hotline.yaml:10:21: third.en: 'a' has no value yet when the call comes here;"
        " it is set in first or second"
    ]


def test_a_prompt_of_the_catalogue_may_need_values_too():
    text = TWO_WAYS.replace("{{into}}", "a").replace('{say: {en: "{{ a }}"}', "{say: your-position")
    assert told(text) == [
        "flows/hotline.yaml:9:16: third: the prompt 'your-position': no variable 'position'."
        " There are: a, call, caller, dialled, language or now"
    ]
