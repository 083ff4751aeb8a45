"""Every message of the checker: one slip in the flow that ships, what is said of it, and where.

The same messages stand with their remedies in docs/flow-language.md; the last test compares the two.
"""

import re
from pathlib import Path

import pytest

from config.document import arranged, parse
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.templates import template
from ivr.steps import verbs
from speech import words
from speech.catalogue import load as load_catalogue
from switch.port import Capability

# ruff: noqa: E501

HERE = Path(__file__).parents[3]
FLOW = (HERE / "flows" / "hotline.yaml").read_text(encoding="utf-8")
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


def test_the_flow_that_ships_is_right():
    assert told(FLOW) == []


# What was written before, what is written now, and the message with the text at which it points.
SLIPS = [
    # steps and exits
    ('"1": track,', '"1": trak,', "main.options.1: no step 'trak'. Did you mean 'track'?", "trak"),
    ("start: welcome", "start: wellcome", "start: no step 'wellcome'. Did you mean 'welcome'?", "wellcome"),
    ('"0": agent}', '"0": operator}', "keys.0: no step 'operator'. There are: agent, cantonese, closed-message, complaint, emergency-message, end, english, find-order, goodbye, holiday-message, leave-message, main ...", "operator"),
    (
        "  main-again: {say: not-an-option, next: main}",
        "  main-again: {say: not-an-option}",
        "main-again: the exit 'next' is missing: where does the call go on?",
        "main-again: {say",
    ),
    ("missing: no-such-order", "mising: no-such-order", "find-order.mising: 'lookup' has no exit 'mising'. Did you mean 'missing'?", "mising"),
    ("next: find-order\n", "next: [find-order]\n", "track.next: the name of a step is expected here", "[find-order]"),
    ("  end: {hangup: {}}", "  end: {hangup: {}}\n  spare: {goto: end}", "spare: no way leads to this step", "spare: {goto"),
    (
        "otherwise: agent  ",
        "otherwise: main-again  ",
        "main: a caller who stays silent goes round main -> main-again -> main for ever",
        "main:\n    menu",
    ),
    (
        "failed: agent  ",
        "failed: find-order  ",
        "find-order: the call goes round find-order -> find-order in no time, and the caller hears nothing",
        "find-order:\n    lookup",
    ),
    # verbs
    ("hangup: {}", "hangpu: {}", "end: no verb 'hangpu'. Did you mean 'hangup'?", "hangpu"),
    (
        "hangup: {}",
        "callback: {}",
        "end: the verb 'callback' is not in this version; there are collect, goto, hangup, hours, language, lookup,"
        " menu, queue, say or voicemail",
        "callback",
    ),
    (
        "{language: yue, next: main}",
        "{language: yue, goto: main}",
        "cantonese: a step has one verb; 'language' stands here already. Make 'goto' a step of its own",
        "goto: main",
    ),
    (
        "{language: yue, next: main}",
        "{next: main}",
        "cantonese: there is no verb in this step; write one of collect, goto, hangup, hours, language, lookup, menu,"
        " queue, say or voicemail",
        "cantonese: {",
    ),
    (
        "{language: yue, next: main}",
        "main",
        "cantonese: a step is a verb with its exits, for example {say: welcome, next: main}",
        "main\n  english",
    ),
    ("  main-again: {", "  main.again: {", "'main.again' cannot be a step's name; use words joined by hyphens, such as ask-order-number", "main.again: {"),
    # what a verb is given
    ("timeout: 5s", "timeout: 5", "main.timeout: '5' is not a duration; write for example 500ms, 5s, 2m or 1h", "5\n"),
    ("tries: 2", "tris: 2", "main.tris: 'tris' is not known here. Did you mean 'tries'?", "tris"),
    ("tries: 2", "tries: two", "main.tries: 'two' stands here; a whole number is expected here", "two"),
    ("tries: 2", "tries: 0", "main.tries: '0' is out of range: it must be at least 1", "0\n"),
    ("tries: 2", "tries:", "main.tries: nothing is written here; a whole number is expected here", (22, 13)),
    ("      into: order_number\n", "", "track: 'into' is missing", "collect:"),
    ("into: order_number", "into: order-number", "track.into: 'order-number' cannot be a variable's name; use letters, digits and _, beginning with a letter", (37, 13)),
    ("min: 6, max: 12", "min: 16, max: 12", "track.digits: 'min' (16) is more than 'max' (12)", "{min: 16"),
    ('"9": english', '"N": english', "main.options.N: the key 'N' is not a key; there are 0 to 9, * and #", '"N"'),
    ("confirm: true", "confirm: perhaps", "track.confirm: 'perhaps' stands here; true or false is expected here", "perhaps"),
    ("confirm: true", "pattern: 1##", "track.pattern: '1##' is not a pattern; write digits, and x for any digit, for example 1xxxxxxxxxx", "1##"),
    ('"{{ order_number }}"', '["{{ order_number }}"]', "find-order.with.number: one text is expected here", '["{{'),
    ("say: welcome ", "say: ", "welcome: a prompt id, or a text for each language, is expected here", (14, 9)),
    # what must exist
    ("say: welcome ", "say: wellcome ", "welcome: no prompt 'wellcome'. Did you mean 'welcome'?", "wellcome"),
    ("say: welcome ", "say: greeting ", "welcome: no prompt 'greeting'. Write its texts into the prompts' catalogue.yaml", "greeting"),
    ("say: welcome ", "say: half ", "welcome: the prompt 'half' has neither a text nor a recording in en or yue", "half"),
    ("name: service", "name: servce", "queue-service.name: no queue 'servce'. Did you mean 'service'?", "servce"),
    ("query: order_by_number", "query: order_by_name", "find-order.query: no query 'order_by_name'. Did you mean 'order_by_number'?", "order_by_name"),
    ('{number: "{{ order', '{nr: "{{ order', "find-order.with.nr: the query 'order_by_number' has no parameter 'nr'; it needs number", '"{{ order_number'),
    ('with: {number: "{{ order_number }}"}', "with: {}", "find-order.with: the query 'order_by_number' needs number", "{}"),
    ("calendar: office", "calendar: ofice", "agent.calendar: no calendar 'ofice'. Did you mean 'office'?", "ofice"),
    ("box: complaints", "box: complaint", "complaint.box: no box 'complaint'. Did you mean 'complaints'?", "complaint, say"),
    ('skills: ["{{ language }}"]', "skills: [malay]", "queue-service.skills.0: no skill 'malay'. There are: cmn, en or yue", "malay"),
    ("language: yue", "language: yeu", "cantonese: no language 'yeu'. Did you mean 'yue'?", "yeu"),
    ("[cmn, yue, en] ", "[cmn, yue, eng] ", "languages.2: no language 'eng'. Did you mean 'en'?", "eng]"),
    # texts and expressions
    ("      yue: \"你嘅訂單", "      # \"你嘅訂單", "tell-order: the text in yue is missing", "say:\n      cmn"),
    ("      yue: \"你嘅訂單", "      fr: \"你嘅訂單", "tell-order.fr: no language 'fr'. There are: cmn, en or yue", "fr:"),
    ("{{ order_number }}", "{{ order_numbr }}", "find-order.with.number: no variable 'order_numbr'. Did you mean 'order_number'?", '"{{ order_numbr'),
    ("attach: [order_number]", "attach: [order_numbr]", "queue-service.attach.0: no variable 'order_numbr'. Did you mean 'order_number'?", "order_numbr]"),
    ("预计{{ order.eta", "预计{{ order.etd", "tell-order.cmn: 'order' has no 'etd'. Did you mean 'eta'?", '"您的订单'),
    ("预计{{ order.eta | date }}", "预计{{ order }}", "tell-order.cmn: 'order' has several values; write for example order.eta", '"您的订单'),
    ("预计{{ order.eta", "预计{{ language.eta", "tell-order.cmn: 'language' is a plain value and has no '.eta'", '"您的订单'),
    (
        '"1": track,',
        '"1": track, "7": find-order,',
        "find-order.with.number: 'order_number' has no value yet on the way welcome -> main -> find-order; it is set in track",
        '"{{ order_number',
    ),
    ("预计{{ order.eta | date }}", "预计{{ order.eta | dat }}", "tell-order.cmn: no filter 'dat'. Did you mean 'date'?", '"您的订单'),
    ("预计{{ order.eta | date }}", "预计{{ order.eta | date }", "tell-order.cmn: '{{' is not closed by '}}'", '"您的订单'),
    ("== 'gold'", "= 'gold'", "queue-service.priority: the expression cannot be read from '=' on; to compare two values write ==", '"{{ 10'),
    ("10 if", "5 * 2 if", "queue-service.priority: '*' is not possible in an expression", '"{{ 5'),
    ("if caller.tier == 'gold' else 0", "if caller.tier == 'gold'", "queue-service.priority: '... if ...' needs an 'else'", '"{{ 10'),
    # the file
    ("      timeout: 5s\n", "      timeout: 5s\n      timeout: 6s\n", "the key 'timeout' stands here twice; first in line 21", "timeout: 6s"),
    ('number: "{{ order_number }}"', "number: {{ order_number }}", 'a text that begins with {{ must stand in quotes: "{{ ... }}"', "{{ order_number"),
    ('"*": repeat', "*: repeat", 'the key * must stand in quotes: "*"', "*: repeat"),
    (
        'en: "Order {{ order.number | digits }} is',
        "en: Press # to hear {{ order.number | digits }}",
        "tell-order.en: the text ends before ' #', which begins a comment; put the whole text in quotes",
        "Press #",
    ),
    ('number: ["1000", "4008001234"]', 'number: ["1000", "none"]', "number.1: 'none' is not a dialled number; write digits, for example \"4008001234\"", '"none"'),
    ('number: ["1000", "4008001234"]', 'number: ["1000", "1000"]', "the number '1000' is answered above already", '"1000"]'),
]  # fmt: skip


