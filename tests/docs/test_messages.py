"""The table of all messages of the checker for administrators: an example of each, and what to do."""

import re
import sqlite3

import pytest

from acd.queues import Known, load_queues
from acd.reasons import load_reasons
from config.document import arranged, parse
from crm import trial
from crm.catalogue import load as load_queries
from ivr.language.calendars import load_calendars
from ivr.language.checker import check
from ivr.language.house import House, QueryFacts
from ivr.language.reader import read
from ivr.language.scenarios import load_scenarios
from ivr.language.templates import template
from runtime import house_prompts
from runtime.flowbook import Surroundings, read_book
from speech import words
from speech.catalogue import load as load_catalogue
from switch.shared.clock import RealClock
from tests.docs.cases import SECTIONS
from tests.docs.generated import HERE, keep_current
from tests.docs.messages import templates
from tests.ivr.language.slips import SLIPS

HEAD = """\
# What `check` says

Each message here was brought about by a slip, and stands as `./appliance.py check` prints it after the file and
the place: `flows/hotline.yaml:20:22:` is line 20, column 22. All problems are told at once; where one slip would
cause others, only the slip is told.

## Flows

| message | what to do |
|---|---|
"""
CATALOGUE, _ = load_catalogue(HERE / "prompts")
SURVEY = """
languages: [cmn, en]
start: a
takes: [a]
steps:
  a: {return: {}}
"""


def house(**more):
    texts = {id: {one: template(text) for one, text in spoken.items()} for id, spoken in CATALOGUE.texts.items()}
    return House(
        prompts=texts | {"beep": dict.fromkeys(words.languages())},
        languages=words.languages(),
        queues=["service"],
        queries={
            "order_by_number": QueryFacts(frozenset({"number", "eta"}), frozenset({"number"})),
            "open_ticket": QueryFacts(frozenset({"number"}), frozenset({"kind"}), writes=True),
            "silent": QueryFacts(frozenset(), frozenset(), writes=True),
        },
        calendars=["office"],
        boxes=["service"],
        refused=lambda to: f"{to} is no telephone number",
        **more,
    )


def of_flow(text, tmp_path):
    document, problems = parse(text, "hotline.yaml")
    drafts = [] if document is None else [read(document)]
    drafts += [read(parse(SURVEY, "survey.yaml")[0])] if "survey" in text else []
    return arranged([*problems, *check(drafts, house())])


def of_flows(text, tmp_path):
    """The folder of several small flows, as a mapping says which of them calls which."""
    (tmp_path / "prompts").mkdir()
    (tmp_path / "flows").mkdir()
    for prompt in ("sorry-technical", "time-is-up", "sorry-interrupted", "sorry-interrupted-kept"):
        texts = "".join(f"  {one}: x\n" for one in ("cmn", "en"))
        with (tmp_path / "prompts" / "catalogue.yaml").open("a") as file:
            file.write(f"{prompt}:\n{texts}")
    document, _ = parse(text, "flows")
    for number, (name, facts) in enumerate((document.data or {}).items()):
        languages = ", ".join(facts.get("languages", ["cmn", "en"]))
        called = [one for other, of in document.data.items() for one in [of.get("call")] if one == name]
        own = "" if called or facts.get("number") == "false" else f'number: "{number}"\n'
        last = "{return: {}}" if facts.get("return") else "{hangup: {}}"
        begin = f"{{call: {{flow: {facts['call']}}}, next: end}}" if "call" in facts else "{goto: end}"
        (tmp_path / "flows" / f"{name}.yaml").write_text(
            f"{own}languages: [{languages}]\nstart: a\nsteps:\n  a: {begin}\n  end: {last}\n"
        )
    return read_book(tmp_path / "flows", tmp_path / "prompts", Surroundings())[1]


def of_catalogue(text, tmp_path):
    (tmp_path / "catalogue.yaml").write_text(text)
    catalogue, problems = load_catalogue(tmp_path)
    return problems + house_prompts.prompts(catalogue, tmp_path, tmp_path)[1]


def of_tried_queries(text, tmp_path):
    """Queries against a CRM that has a table of orders."""
    with sqlite3.connect(tmp_path / "crm.db") as crm:
        crm.execute("create table orders (number, status)")
    queries, problems = load_queries(text, "f")
    assert not problems
    return trial.problems(text, "f", queries, f"sqlite:///{tmp_path}/crm.db", RealClock())


LOADS = {
    "flow": of_flow,
    "flows": of_flows,
    "queues": lambda text, _: load_queues(text, "f", known=Known(skills=["cmn"], music=["calm"], calendars=["office"]))[
        1
    ],
    "queries": lambda text, _: load_queries(text, "f")[1],
    "tried": of_tried_queries,
    "calendars": lambda text, _: load_calendars(text, "f")[1],
    "reasons": lambda text, _: load_reasons(text, "f")[1],
    "scenarios": lambda text, _: load_scenarios(text, "f")[1],
    "catalogue": of_catalogue,
}
CASES = [(section, case) for section, cases in SECTIONS.items() for case in cases]


def message_of(case, tmp_path):
    problems = [problem.message for problem in LOADS[case.kind](case.text, tmp_path)]
    meant = [message for message in problems if case.says in message]
    assert meant, problems
    return meant[0]


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """What is said of each case."""
    return {case: message_of(case, tmp_path_factory.mktemp("case")) for _, case in CASES}


def test_every_message_stands_with_its_remedy_in_the_table(messages):
    rows = [_row(slip.message, slip.remedy) for slip in SLIPS]
    for section, cases in SECTIONS.items():
        rows += ["", f"## {section}", "", "| message | what to do |", "|---|---|"]
        rows += [_row(messages[case], case.remedy) for case in cases]
    keep_current("messages.md", HEAD + "\n".join(rows) + "\n")


def _row(message, remedy):
    code = "``" if "`" in message else "`"
    return f"| {code}{message.replace('|', chr(92) + '|')}{code} | {remedy} |"


def test_every_message_has_a_remedy():
    assert [slip.message for slip in SLIPS if not slip.remedy.endswith(".")] == []
    assert [case.text for _, case in CASES if not case.remedy.endswith(".")] == []


def test_no_message_of_the_sources_is_left_out(messages):
    told = [*(slip.message for slip in SLIPS), *messages.values()]
    missing = [
        f"{file}:{line}: {text}"
        for file, line, pattern, text in templates()
        if not any(re.search(pattern, message, re.DOTALL) for message in told)
    ]
    assert missing == [], "add a case to tests/docs/cases.py"