def position(text, marker):
    """Line and column of the first place where a text stands after what the slip changed; of its last word's start."""
    start = text.index(marker) + (len(marker) - len(marker.lstrip()))
    line = text.count("\n", 0, start) + 1
    return line, start - (text.rfind("\n", 0, start) + 1) + 1


@pytest.mark.parametrize(("before", "after", "message", "marker"), SLIPS, ids=[slip[2][:60] for slip in SLIPS])
def test_a_slip_is_told_once_and_where_it_stands(before, after, message, marker):
    assert before in FLOW
    text = FLOW.replace(before, after, 1)
    found = told(text)
    matching = [line for line in found if line.split(": ", 1)[1].startswith(message)]
    assert matching, found
    line, column = (int(part) for part in matching[0].split(":")[1:3])
    assert (line, column) == (position(text, marker) if isinstance(marker, str) else marker)
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
        "flows/hotline.yaml:10:21: third.en: 'a' has no value yet when the call comes here; it is set in first or second"
    ]


def test_a_prompt_of_the_catalogue_may_need_values_too():
    text = TWO_WAYS.replace("{{into}}", "a").replace('{say: {en: "{{ a }}"}', "{say: your-position")
    assert told(text) == [
        "flows/hotline.yaml:9:16: third: the prompt 'your-position': no variable 'position'."
        " There are: a, call, caller, dialled, language or now"
    ]


# --- the table for administrators --------------------------------------------------------------------


def test_every_message_stands_with_its_remedy_in_the_reference():
    reference = (HERE / "docs" / "flow-language.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)` \| (.+) \|$", reference.split("## Messages", 1)[1], re.MULTILINE)
    assert [message for message, _ in rows] == [message for _, _, message, _ in SLIPS]
    assert all(remedy.endswith(".") for _, remedy in rows)


def test_every_verb_stands_with_its_exits_and_fields_in_the_reference():
    reference = (HERE / "docs" / "flow-language.md").read_text(encoding="utf-8")
    for verb, step in verbs().items():
        section = reference.split(f"### {verb}\n", 1)[1].split("\n### ", 1)[0].split("\n## ", 1)[0]
        for exit, facts in step.exits.items():
            assert (f"**{exit}**" if facts.required else f"`{exit}`") in section, f"{verb}: {exit}"
        for name, field in step.model_fields.items():
            assert name == step.whole or f"`{field.alias or name}`" in section or f"{field.alias}:" in section, name
